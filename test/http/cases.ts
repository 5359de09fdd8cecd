/**
 * Hostile and odd requests as data, so that every platform runs the same table. They are for an app with these endpoints, each of which
 * answers 200 with what it was given as `{ params, query, headers, body }`:
 *
 *     POST /echo          body { type: object, required: [user], properties: { user: { type: string, minLength: 1, maxLength: 64 } } }
 *     GET  /lots/{lot}    params { properties: { lot: { type: integer } } }, query { properties: { n: integer = 10, on: boolean, tag: list of strings } }
 *     POST /text          body { type: string }
 *     GET  /names/{name}
 */
import type { Endpoint } from '../../src/http/http.ts';
import { endpoint } from './fakes.ts';

export interface Case {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly status: number;
  /** What the problem's code is, or what the answer holds (a part of it). */
  readonly code?: string;
  readonly answer?: unknown;
}

export const caseEndpoints: readonly Endpoint[] = [
  endpoint({
    body: { type: 'object', required: ['user'], properties: { user: { type: 'string', minLength: 1, maxLength: 64 } } },
  }),
  endpoint({
    workflow: 'lot',
    method: 'GET',
    path: '/lots/{lot}',
    reads: new Set(['params', 'query']),
    idempotencyHeader: null,
    params: { type: 'object', properties: { lot: { type: 'integer' } } },
    query: {
      type: 'object',
      properties: {
        n: { type: 'integer', minimum: 1, default: 10 },
        on: { type: 'boolean' },
        price: { type: 'number' },
        tag: { type: 'array', items: { type: 'string' }, maxItems: 3 },
      },
    },
  }),
  endpoint({ workflow: 'text', path: '/text', body: { type: 'string', maxLength: 10 } }),
  endpoint({
    workflow: 'name',
    method: 'GET',
    path: '/names/{name}',
    reads: new Set(['params', 'headers']),
    idempotencyHeader: null,
  }),
];

const json = { 'content-type': 'application/json' };
const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json) => ({
  method: 'POST',
  path: '/echo',
  headers,
  body,
});
const get = (path: string) => ({ method: 'GET', path });
const bytes = (...values: number[]) => Uint8Array.from([...new TextEncoder().encode('{"user":"'), ...values, 0x22, 0x7d]);
const invalid = { status: 400, code: 'INVALID_INPUT' };
const nested = '['.repeat(100_000);

