/** A real PgBouncer in front of a server, in transaction mode: a connection of a client has another one of the server in each transaction. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort, password, type TestServer } from './backbone-postgres.ts';
import { whereIs } from './installed.ts';

export interface TestPooler {
  /** The server behind it: what is asked there goes through the pooler. */
  readonly server: TestServer;
  /** What it has written. */
  log(): string;
  close(): Promise<void>;
}

/** Three connections to the server for all clients together. */
const settings = (server: TestServer, port: number, home: string): string => `
[databases]
postgres = host=127.0.0.1 port=${server.port} dbname=postgres

[pgbouncer]
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(home, 'users')}
${userInfo().uid === 0 ? 'user = postgres' : ''}
`;

export async function startPooler(server: TestServer): Promise<TestPooler> {
  const program = whereIs('pgbouncer');
  if (program === null) throw new Error('pgbouncer is not installed');
  const home = await mkdtemp(join(tmpdir(), 'cffbrw-pooler-'));
  // As root it runs as another user, who must get there.
  await chmod(home, 0o755);
  const port = await freePort();
  const file = join(home, 'settings');
  await writeFile(join(home, 'users'), `"owner" "${password}"\n`);
  await writeFile(file, settings(server, port, home));
  const child = spawn(program, [file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`pgbouncer ended with ${code}: ${log}`)));
    child.stderr.on('data', (text) => {
      log += String(text);
      if (log.includes('process up')) resolve();
    });
  });
  return {
    server: { ...server, port, url: (...options) => server.url(...options).replace(`:${server.port}/`, `:${port}/`) },
    log: () => log,
    async close() {
      child.kill('SIGINT');
      await ended;
      await rm(home, { recursive: true });
    },
  };
}
