// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is sent
/** Whatever a client sends, it gets an answer that is no accident: never a 500, and every refusal is a problem. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openShop, type Shop, token } from './admin-stage.ts';

const runs = 300 * Number(process.env.CFFBRW_RUNS ?? 1);

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const parts = [
  ...[
    'lots',
    '1',
    '-1',
    '1e3',
    '01',
    'buy',
    'events',
    '_cffbrw',
    'v1',
    'variables',
    'stock',
    'profile',
    'workflows',
    'runs',
    'openapi.json',
    'operations',
  ],
  ...[
    '',
    '.',
    '..',
    '%2e%2e',
    '%2f',
    '%',
    '%zz',
    '%00',
    '%ff',
    '%c0%af',
    '\\',
    '{lot}',
    '*',
    ':',
    ';',
    '__proto__',
    'constructor',
    '${1}',
    'é',
    '😀',
    'a'.repeat(3_000),
  ],
];
const queries = [
  'quick=true',
  'quick=1',
  'quick=',
  'quick',
  'quick=true&quick=false',
  'a[b]=c',
  '__proto__=1',
  '%',
  '=',
  '&&',
  'key="a"',
  'key=[1,2]',
  'limit=-1',
  'cursor=x',
];
const headers: readonly (readonly [name: string, value: string])[] = [
  ['content-type', 'application/json'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', 'text/plain'],
  ['content-type', 'multipart/form-data'],
  ['content-type', ';'],
  ['content-length', '-1'],
  ['content-encoding', 'gzip'],
  ['authorization', 'Bearer a-key-of-the-shop'],
  ['authorization', `Bearer ${token}`],
  ['authorization', 'Bearer '],
  ['authorization', 'Basic OjpAOg=='],
  ['idempotency-key', 'one'],
  ['idempotency-key', ''],
  ['idempotency-key', 'k'.repeat(300)],
  ['origin', 'null'],
  ['origin', 'http://evil.example'],
  ['accept', 'text/event-stream;q=0'],
  ['range', 'bytes=9-1'],
  ['if-none-match', '*'],
  ['host', 'evil.example'],
  ['x-forwarded-for', '::1, 127.0.0.1'],
  ['last-event-id', '\u00ff'],
  ['traceparent', '00-0-0-0'],
];
const bodies = [
  ...[
    '{"user":"ann"}',
    '{"user":""}',
    '{"user":"ann","size":1}',
    '{"user":"ann","size":"1"}',
    '{"user":"ann","__proto__":{"a":1}}',
    '{"user":"ann","constructor":1}',
  ],
  ...[
    '{"user":1e999}',
    '{"user":"\\ud800"}',
    '{"user":"ann","user":"bob"}',
    '[]',
    'null',
    '1',
    '"x"',
    '',
    ' ',
    '{',
    '{"a":',
    '[[[[',
    '\u0000',
    '{"value":1,"amount":-1}',
    '{"key":null}',
  ],
  ...[
    '['.repeat(5_000),
    `{"user":"${'x'.repeat(70_000)}"}`,
    '{"amount":9007199254740993}',
    '{"amount":1}',
    '{"key":"__proto__","value":{}}',
    '{"receipt":"x"}',
  ],
];

const anyRequest = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'get', 'X'),
  path: fc.oneof(
    fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 5 })), { maxLength: 6 }),
    fc.constantFrom(
      ['lots', '1', 'buy'],
      ['_cffbrw', 'v1', 'variables', 'stock', 'take'],
      ['_cffbrw', 'v1', 'variables', 'profile', 'merge'],
    ),
  ),
  query: fc.array(fc.oneof(fc.constantFrom(...queries), fc.string({ maxLength: 8 })), { maxLength: 3 }),
  headers: fc.array(fc.oneof(fc.constantFrom(...headers), fc.tuple(fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 }))), {
    maxLength: 5,
  }),
  body: fc.oneof(
    fc.constantFrom(...bodies),
    fc.string({ maxLength: 20 }),
    fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)),
    fc.uint8Array({ maxLength: 20 }),
  ),
});
type Sent = typeof anyRequest extends fc.Arbitrary<infer Value> ? Value : never;

/** Right but for its body, mostly: so that some get past the door. */
const request: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 3, arbitrary: anyRequest },
  {
    weight: 1,
    arbitrary: fc.tuple(anyRequest, fc.boolean()).map(([sent, right]): Sent => {
      const opening = [
        ['content-type', 'application/json'],
        ['authorization', 'Bearer a-key-of-the-shop'],
      ] as const;
      const others = sent.headers.filter(([name]) => !opening.some(([own]) => own === name.toLowerCase()));
      return {
        ...sent,
        method: 'POST',
        path: ['lots', '1', 'buy'],
        headers: [...opening, ...others] as Sent['headers'],
        ...(right && { body: '{"user":"ann"}' }),
      };
    }),
  },
);

/** Null: no client can send this. */
function build({ method, path, query, headers: list, body }: Sent, signal: AbortSignal): Request | null {
  try {
    const url = `http://localhost:3000/${path.join('/')}${query.length > 0 ? `?${query.join('&')}` : ''}`;
    const all = new Headers();
    for (const [name, value] of list) all.append(name, value);
    const bodiless = /^(?:get|head)$/i.test(method);
    return new Request(url, { method, headers: all, signal, ...(!bodiless && { body: body as BodyInit }) });
  } catch {
    return null;
  }
}

it('Whatever is sent is answered: never with a 500, and every refusal is a problem', async () => {
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(request, async (sent) => {
      const stop = new AbortController();
      const built = build(sent, stop.signal);
      if (built === null) return;
      const response = await shop.handler.fetch(built);
      const { status } = response;
      seen.set(status, (seen.get(status) ?? 0) + 1);
      expect(status).not.toBe(500);
      const type = response.headers.get('content-type') ?? '';
      if (type.startsWith('text/event-stream')) {
        stop.abort();
        await response.body?.cancel();
        return;
      }
      const text = await response.text();
      if (status < 400 || built.method === 'HEAD') return;
      if (type === 'application/problem+json') expect(JSON.parse(text)).toMatchObject({ status, title: expect.any(String) });
      // The workflow's own answer, or a page of the library's.
      else expect([status, text]).toEqual([410, expect.stringContaining('"ok":false')]);
    }),
    { numRuns: runs },
  );
  expect([...seen.keys()].sort()).toEqual(expect.arrayContaining([200, 201, 400, 401, 404]));
  if (runs > 1_000) console.log(Object.fromEntries(seen));
});
