import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beats, compareStamps } from '../../src/clock.ts';
import { type LastWriteOperation, lastWriteWins } from '../../src/strategy/last-write-wins.ts';
import { declareVariable } from '../../src/strategy/variable.ts';
import { clusterOf, createCluster, type Done, runs, states } from './cluster.ts';
import { lastWrite } from './subjects.ts';

const variable = declareVariable('flag', {});
const place = (size: number) => createCluster(lastWriteWins, variable, size);
const set = (value: number): LastWriteOperation => ({ operation: 'set', value });

function winner(done: readonly Done<LastWriteOperation>[]): Done<LastWriteOperation> | null {
  let best: Done<LastWriteOperation> | null = null;
  for (const one of done) {
    if (one.stamp !== null && (best?.stamp == null || beats(one.stamp, one.replica, best.stamp, best.replica))) best = one;
  }
  return best;
}

describe('the model: the best stamp of all writes', () => {
  test('every replica shows at any time the best write that it holds, and nobody who saw it wrote after it', () => {
    fc.assert(
      fc.property(clusterOf(lastWrite), (cluster) => {
        for (let at = 0; at < cluster.size; at++) {
          const held = cluster.held(at);
          const best = winner(held);
          expect(cluster.read(at)).toBe(best?.operation.operation === 'set' ? best.operation.value : 0);
          if (best !== null) expect(held.filter((one) => one.seen.has(best.id))).toEqual([]);
        }
      }),
      { numRuns: runs(400) },
    );
  });

  test('after healing all show one value in equal bytes', () => {
    fc.assert(
      fc.property(clusterOf(lastWrite), (cluster) => {
        cluster.heal();
        expect(states(cluster).size).toBe(1);
      }),
      { numRuns: runs(200) },
    );
  });

  test('a write is logged as lost exactly when one that had not seen it beat it', () => {
    fc.assert(
      fc.property(clusterOf(lastWrite), (cluster) => {
        cluster.heal();
        const { done, conflicts } = cluster;
        const find = (side: { replica: string; stamp: readonly [number, number] }) =>
          done.find((one) => one.replica === side.replica && one.stamp !== null && compareStamps(one.stamp, side.stamp) === 0);
        for (const { lost, won } of conflicts) {
          const [loser, victor] = [find(lost), find(won)];
          if (loser === undefined || victor === undefined) continue; // one of the two was lost in a crash
          expect(victor.seen.has(loser.id)).toBe(false);
          expect(beats(won.stamp, won.replica, lost.stamp, lost.replica)).toBe(true);
        }
        const best = winner(done);
        const unseen = done.filter((one) => one !== best && !done.some((other) => other.seen.has(one.id)));
        for (const one of unseen) expect(conflicts.map(({ lost }) => find(lost)?.id)).toContain(one.id);
      }),
      { numRuns: runs(300) },
    );
  });

  test('no replica that stays up logs a loss twice', () => {
    fc.assert(
      fc.property(clusterOf(lastWrite, ['crash']), (cluster) => {
        cluster.heal();
        const logged = cluster.conflicts.map(({ at, lost }) => `${at} ${lost.replica} ${lost.stamp}`);
        expect(logged.length).toBe(new Set(logged).size);
      }),
      { numRuns: runs(200) },
    );
  });
});

test('a write issued after seeing another beats it, also from a machine whose clock is behind', () => {
  const cluster = place(4);
  cluster.write(3, set(1)); // its clock is a second ahead
  cluster.send(3, 2);
  cluster.write(2, set(2)); // its clock is behind
  cluster.heal();
  expect(cluster.read(0)).toBe(2);
  expect(cluster.conflicts).toEqual([]);
});

test('of two writes at the same time the lower replica id wins, and the other is logged', () => {
  const at = (value: number) => ({ version: 1, row: { stamp: [5, 0] as const, value, seen: {} } });
  const rows = new Map([
    ['b.1', at(2)],
    ['a.1', at(1)],
  ]);
  expect(lastWriteWins.read(rows, variable)).toBe(1);
  expect(lastWriteWins.conflicts(rows, 'b.1', undefined)).toEqual([
    { lost: { replica: 'b.1', stamp: [5, 0], value: 2 }, won: { replica: 'a.1', stamp: [5, 0], value: 1 } },
  ]);
});

test('unset shows the initial value again, and the key as absent', () => {
  const cluster = createCluster(lastWriteWins, declareVariable('flag', { initial: 'off' }), 2);
  expect(lastWriteWins.absent?.(cluster.rows(0))).toBe(true);
  cluster.write(0, { operation: 'set', value: null });
  expect(cluster.read(0)).toBeNull();
  expect(lastWriteWins.absent?.(cluster.rows(0))).toBe(false);
  cluster.write(0, { operation: 'unset' });
  expect(cluster.read(0)).toBe('off');
  expect(lastWriteWins.absent?.(cluster.rows(0))).toBe(true);
});

test('unset with a path is refused: it names the strategy that has paths', () => {
  expect(() => lastWriteWins.parse({ operation: 'unset', path: 'a' }, variable)).toThrow(/whole value/);
});
