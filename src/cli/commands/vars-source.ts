/** Where the variables are: an app that runs (its admin API), or the data directory of one that was stopped. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CffbrwError, type ErrorCode, errorCodes } from '../../error.ts';
import { factsOf, listKeys, operate, readValue } from '../../http/admin/variables.ts';
import { openReplica } from '../../node/replica.ts';
import type { Key } from '../../strategy/address.ts';
import type { Json } from '../../strategy/json.ts';
import type { StrategyName } from '../../strategy/names.ts';
import type { OperationName } from '../../strategy/strategy.ts';
import type { Declaration } from '../../strategy/variable.ts';
import { UsageError } from '../command.ts';
import { printAlarm } from '../print.ts';
import { readApp } from '../running.ts';

export interface VariableFacts extends Omit<Declaration, 'window'> {
  readonly name: string;
  readonly strategy: StrategyName;
  readonly keyed: boolean;
  readonly window: Declaration['window'] | null;
  readonly operations: readonly OperationName[];
}

export interface ValueFacts {
  readonly variable: string;
  readonly key: Key | null;
  readonly window: string;
  readonly value: Json;
  readonly ageMs: number;
  readonly rows?: readonly Json[];
}

export type WindowName = 'current' | 'previous';

export interface ValueQuery {
  readonly key?: Key | undefined;
  readonly window?: WindowName;
  readonly rows?: boolean;
}

export interface KeysQuery {
  readonly prefix?: string | undefined;
  readonly window?: WindowName;
  readonly limit?: number;
  readonly cursor?: string | undefined;
}

/** Every promise rejects with what the app, or the way to it, says. */
export interface VariableSource {
  list(): Promise<readonly VariableFacts[]>;
  get(name: string, query: ValueQuery): Promise<ValueFacts>;
  keys(name: string, query: KeysQuery): Promise<{ readonly keys: readonly Key[]; readonly cursor: string | null }>;
  /** Resolves when it is durable. */
  operate(name: string, operation: string, input: Readonly<Record<string, unknown>>): Promise<Json>;
  close(): Promise<void>;
}

/** Asks a running app for JSON. `path` begins after `/_cffbrw/v1`. */
export type Ask = (path: string, query?: Readonly<Record<string, unknown>>, body?: unknown) => Promise<unknown>;

export interface RemoteOptions {
  readonly url: string;
  readonly token?: string | undefined;
  readonly fetch?: (request: Request) => Promise<Response>;
}

export function createAsk({ url, token, fetch = globalThis.fetch }: RemoteOptions): Ask {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(`--url is an address such as http://127.0.0.1:3000, not “${url}”.`);
  return async (path, query = {}, body) => {
    const at = new URL(`/_cffbrw/v1${path}`, url);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) at.searchParams.set(name, String(value));
    const request = new Request(at, {
      headers: {
        accept: 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && jsonType),
      },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      redirect: 'error',
    });
    const response = await fetch(request).catch((cause: unknown) => {
      throw new CffbrwError('UNREACHABLE', `nothing answers at ${url}`, {
        cause,
        fix: 'Start the app, or name its address with --url. For the data of an app that is stopped: --data <directory>.',
      });
    });
    return answerOf(response, url);
  };
}

const jsonType = { 'content-type': 'application/json' };

async function answerOf(response: Response, url: string): Promise<unknown> {
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const { code, detail, title, fix } = (answer ?? {}) as Readonly<Record<string, string | undefined>>;
  if (code === undefined || !Object.hasOwn(errorCodes, code)) {
    throw new CffbrwError('UNREACHABLE', `what answers at ${url} (${response.status}) is no admin API of CFFBRW`, {
      fix: 'Is it the app’s own port, and does the app serve its admin API (CFFBRW_TOKEN)?',
    });
  }
  const advice = code === 'UNAUTHORIZED' ? 'Set CFFBRW_TOKEN to the token that the app was started with.' : fix;
  throw new CffbrwError(code as ErrorCode, detail ?? title ?? code, advice === undefined ? {} : { fix: advice });
}

const at = (name: string): string => `/variables/${encodeURIComponent(name)}`;

export function remoteVariables(ask: Ask): VariableSource {
  return {
    list: async () => ((await ask('/variables')) as { variables: readonly VariableFacts[] }).variables,
    get: async (name, { key, window, rows }) =>
      (await ask(at(name), { ...keyQuery(key), window, ...(rows && { rows: true }) })) as ValueFacts,
    keys: async (name, query) => (await ask(`${at(name)}/keys`, { ...query })) as Awaited<ReturnType<VariableSource['keys']>>,
    operate: async (name, operation, input) => (await ask(`${at(name)}/${encodeURIComponent(operation)}`, {}, input)) as Json,
    async close() {},
  };
}

const keyQuery = (key: Key | undefined) =>
  typeof key === 'string' || key === undefined ? { key } : { keyJson: JSON.stringify(key) };

export interface LocalOptions {
  /** The directory with cffbrw.yaml. */
  readonly directory: string;
  readonly data: string;
  /** Makes the data directory, where there is none. */
  readonly create?: boolean;
}

/** The data of an app that is stopped. Rejects while a process has it. */
export async function localVariables({ directory, data, create = false }: LocalOptions): Promise<VariableSource> {
  const app = await readApp(directory);
  if (!create && !existsSync(data)) {
    throw new CffbrwError('NOT_FOUND', `there is no data directory ${data}`, {
      fix: `The data of an app is in ${join(directory, 'data')}, unless it was started with --data.`,
    });
  }
  const replica = await openReplica({ variables: app.variables, directory: data, alarm: printAlarm });
  return {
    list: async () => [...replica.variables.values()].map((variable) => factsOf(replica, variable) as unknown as VariableFacts),
    get: async (name, { key, window = 'current', rows = false }) => {
      const query = {
        keyJson: key === undefined ? undefined : JSON.stringify(key),
        window,
        rows: rows ? 'true' : 'false',
      } as const;
      return (await readValue(replica, name, query)) as unknown as ValueFacts;
    },
    keys: async (name, { prefix, window = 'current', limit = 100, cursor }) =>
      (await listKeys(replica, name, { prefix, window, limit, cursor })) as unknown as Awaited<
        ReturnType<VariableSource['keys']>
      >,
    operate: async (name, operation, input) => operate(replica, name, operation, input),
    close: () => replica.close(),
  };
}
