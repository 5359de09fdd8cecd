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
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Json, JsonObject } from '../strategy/json.ts';
import { type SchemaCheck, schemaOf } from '../strategy/schema.ts';
import { checkBearer, checkSignature, corsHeaders, digest, digestText, optionsResponse } from './access.ts';
import { decodeBody, defaultMaxBodyBytes, readBody, wantsText } from './body.ts';
import type { Answer, Endpoint, Fetcher, HttpRequest, IdempotencyKey, RouterOptions } from './http.ts';
import {
  compileFields,
  decodeText,
  type Fields,
  headerFields,
  parseQuery,
  pathOf,
  queryOf,
  type ReadFields,
  refuseInvalid,
} from './input.ts';
import { type Problem, problemResponse, toProblem } from './problem.ts';
import { refused, respond } from './respond.ts';

/** An endpoint with everything that can be known before the first request. */
interface Route {
  readonly endpoint: Endpoint;
  readonly paramNames: readonly string[];
  readonly readParams: ReadFields | null;
  readonly readQuery: ReadFields | null;
  readonly readHeaders: ReadFields | null;
  /** null: the body is not looked at. */
  readonly body: 'json' | 'text' | 'bytes' | null;
  readonly checkBody: SchemaCheck | null;
  readonly bearer: string | null;
  readonly signature: { readonly header: string; readonly secret: string } | null;
}

type Match = readonly [readonly (readonly [Route, Readonly<Record<string, number | string>>])[], (readonly string[])?];

const nothing: JsonObject = Object.freeze({});

