import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteLength, canonical, checkInteger, checkJson, equal, isWellFormed, type Json } from '../../src/strategy/json.ts';
import { runs } from './cluster.ts';

const refused = (code: string) => expect.objectContaining({ code });
const json = fc.jsonValue({ maxDepth: 5 }).filter((value) => !/"(__proto__|constructor|prototype)":/.test(JSON.stringify(value)));
const bounded = json.filter((value) => !/e\+|\d{16,}/.test(JSON.stringify(value)));
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe('checkJson', () => {
  test('returns an equal, frozen copy of any JSON value', () => {
    fc.assert(
      fc.property(bounded, (value) => {
        const checked = checkJson(value);
        expect(JSON.parse(canonical(checked))).toEqual(JSON.parse(JSON.stringify(value)));
        expect(Object.isFrozen(checked)).toBe(true);
        if (typeof value === 'object' && value !== null) expect(checked).not.toBe(value);
      }),
      { numRuns: runs(300) },
    );
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53), 1e300])('refuses the number %s', (value) => {
    expect(() => checkJson({ a: [value] })).toThrow(refused('INVALID_NUMBER'));
    expect(() => checkJson({ a: [value] })).toThrow(/\/a\/0/);
  });

  test('keeps fractions and the largest integers, and turns −0 into 0', () => {
    const kept = [0.1, 5e-324, 2 ** 53 - 1, 1 - 2 ** 53, 1e15 + 0.5];
    expect(checkJson(kept)).toEqual(kept);
    expect(Object.is(checkJson(-0), 0)).toBe(true);
    expect(Object.is((checkJson({ a: -0 }) as { a: number }).a, 0)).toBe(true);
  });

  test.each([[undefined], [() => 1], [Symbol('s')], [1n], [new Date(0)], [new Map()], [/x/]])('refuses %s', (value) => {
    expect(() => checkJson({ a: value })).toThrow(refused('INVALID_VALUE'));
  });

  test.each(['__proto__', 'constructor', 'prototype'])('refuses the key %s, as JSON.parse makes it', (key) => {
    expect(() => checkJson(JSON.parse(`{"a":{"${key}":{"polluted":1}}}`))).toThrow(refused('INVALID_VALUE'));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('refuses depth 33 and takes 32', () => {
    expect(checkJson(nested(32))).toEqual(nested(32));
    expect(() => checkJson(nested(33))).toThrow(refused('TOO_LARGE'));
    const cycle: Json[] = [];
    cycle.push(cycle);
    expect(() => checkJson(cycle)).toThrow(refused('TOO_LARGE'));
  });

  test('refuses more bytes than the limit, in strings, keys, numbers and lists', () => {
    const limits = { bytes: 100 };
    const large: unknown[] = [
      'é'.repeat(60),
      { ['k'.repeat(100)]: 1 },
      Array.from({ length: 60 }, () => 11),
      Array.from({ length: 100 }),
    ];
    for (const value of large.slice(0, 3)) expect(() => checkJson(value, limits)).toThrow(refused('TOO_LARGE'));
    expect(checkJson('x'.repeat(98), limits)).toHaveLength(98);
  });

  test('takes lone surrogates, which JSON escapes, and reads them back', () => {
    expect(JSON.parse(canonical(checkJson('a\ud800')))).toBe('a\ud800');
  });
});

test.each([1.5, Number.NaN, '1', null, undefined, 2 ** 53, 1n])('checkInteger refuses %s', (value) => {
  expect(() => checkInteger(value)).toThrow(refused('INVALID_NUMBER'));
});

describe('canonical', () => {
  test('is JSON that reads back equal, and the same for any order of fields', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonical(value);
        expect(equal(JSON.parse(text), JSON.parse(JSON.stringify(value)))).toBe(true);
        expect(canonical(reversed(value as Json))).toBe(text);
      }),
      { numRuns: runs(300) },
    );
  });

  test('sorts keys by code unit at every level and leaves undefined fields out', () => {
    expect(canonical({ b: 1, a: { d: [], c: undefined }, '10': 1, '9': 2, é: 3, Z: '"' })).toBe(
      '{"10":1,"9":2,"Z":"\\"","a":{"d":[]},"b":1,"é":3}',
    );
  });
});

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, part]) => [key, reversed(part)]),
  );
}

const unit = fc.oneof(fc.nat({ max: 0x7f }), fc.nat({ max: 0xffff }), fc.integer({ min: 0xd7f0, max: 0xe010 }));

test('byteLength is that of UTF-8', () => {
  fc.assert(
    fc.property(
      fc.array(unit).map((units) => String.fromCharCode(...units)),
      (text) => {
        expect(byteLength(text)).toBe(new TextEncoder().encode(text).length);
      },
    ),
    { numRuns: runs(300) },
  );
  expect(byteLength('\ud800a')).toBe(4);
});

test('isWellFormed finds halves of surrogate pairs', () => {
  expect(['a', '😀', '', '\u0000'].every(isWellFormed)).toBe(true);
  expect(['\ud800', 'a\udc00', '\ud83d\ud83d\ude00'].some(isWellFormed)).toBe(false);
});

test('equal tells values apart that look alike', () => {
  expect(equal({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  const alike: [unknown, unknown][] = [
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: undefined }, { b: undefined }],
    [[1], { 0: 1 }],
    [null, {}],
    [1, '1'],
    [[1, 2], [1]],
  ];
  for (const [a, b] of alike) expect(equal(a, b)).toBe(false);
});
