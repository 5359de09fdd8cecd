/** Whatever a document holds, it is compiled or refused with a place; what is compiled runs to an answer or a problem. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createApp, loadApp } from '../../src/app.ts';
import { CffbrwError } from '../../src/error.ts';
import type { Json } from '../../src/strategy/json.ts';
import { createStage, runs } from './stage.ts';

const app = {
  cffbrw: 1,
  app: 'a',
  variables: {
    n: { strategy: 'sum-increments' },
    k: { strategy: 'sum-increments', keyed: true },
    v: {},
    m: { strategy: 'merge-objects', keyed: true },
    x: { strategy: 'max-value' },
    b: { strategy: 'bounded-counter', initial: 3 },
  },
};
const steps = [
  { let: { a: 1, l: [1, 'two', null] } },
  { add: 'n', amount: '${ a + 1 }' },
  { set: 'v', value: { a: '${ request.body }' }, when: 'vars.n > 1' },
  { merge: 'm', key: '${ a }', value: { x: '${ now() }' } },
  { raise: 'x', value: 3, with: '${ l }', as: 'offer' },
  { take: 'b', once: 'me', as: 't' },
  { take: [{ take: 'b', each: '${ l }', item: 'i', amount: 1 }], as: 'u' },
  { give: 'b', receipt: '${ t.receipt }', when: 't.ok' },
  // biome-ignore lint/suspicious/noThenProperty: a step of a document
  { if: 'offer.accepted', then: [{ unset: 'v' }, { let: { z: 1 } }], else: [{ reset: 'n' }, { let: { z: 2 } }] },
  { switch: [{ when: 'z === 1', do: [{ log: { level: 'info', message: 'hi' } }] }], default: [{ get: 'k', key: 'q', as: 'g' }] },
  { each: '${ l }', item: 'i', do: [{ add: 'k', key: "${ i ?? 'none' }" }, { return: '${ i }' }], as: 'all', concurrency: 2 },
  {
    try: [{ fail: { status: 409, type: 't', title: 'T' } }],
    catch: { as: 'e', do: [{ set: 'v', value: '${ e }' }] },
    finally: [{ wait: '1ms' }],
  },
  { parallel: { p: [{ return: 1 }], q: [{ keys: 'k', as: 'ks' }] }, as: 'both' },
  { respond: { status: 201, headers: { a: 'b' }, body: '${ { t, u, g, all, both } }' } },
];
const document = { cffbrw: 1, workflow: 'w', on: { http: { method: 'POST', path: '/w' } }, steps };

type Change = (data: Json, at: number) => Json;

/** Every place of the document, numbered in order; the place `at` is replaced. */
function replaceAt(data: Json, at: number, change: (old: Json) => Json): Json {
  let count = -1;
  const visit = (value: Json): Json => {
    count += 1;
    if (count === at) return change(value);
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, visit(one)]));
    return value;
  };
  return visit(data);
}

const expressions = [
  'a',
  'vars.n',
  'vars.k[a]',
  'vars.m[l[0]].x',
  't.receipt',
  'request',
  'nothing',
  'l[9]',
  '1 / 0',
  'a +',
  'random()',
  'vars.v.a.b',
  'len(l)',
  'null',
];
const value = fc.oneof(
  fc.constantFrom<Json>(null, true, 0, -1, 1.5, 2 ** 53, '', 'n', 'k', 'b', 'text', [], {}, [[]], '10ms'),
  fc.constantFrom(...expressions).map((source): Json => `\${ ${source} }`),
  fc.constantFrom<Json>(...expressions),
  fc.constantFrom<Json>(...(steps as Json[])).map((step): Json => [step]),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  value.map(
    (next): Change =>
      (data, at) =>
        replaceAt(data, at, () => next),
  ),
  fc.constantFrom('as', 'when', 'key', 'with', 'do', 'add', 'once', 'zzz').chain((name) =>
    value.map(
      (next): Change =>
        (data, at) =>
          replaceAt(data, at, (old) =>
            typeof old === 'object' && old !== null && !Array.isArray(old) ? { ...old, [name]: next } : next,
          ),
    ),
  ),
  fc.nat().map(
    (pick): Change =>
      (data, at) =>
        replaceAt(data, at, (old) => {
          if (Array.isArray(old)) return [...old.slice(pick % (old.length + 1)), ...old.slice(0, 1)];
          if (typeof old !== 'object' || old === null) return old;
          const gone = Object.keys(old)[pick % (Object.keys(old).length || 1)];
          return Object.fromEntries(Object.entries(old).filter(([key]) => key !== gone));
        }),
  ),
);
const mutated = fc
  .array(fc.tuple(change, fc.nat({ max: 160 })), { minLength: 1, maxLength: 4 })
  .map((changes) => changes.reduce<Json>((data, [apply, at]) => apply(data, at), document as Json));

test('A mutated document compiles and runs, or is refused with a place', async () => {
  let [ran, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(mutated, async (changed) => {
      let compiled: ReturnType<typeof createApp>;
      try {
        compiled = createApp([app, changed]);
      } catch (error) {
        if (!(error instanceof CffbrwError)) throw error;
        expect(error.code).toBe('INVALID_APP');
        expect((error.cause as CffbrwError[]).every((one) => one.place !== undefined && one.message !== '')).toBe(true);
        refused += 1;
        return;
      }
      const [name] = compiled.workflows.keys();
      const stage = await createStage(compiled);
      for (const key of [undefined, 'one', 'one']) {
        const result = await stage.ask(name ?? '', { body: 5, ...(key !== undefined && { key }) });
        expect(result.status).toBeGreaterThanOrEqual(200);
        expect('code' in result && result.code).not.toBe('INVARIANT');
      }
      ran += 1;
    }),
    { numRuns: runs(150) },
  );
  expect([ran > 10, refused > 10]).toEqual([true, true]);
});

test('The document itself answers', async () => {
  const stage = await createStage(createApp([app, document]));
  expect(await stage.ask('w', { body: 5 })).toMatchObject({ status: 201, body: { t: { ok: true }, all: [1, 'two', null] } });
});

test('A text with pieces missing, doubled or swapped is compiled or refused', () => {
  const text = JSON.stringify(document, null, 1).replaceAll('"', '');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: text.length }), fc.nat({ max: 30 }), fc.nat({ max: text.length })), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.boolean(),
      (cuts, json) => {
        let changed = json ? JSON.stringify(document) : text;
        for (const [from, length, to] of cuts)
          changed = changed.slice(0, from) + changed.slice(from + length, to) + changed.slice(Math.min(from, to));
        try {
          loadApp([
            { path: 'a', text: JSON.stringify(app) },
            { path: 'w', text: changed },
          ]);
        } catch (error) {
          expect(error).toBeInstanceOf(CffbrwError);
          expect((error as CffbrwError).code).toBe('INVALID_APP');
        }
      },
    ),
    { numRuns: runs(150) },
  );
});
