/**
 * Where the PostgreSQL server is and how to get in: a connection URL, and for what it leaves out the `PG*` variables and the password file,
 * as `psql` reads them. Ours are `schema`, `notify`, `unsafe` and `timeout`.
 *
 * Never: puts the URL or the password into a message.
 */
import { readFileSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CffbrwError } from '../error.ts';

export const tlsModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type TlsMode = (typeof tlsModes)[number];

export interface ServerAddress {
  /** A name, an address, or the directory of a socket. */
  readonly host: string;
  readonly port: number;
}

export interface BackboneTarget {
  /** Asked in this order until one is a primary. */
  readonly servers: readonly ServerAddress[];
  readonly user: string;
  readonly database: string;
  readonly password: string | null;
  readonly tls: { readonly mode: TlsMode; readonly rootFile?: string; readonly certFile?: string; readonly keyFile?: string };
  readonly applicationName: string;
  /** Start-up options of the session, as in `-c statement_timeout=5s`. */
  readonly options: string | null;
  readonly connectTimeoutMs: number;
  /** How long one request may take. */
  readonly timeoutMs: number;
  readonly schema: string;
  /** `auto`: off where a pooler stands between. */
  readonly notify: 'auto' | 'on' | 'off';
  /** A server that may lose what it acknowledged is accepted. */
  readonly unsafe: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a URL may carry, and the variable that stands for it where it does not. */
const settings = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  application_name: 'PGAPPNAME',
  options: 'PGOPTIONS',
  target_session_attrs: null,
  channel_binding: null,
  schema: null,
  notify: null,
  unsafe: null,
  timeout: null,
} as const;

type Setting = keyof typeof settings;
type Given = ReadonlyMap<Setting, string>;

/** Throws INVALID_APP. */
export function parseBackboneUrl(url: string, environment: Environment = process.env): BackboneTarget {
  const given = givenBy(url, environment);
  const user = given.get('user') ?? userInfo().username;
  const database = given.get('dbname') ?? user;
  const servers = serversOf(given);
  checkPrimaryIsWanted(given);
  return {
    ...{ servers, user, database },
    password: given.get('password') ?? passwordFromFile(given.get('passfile'), { servers, user, database }),
    tls: tlsOf(given),
    applicationName: given.get('application_name') ?? 'cffbrw',
    options: given.get('options') ?? null,
    connectTimeoutMs: secondsOf(given, 'connect_timeout', 5),
    timeoutMs: secondsOf(given, 'timeout', 5),
    schema: schemaOf(given.get('schema') ?? 'cffbrw'),
    notify: oneOf('notify', given.get('notify') ?? 'auto', ['auto', 'on', 'off']),
    unsafe: oneOf('unsafe', given.get('unsafe') ?? '0', ['0', '1']) === '1',
  };
}

/** Without user or password: for people. */
export const describeTarget = ({ servers, database, schema }: BackboneTarget): string =>
  `${servers.map(({ host, port }) => `${host}:${port}`).join(',')}/${database} (schema ${schema})`;

const form = /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?([^/?@]*)(?:\/([^?]*))?(?:\?(.*))?$/s;

function givenBy(url: string, environment: Environment): Given {
  const [whole, login = '', servers = '', database = '', query = ''] = form.exec(url) ?? [];
  if (whole === undefined) throw wrong('the backbone is not the URL of a PostgreSQL database');
  const given = new Map<Setting, string>();
  const put = (name: Setting, value: string | undefined) => {
    if (value !== undefined && value !== '') given.set(name, value);
  };
  for (const [name, variable] of Object.entries(settings))
    put(name as Setting, variable === null ? undefined : environment[variable]);
  const [, user, password] = /^([^:]*)(?::(.*))?$/s.exec(login) ?? [];
  put('user', decoded(user));
  put('password', decoded(password));
  put('dbname', decoded(database));
  putServers(put, servers);
  for (const [name, value] of new URLSearchParams(query)) put(settingOf(name), value);
  return given;
}

