/** The table of routes, compiled before the first request: paths without parameters by their names, all others by a router. */
import { CffbrwError } from '../error.ts';
import { checkOf, type SchemaCheck } from '../strategy/schema-check.ts';
import type { Secrets } from '../workflow/frame.ts';
import type { Found, PathRouter } from '../workflow/path-router.ts';
import { wantsText } from './body.ts';
import { type Endpoint, type RouterOptions, reservedPrefix } from './http.ts';
import { compileFields, decodeText, type Fields, type ReadFields } from './input.ts';

/** An endpoint with everything that can be known before the first request. */
export interface Route {
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

export type Match = Found<Route>;

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

/** Throws INVALID_APP for two endpoints at one address, a path that cannot be routed, a secret without a value. */
export function routeTable(options: RouterOptions): {
  match(method: string, path: string): Match;
  at(path: string): readonly Endpoint[];
} {
  const names = new Map<string, Map<string, Match>>();
  const router = patternsIn(options) ? routerOf(options) : null;
  const taken = new Map<string, string>();
  for (const endpoint of [...options.endpoints].sort((a, b) => moreSpecific(a.path, b.path))) {
    if (`${endpoint.path}/`.startsWith(reservedPrefix))
      throw new CffbrwError(
        'INVALID_APP',
        `the workflow ${endpoint.workflow} has the path ${endpoint.path}, which is kept for the admin API`,
      );
    const path = routerPath(endpoint.path);
    const other = taken.get(`${endpoint.method} ${path}`);
    if (other !== undefined) {
      throw new CffbrwError(
        'INVALID_APP',
        `the workflows ${other} and ${endpoint.workflow} both answer ${endpoint.method} ${endpoint.path}`,
      );
    }
    taken.set(`${endpoint.method} ${path}`, endpoint.workflow);
    const route = compileRoute(endpoint, options.secrets ?? new Map());
    if (route.paramNames.length > 0) router?.add(endpoint.method, path, route);
    // One that is no pattern comes before all that are.
    else mapIn(names, endpoint.method).set(path, [[[route, {}]]]);
  }
  const methods = [...new Set(options.endpoints.map((endpoint) => endpoint.method))].sort();
  const known = new Set(methods);
  const match = (method: string, path: string): Match =>
    names.get(method)?.get(path) ?? (router !== null && known.has(method) ? router.match(method, path) : nowhere);
  return {
    match,
    at: (path) =>
      methods.flatMap((method) =>
        match(method, path)[0]
          .slice(0, 1)
          .map(([route]) => route.endpoint),
      ),
  };
}

const nowhere: Match = [[]];

function mapIn(names: Map<string, Map<string, Match>>, method: string): Map<string, Match> {
  const found = names.get(method) ?? new Map<string, Match>();
  names.set(method, found);
  return found;
}

const patternsIn = ({ endpoints }: RouterOptions): boolean => endpoints.some(({ path }) => path.includes('{'));

function routerOf({ createPathRouter }: RouterOptions): PathRouter<Route> {
  if (createPathRouter) return createPathRouter();
  throw new CffbrwError('INVALID_APP', 'a path has a parameter, and there is no router for those', {
    fix: 'Give it `createPathRouter`, of cffbrw/http.',
  });
}

function compileRoute(endpoint: Endpoint, secrets: Secrets): Route {
  const { reads, params, query, headers, body, verify, auth } = endpoint;
  const secret = (name: string): string => {
    const value = secrets.get(name);
    if (value === undefined || value === '') {
      throw new CffbrwError('INVALID_APP', `the workflow ${endpoint.workflow} needs the secret ${name}, which has no value`, {
        fix: secrets.fix?.(name) ?? `Set the environment variable ${name}, and list it in cffbrw.yaml: secrets: [${name}]`,
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
    checkBody: body === undefined ? null : checkOf(body),
    bearer: auth === undefined ? null : secret(auth.bearer),
    signature: verify === undefined ? null : { header: verify.header, secret: secret(verify.secret) },
  };
}

/** The values of a found route's path parameters, under the names that its document gives them. */
export function paramFields(route: Route, found: Match): Fields {
  const fields = new Map<string, readonly string[]>();
  const indexes = found[0][0]?.[1] ?? {};
  route.paramNames.forEach((name, index) => {
    const place = indexes[`p${index}`];
    const raw = typeof place === 'number' ? found[1]?.[place] : place;
    fields.set(name, [decodeText(raw ?? '', 'the path')]);
  });
  return fields;
}
