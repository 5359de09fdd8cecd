import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, addressPrefix, addressRule, checkKey, type Key, parseAddress } from '../../src/strategy/address.ts';
import { byteLength, isWellFormed } from '../../src/strategy/json.ts';
import { strategyNames } from '../../src/strategy/names.ts';
import { declareVariable } from '../../src/strategy/variable.ts';
import { windowAt } from '../../src/strategy/window.ts';
import { runs } from './cluster.ts';

const part = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).filter((text) => isWellFormed(text) && byteLength(text) <= 512),
  fc.constantFrom(':', '"', '\\', '::', '/', '\u0000', '😀'),
  fc.maxSafeInteger(),
);
const key: fc.Arbitrary<Key> = fc.oneof(part, fc.array(part, { minLength: 1, maxLength: 4 }));
const keyed = declareVariable('cart', { strategy: 'merge-objects', keyed: true });
const daily = declareVariable('vouchers', {
  strategy: 'bounded-counter',
  window: { every: 'day', timezone: 'Asia/Ho_Chi_Minh' },
});
const invalidKey = expect.objectContaining({ code: 'INVALID_KEY' });

test('an address survives its id, whatever is in the key', () => {
  fc.assert(
    fc.property(key, (one) => {
      const address = addressOf(keyed, one);
      expect(parseAddress(address.id)).toEqual(address);
      expect(address.key).toEqual(Object.is(one, -0) ? 0 : one);
    }),
    { numRuns: runs(500) },
  );
});

test('different keys have different addresses, also those that print alike', () => {
  const ids = [1, '1', [1], ['1'], ['1', '1'], '1,1', '["1"]', [1, 1], '01'].map((one) => addressOf(keyed, one).id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(addressOf(keyed, -0).id).toBe(addressOf(keyed, 0).id);
});

test('every strategy and window rule makes ids that parse', () => {
  for (const strategy of strategyNames) {
    for (const every of ['hour', 'day', 'week', 'month'] as const) {
      const variable = declareVariable('x', { strategy, window: { every, timezone: 'Etc/GMT+7' } });
      const address = addressOf(variable, null, windowAt({ every, timezone: 'Etc/GMT+7' }, 1.7e12).id);
      expect(parseAddress(address.id)).toEqual(address);
      expect(address.rule).toBe(addressRule(variable));
    }
  }
});

test('a variable without keys gives one and the same address as long as its window lasts', () => {
  const address = addressOf(daily, null, '2026-11-20');
  expect(address.id).toBe('vouchers:bounded-counter:day@Asia/Ho_Chi_Minh:2026-11-20:');
  expect(addressOf(daily, undefined, '2026-11-20')).toBe(address);
  expect(addressOf(daily, null, '2026-11-21').id).toBe('vouchers:bounded-counter:day@Asia/Ho_Chi_Minh:2026-11-21:');
});

describe('keys', () => {
  test.each<[unknown]>([
    [''],
    [null],
    [undefined],
    [1.5],
    [2 ** 53],
    [Number.NaN],
    [true],
    [{}],
    [[]],
    [[[1]]],
    [['']],
    ['\ud800'],
    ['x'.repeat(513)],
    ['é'.repeat(257)],
  ])('%j is refused', (one) => {
    expect(() => checkKey(one)).toThrow(invalidKey);
  });

  test('lists are bounded in parts and in bytes', () => {
    expect(() => checkKey(Array(17).fill(1))).toThrow(invalidKey);
    expect(() => checkKey(['x'.repeat(512), 'x'.repeat(512)])).toThrow(invalidKey);
    expect(checkKey(['x'.repeat(512), 'x'.repeat(500)])).toHaveLength(2);
    expect(checkKey('x'.repeat(512))).toHaveLength(512);
  });

  test('a keyed variable needs one, another takes none', () => {
    for (const missing of [null, undefined]) expect(() => addressOf(keyed, missing)).toThrow(invalidKey);
    expect(() => addressOf(daily, 'ann', '2026-11-20')).toThrow(invalidKey);
  });
});

test('a prefix finds exactly the keys that start with it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 3 }), fc.string({ minLength: 1, maxLength: 6 }), (prefix, text) => {
      expect(addressOf(keyed, text).id.startsWith(addressPrefix(keyed, '', prefix))).toBe(text.startsWith(prefix));
    }),
    { numRuns: runs(300) },
  );
  const under = addressPrefix(keyed, '', ['ann']);
  expect([['ann', 1], ['ann'], ['anna', 1], 'ann'].map((one) => addressOf(keyed, one).id.startsWith(under))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(addressOf(keyed, 7).id.startsWith(addressPrefix(keyed, ''))).toBe(true);
});

test.each([
  '',
  'cart',
  'cart:merge-objects',
  'cart:merge-objects:::null',
  'cart:merge-objects:::[]',
  'cart:merge-objects:::{}',
  'cart:merge-objects:::"a" ',
  'cart:merge-objects:::01',
  'cart:merge-objects:::"\\u0061"',
  'cart:merge-objects:::-0',
  'cart:merge-objects::2026-11-20:',
  'cart:merge-objects:day@UTC::',
  'cart:merge-objects:year@UTC:2026:',
  'cart:merge-lists:::',
  'Cart:merge-objects:::',
  '__proto__:merge-objects:::',
  `cart:merge-objects:::"${'x'.repeat(513)}"`,
])('%j is no address', (id) => {
  expect(parseAddress(id)).toBeNull();
});
