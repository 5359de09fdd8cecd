/**
 * One connection of the PostgreSQL client, over a socket of ours. It ends at the first failure, and is not used again.
 *
 * Invariant:
 *   T1  Every request ends within `timeoutMs`: with an answer, or with the connection.
 */
import type { Socket } from 'node:net';
import postgres from 'postgres';
import { CffbrwError } from '../error.ts';
import { readOnly } from './backbone-server.ts';
import type { BackboneTarget } from './backbone-url.ts';

export type Value = string | number | null;
export type Answer = Readonly<Record<string, string | number | boolean | null>>;

export interface ConnectionOptions {
  readonly target: BackboneTarget;
  /** Called for each notification, and once when it ends. */
  readonly wake?: () => void;
}

export interface Connection {
  readonly ended: boolean;
  /**
   * `prepared`: the server remembers the statement under a name, which saves it work; behind a pooler another server would be asked for it.
   * Rejects with UNREACHABLE: whether it was done is unknown.
   */
  ask(text: string, values: readonly Value[], prepared: boolean): Promise<readonly Answer[]>;
  /** Several statements are one transaction. */
  run(text: string): Promise<{ readonly rows: readonly Answer[]; readonly processId: number | undefined }>;
  end(): void;
}

export function createConnection(socket: Socket, { target, wake }: ConnectionOptions): Connection {
  const waiting = new Set<(error: CffbrwError) => void>();
  let taken = false;
  let ended = false;
  const sql = postgres({
    ...{ host: 'backbone', port: 5432, database: target.database, username: target.user, password: target.password ?? '' },
    ...{ max: 1, ssl: false, fetch_types: false, idle_timeout: 0, max_lifetime: 0, connect_timeout: 0, onnotice: () => {} },
    connection: { application_name: target.applicationName, ...(target.options !== null && { options: target.options }) },
    // The client opens a connection again by itself; this one is for one connection.
    async socket() {
      if (taken) throw new Error('the session has ended');
      taken = true;
      return socket;
    },
    onnotify: () => wake?.(),
    onclose: () => end(),
  } as postgres.Options<Record<string, never>> & { onnotify: () => void });

  function end(): void {
    if (ended) return;
    ended = true;
    socket.destroy();
    for (const fail of waiting) fail(lost());
    waiting.clear();
    wake?.();
  }

  /** T1. */
  const within = <Result>(query: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(lost());
      const deadline = setTimeout(() => {
        fail(unknownOutcome(`the backbone did not answer within ${target.timeoutMs} ms`));
        end();
      }, target.timeoutMs);
      const settle = (act: () => void) => {
        clearTimeout(deadline);
        waiting.delete(fail);
        act();
      };
      const fail = (error: CffbrwError) => settle(() => reject(error));
      waiting.add(fail);
      query().then(
        (result) => settle(() => resolve(result)),
        (error: unknown) => {
          const refused = asUnreachable(error);
          fail(refused);
          if (refused.cause === tablesMissing) end();
        },
      );
    });

  return {
    get ended() {
      return ended;
    },
    ask: (text, values, prepared) =>
      within(async () => (await sql.unsafe(text, [...values], { prepare: prepared })) as unknown as Answer[]),
    run: (text) =>
      within(async () => {
        const result = await sql.unsafe(text).simple();
        return { rows: result as unknown as Answer[], processId: (result.state as { pid?: number } | undefined)?.pid };
      }),
    end,
  };
}

/** The cause of what was refused because the tables are not there: nothing was done, and the next session makes them. */
export const tablesMissing = new Error('the tables of the backbone are not there');
const missing = new Set(['3F000', '42P01', '42883']);

/** The cause of what was refused because its connection ended, not because nobody answered on it. */
export const connectionLost = new Error('the connection was lost');

const unknownOutcome = (message: string, cause?: Error) =>
  new CffbrwError('UNREACHABLE', `${message}: whether it was done is not known`, { cause });
const lost = () => unknownOutcome('the connection to the backbone was lost', connectionLost);

/** Errors of the client hold the statement and its values: only their code and message go on. */
export function asUnreachable(error: unknown): CffbrwError {
  if (error instanceof CffbrwError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const why = `${message ?? String(error)}${code === undefined ? '' : ` (${code})`}`;
  const fix = fixes[code ?? ''];
  if (fix !== undefined) return new CffbrwError('INVALID_APP', `the backbone refuses this replica: ${why}`, { fix });
  const known = missing.has(code ?? '') ? { cause: tablesMissing } : code === '25006' ? readOnly : {};
  return new CffbrwError('UNREACHABLE', `the backbone did not do it: ${why}`, known);
}

const byHand = 'An owner of the database runs once: cffbrw backbone sql --grant <role> | psql';

/** What only people can mend. */
const fixes: Readonly<Record<string, string>> = {
  '28P01': 'Check the user and the password: PGUSER, PGPASSWORD, or the URL.',
  '28000': 'Check the user and what pg_hba.conf allows it.',
  '3D000': 'Create the database first: createdb.',
  '42501': byHand,
  '42601': 'The schema may be named like a word of SQL: choose another name (?schema=).',
};
