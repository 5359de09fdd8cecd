/**
 * Finds the endpoint of a request, lets in what its workflow takes, runs it, and answers.
 *
 * This is the hot path. What a workflow does not read is not built, and nothing is done twice. Hono's routers find the endpoint; its
 * middleware chain and context are left out, because an endpoint needs neither. Mount it in a Hono app with
 * `hono.all('*', (context) => router.fetch(context.req.raw))`.
 *
 * Never: answers with a stack or a path of this machine; reads more of a body than it may.
 *
 * Invariants:
 *   H1  Every request gets exactly one answer, and no request makes `fetch` reject.
 *   H2  An answer leaves only after the run has resolved, that is, when all it shows is durable.
 */
import { CffbrwError, invariant } from '../error.ts';
import type { Json, JsonObject } from '../strategy/json.ts';
import { checkBearer, checkSignature, corsHeaders, digest, digestText, optionsResponse } from './access.ts';
import { decodeBody, defaultMaxBodyBytes, RequestInbound } from './body.ts';
import {
  type Endpoint,
  type Fetcher,
  type HttpRequest,
  type IdempotencyKey,
  type Inbound,
  type RouterOptions,
  reservedPrefix,
} from './http.ts';
import { headerFields, parseQuery, pathOf, queryOf, refuseInvalid } from './input.ts';
import { problemResponse, toProblem } from './problem.ts';
import { refused, respond } from './respond.ts';
import { type Match, paramFields, type Route, routeTable } from './routes.ts';

const nothing: JsonObject = Object.freeze({});

export function createRouter(options: RouterOptions): Fetcher {
  const { host, log, onRequest, reserved } = options;
  const limitBytes = options.maxBodyBytes ?? defaultMaxBodyBytes;
  const fallbacks = options.fallbacks ?? [];
  const { match, at } = routeTable(options);

  const makeId = () => host.id();
  const refusal = (error: unknown) => refused(toProblem(error, makeId, log));

  /** Lets the request in, part by part, the cheapest refusal first; then runs the workflow and answers. */
  const serve = async (found: Match, path: string, request: Request, inbound: Inbound): Promise<Response> => {
    const route = routeOf(found);
    let response: Response;
    try {
      const key = admitHead(route, inbound);
      const bytes = route.body === null && key === null ? null : await inbound.bytes(limitBytes);
      const body = bytes === null ? null : admitBody(route, inbound, bytes);
      const { params, query, headers } = readParts(route, found, request);
      const seen: HttpRequest = { method: request.method, path, params, query, headers, body };
      const outcome = route.endpoint.run(seen, key === null ? null : idempotencyKey(request, inbound, key, bytes));
      response = respond(outcome instanceof Promise ? await outcome : outcome, request.method, options.makeResponse);
    } catch (error) {
      response = refusal(error);
    }
    return route.endpoint.cors === undefined ? response : withCors(response, route.endpoint.cors, inbound);
  };

  const unmatched = async (request: Request, path: string): Promise<Response> => {
    try {
      const routes = at(path);
      if (routes.length === 0) {
        for (const fallback of fallbacks) {
          const response = await fallback(request, path);
          if (response !== null) return response;
        }
        throw new CffbrwError('NOT_FOUND', 'there is nothing at this path');
      }
      return otherMethod(request, routes);
    } catch (error) {
      return refusal(error);
    }
  };

  const route = (request: Request, inbound: Inbound | null, seen: Seen | null): Response | Promise<Response> => {
    const method = request.method;
    let path: string;
    try {
      path = pathOf(request.url);
    } catch (error) {
      return refusal(error);
    }
    if (reserved !== undefined && path.startsWith(reservedPrefix)) return reserved(request);
    const found = match(method === 'HEAD' ? 'GET' : method, path);
    const first = found[0][0];
    if (first === undefined) return unmatched(request, path);
    if (seen !== null) seen.workflow = first[0].endpoint.workflow;
    return serve(found, path, request, inbound ?? new RequestInbound(request));
  };

  if (onRequest === undefined) {
    return { fetch: (request) => route(request, null, null), answer: (request, inbound) => route(request, inbound, null) };
  }
  const observed = async (request: Request, inbound: Inbound | null): Promise<Response> => {
    const startMs = host.elapsed();
    const seen: Seen = { workflow: null };
    const response = await route(request, inbound, seen);
    const path = request.url.slice(request.url.indexOf('/', 8));
    onRequest({ method: request.method, path, status: response.status, tookMs: host.elapsed() - startMs, ...seen });
    return response;
  };
  return { fetch: (request) => observed(request, null), answer: observed };
}

