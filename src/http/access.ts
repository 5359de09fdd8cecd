/** Who may run an endpoint: bearer tokens, signatures over the raw body, and what browsers ask about other origins. */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { CffbrwError } from '../error.ts';
import type { Cors } from '../workflow/plan.ts';
import type { Endpoint, Inbound } from './http.ts';

const encoder = new TextEncoder();

export const digest = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));
export const digestText = (text: string): string => digest(encoder.encode(text));

/** Takes as long for any two lists of one length: their digests are compared, so that length and content stay unknown. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const left = sha256(a);
  const right = sha256(b);
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}

export const sameText = (a: string, b: string): boolean => sameBytes(encoder.encode(a), encoder.encode(b));

const unauthorized = (message: string): CffbrwError => new CffbrwError('UNAUTHORIZED', message);

/** Refuses a request without the endpoint's token. Throws UNAUTHORIZED. */
export function checkBearer(inbound: Inbound, token: string): void {
  const header = inbound.header('authorization');
  const found = header === null ? null : /^Bearer +([^\s]+)$/i.exec(header);
  if (found === null) throw unauthorized('this needs the header authorization: Bearer <token>');
  if (!sameText(found[1] ?? '', token)) throw unauthorized('the token is not the right one');
}

/** Refuses a body that was not signed with the secret: HMAC-SHA-256 in hex or base64, after an optional `name=`. Throws UNAUTHORIZED. */
export function checkSignature(inbound: Inbound, { header, secret }: { header: string; secret: string }, body: Uint8Array): void {
  const found = inbound.header(header);
  if (found === null) throw unauthorized(`this needs a signature in the header ${header}`);
  const signature = signatureBytes(found.trim().replace(/^[A-Za-z0-9_-]{1,32}=(?=[^=])/, ''));
  const right = hmac(sha256, encoder.encode(secret), body);
  if (signature === null || !sameBytes(signature, right))
    throw unauthorized(`the signature in the header ${header} does not fit the body`);
}

function signatureBytes(text: string): Uint8Array | null {
  if (/^[0-9a-fA-F]{64}$/.test(text))
    return Uint8Array.from({ length: 32 }, (_, index) => Number.parseInt(text.slice(2 * index, 2 * index + 2), 16));
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  const binary = atob(`${text.slice(0, 43).replaceAll('-', '+').replaceAll('_', '/')}=`);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

const allowsOrigin = (cors: Cors, origin: string): boolean => cors.origins === '*' || cors.origins.includes(origin);

/** What the answer to a request from `origin` says to its browser; null: nothing, and so the browser keeps the answer from the page. */
export function corsHeaders(cors: Cors, origin: string | null): Record<string, string> | null {
  if (origin === null || !allowsOrigin(cors, origin)) return null;
  const any = cors.origins === '*' && cors.credentials !== true;
  return {
    'access-control-allow-origin': any ? '*' : origin,
    ...(!any && { vary: 'origin' }),
    ...(cors.credentials === true && { 'access-control-allow-credentials': 'true' }),
  };
}

/** The answer to `OPTIONS` on a path that has these endpoints. */
export function optionsResponse(request: Request, endpoints: readonly Endpoint[], allow: string): Response {
  const wanted = request.headers.get('access-control-request-method');
  const endpoint = endpoints.find((each) => each.method === wanted);
  const headers: Record<string, string> = { allow };
  const cors = endpoint?.cors;
  const granted = cors === undefined ? null : corsHeaders(cors, request.headers.get('origin'));
  if (cors !== undefined && endpoint !== undefined && granted !== null) {
    const names = cors.headers ?? [
      'content-type',
      'authorization',
      ...(endpoint.idempotencyHeader === null ? [] : [endpoint.idempotencyHeader]),
    ];
    Object.assign(headers, granted, {
      'access-control-allow-methods': endpoint.method,
      'access-control-allow-headers': names.join(', '),
      'access-control-max-age': String(cors.maxAgeSeconds ?? 600),
    });
  }
  return new Response(null, { status: 204, headers });
}
