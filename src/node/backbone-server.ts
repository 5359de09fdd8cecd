/** Whether a server may be a backbone: a primary that keeps what it acknowledges. */
import { CffbrwError } from '../error.ts';
import { type BackboneTarget, describeTarget } from './backbone-url.ts';

export interface ServerFacts {
  readonly process: number;
  readonly version: number;
  readonly encoding: string;
  readonly standby: boolean;
  readonly read_only: string;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly full_page_writes: string;
  /** The tables and functions of our schema, as this version knows them: the newest of them is. */
  readonly there: boolean;
  /** The tables of some version. */
  readonly made: boolean;
  readonly pooled: boolean;
}

export const factsSql = (schema: string): string => `
select pg_backend_pid() as process, current_setting('server_version_num')::integer as version,
  current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby,
  current_setting('transaction_read_only') as read_only, current_setting('fsync') as fsync,
  current_setting('synchronous_commit') as synchronous_commit, current_setting('full_page_writes') as full_page_writes,
  to_regprocedure('${schema}.swap(text[], text[], text[], text[], text[])') is not null as there,
  to_regclass('${schema}.backbone') is not null as made`;

const oldest = 140_000;

/** Throws UNREACHABLE for a standby or a read-only server, INVALID_APP for one that must not be used. */
export function checkServer(facts: ServerFacts, { unsafe }: Pick<BackboneTarget, 'unsafe'>): void {
  if (facts.standby) {
    throw new CffbrwError('UNREACHABLE', 'the server of the backbone is a standby: what it shows is old, and it takes nothing', {
      fix: 'Name the primary, or all servers: postgres://one,two/database. The primary among them is taken.',
    });
  }
  if (facts.read_only === 'on') throw new CffbrwError('UNREACHABLE', 'the server of the backbone is read-only', readOnly);
  if (facts.version < oldest) throw refused(`it is version ${Math.floor(facts.version / 10_000)}`, 'Use PostgreSQL 14 or later.');
  if (facts.encoding !== 'UTF8') throw refused(`its encoding is ${facts.encoding}`, 'Create the database with encoding UTF8.');
  const off = (['fsync', 'synchronous_commit', 'full_page_writes'] as const).filter((name) => facts[name] === 'off');
  if (off.length === 0 || unsafe) return;
  throw refused(
    `${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off: in a power cut it loses what it acknowledged, and bounded counters would be sold twice`,
    `Turn ${off.length === 1 ? 'it' : 'them'} on, or accept that with --allow-unsafe-backbone (in the URL: unsafe=1).`,
  );
}

/** What makes it so is one of these settings. Some that run servers for others set it when a disk is full. */
export const readOnly = {
  fix: [
    'It is a primary that takes no writes. Where its disk is full, make room; else let it write again:',
    'alter database … (or role …, or system) set default_transaction_read_only = off',
  ].join(' '),
} as const;

/** Throws INVALID_APP where no app has been. */
export function checkMade({ made }: ServerFacts, target: BackboneTarget): void {
  if (made) return;
  throw new CffbrwError('INVALID_APP', `there is no CFFBRW backbone in ${describeTarget(target)}: it has none of the tables`, {
    fix: 'Check the server, the database and the schema (?schema=). The tables are made by the first cffbrw start, or by cffbrw backbone sql | psql.',
  });
}

const refused = (why: string, fix: string) => new CffbrwError('INVALID_APP', `this server is no backbone: ${why}`, { fix });