/** `a:1,b,[::1]:2` */
function putServers(put: (name: Setting, value: string) => void, text: string): void {
  const servers = text.split(',').map((server) => /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(server));
  if (servers.includes(null)) throw wrong('the backbone’s URL names no server that can be understood');
  put(
    'host',
    servers
      .map((server) => decoded(server?.[1] ?? '').replace(/^\[|\]$/g, ''))
      .join(',')
      .replace(/^,+$/, ''),
  );
  put(
    'port',
    servers
      .map((server) => server?.[2] ?? '')
      .join(',')
      .replace(/^,+$/, ''),
  );
}

function decoded(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    throw wrong('the backbone’s URL holds a % that stands for nothing: write %25 for one');
  }
}

function settingOf(name: string): Setting {
  if (Object.hasOwn(settings, name)) return name as Setting;
  throw wrong(
    `the backbone’s URL has an option that is not known: ${name.slice(0, 40)}`,
    `There are ${Object.keys(settings).join(', ')}.`,
  );
}

function serversOf(given: Given): readonly ServerAddress[] {
  const hosts = (given.get('host') ?? 'localhost').split(',');
  const ports = (given.get('port') ?? '5432').split(',');
  return hosts.map((host, index) => {
    const port = Number((ports.length === 1 ? ports[0] : ports[index]) || '5432');
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong('the backbone’s port is not a number from 1 to 65535');
    return { host: host === '' ? 'localhost' : host, port };
  });
}

function tlsOf(given: Given): BackboneTarget['tls'] {
  const file = (name: Setting) => given.get(name);
  const [rootFile, certFile, keyFile] = [file('sslrootcert'), file('sslcert'), file('sslkey')];
  if (given.get('channel_binding') === 'require') {
    throw wrong('channel_binding=require is not supported', 'Use sslmode=verify-full: the certificate says who the server is.');
  }
  return {
    mode: oneOf('sslmode', given.get('sslmode') ?? 'prefer', tlsModes),
    ...(rootFile !== undefined && rootFile !== 'system' && { rootFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
}

/** Of several servers the primary is taken, whatever is said. */
function checkPrimaryIsWanted(given: Given): void {
  const wanted = given.get('target_session_attrs');
  if (wanted !== undefined) oneOf('target_session_attrs', wanted, ['any', 'primary', 'read-write']);
}

/** Throws INVALID_APP. It stands in statements as it is. */
export function schemaOf(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,39}$/.test(name) && !name.startsWith('pg_')) return name;
  throw wrong(
    'the backbone’s schema is not a name of lower-case letters, digits and _ (at most 40)',
    'For example: shop, or eu_shop.',
  );
}

function secondsOf(given: Given, name: Setting, fallback: number): number {
  const text = given.get(name);
  const seconds = text === undefined ? fallback : Number(text);
  if (seconds > 0 && seconds <= 3_600) return Math.ceil(seconds * 1_000);
  throw wrong(`the backbone’s ${name} is not a number of seconds from 0 to 3600`);
}

function oneOf<const Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw wrong(`the backbone’s ${name} is not one of ${choices.join(', ')}`);
}

/** A line is `server:port:database:user:password`; `*` is any. A file that others may read is not read. */
function passwordFromFile(named: string | undefined, of: Pick<BackboneTarget, 'servers' | 'user' | 'database'>): string | null {
  const lines = linesOf(named ?? join(homedir(), '.pgpass'));
  for (const { host, port } of of.servers) {
    const server = host.startsWith('/') ? 'localhost' : host;
    const wanted = [server, String(port), of.database, of.user];
    const line = lines.find((fields) => wanted.every((value, index) => fields[index] === '*' || fields[index] === value));
    if (line?.[4] !== undefined) return line[4];
  }
  return null;
}

function linesOf(file: string): string[][] {
  try {
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) return [];
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    return lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(([, field = '']) => field.replaceAll(/\\(.)/g, '$1')));
  } catch {
    return [];
  }
}

const wrong = (message: string, fix = 'Write it as postgres://user@server:5432/database, and the password in PGPASSWORD.') =>
  new CffbrwError('INVALID_APP', message, { fix });
