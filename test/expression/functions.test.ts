import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { functions, parseDuration } from '../../src/expression/index.ts';
import { run } from './example.ts';

const quote = (value: unknown) => JSON.stringify(value);

/** Source, and what it gives. */
const gives: readonly (readonly [string, unknown])[] = [
  // Texts.
  ['len("")', 0],
  ['len({})', 0],
  ['len(voucher)', 2],
  ['slice("voucher", -3)', 'her'],
  ['slice([1, 2, 3], 1)', [2, 3]],
  ['slice("ab", 5)', ''],
  ['split("abc", "")', ['a', 'b', 'c']],
  ['split("", ",")', ['']],
  ['join([], ",")', ''],
  ['join([1, true, "a"], ", ")', '1, true, a'],
  ['includes("abc", "")', true],
  ['includes([1, 2], "1")', false],
  ['includes([null], null)', true],
  ['replace("$1", "$", "$&")', '$&1'],
  ['string(false)', 'false'],
  ['string(1e21)', '1e+21'],
  ['json("a\\"b")', '"a\\"b"'],
  // Numbers.
  ['number("0")', 0],
  ['number("-0")', 0],
  ['number("-1.50")', -1.5],
  ['number("1e3")', 1000],
  ['number(5)', 5],
  ['number(null)', null],
  ['number("")', null],
  ['number(" 1")', null],
  ['number("0x10")', null],
  ['number("1e999")', null],
  ['number("Infinity")', null],
  ['number("12abc")', null],
  ['round(2.5)', 3],
  ['round(-2.5)', -2],
  ['round(-0.2)', 0],
  ['round(1.255, 2)', 1.26],
  ['round(1e21, 2)', 1e21],
  ['round(1e-7, 7)', 1e-7],
  ['round(123.456, 0)', 123],
  ['ceil(-0.5)', 0],

  ['max(-1, -2)', -1],
  ['sum([])', 0],
  // Lists and objects.
  ['keys({})', []],
  ['fromEntries([])', {}],
  ['fromEntries([["a"], [1, 2]])', { 1: 2, a: null }],
  ['range(0)', []],
  ['compare(2, 1)', 1],
  ['compare("a", "a")', 0],
  ['[type(null), type(true), type(1), type(""), type([]), type({})]', ['null', 'boolean', 'number', 'string', 'list', 'object']],
  // Times.
  ['duration("0ms")', 0],
  ['duration("7d")', 604_800_000],
  ['time("2024-02-29")', Date.UTC(2024, 1, 29)],
  ['time("2026-11-20T09:30Z")', Date.UTC(2026, 10, 20, 9, 30)],
  ['time("2026-11-20T09:30:15.250-05:30")', Date.UTC(2026, 10, 20, 15, 0, 15, 250)],
  ['iso(1795141800250)', '2026-11-20T02:30:00.250Z'],
  ['iso(1795141800000, "Asia/Ho_Chi_Minh")', '2026-11-20T09:30:00.000+07:00'],
  ['iso(1795141800000, "America/New_York")', '2026-11-19T21:30:00.000-05:00'],
  ['iso(1711846800000, "Europe/Berlin")', '2024-03-31T03:00:00.000+02:00'],
  ['iso(1711846799999, "Europe/Berlin")', '2024-03-31T01:59:59.999+01:00'],
  ['iso(1709164800000, "Asia/Kathmandu")', '2024-02-29T05:45:00.000+05:45'],
  ['iso(-1, "UTC")', '1969-12-31T23:59:59.999+00:00'],
];

