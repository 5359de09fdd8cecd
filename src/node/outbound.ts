/**
 * Requests to other servers, over HTTP/1.1: guarded, bounded, and sent once.
 *
 * It never follows a redirect, never asks a proxy (whatever the environment says), never uses a unix socket or another scheme than http
 * and https, and its errors never hold a part of the request: a URL or a header may be a secret.
 */
import { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { CffbrwError } from '../error.ts';
import { maxAnswerBytes } from '../workflow/steps/http-answer.ts';
import { checkHeader, checkUrl } from '../workflow/steps/http-request.ts';
import { decoded } from './outbound-body.ts';
import { createConnector, createGuard, type Guard, type GuardOptions } from './outbound-connect.ts';

export interface OutboundOptions extends GuardOptions {
  /** Until there is a connection. Default 10 s. */
  readonly connectMs?: number;
}

export type OutboundFetch = (request: Request) => Promise<Response>;

const headerBytes = 32_768;
const connectionsPerOrigin = 128;

/** Throws INVALID_APP for a wrong entry of `allow`. What it returns does as `Host.fetch` says. */
export function createOutboundFetch(options: OutboundOptions = {}): OutboundFetch {
  const guard = createGuard(options);
  let agent: Promise<Agent> | undefined;
  return async (request) => {
    const url = checkUrl(request.url);
    const headers = headersOf(request.headers);
    const { method, signal } = request;
    const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
    agent ??= createAgent(guard, options.connectMs ?? 10_000);
    const dispatcher = await agent;
    const target = { origin: url.origin, path: url.pathname + url.search, method: method as Dispatcher.HttpMethod };
    const answer = await dispatcher
      .request({ ...target, headers, body, signal, responseHeaders: 'raw' })
      .catch((error: unknown) => Promise.reject(signal.aborted || error instanceof CffbrwError ? error : broken(error)));
    return responseOf(method, answer);
  };
}

/** Loaded at the first request: most processes make none. */
async function createAgent(guard: Guard, connectMs: number): Promise<Agent> {
  const { Agent, buildConnector } = await import('undici');
  return new Agent({
    connect: createConnector(guard, buildConnector, connectMs),
    maxHeaderSize: headerBytes,
    maxResponseSize: maxAnswerBytes,
    connections: connectionsPerOrigin,
    pipelining: 1,
  });
}

/** As pairs, one after the other. */
function headersOf(given: Headers): string[] {
  const headers: string[] = [];
  for (const [name, value] of given) {
    checkHeader(name, value);
    headers.push(name, value);
  }
  if (!given.has('accept-encoding')) headers.push('accept-encoding', 'gzip, br');
  if (!given.has('user-agent')) headers.push('user-agent', 'cffbrw');
  return headers;
}

const broken = (error: unknown) =>
  new CffbrwError('HTTP_FAILED', 'the connection broke before there was an answer', {
    cause: error,
    fix: 'The other server may or may not have done what it was asked to.',
  });

const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

async function responseOf(method: string, { statusCode, headers: raw, body }: Dispatcher.ResponseData): Promise<Response> {
  const headers = new Headers();
  const pairs = raw as unknown as readonly string[];
  for (let at = 0; at + 1 < pairs.length; at += 2) appendIfValid(headers, pairs[at] ?? '', pairs[at + 1] ?? '');
  if (statusCode > 599 || bodiless.has(statusCode) || method === 'HEAD') {
    await body.dump({ limit: 65_536 });
    if (statusCode <= 599) return new Response(null, { status: statusCode, headers });
    throw broken(new Error('no status of HTTP'));
  }
  const stream = decoded(body, headers.get('content-encoding'));
  if (stream !== body) for (const name of ['content-encoding', 'content-length']) headers.delete(name);
  return new Response(Readable.toWeb(stream) as ReadableStream, { status: statusCode, headers });
}

/** What no header can be is left out: the answer is still one. */
function appendIfValid(headers: Headers, name: string, value: string): void {
  try {
    headers.append(name, value);
  } catch {
    // A value with characters that none may have.
  }
}
