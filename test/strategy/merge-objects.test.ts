import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beats, compareStamps, type Stamp } from '../../src/clock.ts';
import { isObject, type Json, type JsonObject } from '../../src/strategy/json.ts';
import { type MergeOperation, mergeObjects } from '../../src/strategy/merge-objects.ts';
import type { MergeRow } from '../../src/strategy/merge-view.ts';
import type { Entry } from '../../src/strategy/strategy.ts';
import { declareVariable } from '../../src/strategy/variable.ts';
import { clusterOf, createCluster, type Done, runs, states } from './cluster.ts';
import { merge } from './subjects.ts';

const variable = declareVariable('profile', { strategy: 'merge-objects' });
const place = (size: number) => createCluster(mergeObjects, variable, size);
const patch = (value: JsonObject): MergeOperation => ({ operation: 'merge', value });
const unset = (path: string): MergeOperation => ({ operation: 'unset', path });

// ── The model: leaves added and removed by operations that know what they saw; no rows, no marks, no garbage. ──

interface ModelLeaf {
  readonly by: number;
  readonly replica: string;
  readonly stamp: Stamp;
  readonly at: readonly string[];
  readonly value: Json;
}

const isEmptyObject = (value: Json): boolean => isObject(value) && Object.keys(value).length === 0;
const isPrefix = (a: readonly string[], b: readonly string[]): boolean =>
  a.length <= b.length && a.every((part, i) => part === b[i]);

function flatten(value: Json, at: readonly string[]): [readonly string[], Json][] {
  if (!isObject(value) || isEmptyObject(value)) return [[at, value]];
  return Object.entries(value).flatMap(([field, part]) => flatten(part as Json, [...at, field]));
}

function removes(operation: MergeOperation, { at, value }: ModelLeaf): boolean {
  if (operation.operation === 'reset' || operation.operation === 'replace') return true;
  if (operation.operation === 'unset') return isPrefix(operation.path?.slice(1).split('/') ?? [], at);
  return flatten(operation.value, []).some(([path, mine]) => {
    if (isPrefix(path, at) && isPrefix(at, path)) return true;
    if (isPrefix(at, path)) return !isEmptyObject(value);
    return isPrefix(path, at) && !isEmptyObject(mine);
  });
}

function liveLeaves(held: readonly Done<MergeOperation>[]): readonly ModelLeaf[] {
  const added = new Map<string, ModelLeaf>();
  const removed = new Set<string>();
  const inOrder = [...held].sort((a, b) => a.id - b.id);
  for (const { id, replica, stamp, operation, seen } of inOrder) {
    for (const [key, leaf] of added) if (seen.has(leaf.by) && removes(operation, leaf)) removed.add(key);
    if (stamp === null || !('value' in operation)) continue;
    for (const [at, value] of flatten(operation.value, []))
      added.set(`${id} ${at.join('/')}`, { by: id, replica, stamp, at, value });
  }
  return [...added].filter(([key]) => !removed.has(key)).map(([, leaf]) => leaf);
}

const bestOf = (leaves: readonly ModelLeaf[]): ModelLeaf | undefined =>
  leaves.toSorted((a, b) => (beats(a.stamp, a.replica, b.stamp, b.replica) ? -1 : 1))[0];

function show(leaves: readonly ModelLeaf[], at: readonly string[]): Json {
  const here = leaves.filter((leaf) => isPrefix(at, leaf.at));
  const best = bestOf(here);
  const scalar = bestOf(here.filter((leaf) => leaf.at.length === at.length && !isEmptyObject(leaf.value)));
  const object = bestOf(here.filter((leaf) => leaf.at.length > at.length || isEmptyObject(leaf.value)));
  if (scalar !== undefined && (object === undefined || best === scalar)) return scalar.value;
  const fields = new Set(here.flatMap((leaf) => leaf.at[at.length] ?? []));
  return Object.fromEntries([...fields].map((field) => [field, show(here, [...at, field])]));
}