/** Source, and a part of the message. */
const refuses: readonly (readonly [string, string])[] = [
  ['len(null)', 'null has no length'],
  ['len(5)', 'a number has no length'],
  ['upper(null)', 'the first argument of upper is a text, not null'],
  ['slice("a", "b")', 'the second argument of slice is an integer, not a text'],
  ['slice("a", 0.5)', 'an integer'],
  ['slice({}, 0)', 'a text or a list'],
  ['join(["a", null], ",")', 'null in the list'],
  ['join("abc", ",")', 'a list, not a text'],
  ['includes([[1]], [1])', 'cannot be compared'],
  ['replace("a", "", "b")', 'empty'],
  ['string(null)', 'not made into a text'],
  ['string([1])', 'not made into a text'],
  ['number(true)', 'not made into a number'],
  ['round("1")', 'a number, not a text'],
  ['round(1, 16)', 'between 0 and 15'],
  ['round(1, -1)', 'between 0 and 15'],
  ['max([])', 'an empty list has no max'],
  ['max(1, "2")', 'max takes numbers'],
  ['max([1, null])', 'max takes numbers'],
  ['sum([1, "2"])', 'sum takes a list of numbers'],
  ['sum(1)', 'sum takes a list'],
  ['keys([1])', 'an object, not a list'],
  ['entries(null)', 'an object, not null'],
  ['fromEntries([1])', 'an entry is'],
  ['fromEntries([[null, 1]])', 'an entry is'],
  ['range(-1)', 'elements'],
  ['range(1.5)', 'an integer'],
  ['compare(1, "a")', 'two numbers or two texts'],
  ['hash(5)', 'a text, not a number'],
  ['duration("5")', 'not a duration'],
  ['duration("1.5h")', 'not a duration'],
  ['duration("5 m")', 'not a duration'],
  ['duration("-5m")', 'not a duration'],
  ['duration("999999999999999d")', 'not a duration'],
  ['time("2026-02-30")', 'not a time'],
  ['time("2026-13-01")', 'not a time'],
  ['time("2026-11-20T09:30:00")', 'not a time'],
  ['time("2026-11-20T25:30:00Z")', 'not a time'],
  ['time("20 Nov 2026")', 'not a time'],
  ['time("")', 'not a time'],
  ['iso(1e15)', 'between the years'],
  ['iso(8640000000000001)', 'between the years'],
  ['iso(0, "Mars/Phobos")', 'not a time zone'],
  ['iso(0.5)', 'an integer'],
];

describe('a function', () => {
  it.each(gives)('%s gives %j', (source, expected) => {
    expect(run(source)).toStrictEqual(expected);
  });

  it.each(refuses)('%s is refused', (source, message) => {
    expect(() => run(source)).toThrow(
      expect.objectContaining({ code: 'EXPRESSION_FAILED', message: expect.stringContaining(message) }),
    );
  });

  it('has a name that no other has', () => {
    expect(functions.size).toBe(new Set(functions.keys()).size);
    expect(functions.has('age')).toBe(false);
  });

  it('of digests gives what the platform gives, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.string({ maxLength: 200 }), (text, key) => {
        expect(run(`hash(${quote(text)})`)).toBe(createHash('sha256').update(text).digest('hex'));
        expect(run(`hmac(${quote(key)}, ${quote(text)})`)).toBe(createHmac('sha256', key).update(text).digest('hex'));
        expect(run(`base64(${quote(text)})`)).toBe(Buffer.from(text).toString('base64'));
      }),
    );
  });

  it('of buckets spreads texts evenly, and refuses what is no number of buckets', () => {
    const counts = Array<number>(10).fill(0);
    for (let index = 0; index < 2_000; index += 1) {
      const bucket = Number(run(`bucket("user ${index}", 10)`));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(counts).toHaveLength(10);
    expect(Math.min(...counts)).toBeGreaterThan(150);
    for (const count of ['0', '-1', '1.5', '1000001', '"10"']) expect(() => run(`bucket("ann", ${count})`)).toThrow();
  });

  it('of times undoes the other, in every zone', () => {
    const zones = [
      'UTC',
      'Asia/Ho_Chi_Minh',
      'Europe/Berlin',
      'America/New_York',
      'Pacific/Chatham',
      'Australia/Lord_Howe',
      'America/St_Johns',
    ];
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000_000, max: 4_000_000_000_000 }), fc.constantFrom(...zones), (ms, zone) => {
        expect(run(`time(iso(${ms}))`)).toBe(ms);
        // Before zones were standardised, offsets had seconds, which ISO 8601 cannot say.
        if (ms > -500_000_000_000) expect(run(`time(iso(${ms}, "${zone}"))`)).toBe(ms);
      }),
    );
  });

  it('of encodings takes texts longer than one chunk', () => {
    const text = 'ä'.repeat(10_000);
    expect(run(`base64(${quote(text.slice(0, 5_000))})`)).toBe(Buffer.from(text.slice(0, 5_000)).toString('base64'));
  });
});

it('a duration is an integer and a unit', () => {
  expect(['1ms', '1s', '1m', '1h', '1d'].map(parseDuration)).toEqual([1, 1_000, 60_000, 3_600_000, 86_400_000]);
  expect(['', '1', 'm', '1 m', '1M', '01.5s', '1s1s', `${'9'.repeat(16)}d`].map(parseDuration)).toEqual(Array(8).fill(null));
});
