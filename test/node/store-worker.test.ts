import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/node/store.ts';
import { lineTo } from '../../src/node/store-line.ts';
import { newDirectory, removeDirectories } from '../store/places.ts';

afterAll(removeDirectories);

const fakeWorker = (onMessage: string): Worker =>
  new Worker(
    `const { parentPort } = require('node:worker_threads');
     parentPort.postMessage([true, 'opened']);
     parentPort.on('message', (call) => { ${onMessage} });`,
    { eval: true },
  );

test('answers come in the order of the calls', async () => {
  const line = lineTo(fakeWorker('parentPort.postMessage([true, call]); if (call[0] === "close") parentPort.close();'));
  expect(await line.opened).toBe('opened');
  const answers = await Promise.all(['a', 'b', 'c'].map((address) => line.call(['load', [address]])));
  expect(answers).toEqual([
    ['load', ['a']],
    ['load', ['b']],
    ['load', ['c']],
  ]);
  await line.call(['close']);
  await line.ended;
});

test('a refusal is the same error on this side: its code, its message and its fix', async () => {
  const line = lineTo(
    fakeWorker('parentPort.postMessage([false, { code: "DISK_FULL", message: "full", fix: "free some" }]); parentPort.close();'),
  );
  await line.opened;
  await expect(line.call(['verify'])).rejects.toMatchObject({
    name: 'CffbrwError',
    code: 'DISK_FULL',
    message: 'full',
    fix: 'free some',
  });
});

for (const [how, code] of [
  ['throws', 'throw new Error("out of luck")'],
  ['exits', 'process.exit(3)'],
]) {
  test(`a worker that ${how} refuses every waiting and every later call with STORE_FAILED`, async () => {
    const line = lineTo(fakeWorker(code ?? ''));
    await line.opened;
    const waiting = [line.call(['load', []]), line.call(['verify'])];
    for (const call of waiting)
      await expect(call).rejects.toMatchObject({ code: 'STORE_FAILED', fix: expect.stringContaining('unknown') });
    await line.ended;
    await expect(line.call(['load', []])).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });
}

test('verify finds nothing in a sound store', async () => {
  const { store, verify } = await openSqliteStore({ directory: newDirectory(), witness: null });
  const rows = Array.from({ length: 2500 }, (_, at) => ({ address: `a${at}`, replica: 'x', version: 1, bytes: '{}' }));
  await store.commit(
    rows,
    rows.map(({ address }) => ({ name: address, value: '1' })),
  );
  await verify();
  await store.close();
  await expect(verify()).rejects.toMatchObject({ code: 'CLOSED' });
});
