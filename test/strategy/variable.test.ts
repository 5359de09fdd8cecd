import { describe, expect, test } from 'vitest';
import { schemaOf } from '../../src/strategy/schema.ts';
import { type Declaration, declareVariable } from '../../src/strategy/variable.ts';

const invalid = expect.objectContaining({ code: 'INVALID_APP' });

describe('a declaration', () => {
  test('gets its defaults, and is frozen', () => {
    const variable = declareVariable('flag', {});
    expect(variable).toEqual({ name: 'flag', strategy: 'last-write-wins', keyed: false, durability: 'durable' });
    expect(Object.isFrozen(variable)).toBe(true);
    expect('initial' in variable).toBe(false);
  });

  test('is copied: what the author changes later changes nothing', () => {
    const initial = { a: [1] };
    const window = { every: 'day' as const, timezone: 'Asia/Ho_Chi_Minh', keep: 3 };
    const variable = declareVariable('cart', { strategy: 'merge-objects', initial, window, keyed: true, durability: 'relaxed' });
    initial.a.push(2);
    window.keep = 9;
    expect(variable).toMatchObject({
      initial: { a: [1] },
      window: { every: 'day', timezone: 'Asia/Ho_Chi_Minh', keep: 3 },
      keyed: true,
    });
    expect(Object.isFrozen(variable.window)).toBe(true);
  });

  test.each<[string, Declaration]>([
    ['last-write-wins', { initial: { any: ['json', null] } }],
    ['last-write-wins', { writers: 'any' }],
    ['sum-increments', { initial: -5 }],
    ['merge-objects', { initial: null }],
    ['max-value', { initial: 0.5 }],
    ['bounded-counter', { initial: 0 }],
  ])('of %s may have %j', (strategy, declaration) => {
    expect(declareVariable('x', { ...declaration, strategy: strategy as 'max-value' })).toMatchObject(declaration);
  });

  test.each(['', 'A', '1a', 'a b', 'a:b', 'a.b', '__proto__', 'a'.repeat(65), 'é'])('may not have the name "%s"', (name) => {
    expect(() => declareVariable(name, {})).toThrow(invalid);
  });

  test.each<[string, unknown]>([
    ['a field that nothing reads', { strategy: 'max-value', initail: 1 }],
    ['a strategy that does not exist', { strategy: 'crdt' }],
    ['a strategy named like a property of all objects', { strategy: 'constructor' }],
    ['keyed that is no boolean', { keyed: 'yes' }],
    ['a fraction as the initial of a sum', { strategy: 'sum-increments', initial: 0.5 }],
    ['an initial sum that loses digits', { strategy: 'sum-increments', initial: 2 ** 53 }],
    ['a list as the initial of merge-objects', { strategy: 'merge-objects', initial: [] }],
    ['an object as the initial of max-value', { strategy: 'max-value', initial: { value: 1 } }],
    ['a negative stock', { strategy: 'bounded-counter', initial: -1 }],
    ['no JSON as the initial', { initial: new Date(0) }],
    ['relaxed durability of a bounded counter', { strategy: 'bounded-counter', durability: 'relaxed' }],
    ['a durability that does not exist', { durability: 'eventual' }],
    ['writers on another strategy', { strategy: 'sum-increments', writers: 'any' }],
    ['writers other than any', { writers: 'one' }],
    ['a schema on a sum', { strategy: 'sum-increments', schema: { minimum: 0 } }],
    ['a window that is no object', { window: 'day' }],
    ['a window without its period', { window: { timezone: 'UTC' } }],
    ['a period that does not exist', { window: { every: 'year' } }],
    ['a time zone that does not exist', { window: { every: 'day', timezone: 'Mars/Olympus' } }],
    ['an offset as the time zone', { window: { every: 'day', timezone: '+07:00' } }],
    ['keep that is no count', { window: { every: 'day', keep: -1 } }],
    ['a field of the window that nothing reads', { window: { every: 'day', tz: 'UTC' } }],
    ['a schema that is none', { schema: 'object' }],
    ['a type that does not exist in its schema', { schema: { properties: { a: { type: 'strng' } } } }],
    ['an initial that breaks its schema', { schema: { type: 'object' }, initial: 5 }],
    ['a list instead of a declaration', []],
    ['nothing instead of a declaration', null],
  ])('may not have %s, and the refusal says what to do', (_what, declaration) => {
    expect(() => declareVariable('x', declaration as Declaration)).toThrow(invalid);
    try {
      declareVariable('x', declaration as Declaration);
    } catch (error) {
      expect((error as { fix?: string }).fix).toMatch(/\w/);
    }
  });
});

describe('a schema', () => {
  const check = schemaOf({
    type: 'object',
    required: ['title'],
    properties: { title: { type: 'string', minLength: 2 }, tags: { type: 'array', items: { $ref: '#/$defs/tag' } } },
    additionalProperties: false,
    $defs: { tag: { enum: ['a', 'b'] } },
  });

  test('passes what fits, and names the place of what does not by JSON Pointer', () => {
    expect(check({ title: 'ab', tags: ['a'] })).toBeNull();
    expect(check({})).toMatchObject({ path: '', message: expect.stringContaining('title') });
    expect(check({ title: 'x' })).toMatchObject({ path: '/title' });
    expect(check({ title: 'ab', tags: ['a', 'c'] })).toMatchObject({ path: '/tags/1' });
    expect(check({ title: 'ab', more: 1 })).toMatchObject({ path: '/more' });
    expect(check(null)).toMatchObject({ path: '' });
  });

  test('is compiled once, left as it was, and may be frozen', () => {
    const schema = Object.freeze({ type: 'string', $defs: Object.freeze({ a: Object.freeze({ type: 'null' }) }) });
    expect(schemaOf(schema)).toBe(schemaOf(schema));
    expect(Object.keys(schema)).toEqual(['type', '$defs']);
    expect(schemaOf(true)('anything')).toBeNull();
    expect(schemaOf(false)('anything')).not.toBeNull();
  });

  test.each([
    [{ type: 'text' }],
    [{ properties: { a: { pattern: '(' } } }],
    [{ patternProperties: { '(': true } }],
    [{ properties: [] }],
    [{ items: 5 }],
    [{ anyOf: {} }],
    [{ allOf: [{ not: 'x' }] }],
    [{ required: 'a' }],
    [{ $ref: 'https://elsewhere.example/schema' }],
    [{ $ref: '#/$defs/nowhere' }],
  ])('%j is refused when it is declared, not at the first request', (schema) => {
    expect(() => schemaOf(schema as never)).toThrow(invalid);
  });
});
