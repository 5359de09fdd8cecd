/** What the reader of plain schemas says of a value is what the library says of it (S1), and what is not plain is left to the library. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { readDocuments } from '../../src/node/directory.ts';
import type { Json, JsonObject } from '../../src/strategy/json.ts';
import { plainSchema } from '../../src/strategy/plain-schema.ts';
import { byLibrary, schemaOf } from '../../src/strategy/schema.ts';

const runs = 1_000 * Number(process.env.CFFBRW_RUNS ?? 1);

const names = fc.constantFrom('a', 'b', 'user', 'a/b', '~', '#', 'k k', 'ä');
const texts = fc.constantFrom('', 'a', 'ab', 'abc', '👍', 'a👍b', 'user', '\u00e4\u0301');
const numbers = fc.constantFrom(-1, 0, -0, 0.5, 1, 2, 3, 1e21, 7.25);
const scalars: fc.Arbitrary<Json> = fc.oneof(texts, numbers, fc.boolean(), fc.constant(null));

const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalars,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }),
  ),
}));

const type = fc.constantFrom('null', 'boolean', 'integer', 'number', 'string', 'array', 'object');
const count = fc.nat({ max: 3 });
const some = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined, freq: 3 });

const { schema } = fc.letrec<{ schema: JsonObject; inner: JsonObject | boolean }>((tie) => ({
  inner: fc.oneof({ depthSize: 'small' }, { weight: 1, arbitrary: fc.boolean() }, { weight: 4, arbitrary: tie('schema') }),
  schema: fc
    .record({
      type: some(fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 }))),
      const: fc.option(scalars, { nil: undefined, freq: 1 }),
      enum: fc.option(fc.array(scalars, { minLength: 1, maxLength: 4 }), { nil: undefined, freq: 1 }),
      required: fc.option(fc.array(names, { maxLength: 3 }), { nil: undefined, freq: 2 }),
      properties: some(fc.dictionary(names, tie('inner'), { maxKeys: 3 })),
      additionalProperties: fc.option(tie('inner'), { nil: undefined, freq: 2 }),
      items: fc.option(tie('inner'), { nil: undefined, freq: 2 }),
      ...{ minItems: some(count), maxItems: some(count), minLength: some(count), maxLength: some(count) },
      ...{ minimum: some(numbers), maximum: some(numbers), exclusiveMinimum: some(numbers), exclusiveMaximum: some(numbers) },
      pattern: fc.option(fc.constantFrom('^a', 'b$', '^.{2}$', '\\p{L}'), { nil: undefined, freq: 1 }),
      title: fc.option(fc.constant('a title'), { nil: undefined, freq: 1 }),
    })
    .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, operand]) => operand !== undefined)) as JsonObject),
}));

test('A plain schema finds what the library finds, at the same path, in the same words', () => {
  let [found, fine] = [0, 0];
  fc.assert(
    fc.property(schema, fc.array(value, { minLength: 1, maxLength: 6 }), (plain, values) => {
      const check = plainSchema(plain);
      if (check === null) throw new Error('it is plain');
      const library = byLibrary(plain);
      for (const one of values) {
        const expected = library(one);
        expect(check(one)).toEqual(expected);
        if (expected === null) fine += 1;
        else found += 1;
      }
    }),
    { numRuns: runs },
  );
  expect([found > runs / 4, fine > runs / 4]).toEqual([true, true]);
});

describe('What is not plain', () => {
  test.each<[JsonObject]>([
    [{ $ref: '#/$defs/a', $defs: { a: true } }],
    [{ anyOf: [{ type: 'string' }] }],
    [{ type: 'string', format: 'email' }],
    [{ properties: { a: { not: {} } } }],
    [{ items: { uniqueItems: true } }],
    [{ items: [{ type: 'string' }] } as unknown as JsonObject],
    [{ const: { a: 1 } }],
    [{ enum: [[1]] }],
    [{ minLength: 1.5 }],
    [{ maximum: '3' }],
    [{ required: 'a' }],
    [{ properties: 1 }],
    [{ patternProperties: {} }],
    [{ unknown: true }],
  ])('is left to the library: %j', (unusual) => {
    expect(plainSchema(unusual)).toBeNull();
  });

  test('is nesting without end', () => {
    let deep: JsonObject = { type: 'string' };
    for (let depth = 0; depth < 40; depth++) deep = { items: deep };
    expect(plainSchema(deep)).toBeNull();
    expect(schemaOf(deep)([])).toBeNull();
  });
});

test('Nearly all schemas of the examples are plain', async () => {
  const examples = join(import.meta.dirname, '../../examples');
  const [plain, all] = [new Set<unknown>(), new Set<unknown>()];
  for (const name of readdirSync(examples).filter((one) => !['library', 'many-machines'].includes(one)))
    for (const { http } of loadApp(await readDocuments(join(examples, name))).workflows.values())
      for (const part of ['params', 'query', 'headers', 'body'] as const) {
        const given = http?.[part];
        if (typeof given !== 'object') continue;
        all.add(given);
        if (plainSchema(given) !== null) plain.add(given);
      }
  expect(all.size).toBeGreaterThan(10);
  expect(plain.size / all.size).toBeGreaterThan(0.8);
});
