/**
 * What we use of Cloudflare's runtime, as types of our own: the package depends on none of theirs. A test holds these to
 * `@cloudflare/workers-types`.
 */

import type { Secrets } from '../workflow/frame.ts';

export type SqlValue = string | number | null;

/** Rows are read when they are asked for; the counts are what is billed. */
export interface SqlCursor {
  toArray(): Record<string, unknown>[];
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** The synchronous SQLite of one object. Statements are prepared once for each text. */
export interface ObjectSql {
  exec(sql: string, ...values: SqlValue[]): SqlCursor;
}

export interface ObjectStorage {
  readonly sql: ObjectSql;
  transactionSync<Result>(work: () => Result): Result;
  /** Resolves when everything written so far is on more than one disk. */
  sync(): Promise<void>;
  getAlarm(): Promise<number | null>;
  setAlarm(atMs: number): Promise<void>;
  deleteAlarm(): Promise<void>;
}

export interface ObjectSocket {
  send(message: string): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(attachment: unknown): void;
  deserializeAttachment(): unknown;
}

/** What an object is given when it is made. */
export interface ObjectState {
  readonly id: { readonly name?: string | undefined };
  readonly storage: ObjectStorage;
  /** Accepts a socket that does not keep the object awake. */
  acceptWebSocket(socket: ObjectSocket): void;
  getWebSockets(): ObjectSocket[];
}

export interface ObjectStub {
  fetch(request: Request): Promise<Response>;
}

export interface ObjectNamespace {
  idFromName(name: string): unknown;
  get(id: never, options?: { readonly locationHint?: never }): ObjectStub;
}

export interface Assets {
  fetch(request: Request): Promise<Response>;
}

/** What a Worker is given; secrets are among it, by their names. */
export interface Env {
  readonly REGION: ObjectNamespace;
  readonly HUB: ObjectNamespace;
  readonly ASSETS?: Assets;
  readonly CFFBRW_TOKEN?: string;
}

/** The class of an object, as the runtime uses it. */
export interface ObjectClass<Object> {
  new (state: ObjectState, env: Env): Object;
}

/** The object at that name. A hint says where it is made, and means nothing later. */
export function stubOf(namespace: ObjectNamespace, name: string, locationHint?: string): ObjectStub {
  const id = namespace.idFromName(name) as never;
  return locationHint === undefined ? namespace.get(id) : namespace.get(id, { locationHint: locationHint as never });
}

/** The values of the secrets that the app names. The handler says which one is missing. */
export function secretsOf(names: readonly string[], env: Env): Secrets {
  const values = env as unknown as Readonly<Record<string, unknown>>;
  return {
    get(name) {
      const value = names.includes(name) ? values[name] : undefined;
      return typeof value === 'string' ? value : undefined;
    },
    fix: (name) => `Set it with \`npx wrangler secret put ${name}\`; for \`wrangler dev\`, write ${name}=… into .dev.vars.`,
  };
}
