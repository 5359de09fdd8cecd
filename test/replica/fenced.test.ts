import { expect, test } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { createBank } from '../../src/replica/bank/bank.ts';
import { emptyBank, printBank } from '../../src/replica/bank/record.ts';
import { createFlush } from '../../src/replica/flush.ts';
import { createMemory, putRecord } from '../../src/replica/memory.ts';
import { memoryStore, type Store } from '../../src/store/index.ts';
import { addressOf } from '../../src/strategy/address.ts';
import { createWorld } from '../simulate/world.ts';
import { createTestLedger } from './bank/ledger.ts';
import { createCluster, declareAll } from './cluster.ts';

const variables = {
  count: { strategy: 'sum-increments' },
  banner: { strategy: 'last-write-wins' },
  stock: { strategy: 'bounded-counter', initial: 4 },
} as const;

/** A store that counts what it was asked to commit. */
function counting(store: Store) {
  const counts = { commits: 0 };
  const counted: Store = {
    ...store,
    commit(rows, records) {
      counts.commits += 1;
      return store.commit(rows, records);
    },
  };
  return { store: counted, counts };
}

test('a process that a second start has stopped commits nothing any more, not even what it receives', async () => {
  const world = createWorld('fenced commits');
  const cluster = createCluster({ world, variables });
  const one = await world.runUntil(cluster.start('one'));
  const { store, counts } = counting(cluster.machine('two').disk.open());
  const two = await world.runUntil(cluster.start('two', { store }));
  await world.runUntil(two.variable('count').add(1));
  await world.run(3_000);
  await world.runUntil(cluster.start('two', { witness: null }));
  await world.run(5_000);
  expect(two.status.refused).not.toBeNull();
  const before = counts.commits;
  await world.runUntil(one.variable('count').add(1));
  await expect(world.runUntil(two.variable('count').add(1))).rejects.toMatchObject({ code: 'FENCED' });
  await world.run(10_000);
  expect(counts.commits).toBe(before);
});

test('stamps increase over a restart, although the commit that carried the clock failed', async () => {
  const world = createWorld('clock record');
  const cluster = createCluster({ world, variables, loopback: null });
  const one = await world.runUntil(cluster.start('one'));
  const { disk, host } = cluster.machine('one');
  await world.runUntil(one.variable('count').add(1));
  host.skewMs = 60_000;
  disk.faults.full = true;
  await expect(world.runUntil(one.variable('banner').set('ahead'))).rejects.toMatchObject({ code: 'DISK_FULL' });
  disk.faults.full = false;
  await world.runUntil(one.variable('count').add(1)); // no stamp: the clock has not moved since
  host.skewMs = 0;
  const clock = disk.snapshot().records.find(({ name }) => name === 'clock')?.value;
  expect(JSON.parse(clock ?? '[0]')[0]).toBeGreaterThan(world.nowMs + 50_000);
});

test('a turn that fails while nothing may be written rejects nowhere, whatever the listener of alarms does', async () => {
  const world = createWorld('failing turn');
  const host = world.host('one');
  const [variable] = declareAll({ stock: variables.stock }).values();
  if (variable === undefined) throw new Error('no variable');
  const { disk } = createCluster({ world, variables, loopback: null }).machine('one');
  // All of it is leased elsewhere, so that a take has to say what it wants.
  let value = printBank({ ...emptyBank(4), leases: { 'two.1': { leased: 4, returned: 0 } } });
  let isBroken = false;
  const answer = async () => {
    if (isBroken) throw new Error('broken');
    return { value, revision: value, identity: 'x' };
  };
  const registers = {
    get: answer,
    async compareAndSet(_: string, next: string | null) {
      value = next ?? value;
      return { done: true, register: await answer() };
    },
  };
  const ledger = createTestLedger({
    ...{ me: 'one.1', host, store: disk.open(), registers, commit: 0 },
    variable: () => variable,
  });
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', listen);
  try {
    const failing = () => {
      throw new Error('the listener is broken, too');
    };
    const account = await world.runUntil(ledger.account(addressOf(variable)));
    ledger.putRecord('receipt-key', '00'.repeat(32));
    const bank = createBank(ledger, { alarm: failing });
    const taken = bank.take([{ address: account.address, amount: 1 }], { timeoutMs: 5_000 });
    Promise.resolve(taken).catch(() => {});
    await world.run(500);
    expect(account.rows.get('one.1')?.row.wants).toBe(1);
    isBroken = true;
    ledger.write = () => {
      throw new Error('nothing may be written');
    };
    await world.run(1_000);
    bank.close();
    await world.run(1_000);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', listen);
  }
});

test('what was waiting for its commit when the process was fenced is refused, and not committed', async () => {
  const world = createWorld('fenced flush');
  const { store, counts } = counting(memoryStore());
  const memory = createMemory(0);
  const ignore = () => {};
  const options = { memory, store, host: world.host('one'), me: 'one.1', witness: null };
  const flush = createFlush({ ...options, prepare: ignore, capture: () => ignore, committed: ignore, failed: ignore });
  const commit = putRecord(memory, 'a', '1');
  const durable = flush.durable(commit);
  memory.refusal = new CffbrwError('FENCED', 'another process is this one');
  await expect(world.runUntil(Promise.resolve(durable))).rejects.toMatchObject({ code: 'FENCED' });
  expect(counts.commits).toBe(0);
});