function model(held: readonly Done<MergeOperation>[]): Json {
  const leaves = liveLeaves(held);
  return leaves.length === 0 ? { n: 0 } : show(leaves, []);
}

describe('the model: leaves that no removal had seen, the best stamp per path', () => {
  test('every replica shows at any time what the operations that it holds make, as long as nobody forgets', () => {
    fc.assert(
      fc.property(clusterOf(merge, ['collect']), (cluster) => {
        for (let at = 0; at < cluster.size; at++) {
          const held = cluster.held(at);
          const unseen = held.filter(({ seen }) => [...seen].some((id) => !held.some((one) => one.id === id)));
          // What a held operation removed, an operation that is not held may have removed before it.
          if (unseen.length === 0) expect(cluster.read(at)).toEqual(model(held));
        }
      }),
      { numRuns: runs(400) },
    );
  });

  test('after healing all show what the durable operations make, in equal bytes, and collecting garbage changes nothing', () => {
    fc.assert(
      fc.property(clusterOf(merge), (cluster) => {
        const expected = () => model(cluster.done);
        cluster.heal();
        expect(states(cluster).size).toBe(1);
        expect(cluster.read(0)).toEqual(expected());
        for (let sweeps = 0; cluster.sweep(); sweeps++) {
          expect(sweeps).toBeLessThan(4);
          expect(states(cluster).size).toBe(1);
          expect(cluster.read(0)).toEqual(expected());
        }
        for (const { row } of cluster.rows(0).values()) expect(row.removed).toEqual({});
      }),
      { numRuns: runs(500) },
    );
  });

  test('a live leaf that does not show is logged, and the one that hides it had not seen it', () => {
    fc.assert(
      fc.property(clusterOf(merge), (cluster) => {
        cluster.heal();
        const find = (side: { replica: string; stamp: Stamp }) =>
          cluster.done.find(
            (one) => one.replica === side.replica && one.stamp !== null && compareStamps(one.stamp, side.stamp) === 0,
          );
        for (const { lost, won, held } of cluster.conflicts) {
          const [loser, victor] = [find(lost), find(won)];
          if (loser === undefined || victor === undefined) continue; // one of the two was lost in a crash
          expect(beats(won.stamp, won.replica, lost.stamp, lost.replica)).toBe(true);
          // Who holds an older row of the loser than the winner had seen finds leaves there that were gone when it wrote.
          const holdsAllOf = [...victor.seen].every((id) => held.has(id));
          if (holdsAllOf) expect(victor.seen.has(loser.id)).toBe(false);
        }
        const leaves = liveLeaves(cluster.done);
        const logged = cluster.conflicts.map(({ path, lost }) => `${lost.replica} ${lost.stamp} ${path}`);
        for (const leaf of leaves) {
          if (isShown(leaves, leaf)) continue;
          expect(logged).toContain(`${leaf.replica} ${leaf.stamp} ${leaf.at.map((part) => `/${part}`).join('')}`);
        }
      }),
      { numRuns: runs(300) },
    );
  });
});

/** A leaf shows when every scalar at a path above it, and every rival at its own, is worse than its side there. */
function isShown(leaves: readonly ModelLeaf[], leaf: ModelLeaf): boolean {
  for (let depth = 0; depth <= leaf.at.length; depth++) {
    const here = leaves.filter((one) => isPrefix(leaf.at.slice(0, depth), one.at));
    const best = bestOf(here);
    const scalarWins = best !== undefined && best.at.length === depth && !isEmptyObject(best.value);
    const isObjectSide = leaf.at.length > depth || isEmptyObject(leaf.value);
    if (scalarWins ? best !== leaf : !isObjectSide) return false;
  }
  return true;
}