export const cases: readonly Case[] = [
  // Bodies.
  { title: 'a good body', ...post('{"user":"ann"}'), status: 200, answer: { body: { user: 'ann' } } },
  {
    title: 'a body with a charset',
    ...post('{"user":"ann"}', { 'content-type': 'application/json; charset=UTF-8' }),
    status: 200,
  },
  { title: 'a body of a JSON dialect', ...post('{"user":"ann"}', { 'content-type': 'application/vnd.shop+json' }), status: 200 },
  { title: 'an empty body', ...post('', json), ...invalid },
  { title: 'no JSON', ...post('user=ann'), ...invalid },
  { title: 'half of a JSON', ...post('{"user":'), ...invalid },
  { title: 'a list for an object', ...post('[]'), ...invalid },
  { title: 'null for an object', ...post('null'), ...invalid },
  { title: 'a number for a string', ...post('{"user":1}'), ...invalid },
  { title: 'a missing field', ...post('{}'), ...invalid },
  { title: 'a string that is too long', ...post(JSON.stringify({ user: 'x'.repeat(65) })), ...invalid },
  { title: 'lists nested 100,000 deep', ...post(nested), ...invalid },
  { title: 'objects nested 100,000 deep', ...post('{"a":'.repeat(100_000)), ...invalid },
  { title: 'a number that is infinite', ...post('{"user":"a","n":1e400}'), ...invalid },
  { title: 'an integer that would be rounded', ...post('{"user":"a","n":9007199254740993}'), ...invalid },
  { title: '__proto__ in the body', ...post('{"user":"a","__proto__":{"admin":true}}'), ...invalid },
  { title: '__proto__ in an escape', ...post('{"user":"a","x":{"\\u005f_proto__":1}}'), ...invalid },
  { title: 'constructor in the body', ...post('{"user":"a","constructor":{"prototype":{}}}'), ...invalid },
  { title: 'a key that comes twice', ...post('{"user":"a","user":"b"}'), ...invalid },
  { title: 'half of a surrogate pair', ...post('{"user":"\\ud83d"}'), ...invalid },
  { title: 'bytes that are no UTF-8', ...post(bytes(0xff, 0xfe)), ...invalid },
  { title: 'a cut-off UTF-8 sequence', ...post(bytes(0xf0, 0x9f, 0x98)), ...invalid },
  { title: 'an overlong UTF-8 sequence', ...post(bytes(0xc0, 0xaf)), ...invalid },
  { title: 'a body over the limit', ...post(`{"user":"${'x'.repeat(1_100_000)}"}`), status: 413, code: 'BODY_TOO_LARGE' },
  { title: 'a form', ...post('user=ann', { 'content-type': 'application/x-www-form-urlencoded' }), status: 415 },
  { title: 'JSON that calls itself text', ...post('{"user":"ann"}', { 'content-type': 'text/plain' }), status: 415 },
  {
    title: 'JSON in another charset',
    ...post('{"user":"ann"}', { 'content-type': 'application/json; charset=utf-16' }),
    status: 415,
  },
  { title: 'a compressed body', ...post('{"user":"ann"}', { ...json, 'content-encoding': 'gzip' }), status: 415 },
  { title: 'a content-type of junk', ...post('{"user":"ann"}', { 'content-type': ';;;,,,application/json' }), status: 415 },
  {
    title: 'raw text',
    method: 'POST',
    path: '/text',
    headers: { 'content-type': 'text/plain' },
    body: 'hello',
    status: 200,
    answer: { body: 'hello' },
  },
  { title: 'no text at all', method: 'POST', path: '/text', body: '', status: 200, answer: { body: '' } },
  {
    title: 'raw text that is too long',
    method: 'POST',
    path: '/text',
    headers: { 'content-type': 'text/plain' },
    body: 'hello hello',
    ...invalid,
  },
  // Paths and queries.
  { title: 'a path parameter', ...get('/lots/7'), status: 200, answer: { params: { lot: 7 }, query: { n: 10 } } },
  {
    title: 'a query',
    ...get('/lots/7?n=3&on=true&price=1.5&tag=a&tag=b%20c&other=1'),
    status: 200,
    answer: { query: { n: 3, on: true, price: 1.5, tag: ['a', 'b c'] } },
  },
  { title: 'a path parameter of another type', ...get('/lots/seven'), ...invalid },
  { title: 'a path parameter that would be rounded', ...get('/lots/9007199254740993'), ...invalid },
  { title: 'a fraction for an integer', ...get('/lots/7?n=1.5'), ...invalid },
  { title: 'a hexadecimal integer', ...get('/lots/0x10'), ...invalid },
  { title: 'an empty integer', ...get('/lots/7?n='), ...invalid },
  { title: 'an integer twice', ...get('/lots/7?n=1&n=2'), ...invalid },
  { title: 'an integer below the minimum', ...get('/lots/7?n=0'), ...invalid },
  { title: 'yes for a boolean', ...get('/lots/7?on=yes'), ...invalid },
  { title: 'an infinite number', ...get('/lots/7?price=1e999'), ...invalid },
  { title: 'too many tags', ...get('/lots/7?tag=a&tag=b&tag=c&tag=d'), ...invalid },
  { title: '__proto__ in the query', ...get('/lots/7?__proto__=1'), ...invalid },
  { title: '__proto__ in the query, encoded', ...get('/lots/7?%5f_proto__=1'), ...invalid },
  { title: 'constructor in the query', ...get('/lots/7?constructor[prototype][x]=1&constructor=1'), ...invalid },
  { title: 'a broken escape in the query', ...get('/lots/7?n=%zz'), ...invalid },
  { title: 'no UTF-8 in the query', ...get('/lots/7?tag=%ff'), ...invalid },
  { title: 'a query of 10,000 fields', ...get(`/lots/7?${'a=1&'.repeat(1500)}`), ...invalid },
  {
    title: 'a path parameter of escapes',
    ...get('/names/%E2%82%AC%20a%2Fb'),
    status: 200,
    answer: { params: { name: '€ a/b' } },
  },
  {
    title: 'a path parameter of double escapes',
    ...get('/names/%252e%252e'),
    status: 200,
    answer: { params: { name: '%2e%2e' } },
  },
  { title: 'no UTF-8 in the path', ...get('/names/%ff'), ...invalid },
  { title: '__proto__ in the path', ...get('/names/__proto__'), status: 200, answer: { params: { name: '__proto__' } } },
  { title: 'an empty path parameter', ...get('/names/'), status: 404, code: 'NOT_FOUND' },
  { title: 'a path with a slash too many', ...get('//names/a'), status: 404, code: 'NOT_FOUND' },
  { title: 'a path in capitals', ...get('/NAMES/a'), status: 404, code: 'NOT_FOUND' },
  { title: 'a path that is nowhere', ...get('/nowhere'), status: 404, code: 'NOT_FOUND' },
  { title: 'a path that is a property', ...get('/__proto__'), status: 404, code: 'NOT_FOUND' },
  // Methods.
  { title: 'another method', method: 'DELETE', path: '/echo', status: 405, code: 'METHOD_NOT_ALLOWED' },
  { title: 'a method of its own', method: 'BREW', path: '/echo', status: 405, code: 'METHOD_NOT_ALLOWED' },
  { title: 'a method that is a property', method: 'constructor', path: '/echo', status: 405, code: 'METHOD_NOT_ALLOWED' },
  { title: 'HEAD where GET is', method: 'HEAD', path: '/lots/7', status: 200 },
  { title: 'OPTIONS', method: 'OPTIONS', path: '/echo', status: 204 },
  // Headers.
  {
    title: '__proto__ as a header',
    ...get('/names/a'),
    headers: { __proto: '1', ['__proto__']: '1', constructor: '1' },
    status: 200,
  },
  {
    title: 'an idempotency key that is too long',
    ...post('{"user":"a"}', { ...json, 'idempotency-key': 'k'.repeat(256) }),
    ...invalid,
  },
  { title: 'an idempotency key with a space', ...post('{"user":"a"}', { ...json, 'idempotency-key': 'a b' }), ...invalid },
  { title: 'an idempotency key that is empty', ...post('{"user":"a"}', { ...json, 'idempotency-key': '' }), ...invalid },
];

/** Paths as they are after routing (decoded but for delimiters) that must never reach a file system. */
export const traversals = [
  '/../secret',
  '/..',
  '/a/../../secret',
  '/%2e%2e/secret',
  '/%2e%2e%2fsecret',
  '/..%2fsecret',
  '/..%5csecret',
  '/..\\secret',
  '/a%5c..%5c..%5csecret',
  '/%252e%252e/%252e%252e/secret',
  '/%c0%ae%c0%ae/secret',
  '/a%00.html',
  '/a\u0000.html',
  '//etc/passwd',
  '/a//b',
  '/%2fetc%2fpasswd',
  '/a%2findex.html',
  '/.env',
  '/.git/config',
  '/a/.hidden',
  '/C:/windows/win.ini',
  '/file.txt::$DATA',
  '/a\nb',
  '/con|x',
  `/${'a'.repeat(300)}`,
  `/${'a/'.repeat(1000)}`,
  '',
  'a.html',
];
