/** Finds a path among those with parameters: Hono's routers. Paths without any need none. */
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';

/** What was found, best first, each with the indexes of its parameters in the list beside. */
export type Found<Route> = readonly [
  readonly (readonly [Route, Readonly<Record<string, number | string>>])[],
  (readonly string[])?,
];

export interface PathRouter<Route> {
  /** Parameters are written `:name`. */
  add(method: string, path: string, route: Route): void;
  match(method: string, path: string): Found<Route>;
}

export type CreatePathRouter = <Route>() => PathRouter<Route>;

export function createPathRouter<Route>(): PathRouter<Route> {
  const router = new SmartRouter<Route>({ routers: [new RegExpRouter(), new TrieRouter()] });
  return {
    add: (method, path, route) => router.add(method, path, route),
    match: (method, path) => router.match(method, path) as unknown as Found<Route>,
  };
}