describe('merging', () => {
  const merged = (...patches: JsonObject[]): Json => {
    const cluster = place(1);
    for (const one of patches) cluster.write(0, patch(one));
    return cluster.read(0);
  };

  test('fields that others wrote stay', () => {
    const cluster = place(2);
    cluster.write(0, patch({ name: 'Ann', address: { city: 'Hue' } }));
    cluster.write(1, patch({ address: { zip: '1' } }));
    cluster.heal();
    expect(cluster.read(0)).toEqual({ name: 'Ann', address: { city: 'Hue', zip: '1' } });
  });

  test('null is a value, a list is one leaf', () => {
    expect(merged({ a: { b: 1 }, list: [1, 2] }, { a: null, list: [3] })).toEqual({ a: null, list: [3] });
  });

  test('an empty object says that the object is there, and hides nothing of it', () => {
    expect(merged({ a: { b: 1 } }, { a: {} })).toEqual({ a: { b: 1 } });
    expect(merged({ a: 5 }, { a: {} })).toEqual({ a: {} });
    expect(merged({})).toEqual({});
  });

  test('names with slashes, tildes and numbers are names', () => {
    expect(merged({ 'a/b': { '~': 1, '0': 2 } }, { 'a/b': { '~1': 3 } })).toEqual({ 'a/b': { '~': 1, '0': 2, '~1': 3 } });
  });

  test('writes that a removal had not seen survive it', () => {
    const cluster = place(2);
    cluster.write(0, patch({ cart: { a: 1, b: 1 } }));
    cluster.send(0, 1);
    cluster.write(0, patch({ cart: { b: 2, c: 1 } }));
    cluster.write(1, unset('/cart'));
    cluster.heal();
    expect(cluster.read(1)).toEqual({ cart: { b: 2, c: 1 } });
  });

  test('two concurrent removals of one leaf, and a new write of it, leave the new write', () => {
    const cluster = place(3);
    cluster.write(0, patch({ a: 1 }));
    cluster.send(0, 1, 2);
    cluster.write(1, unset('/a'));
    cluster.write(2, unset('/a'), patch({ a: 2 }));
    cluster.heal();
    expect(cluster.read(0)).toEqual({ a: 2 });
  });

  test('a scalar against an object at one path: the better stamp shows, the other side is hidden whole and logged', () => {
    const cluster = place(2);
    cluster.write(0, patch({ a: { x: 1, y: 2 } }));
    cluster.write(1, patch({ a: 5 }));
    cluster.heal();
    expect(cluster.read(0)).toEqual({ a: 5 });
    const logged = cluster.conflicts.filter(({ at }) => at === 'r0.1');
    expect(logged.map(({ path, lost, won }) => [path, lost.value, won.value])).toEqual([
      ['/a/x', 1, 5],
      ['/a/y', 2, 5],
    ]);
    cluster.write(0, patch({ a: { x: 3 } }));
    cluster.heal();
    expect(cluster.read(1)).toEqual({ a: { x: 3, y: 2 } });
  });

  test('of two writes of one field at the same instant the lower replica id wins, and the other is logged once', () => {
    const row = (value: number, others: number): MergeRow => ({
      leaves: { '/a': { seq: 1, stamp: [5, 0], value }, '/b': { seq: 2, stamp: [5, 1], value: others } },
      lastSeq: 2,
      removed: {},
    });
    const rows = new Map([
      ['b.1', { version: 1, row: { ...row(2, 1), leaves: { '/a': { seq: 1, stamp: [5, 0] as const, value: 2 } } } }],
      ['a.1', { version: 1, row: row(1, 1) }],
    ]);
    expect(mergeObjects.read(rows, variable)).toEqual({ a: 1, b: 1 });
    expect(mergeObjects.conflicts(rows, 'a.1', undefined)).toEqual([
      { path: '/a', lost: { replica: 'b.1', stamp: [5, 0], value: 2 }, won: { replica: 'a.1', stamp: [5, 0], value: 1 } },
    ]);
    const before = rows.get('a.1');
    rows.set('a.1', { version: 2, row: row(1, 2) });
    expect(mergeObjects.conflicts(rows, 'a.1', before)).toEqual([]);
  });

  test('reset shows the initial value, which fills in no fields', () => {
    const cluster = createCluster(
      mergeObjects,
      declareVariable('cart', { strategy: 'merge-objects', initial: { open: true } }),
      1,
    );
    cluster.write(0, patch({ a: 1 }));
    expect(cluster.read(0)).toEqual({ a: 1 });
    expect(mergeObjects.absent?.(cluster.rows(0))).toBe(false);
    cluster.write(0, { operation: 'reset' });
    expect(cluster.read(0)).toEqual({ open: true });
    expect(mergeObjects.absent?.(cluster.rows(0))).toBe(true);
  });
});