export function createRouter(options: RouterOptions): Fetcher {
  const { host, log, onRequest } = options;
  const limitBytes = options.maxBodyBytes ?? defaultMaxBodyBytes;
  const fallbacks = options.fallbacks ?? [];
  const { match, at } = routeTable(options);

  const makeId = () => host.id();
  const refusal = (error: unknown) => refused(toProblem(error, makeId, log));

  const serve = async (route: Route, found: Match, request: Request, path: string): Promise<Response> => {
    let response: Response;
    try {
      response = respond(await runRoute(route, found, { request, path, limitBytes }), request.method);
    } catch (error) {
      response = refusal(error);
    }
    return route.endpoint.cors === undefined ? response : withCors(response, route.endpoint.cors, request);
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

  const route = (request: Request, seen: { workflow: string | null } | null): Response | Promise<Response> => {
    const method = request.method;
    let path: string;
    try {
      path = pathOf(request.url);
    } catch (error) {
      return refusal(error);
    }
    const found = match(method === 'HEAD' ? 'GET' : method, path);
    const first = found[0][0];
    if (first === undefined) return unmatched(request, path);
    if (seen !== null) seen.workflow = first[0].endpoint.workflow;
    return serve(first[0], found, request, path);
  };

  if (onRequest === undefined) return { fetch: (request) => route(request, null) };
  return { fetch: (request) => observed(host, onRequest, request, route) };
}

async function observed(
  host: Host,
  onRequest: NonNullable<RouterOptions['onRequest']>,
  request: Request,
  route: (request: Request, seen: { workflow: string | null }) => Response | Promise<Response>,
): Promise<Response> {
  const startMs = host.elapsed();
  const seen = { workflow: null };
  const response = await route(request, seen);
  const path = request.url.slice(request.url.indexOf('/', 8));
  onRequest({ method: request.method, path, status: response.status, tookMs: host.elapsed() - startMs, ...seen });
  return response;
}

/** `/lots/{lot}` → `/lots/:p0`: a router's parameter syntax must not meet a name from a document. */
const routerPath = (path: string): string => {
  let index = 0;
  const rewritten = path.replaceAll(/(?<=\/)\{[^{}/]+\}(?=\/|$)/g, () => `:p${index++}`);
  if (/[{}*?]|\/:(?!p\d)/.test(rewritten))
    throw new CffbrwError('INVALID_APP', `the path ${path} is not one of literal segments and {parameters}`);
  return rewritten;
};

/** Literal segments before parameters, from left to right: `/lots/new` is found before `/lots/{lot}`. */
const moreSpecific = (a: string, b: string): number => {
  const key = (path: string) =>
    path
      .split('/')
      .map((segment) => (segment.startsWith('{') ? '1' : '0'))
      .join('');
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
};

function routeTable(options: RouterOptions): {
  match(method: string, path: string): Match;
  at(path: string): readonly Endpoint[];
} {
  const router = new SmartRouter<Route>({ routers: [new RegExpRouter(), new TrieRouter()] });
  const taken = new Map<string, string>();
  for (const endpoint of [...options.endpoints].sort((a, b) => moreSpecific(a.path, b.path))) {
    const path = routerPath(endpoint.path);
    const other = taken.get(`${endpoint.method} ${path}`);
    if (other !== undefined) {
      throw new CffbrwError(
        'INVALID_APP',
        `the workflows ${other} and ${endpoint.workflow} both answer ${endpoint.method} ${endpoint.path}`,
      );
    }
    taken.set(`${endpoint.method} ${path}`, endpoint.workflow);
    router.add(endpoint.method, path, compileRoute(endpoint, options.secrets ?? new Map()));
  }
  const methods = [...new Set(options.endpoints.map((endpoint) => endpoint.method))].sort();
  const match =
    options.endpoints.length === 0
      ? (): Match => [[]]
      : (method: string, path: string) => router.match(method, path) as unknown as Match;
  const known = new Set(methods);
  return {
    match: (method, path) => (known.has(method) ? match(method, path) : [[]]),
    at: (path) =>
      methods.flatMap((method) =>
        match(method, path)[0]
          .slice(0, 1)
          .map(([route]) => route.endpoint),
      ),
  };
}

function compileRoute(endpoint: Endpoint, secrets: ReadonlyMap<string, string>): Route {
  const { reads, params, query, headers, body, verify, auth } = endpoint;
  const secret = (name: string): string => {
    const value = secrets.get(name);
    if (value === undefined || value === '') {
      throw new CffbrwError('INVALID_APP', `the workflow ${endpoint.workflow} needs the secret ${name}, which has no value`, {
        fix: `Set the environment variable ${name}, and list it in cffbrw.yaml: secrets: [${name}]`,
      });
    }
    return value;
  };
  const readsBody = body !== undefined || reads.has('body');
  return {
    endpoint,
    paramNames: [...endpoint.path.matchAll(/\{([^{}/]+)\}/g)].map((found) => found[1] ?? ''),
    readParams: params !== undefined || reads.has('params') ? compileFields('params', params) : null,
    readQuery: query !== undefined || reads.has('query') ? compileFields('query', query) : null,
    readHeaders: headers !== undefined || reads.has('headers') ? compileFields('headers', headers) : null,
    body: readsBody ? (wantsText(body) ? 'text' : 'json') : verify !== undefined ? 'bytes' : null,
    checkBody: body === undefined ? null : schemaOf(body),
    bearer: auth === undefined ? null : secret(auth.bearer),
    signature: verify === undefined ? null : { header: verify.header, secret: secret(verify.secret) },
  };
}

interface Incoming {
  readonly request: Request;
  readonly path: string;
  readonly limitBytes: number;
}

/** Lets the request in, part by part, the cheapest refusal first; then runs the workflow. Throws CffbrwError. */
async function runRoute(route: Route, found: Match, { request, path, limitBytes }: Incoming): Promise<Answer | Problem> {
  const { endpoint } = route;
  if (route.bearer !== null) checkBearer(request.headers, route.bearer);
  const keyText = endpoint.idempotencyHeader === null ? null : request.headers.get(endpoint.idempotencyHeader);
  if (keyText !== null) checkKey(keyText, endpoint.idempotencyHeader ?? '');
  const params = route.readParams === null ? nothing : route.readParams(paramFields(route, found));
  const query = route.readQuery === null ? nothing : route.readQuery(parseQuery(queryOf(request.url)));
  const headers = route.readHeaders === null ? nothing : route.readHeaders(headerFields(request.headers));
  const bytes = route.body === null && keyText === null ? null : await readBody(request, limitBytes);
  if (route.signature !== null && bytes !== null)
    checkSignature(request.headers, route.signature.header, route.signature.secret, bytes);
  const body = bytes === null ? null : admitBody(route, request, bytes);
  const seen: HttpRequest = { method: request.method, path, params, query, headers, body };
  return endpoint.run(seen, keyText === null ? null : idempotencyKey(request, keyText, bytes));
}

function admitBody(route: Route, request: Request, bytes: Uint8Array): Json {
  if (route.body === null || route.body === 'bytes') return null;
  const value = decodeBody(bytes, request.headers, route.body === 'text');
  if (route.checkBody === null) return value;
  if (bytes.byteLength === 0 && value === null && route.checkBody(null) !== null) {
    throw new CffbrwError('INVALID_INPUT', 'the body is empty, but this takes JSON', {
      fix: 'Send a JSON body with content-type: application/json',
    });
  }
  refuseInvalid('body', route.checkBody, value);
  return value;
}

function paramFields(route: Route, found: Match): Fields {
  const fields = new Map<string, readonly string[]>();
  const indexes = found[0][0]?.[1] ?? {};
  route.paramNames.forEach((name, index) => {
    const place = indexes[`p${index}`];
    const raw = typeof place === 'number' ? found[1]?.[place] : place;
    fields.set(name, [decodeText(raw ?? '', 'the path')]);
  });
  return fields;
}

function checkKey(key: string, header: string): void {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return;
  throw new CffbrwError('INVALID_INPUT', `the header ${header} must be 1 to 255 visible ASCII characters`, {
    fix: 'Send a UUID, say.',
  });
}

function idempotencyKey(request: Request, key: string, bytes: Uint8Array | null): IdempotencyKey {
  const authorization = request.headers.get('authorization');
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

function withCors(response: Response, cors: NonNullable<Endpoint['cors']>, request: Request): Response {
  const headers = corsHeaders(cors, request.headers.get('origin'));
  if (headers !== null) for (const [name, value] of Object.entries(headers)) response.headers.append(name, value);
  return response;
}
