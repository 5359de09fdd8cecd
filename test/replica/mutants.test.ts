/** One test for each mechanism that could be taken out without any other test noticing. */
import { expect, test } from 'vitest';
import { createClock } from '../../src/clock.ts';
import { createConflictLog } from '../../src/replica/conflicts.ts';
import { createMemory, markChanged, putRecord, sweep } from '../../src/replica/memory.ts';
import { createQuarantine } from '../../src/replica/quarantine.ts';
import { type Alarm, joinRows } from '../../src/replica/receive.ts';
import { createSlot } from '../../src/replica/slot.ts';
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
