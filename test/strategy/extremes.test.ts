import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beats, type Stamp } from '../../src/clock.ts';
import type { Extreme, ExtremeOperation } from '../../src/strategy/extreme.ts';
import { maxValue } from '../../src/strategy/max-value.ts';
import { declareVariable } from '../../src/strategy/variable.ts';
import { clusterOf, createCluster, type Done, runs, states } from './cluster.ts';
import { max, min } from './subjects.ts';

const variable = declareVariable('bid', { strategy: 'max-value' });
const place = (size: number) => createCluster(maxValue, variable, size);
const raise = (value: number, companion: string | null = null): ExtremeOperation => ({
  operation: 'raise',
  value,
  with: companion,
});
const reset: ExtremeOperation = { operation: 'reset' };

/** The round of each operation that had an effect: what its writer knew, and one more for a reset. */
function roundsOf(done: readonly Done<ExtremeOperation>[]): ReadonlyMap<number, number> {
  const rounds = new Map<number, number>();
  for (const { id, operation, seen, stamp } of [...done].sort((a, b) => a.id - b.id)) {
    if (stamp === null) continue;
    const known = Math.max(0, ...[...seen].map((before) => rounds.get(before) ?? 0));
    rounds.set(id, operation.operation === 'reset' ? known + 1 : known);
  }
  return rounds;
}

function model(all: readonly Done<ExtremeOperation>[], held: readonly Done<ExtremeOperation>[], initial: number | null): Extreme {
  const rounds = roundsOf(all);
  const current = Math.max(0, ...held.map(({ id }) => rounds.get(id) ?? 0));
  let best: { value: number; with: string | null; one: Done<ExtremeOperation> | null } | null =
    initial === null ? null : { value: initial, with: null, one: null };
  for (const one of held) {
    const { operation, stamp, replica } = one;
    if (operation.operation === 'reset' || stamp === null || rounds.get(one.id) !== current) continue;
    const higher =
      best === null || (operation.operation === 'raise' ? operation.value > best.value : operation.value < best.value);
    const earlier =
      best?.one?.stamp != null &&
      operation.value === best.value &&
      !beats(stamp, '', best.one.stamp, '~') &&
      replica !== best.one.replica;
    if (higher || earlier) best = { value: operation.value, with: operation.with as string | null, one };
  }
  return { value: best?.value ?? null, with: best?.with ?? null };
}

