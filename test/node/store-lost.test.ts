import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { nodeHost } from '../../src/node/host.ts';
import { openSqliteStore } from '../../src/node/store.ts';
import { lineTo } from '../../src/node/store-line.ts';
import { type Alarm, openReplica } from '../../src/replica/index.ts';

const worker = (then: string) =>
  new Worker(`const { parentPort } = require('node:worker_threads'); parentPort.postMessage([true, 'opened']); ${then}`, {
    eval: true,
  });

test('a store whose worker dies says so, and one that is closed does not', async () => {
  const dying = lineTo(worker('setTimeout(() => process.exit(3), 1)'));
  expect((await dying.lost).message).toContain('exit 3');
  const closing = lineTo(worker('parentPort.on("message", () => { parentPort.postMessage([true, null]); parentPort.close(); })'));
  let isLost = false;
  void closing.lost.then(() => {
    isLost = true;
  });
  await closing.call(['close']);
  await closing.ended;
  expect(isLost).toBe(false);
});

test('a replica whose store is lost refuses writes, says why, and shows it to who watches over the process', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cffbrw-lost-'));
  const { store, witness } = await openSqliteStore({ directory, witness: join(directory, 'witness') });
  let lose: (error: CffbrwError) => void = () => {};
  const lost = new Promise<CffbrwError>((resolve) => {
    lose = resolve;
  });
  const alarms: Alarm['kind'][] = [];
  const variables = { count: { strategy: 'sum-increments' } } as const;
  const alarm = ({ kind }: Alarm) => void alarms.push(kind);
  const replica = await openReplica({ name: 'one', variables, host: nodeHost, store, witness, lost, alarm });
  await replica.variable('count').add(1);
  lose(new CffbrwError('STORE_FAILED', 'the store’s worker stopped'));
  await lost;
  await expect(replica.variable('count').add(1)).rejects.toMatchObject({ code: 'STORE_FAILED' });
  expect([replica.status.refused, alarms]).toEqual(['the store’s worker stopped', ['store']]);
  expect(await replica.variable('count').get()).toBe(1);
  await replica.close();
  await rm(directory, { recursive: true });
});
