import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beats } from '../../src/clock.ts';
import { type SumOperation, type SumRow, sumIncrements } from '../../src/strategy/sum-increments.ts';
import { declareVariable } from '../../src/strategy/variable.ts';
import { clusterOf, createCluster, type Done, runs, states } from './cluster.ts';
import { sum } from './subjects.ts';

const variable = declareVariable('views', { strategy: 'sum-increments' });
const place = (size: number) => createCluster(sumIncrements, variable, size);
const add = (amount: number): SumOperation => ({ operation: 'add', amount });
const set = (value: number): SumOperation => ({ operation: 'set', value });
const reset: SumOperation = { operation: 'reset' };

/** The base of the best-stamped set or reset, and every increment that no reset among these had seen. */
function model(done: readonly Done<SumOperation>[], initial: number): number {
  let base: Done<SumOperation> | null = null;
  const cancelled = new Set<number>();
  for (const one of done) {
    if (one.operation.operation === 'add' || one.stamp === null) continue;
    if (base?.stamp == null || beats(one.stamp, one.replica, base.stamp, base.replica)) base = one;
    for (const id of one.seen) cancelled.add(id);
  }
  let value = base?.operation.operation === 'set' ? base.operation.value : initial;
  for (const { id, operation } of done) if (operation.operation === 'add' && !cancelled.has(id)) value += operation.amount;
  return value;
}

describe('the model: the winning base, and each increment that no reset had seen', () => {
  test('every replica shows at any time what the operations that it holds make', () => {
    fc.assert(
      fc.property(clusterOf(sum), (cluster) => {
        for (let at = 0; at < cluster.size; at++) expect(cluster.read(at)).toBe(model(cluster.held(at), 3));
      }),
      { numRuns: runs(400) },
    );
  });

  test('after healing all show what the durable operations make, in equal bytes', () => {
    fc.assert(
      fc.property(clusterOf(sum), (cluster) => {
        cluster.heal();
        expect(states(cluster).size).toBe(1);
        expect(cluster.read(0)).toBe(model(cluster.done, 3));
      }),
      { numRuns: runs(400) },
    );
  });
});

describe('resets', () => {
  test('an increment that a reset had not seen survives it', () => {
    const cluster = place(2);
    cluster.write(0, add(5));
    cluster.send(0, 1);
    cluster.write(0, add(2));
    cluster.write(1, reset);
    cluster.heal();
    expect(cluster.read(0)).toBe(2);
  });

  test('two concurrent resets are one', () => {
    const cluster = place(2);
    cluster.write(0, add(5));
    cluster.send(0, 1);
    cluster.write(0, reset);
    cluster.write(1, reset);
    cluster.heal();
    expect(cluster.read(1)).toBe(0);
  });

  test('two concurrent set(100) make 100', () => {
    const cluster = place(2);
    cluster.write(0, add(5));
    cluster.write(1, add(7));
    cluster.heal();
    cluster.write(0, set(100));
    cluster.write(1, set(100));
    cluster.heal();
    expect(cluster.read(0)).toBe(100);
  });

  test('increments after an own reset, in the same flush, are counted once, also when another replica then resets', () => {
    const cluster = place(3);
    cluster.write(0, add(5), reset, add(2));
    cluster.send(0, 1, 2);
    expect(cluster.read(1)).toBe(2);
    cluster.write(1, reset);
    cluster.write(0, add(1));
    cluster.heal();
    expect(cluster.read(2)).toBe(1);
  });

  test('a row older than the cancel counts nothing: whoever cancelled had seen more of it', () => {
    const cluster = place(3);
    cluster.write(0, add(5));
    cluster.send(0, 1, 2);
    cluster.write(0, add(2));
    cluster.send(0, 1);
    cluster.write(1, reset);
    cluster.send(1, 2);
    expect(cluster.read(2)).toBe(0);
  });

  test('a reset that was lost in a crash cancels nothing', () => {
    const cluster = place(2);
    cluster.write(0, add(5));
    cluster.send(0, 1);
    cluster.send(1);
    cluster.write(1, reset);
    cluster.crash(1);
    cluster.write(1, add(1));
    cluster.heal();
    expect(cluster.read(1)).toBe(6);
  });
});

test('a second reset, after a crash that lost the rows that the first had seen, cancels no less than the first', () => {
  const cluster = place(2);
  cluster.write(0, add(5));
  cluster.send(0, 1);
  cluster.run([{ do: 'flush', at: 1 }]);
  cluster.write(0, add(7));
  cluster.send(0, 1);
  cluster.write(1, reset);
  cluster.run([{ do: 'flush', at: 1, ownOnly: true }]);
  cluster.crash(1);
  cluster.write(1, reset);
  cluster.heal();
  expect(cluster.read(0)).toBe(0);
});

describe('numbers at their limits', () => {
  const rowOf = (total: number): SumRow => ({ sum: total, cancels: {}, base: null });
  const writer = { me: 'a', version: 2, stamp: () => [1, 0] as const };
  const max = Number.MAX_SAFE_INTEGER;

  test('an add beyond 2^53−1 is refused', () => {
    const rows = new Map([['a', { version: 1, row: rowOf(max) }]]);
    expect(() => sumIncrements.apply(rows, writer, { operation: 'add', amount: 1 }, variable)).toThrow(/add up beyond/);
    expect(sumIncrements.apply(rows, writer, { operation: 'add', amount: -1 }, variable).sum).toBe(max - 1);
  });

  test('rows that add up beyond the range refuse to be read, and are exact where only a part of the way is beyond it', () => {
    const rows = (...sums: number[]) => new Map(sums.map((total, i) => [`r${i}`, { version: 1, row: rowOf(total) }]));
    expect(() => sumIncrements.read(rows(max, 1), variable)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
    expect(sumIncrements.read(rows(max, max, -max, -max + 1), variable)).toBe(1);
    expect(sumIncrements.step?.(max, add(1), variable)).toBeUndefined();
  });

  test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', null])('add(%s) is refused', (amount) => {
    expect(() => sumIncrements.parse({ operation: 'add', amount }, variable)).toThrow(
      expect.objectContaining({ code: 'INVALID_NUMBER' }),
    );
  });
});

test('an add shares the maps of the row before it', () => {
  const cluster = place(2);
  cluster.write(0, reset);
  const before = cluster.rows(0).get('r0.1')?.row;
  cluster.write(0, add(1));
  const after = cluster.rows(0).get('r0.1')?.row;
  expect(after?.cancels).toBe(before?.cancels);
  expect(after?.base).toBe(before?.base);
});
