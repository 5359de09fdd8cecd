/**
 * From a request to a run and back. (Contract.)
 *
 * An endpoint is what the handler needs to know of a workflow with `on.http`: how to find it, what to let in, and how to run it.
 * `endpoints.ts` makes them of an app's plans.
 */
import type { Host } from '../host.ts';
import type { Json } from '../strategy/json.ts';
import type { Secrets } from '../workflow/frame.ts';
import type { CreatePathRouter } from '../workflow/path-router.ts';
import type { Cors, JsonSchema, RequestPart } from '../workflow/plan.ts';
import type { Log, MakeResponse, Problem } from './problem.ts';

/** What a workflow sees as `request`. (A type, so that it is also a record.) */
export type HttpRequest = {
  readonly method: string;
  readonly path: string;
  readonly params: Json;
  readonly query: Json;
  readonly headers: Json;
  readonly body: Json;
};

/** A run with an idempotency key: the same caller's same key gives the same answer, another `fingerprint` under it is refused. */
export interface IdempotencyKey {
  readonly key: string;
  /** Who calls: a digest of the authorization header, or ''. */
  readonly caller: string;
  /** A digest of the method, the address and the body. */
  readonly fingerprint: string;
}

/** How a run ended. `body` undefined: none. A string is sent as it is when `headers` name a content-type; everything else is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Json | undefined;
}

export interface Endpoint {
  readonly workflow: string;
  readonly method: string;
  /** `/lots/{lot}` */
  readonly path: string;
  readonly reads: ReadonlySet<RequestPart>;
  readonly params?: JsonSchema | undefined;
  readonly query?: JsonSchema | undefined;
  readonly headers?: JsonSchema | undefined;
  readonly body?: JsonSchema | undefined;
  /** The header that carries an idempotency key, in lower case; null: keys are not honoured. */
  readonly idempotencyHeader: string | null;
  readonly auth?: { readonly bearer: string } | undefined;
  readonly verify?: { readonly header: string; readonly secret: string } | undefined;
  readonly cors?: Cors | undefined;
  /** Resolves when everything that the answer shows is durable. Rejects with CffbrwError. */
  run(request: HttpRequest, key: IdempotencyKey | null): Answer | Problem | Promise<Answer | Problem>;
}

/** A file of the app's `static` folder. */
export interface StaticFile {
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly type: string;
  /** With its quotes: `"5-18c"`, `W/"5-18c"`. */
  readonly etag: string;
}

/** Reads a file by its path below the folder, `a/b.css`: checked, relative, no dot segments. null: there is none, or not for the public. */
export type ReadStatic = (path: string) => Promise<StaticFile | null>;

/** What `dev` prints a line of. */
export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly tookMs: number;
  /** The workflow that answered, if one did. */
  readonly workflow: string | null;
}

/** Answers what no endpoint answers (files, events); null: not mine. */
export type Fallback = (request: Request, path: string) => Response | null | Promise<Response | null>;

/** No endpoint may begin with it: it is the admin API's. */
export const reservedPrefix = '/_cffbrw/';

export interface RouterOptions {
  readonly host: Host;
  readonly endpoints: readonly Endpoint[];
  /** Needed where a path has a parameter. */
  readonly createPathRouter?: CreatePathRouter | null;
  /** The values of the app's secrets. */
  readonly secrets?: Secrets;
  readonly fallbacks?: readonly Fallback[];
  /** Answers every path below `reservedPrefix`, before any endpoint is looked for. */
  readonly reserved?: ((request: Request) => Promise<Response>) | undefined;
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number;
  readonly log?: Log | undefined;
  readonly onRequest?: ((line: RequestLine) => void) | undefined;
  /** Default: a `Response`. */
  readonly makeResponse?: MakeResponse | undefined;
}

/** What a platform can give faster than a `Request` does: single headers, and the bytes of the body. */
export interface Inbound {
  /** `name` in lower case. */
  header(name: string): string | null;
  /** Called at most once. Rejects with BODY_TOO_LARGE as soon as it is known, without reading on, and INVALID_INPUT when it breaks off. */
  bytes(limitBytes: number): Promise<Uint8Array>;
}

export interface Fetcher {
  fetch(request: Request): Response | Promise<Response>;
  /** `fetch`, with the platform's own way to the same request. */
  answer(request: Request, inbound: Inbound): Response | Promise<Response>;
}
