import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyRow } from '../../src/replica/bank/rights.ts';
import { type BoundedRow, boundedCounter } from '../../src/strategy/bounded-counter.ts';
import { canonical } from '../../src/strategy/json.ts';
import { joinLaws } from '../../src/strategy/laws.ts';
import type { StrategyName } from '../../src/strategy/names.ts';
import { join } from '../../src/strategy/rows.ts';
import { strategies } from '../../src/strategy/strategies.ts';
import type { Entry, Operation } from '../../src/strategy/strategy.ts';
import { declareVariable } from '../../src/strategy/variable.ts';
import { runs } from './cluster.ts';

describe('the join', () => {
  const entry = fc.record({ version: fc.nat({ max: 3 }), row: fc.dictionary(fc.constantFrom('x', 'y'), fc.nat({ max: 2 })) });
  const rows = fc
    .dictionary(fc.constantFrom('a', 'b', 'c'), entry)
    .map((object): Map<string, Entry<object>> => new Map(Object.entries(object)));

  test('is commutative, associative and idempotent whatever the rows contain, forks included', () => {
    fc.assert(
      fc.property(rows, rows, rows, (a, b, c) => {
        expect(joinLaws(a, b, c)).toBeNull();
      }),
      { numRuns: runs(1000) },
    );
  });

  test('reports a fork, and the larger canonical bytes win on either side', () => {
    const a = new Map([['r', { version: 2, row: { x: 1 } }]]);
    const b = new Map([['r', { version: 2, row: { x: 2 } }]]);
    expect(join(a, b)).toEqual({ rows: b, forks: [{ replica: 'r', version: 2 }] });
    expect(join(b, a)).toEqual({ rows: b, forks: [{ replica: 'r', version: 2 }] });
    expect(join(a, new Map([['r', { version: 2, row: { x: 1 } }]])).forks).toEqual([]);
    expect(join(a, new Map([['r', { version: 1, row: { x: 9 } }]]))).toEqual({ rows: a, forks: [] });
  });
});

// ── Rows from other machines. ──

const sound: Record<StrategyName, object> = {
  'last-write-wins': { stamp: [5, 0], value: { a: 1 }, seen: { b: 2 } },
  'sum-increments': { sum: 5, cancels: { b: { version: 1, sum: 2 } }, base: { stamp: [5, 0], value: 1 } },
  'merge-objects': { leaves: { '/a/b': { seq: 2, stamp: [5, 0], value: [1] } }, lastSeq: 2, removed: { b: [1, 2] } },
  'max-value': { round: 1, value: 5, with: { by: 'ann' }, stamp: [5, 0], seen: { b: [4, 1] } },
  'min-value': { round: 0, value: null, with: null, stamp: [0, 0] },
  'bounded-counter': { leased: 5, returned: 1, taken: 2, given: 1, wants: 0, strong: 0, minted: 0, burned: 0, initial: 10 },
};
const names = Object.keys(sound) as StrategyName[];
const poison: unknown[] = [
  undefined,
  null,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  '1',
  true,
  [],
  [1],
  [1, 2, 3],
  [-1, 0],
  [9e15, 0],
  ['1', 0],
  {},
  { a: undefined },
  JSON.parse('{"__proto__":1}'),
  JSON.parse('{"a":{"__proto__":{"x":1}}}'),
  { ['x'.repeat(201)]: 1 },
  { '': 1 },
];

/** The row with one of its parts, at any depth, replaced. */
function* mutations(row: unknown): Generator<unknown> {
  yield* poison;
  if (typeof row !== 'object' || row === null) return;
  for (const [key, part] of Object.entries(row)) {
    for (const mutated of mutations(part)) {
      yield Array.isArray(row) ? row.map((item, i) => (String(i) === key ? mutated : item)) : { ...row, [key]: mutated };
    }
  }
}