describe('garbage', () => {
  test('a remover that crashes before it has the owner’s new row keeps its mark, and nothing comes back', () => {
    const cluster = place(3);
    cluster.write(0, patch({ b: 1 }));
    cluster.send(0, 1);
    cluster.run([{ do: 'flush', at: 1 }]);
    cluster.write(0, patch({ a: 1 }));
    cluster.send(0, 1);
    cluster.write(1, unset('/a'));
    cluster.run([{ do: 'flush', at: 1, ownOnly: true }]);
    cluster.crash(1);
    expect(cluster.rows(1).get('r0.1')?.row.lastSeq).toBe(1);
    cluster.run([{ do: 'collect', at: 1 }]);
    expect(cluster.rows(1).get('r1.1')?.row.removed).toEqual({ 'r0.1': [2] });
    cluster.send(1, 2);
    cluster.send(0, 2);
    expect(cluster.read(2)).toEqual({ b: 1 });
    cluster.heal();
    while (cluster.sweep());
    expect(cluster.read(2)).toEqual({ b: 1 });
    expect([...cluster.rows(2).values()].map(({ row }) => row.removed)).toEqual([{}, {}]);
  });

  test('a mark stays while the owner’s row is older than the leaf that it names', () => {
    const leaf = { seq: 1, stamp: [1, 0] as const, value: 1 };
    const mine: Entry<MergeRow> = { version: 1, row: { leaves: {}, lastSeq: 0, removed: { b: [1, 4] } } };
    const owner = (lastSeq: number): Entry<MergeRow> => ({ version: 1, row: { leaves: { '/a': leaf }, lastSeq, removed: {} } });
    const collect = (lastSeq: number) =>
      mergeObjects.collect?.(
        new Map([
          ['a', mine],
          ['b', owner(lastSeq)],
        ]),
        'a',
      );
    expect(collect(3)).toBeNull();
    expect(collect(4)?.removed).toEqual({ b: [1] });
  });
});

describe('limits', () => {
  const parse = (value: Json) => mergeObjects.parse({ operation: 'merge', value }, variable);

  test('more than 10,000 leaves are refused, in one patch and in all', () => {
    const many = (prefix: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, 1]));
    expect(() => parse(many('a', 10_001))).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    const cluster = place(1);
    cluster.write(0, patch(many('a', 9_999)), patch({ b: 1 }));
    expect(() => cluster.write(0, patch({ c: 1 }))).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    cluster.write(0, unset('/a1'), patch({ c: 1 }));
  });

  test('a leaf of more than 64 KiB is refused', () => {
    expect(() => parse({ a: 'x'.repeat(65_536) })).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    expect(() => parse({ a: { b: ['é'.repeat(32_768)] } })).toThrow(/at \/a\/b/);
  });

  test.each<{ value: Json }>([{ value: 1 }, { value: null }, { value: 'text' }, { value: [1] }])('merging $value is refused', ({
    value,
  }) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
  });
});

describe('the path of unset', () => {
  const parse = (path: unknown) => mergeObjects.parse({ operation: 'unset', path }, variable);

  test('is dotted, a JSON Pointer, or a list of names', () => {
    expect(parse('items.a')).toEqual(unset('/items/a'));
    expect(parse('/items/a.b')).toEqual(unset('/items/a.b'));
    expect(parse(['items', 'a.b/c'])).toEqual(unset('/items/a.b~1c'));
  });

  test.each([
    [''],
    ['.'],
    ['a..b'],
    ['items.'],
    [null],
    [[]],
    [7],
    [[7]],
    ['a.__proto__'],
  ])('%j is refused: it would mean too much', (path) => {
    expect(() => parse(path)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
  });
});