interface Seen {
  workflow: string | null;
}

function routeOf(found: Match): Route {
  const first = found[0][0];
  invariant(first !== undefined, 'H1', 'a request was served without a route');
  return first[0];
}

/** What can be refused before the body is read. The idempotency key, if the workflow honours one and the request has one. */
function admitHead(route: Route, inbound: Inbound): string | null {
  if (route.bearer !== null) checkBearer(inbound, route.bearer);
  const header = route.endpoint.idempotencyHeader;
  const key = header === null ? null : inbound.header(header);
  if (key !== null) checkKey(key, header ?? '');
  return key;
}

const noParts = Object.freeze({ params: nothing, query: nothing, headers: nothing });

function readParts(route: Route, found: Match, request: Request): Pick<HttpRequest, 'params' | 'query' | 'headers'> {
  if (route.readParams === null && route.readQuery === null && route.readHeaders === null) return noParts;
  return {
    params: route.readParams === null ? nothing : route.readParams(paramFields(route, found)),
    query: route.readQuery === null ? nothing : route.readQuery(parseQuery(queryOf(request.url))),
    headers: route.readHeaders === null ? nothing : route.readHeaders(headerFields(request.headers)),
  };
}

function admitBody(route: Route, inbound: Inbound, bytes: Uint8Array): Json {
  if (route.signature !== null) checkSignature(inbound, route.signature, bytes);
  if (route.body === null || route.body === 'bytes') return null;
  const value = decodeBody(bytes, inbound, route.body === 'text');
  if (route.checkBody === null) return value;
  if (bytes.byteLength === 0 && value === null && route.checkBody(null) !== null) {
    throw new CffbrwError('INVALID_INPUT', 'the body is empty, but this takes JSON', {
      fix: 'Send a JSON body with content-type: application/json',
    });
  }
  refuseInvalid('body', route.checkBody, value);
  return value;
}

function checkKey(key: string, header: string): void {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return;
  throw new CffbrwError('INVALID_INPUT', `the header ${header} must be 1 to 255 visible ASCII characters`, {
    fix: 'Send a UUID, say.',
  });
}

function idempotencyKey(request: Request, inbound: Inbound, key: string, bytes: Uint8Array | null): IdempotencyKey {
  const authorization = inbound.header('authorization');
  const address = request.url.slice(request.url.indexOf('/', 8));
  return {
    key,
    caller: authorization === null ? '' : digestText(authorization),
    fingerprint: digestText(`${request.method} ${address}\n${bytes === null ? '' : digest(bytes)}`),
  };
}

function otherMethod(request: Request, endpoints: readonly Endpoint[]): Response {
  const allowed = new Set(endpoints.map((endpoint) => endpoint.method));
  if (allowed.has('GET')) allowed.add('HEAD');
  allowed.add('OPTIONS');
  const allow = [...allowed].sort().join(', ');
  if (request.method === 'OPTIONS') return optionsResponse(request, endpoints, allow);
  const error = new CffbrwError('METHOD_NOT_ALLOWED', `this path does not take ${request.method.slice(0, 20)}`, {
    fix: `Use one of ${allow}.`,
  });
  return problemResponse(
    toProblem(error, () => ''),
    { allow },
  );
}

function withCors(response: Response, cors: NonNullable<Endpoint['cors']>, inbound: Inbound): Response {
  const headers = corsHeaders(cors, inbound.header('origin'));
  if (headers !== null) for (const [name, value] of Object.entries(headers)) response.headers.append(name, value);
  return response;
}