describe.each([
  ['max-value', max],
  ['min-value', min],
] as const)('%s, the model: the most extreme offer of the highest round', (_name, trial) => {
  const initial = trial.variable.initial === undefined ? null : 1;

  test('every replica shows at any time the best offer of the highest round that it holds', () => {
    fc.assert(
      fc.property(clusterOf(trial), (cluster) => {
        for (let at = 0; at < cluster.size; at++) {
          const held = cluster.held(at);
          const pending = held.filter((one) => !cluster.done.includes(one));
          expect(cluster.read(at).value).toBe(model([...cluster.done, ...pending], held, initial).value);
        }
      }),
      { numRuns: runs(400) },
    );
  });

  test('after healing all show the highest acknowledged offer of the last round, in equal bytes', () => {
    fc.assert(
      fc.property(clusterOf(trial), (cluster) => {
        cluster.heal();
        expect(states(cluster).size).toBe(1);
        expect(cluster.read(0).value).toBe(model(cluster.done, cluster.done, initial).value);
      }),
      { numRuns: runs(400) },
    );
  });

  test('an offer that no reset had seen, and that the last round left behind, is logged', () => {
    fc.assert(
      fc.property(clusterOf(trial), (cluster) => {
        cluster.heal();
        const rounds = roundsOf(cluster.done);
        const last = Math.max(0, ...rounds.values());
        const find = (side: { replica: string; stamp: Stamp }) =>
          cluster.done.find((one) => one.replica === side.replica && String(one.stamp) === String(side.stamp));
        for (const { lost, won } of cluster.conflicts) {
          const [offer, opener] = [find(lost), find(won)];
          if (offer === undefined || opener === undefined) continue; // one of the two was lost in a crash
          expect(offer.operation.operation).not.toBe('reset');
          expect(rounds.get(offer.id)).toBeLessThan(rounds.get(opener.id) ?? 0);
          if (opener.operation.operation === 'reset') expect(opener.seen.has(offer.id)).toBe(false);
        }
        const resets = cluster.done.filter(({ operation }) => operation.operation === 'reset');
        const logged = cluster.conflicts.map(({ lost }) => `${lost.replica} ${lost.stamp}`);
        for (const one of cluster.done) {
          const isLast = !cluster.done.some(
            (other) => other.replica === one.replica && other.stamp !== null && other.id > one.id,
          );
          const isLate = one.stamp !== null && one.operation.operation !== 'reset' && (rounds.get(one.id) ?? 0) < last;
          if (isLast && isLate && !resets.some(({ seen }) => seen.has(one.id)))
            expect(logged).toContain(`${one.replica} ${one.stamp}`);
        }
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('an auction', () => {
  test('the highest bid keeps its bidder', () => {
    const cluster = place(2);
    cluster.write(0, raise(100, 'ann'));
    cluster.write(1, raise(120, 'bob'));
    cluster.heal();
    expect(cluster.read(0)).toEqual({ value: 120, with: 'bob' });
  });

  test('of two equal bids the earlier one stays', () => {
    const cluster = place(3);
    cluster.write(2, raise(100, 'bob'));
    cluster.write(0, raise(100, 'ann'));
    cluster.heal();
    expect(cluster.read(0)).toEqual({ value: 100, with: 'bob' });
  });

  test('of two equal bids at the same instant the lower replica id stays', () => {
    const bid = (bidder: string) => ({ version: 1, row: { round: 0, value: 7, with: bidder, stamp: [5, 0] as const } });
    const rows = new Map([
      ['b.1', bid('bob')],
      ['a.1', bid('ann')],
    ]);
    expect(maxValue.read(rows, variable)).toEqual({ value: 7, with: 'ann' });
  });

  test('a bid that does not show costs neither a write nor a stamp', () => {
    const cluster = place(2);
    cluster.write(0, raise(100, 'ann'));
    const before = cluster.rows(0).get('r0.1')?.row;
    cluster.write(0, raise(90, 'bob'));
    expect(cluster.rows(0).get('r0.1')?.row).toBe(before);
    expect(maxValue.accepts?.(cluster.read(0), raise(100, 'bob'))).toBe(false);
    expect(maxValue.accepts?.(cluster.read(0), raise(101, 'bob'))).toBe(true);
  });

  test('a bid for the last round never leaks into the next one, and is logged', () => {
    const cluster = place(2);
    cluster.write(0, raise(100, 'ann'));
    cluster.send(0, 1);
    cluster.write(0, raise(500, 'ann'));
    cluster.write(1, reset, raise(10, 'bob'));
    cluster.heal();
    expect(cluster.read(0)).toEqual({ value: 10, with: 'bob' });
    expect(cluster.conflicts.map(({ lost }) => lost.value)).toContainEqual({ value: 500, with: 'ann' });
    expect(cluster.conflicts.map(({ lost }) => lost.value)).not.toContainEqual({ value: 100, with: 'ann' });
  });

  test('a bid that the reset had seen is not logged, wherever the two meet', () => {
    const cluster = place(3);
    cluster.write(0, raise(100, 'ann'));
    cluster.send(0, 1, 2);
    cluster.write(1, reset);
    cluster.heal();
    cluster.write(1, raise(1, 'bob'));
    cluster.heal();
    expect(cluster.conflicts).toEqual([]);
  });

  test('a bid that the reset had seen is not logged when its row is published again unchanged', () => {
    const cluster = place(2);
    cluster.write(0, raise(100, 'ann'));
    cluster.send(0, 1);
    cluster.write(1, reset);
    cluster.write(0, raise(90, 'ann'));
    cluster.heal();
    expect(cluster.rows(1).get('r0.1')?.version).toBe(2);
    expect(cluster.conflicts).toEqual([]);
  });

  test('an initial value that was raised later shows over what was offered before', () => {
    const rows = new Map([['a.1', { version: 1, row: { round: 0, value: 40, with: 'ann', stamp: [5, 0] as const } }]]);
    expect(maxValue.read(rows, declareVariable('bid', { strategy: 'max-value', initial: 50 }))).toEqual({
      value: 50,
      with: null,
    });
    expect(maxValue.read(rows, declareVariable('bid', { strategy: 'max-value', initial: 30 }))).toEqual({
      value: 40,
      with: 'ann',
    });
  });

  test('two concurrent resets open one round', () => {
    const cluster = place(2);
    cluster.write(0, raise(100));
    cluster.heal();
    cluster.write(0, reset, raise(5));
    cluster.write(1, reset, raise(7));
    cluster.heal();
    expect(cluster.read(0).value).toBe(7);
  });

  test('the initial value is the first offer of each round', () => {
    const cluster = createCluster(maxValue, declareVariable('bid', { strategy: 'max-value', initial: 50 }), 2);
    cluster.write(0, raise(40));
    expect(cluster.read(0).value).toBe(50);
    cluster.write(0, raise(60), reset);
    expect(cluster.read(0).value).toBe(50);
  });

  test('a row that claims the last round there is makes reset refuse instead of wrapping', () => {
    const poison = { version: 1, row: { round: Number.MAX_SAFE_INTEGER, value: 1, with: null, stamp: [1, 0] as const } };
    const writer = { me: 'a', version: 1, stamp: () => [2, 0] as const };
    expect(() => maxValue.apply(new Map([['b', poison]]), writer, reset, variable)).toThrow(
      expect.objectContaining({ code: 'OUT_OF_RANGE' }),
    );
  });
});