describe.each(names)('rows of %s from other machines', (name) => {
  const strategy = strategies[name];
  const variable = declareVariable('x', { strategy: name });

  test('a sound row is taken as it is, without fields that nobody knows', () => {
    expect(canonical(strategy.parseRow(sound[name]))).toBe(canonical(sound[name]));
    expect(canonical(strategy.parseRow({ ...sound[name], future: 1 }))).toBe(canonical(sound[name]));
  });

  test('a row with any part replaced is refused with INVALID_VALUE or the like, or is harmless', () => {
    let refused = 0;
    for (const mutated of mutations(sound[name])) {
      try {
        const row = strategy.parseRow(mutated);
        const rows = new Map([['a', { version: 1, row }]]);
        expect(typeof canonical(strategy.read(rows, variable))).toBe('string');
        expect(strategy.conflicts(rows, 'a', undefined)).toEqual([]);
        strategy.latestStamp(row);
        strategy.collect?.(rows, 'a');
      } catch (error) {
        expect(['INVALID_VALUE', 'INVALID_NUMBER', 'TOO_LARGE', 'OUT_OF_RANGE']).toContain((error as { code?: string }).code);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(poison.length);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  test('an operation that the strategy does not have is refused, naming those that it has', () => {
    const known = Object.keys(strategy.operations);
    for (const operation of ['increment', 'constructor', '__proto__', '', ...(known.includes('add') ? ['merge'] : ['add'])]) {
      const parse = () => strategy.parse({ operation } as unknown as Operation & Record<string, unknown>, variable);
      expect(parse).toThrow(expect.objectContaining({ code: 'WRONG_OPERATION', fix: expect.stringContaining(known[0] ?? '') }));
    }
  });
});

test.each<[string, StrategyName, object]>([
  ['a stamp of three numbers', 'last-write-wins', { stamp: [5, 0, 1], seen: {} }],
  ['a stamp beyond the end of time', 'max-value', { round: 0, value: 1, with: null, stamp: [9e15, 0] }],
  ['a replica named __proto__', 'last-write-wins', { stamp: [5, 0], seen: JSON.parse('{"__proto__":1}') }],
  [
    'a cancel of a replica named constructor',
    'sum-increments',
    { sum: 0, base: null, cancels: { constructor: { version: 1, sum: 1 } } },
  ],
  ['a negative count', 'bounded-counter', { ...sound['bounded-counter'], taken: -1 }],
  ['a text as its highest value', 'max-value', { round: 0, value: '1', with: null, stamp: [5, 0] }],
])('a row with %s is refused', (_what, name, row) => {
  expect(() => strategies[name].parseRow(row)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
});

test.each([
  ['a leaf past the last seq', { leaves: { '/a': { seq: 3, stamp: [1, 0], value: 1 } }, lastSeq: 2, removed: {} }],
  [
    'two leaves with one seq',
    { leaves: { '/a': { seq: 1, stamp: [1, 0], value: 1 }, '/b': { seq: 1, stamp: [1, 0], value: 1 } }, lastSeq: 2, removed: {} },
  ],
  ['a leaf that holds an object', { leaves: { '/a': { seq: 1, stamp: [1, 0], value: { b: 1 } } }, lastSeq: 2, removed: {} }],
  ['a scalar as the whole value', { leaves: { '': { seq: 1, stamp: [1, 0], value: 1 } }, lastSeq: 2, removed: {} }],
  ['a path that is none', { leaves: { a: { seq: 1, stamp: [1, 0], value: 1 } }, lastSeq: 2, removed: {} }],
  [
    'a path with a forbidden name',
    { leaves: { '/a/__proto__/b': { seq: 1, stamp: [1, 0], value: 1 } }, lastSeq: 2, removed: {} },
  ],
  ['a path that is too deep', { leaves: { ['/a'.repeat(33)]: { seq: 1, stamp: [1, 0], value: 1 } }, lastSeq: 2, removed: {} }],
  [
    'a leaf that is too large',
    { leaves: { '/a': { seq: 1, stamp: [1, 0], value: 'x'.repeat(70_000) } }, lastSeq: 2, removed: {} },
  ],
])('merge-objects refuses %s', (_what, row) => {
  expect(() => strategies['merge-objects'].parseRow(row)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
});

describe('bounded-counter', () => {
  const variable = declareVariable('stock', { strategy: 'bounded-counter', initial: 10 });
  const read = (...rows: Partial<BoundedRow>[]): number =>
    boundedCounter.read(new Map(rows.map((row, i) => [`r${i}`, { version: 1, row: { ...emptyRow, ...row } }])), variable);

  test('reads as what is left: the bank’s initial, or the declared one, with what was minted, burned, taken and given', () => {
    expect(read()).toBe(10);
    expect(read({ taken: 3, given: 1 }, { taken: 2 })).toBe(6);
    expect(read({ minted: 5 }, { burned: 2, taken: 4 })).toBe(9);
    expect(read({ initial: 20, taken: 1 }, {})).toBe(19);
  });

  test('never reads below 0, and refuses to read beyond 2^53−1', () => {
    expect(read({ taken: 12 })).toBe(0);
    expect(() => read({ minted: Number.MAX_SAFE_INTEGER })).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
  });

  test('its rows are written by the bank alone', () => {
    const writer = { me: 'a', version: 1, stamp: () => [1, 0] as const };
    const take = boundedCounter.parse({ operation: 'take' }, variable);
    expect(take).toEqual({ operation: 'take', amount: 1 });
    expect(() => boundedCounter.apply(new Map(), writer, take, variable)).toThrow(
      expect.objectContaining({ code: 'WRONG_OPERATION' }),
    );
  });

  test.each([0, -1, 1.5, null, '1'])('an amount of %s is refused', (amount) => {
    expect(() => boundedCounter.parse({ operation: 'take', amount }, variable)).toThrow(
      expect.objectContaining({ code: 'INVALID_NUMBER' }),
    );
  });
});
