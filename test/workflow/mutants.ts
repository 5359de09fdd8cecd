/** Documents and texts with pieces replaced, missing, doubled or swapped: what nobody writes, and somebody will. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Json } from '../../src/strategy/json.ts';

interface Example {
  readonly app: string;
  readonly workflow: string;
}

/** Each workflow of each example, with the app that it belongs to. */
const examples: readonly Example[] = readdirSync('examples')
  .sort()
  .flatMap((name) => {
    const file = `examples/${name}/cffbrw.yaml`;
    if (!existsSync(file)) return [];
    const app = readFileSync(file, 'utf8');
    const workflows = readdirSync(`examples/${name}/workflows`).sort();
    return workflows.map((path) => ({ app, workflow: readFileSync(`examples/${name}/workflows/${path}`, 'utf8') }));
  });

const texts = [...new Set(examples.flatMap(({ app, workflow }) => [app, workflow]))];

const pieces = [
  ...[
    ' ',
    '\n',
    '\n  ',
    '\n- ',
    '- ',
    ': ',
    ':',
    ', ',
    ',',
    '{',
    '}',
    '[',
    ']',
    '{ ',
    ' }',
    '#',
    ' #',
    '"',
    "'",
    '\\',
    '(',
    ')',
    '${',
    '`',
    '|',
    '>',
  ],
  ...[
    '!',
    '&a',
    '*a',
    '?',
    '%',
    '@',
    '~',
    'null',
    'true',
    'yes',
    '0',
    '1',
    '-1',
    '1e3',
    '0x1',
    '.5',
    'a',
    'a: 1',
    '---\n',
    '...\n',
    '\t',
    '\r\n',
    '<<',
    'é',
    '\u2028',
  ],
  ...['__proto__: 1', 'a b', '"a": 1', "'it''s'", '[a: 1]', '{a: 1}', '\n\n', '      ', ' # c\n', '${ x }'],
];

interface Cut {
  readonly at: number;
  readonly length: number;
  readonly piece: string;
}

const cut = fc.record<Cut>({
  at: fc.nat({ max: 2_000 }),
  length: fc.oneof(fc.constant(0), fc.nat({ max: 4 }), fc.nat({ max: 40 })),
  piece: fc.oneof(fc.constantFrom(...pieces), fc.constant(''), fc.string({ maxLength: 3 })),
});

const change = (text: string, { at, length, piece }: Cut): string => {
  const from = at % (text.length + 1);
  return text.slice(0, from) + piece + text.slice(from + length);
};

/** A document of an example with a few cuts, or a short text made of pieces. */
export const yamlText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...texts), fc.array(cut, { minLength: 1, maxLength: 3 }))
      .map(([text, cuts]) => cuts.reduce(change, text)),
  },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => `a: ${parts.join('')}`) },
);

/** An app and one of its workflows, one of the two with a few cuts. */
export const mutatedTexts: fc.Arbitrary<Example> = fc
  .tuple(fc.constantFrom(...examples), fc.array(cut, { minLength: 1, maxLength: 3 }), fc.nat({ max: 9 }))
  .map(([{ app, workflow }, cuts, which]) =>
    which === 0 ? { app: cuts.reduce(change, app), workflow } : { app, workflow: cuts.reduce(change, workflow) },
  );

/** What the documents below are the workflows of. */
export const app = {
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
export const document = { cffbrw: 1, workflow: 'w', on: { http: { method: 'POST', path: '/w' } }, steps };

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
const changeOne: fc.Arbitrary<Change> = fc.oneof(
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
const changes = fc.array(fc.tuple(changeOne, fc.nat({ max: 160 })), { minLength: 1, maxLength: 4 });
const apply = (data: Json, list: readonly (readonly [Change, number])[]): Json =>
  list.reduce<Json>((changed, [one, at]) => one(changed, at), data);

/** The whole document with one to four places changed. */
export const mutatedDocument: fc.Arbitrary<Json> = changes.map((list) => apply(document as Json, list));

/** The same with a few of its steps: most are short, as documents are. */
export const mutatedSteps: fc.Arbitrary<Json> = fc
  .tuple(fc.subarray([...steps], { minLength: 1, maxLength: 5 }), changes)
  .map(([few, list]) => apply({ ...document, steps: few } as Json, list));
