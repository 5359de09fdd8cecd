/** What an `http` step sends. Nothing that is refused here is repeated in the refusal: it may be a secret. */
import { CffbrwError } from '../../error.ts';
import type { Json } from '../../strategy/json.ts';
import type { Inputs } from './verb.ts';

/** RFC 9110, 9.2.2: whether repeating it changes anything that doing it once has not. */
const methods: ReadonlyMap<string, { readonly idempotent: boolean }> = new Map([
  ['GET', { idempotent: true }],
  ['HEAD', { idempotent: true }],
  ['OPTIONS', { idempotent: true }],
  ['PUT', { idempotent: true }],
  ['DELETE', { idempotent: true }],
  ['POST', { idempotent: false }],
  ['PATCH', { idempotent: false }],
]);

export const isIdempotent = (method: string): boolean => methods.get(method)?.idempotent ?? false;

/** Throws INVALID_VALUE. */
export function checkMethod(method: Json): string {
  if (typeof method === 'string' && methods.has(method)) return method;
  throw invalid('this is no method of a request', `Write one of ${[...methods.keys()].join(', ')}.`);
}

const maxUrlLength = 8_192;

/** Throws INVALID_VALUE for anything but an absolute http or https address without user and password. */
export function checkUrl(text: Json): URL {
  const url = typeof text === 'string' && text.length <= maxUrlLength ? parseUrl(text) : null;
  if (url === null) throw invalid('this is no address of at most 8,192 characters', 'Write `https://…`.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw invalid('only http and https addresses can be asked', 'Write `https://…`.');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('the address holds a user or a password', 'Send an `authorization` header instead.');
  }
  return url;
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** They say how the message is cut, or what the connection is for: that is the platform's to say. */
const refusedHeaders: ReadonlySet<string> = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect'],
  ...['proxy-authorization', 'proxy-connection'],
]);
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Throws INVALID_VALUE for a header that cannot be, or that a workflow may not set. */
export function checkHeader(name: string, value: string): void {
  if (!headerName.test(name)) throw invalid('the name of a header has characters that none can have', 'Use letters and `-`.');
  if (refusedHeaders.has(name.toLowerCase())) {
    throw invalid(`the header ${name.toLowerCase()} cannot be set`, 'Leave it out: it is set from the address and the body.');
  }
  if (!headerValue.test(value)) {
    throw invalid(`the header ${name.toLowerCase()} has characters that no header can have`, 'Encode it: `base64(text)`, say.');
  }
}

export interface Sent {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** `given`: `http`, `headers` and `body` of the step. The body is JSON, unless it is text and has a content-type. */
export function sentOf(given: Inputs, method: string): Sent {
  const url = checkUrl(given.http ?? null);
  const headers = headersOf(given.headers);
  if (given.body === undefined) return { url, method, headers, body: null };
  if (method === 'GET' || method === 'HEAD') throw invalid(`a ${method} request has no body`, bodyFix);
  const asText = typeof given.body === 'string' && 'content-type' in headers;
  const body = asText ? String(given.body) : JSON.stringify(given.body);
  return { url, method, headers: { 'content-type': 'application/json', ...headers }, body };
}

export const bodyFix = 'Use `method: POST`, say, or put it into the address.';

function headersOf(given: Json | undefined): Readonly<Record<string, string>> {
  const headers = new Map<string, string>();
  for (const [name, content] of Object.entries((given ?? {}) as Inputs)) {
    if (content === null) continue;
    const value = typeof content === 'object' ? JSON.stringify(content) : String(content);
    checkHeader(name, value);
    headers.set(name.toLowerCase(), value);
  }
  return Object.fromEntries(headers);
}

const invalid = (message: string, fix: string) => new CffbrwError('INVALID_VALUE', message, { fix });
