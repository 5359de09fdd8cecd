/** One test for each mechanism that could be taken out without any other test noticing. */
import { expect, test } from 'vitest';
import { createClock } from '../../src/clock.ts';
import { CffbrwError } from '../../src/error.ts';
import { createConflictLog } from '../../src/replica/conflicts.ts';
import { createLoading } from '../../src/replica/loading.ts';
import { createMemory, emptyBatch, markChanged, putRecord, revert, sweep } from '../../src/replica/memory.ts';
import { createQuarantine } from '../../src/replica/quarantine.ts';
import { type Alarm, joinRows } from '../../src/replica/receive.ts';
import { createSlot } from '../../src/replica/slot.ts';
import { memoryStore, type Store } from '../../src/store/index.ts';
import { addressOf } from '../../src/strategy/address.ts';
import { canonical } from '../../src/strategy/json.ts';
import { strategies } from '../../src/strategy/strategies.ts';
import { createWorld } from '../simulate/world.ts';
import { declareAll } from './cluster.ts';

function stage() {
  const [variable] = declareAll({ count: { strategy: 'sum-increments' } }).values();
  if (variable === undefined) throw new Error('no variable');
  const host = createWorld('mutants').host('one');
  const memory = createMemory(4);
  const slot = createSlot(addressOf(variable), variable, strategies['sum-increments'], new Map());
  memory.slots.set(slot.address.id, slot);
  const alarms: Alarm['kind'][] = [];
  const ignore = () => {};
  const join = (replica: string, version: number, sum: number) =>
    joinRows(
      {
        ...{ memory, host, clock: createClock(() => host.now()), conflicts: createConflictLog(ignore) },
        quarantine: createQuarantine(memory, []),
        mine: (id) => id === 'one.1',
        alarm: ({ kind }) => void alarms.push(kind),
        boundedChanged: ignore,
      },
      [{ address: slot.address.id, replica, version, bytes: canonical({ sum, cancels: {}, base: null }) }],
    );
  const sumOf = (replica: string) => (slot.rows.get(replica)?.row as { sum: number } | undefined)?.sum;
  return { memory, slot, alarms, join, sumOf };
}

test('R2 of two rows with one version the larger bytes win, whichever came first, with an alarm; the same row again is none', () => {
  for (const order of [
    [1, 2],
    [2, 1],
  ] as const) {
    const { join, sumOf, alarms } = stage();
    for (const sum of order) join('two.1', 3, sum);
    expect([sumOf('two.1'), alarms]).toEqual([2, ['fork']]);
    expect(join('two.1', 3, 2)).toBe(0);
    expect(alarms).toEqual(['fork']);
  }
});

test('R3 a row of mine beyond my last commit stops this process, and one that I wrote does not; neither is taken in', () => {
  const { memory, join, alarms, sumOf } = stage();
  join('one.1', 4, 9);
  expect([memory.refusal, alarms, sumOf('one.1')]).toEqual([null, [], undefined]);
  join('one.1', 5, 9);
  expect([memory.refusal?.code, alarms, sumOf('one.1')]).toEqual(['FENCED', ['second-self'], undefined]);
});

test('M2 what is not durable stays in memory, however full it is: records and slots', () => {
  const { memory, slot } = stage();
  putRecord(memory, 'dirty', 'x');
  memory.records.set('clean', { value: 'y', commit: 4 });
  markChanged(memory, slot, 'one.1', null);
  slot.used = false;
  sweep(memory, 0, () => false);
  expect([[...memory.records.keys()], memory.slots.size, slot.dropped]).toEqual([['dirty'], 1, false]);
  memory.committed = memory.next;
  sweep(memory, 0, () => false);
  expect([memory.records.size, memory.slots.size, slot.dropped]).toEqual([0, 0, true]);
});

test('what was read beside a commit that failed is read again: it may be from before it or after it', async () => {
  const { memory, slot } = stage();
  memory.slots.clear();
  const kept = memoryStore();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const late = async <T>(read: Promise<T>): Promise<T> => {
    const found = await read;
    await held;
    return found;
  };
  const store: Store = { ...kept, load: (ids) => late(kept.load(ids)), records: (page) => late(kept.records(page)) };
  const host = createWorld('mutants').host('one');
  const variables = declareAll({ count: { strategy: 'sum-increments' } });
  const clock = createClock(() => host.now());
  const loading = createLoading({
    ...{ memory, store, clock, variables, strategies, host, quarantine: createQuarantine(memory, []), isOwn: () => true },
  });
  const loaded = Promise.all([loading.load([slot.address]), loading.loadRecord('name')]);
  const row = { address: slot.address.id, replica: 'one.1', version: 5, bytes: canonical({ sum: 7, cancels: {}, base: null }) };
  await kept.commit([row], [{ name: 'name', value: 'new' }]);
  revert(memory, emptyBatch(), new CffbrwError('STORE_FAILED', 'it was kept, and nobody knows'));
  release();
  expect((await loaded)[1]).toBe('new');
  expect(memory.slots.get(slot.address.id)?.rows.get('one.1')?.version).toBe(5);
});
