/** Whether a server may be a backbone: a primary that keeps what it acknowledges. */
import { CffbrwError } from '../error.ts';
import type { BackboneTarget } from './backbone-url.ts';

export interface ServerFacts {
  readonly process: number;
  readonly version: number;
  readonly encoding: string;
  readonly standby: boolean;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly full_page_writes: string;
  /** The tables and functions of our schema, as this version knows them: the newest of them is. */
  readonly there: boolean;
  readonly pooled: boolean;
}

export const factsSql = (schema: string): string => `
select pg_backend_pid() as process, current_setting('server_version_num')::integer as version,
  current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby, current_setting('fsync') as fsync,
  current_setting('synchronous_commit') as synchronous_commit, current_setting('full_page_writes') as full_page_writes,
  to_regprocedure('${schema}.swap(text[], text[], text[], text[], text[])') is not null as there`;

const oldest = 140_000;

/** Throws UNREACHABLE for a standby, INVALID_APP for a server that must not be used. */
export function checkServer(facts: ServerFacts, { unsafe }: Pick<BackboneTarget, 'unsafe'>): void {
  if (facts.standby) {
    throw new CffbrwError('UNREACHABLE', 'the server of the backbone is a standby: what it shows is old, and it takes nothing', {
      fix: 'Name the primary, or all servers: postgres://one,two/database. The primary among them is taken.',
    });
  }
  if (facts.version < oldest) throw refused(`it is version ${Math.floor(facts.version / 10_000)}`, 'Use PostgreSQL 14 or later.');
  if (facts.encoding !== 'UTF8') throw refused(`its encoding is ${facts.encoding}`, 'Create the database with encoding UTF8.');
  const off = (['fsync', 'synchronous_commit', 'full_page_writes'] as const).filter((name) => facts[name] === 'off');
  if (off.length === 0 || unsafe) return;
  throw refused(
    `${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off: in a power cut it loses what it acknowledged, and bounded counters would be sold twice`,
    `Turn ${off.length === 1 ? 'it' : 'them'} on, or accept that with --allow-unsafe-backbone (in the URL: unsafe=1).`,
  );
}

const refused = (why: string, fix: string) => new CffbrwError('INVALID_APP', `this server is no backbone: ${why}`, { fix });
