/** The stage of the cluster benchmarks: one PostgreSQL, replicas of the built command on it, and as many processes that ask it each time. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres } from '../test/node/backbone-postgres.ts';
import { bundleOf, inTemporary, root } from './built.ts';
import { cpuSecondsOfFamily, type ServerProcess, startCffbrw, startServer } from './processes.ts';

export const names = {
  ours: 'cffbrw',
  theirs: 'Hono + UPDATE',
  oursOnce: 'cffbrw with once',
  theirsOnce: 'Hono + UPDATE and INSERT',
} as const;

/** How far apart a replica publishes, so that many writes are one row (src/node/replica.ts). */
export const flushIntervalMs = 20;

/** Connections that all processes of the alternative have together: more only wait for the same row. */
const poolConnections = 16;

export interface Stage {
  readonly directory: string;
  /** The URL of a new database. */
  database(name: string): Promise<string>;
  /** Where PostgreSQL listens. */
  readonly port: number;
  /** Seconds of processor time that PostgreSQL has used; null where the system does not tell it. */
  databaseCpuSeconds(): number | null;
  replicas(count: number, url: string): Promise<ServerProcess[]>;
  /** One replica without a backbone. */
  alone(): Promise<ServerProcess>;
  askers(count: number, url: string): Promise<ServerProcess[]>;
}

export const onStage = <Result>(work: (stage: Stage) => Promise<Result>): Promise<Result> =>
  inTemporary(async (directory) => {
    const server = await startPostgres(['-c', 'max_connections=200']);
    const [master = 0] = readFileSync(join(server.directory, 'postmaster.pid'), 'utf8').split('\n').map(Number);
    const started: ServerProcess[] = [];
    const keep = async (starting: Promise<ServerProcess>): Promise<ServerProcess> => {
      const one = await starting;
      started.push(one);
      return one;
    };
    const startReplica = async (site?: { readonly name: string; readonly backbone: string }): Promise<ServerProcess> => {
      const home = join(directory, `replica-${started.length}`);
      await mkdir(home);
      const app = join(root, 'bench/apps/cluster');
      return keep(startCffbrw({ app, data: join(home, 'data'), state: join(home, 'state'), ...(site && { site }) }));
    };
    try {
      return await work({
        directory,
        port: server.port,
        databaseCpuSeconds: () => cpuSecondsOfFamily(master),
        async database(name) {
          await server.admin().unsafe(`create database ${name}`);
          return server.url('', name);
        },
        replicas: (count, backbone) => oneByOne(count, (number) => startReplica({ name: `r${number}`, backbone })),
        alone: () => startReplica(),
        askers: (count, url) =>
          oneByOne(count, () =>
            keep(
              startServer(bundleOf('hono-postgres'), {
                POSTGRES_URL: url,
                POSTGRES_POOL: String(Math.ceil(poolConnections / count)),
              }),
            ),
          ),
      });
    } finally {
      await Promise.all([...started].reverse().map((one) => one.stop()));
      await server.close();
    }
  });

async function oneByOne<Made>(count: number, make: (number: number) => Promise<Made>): Promise<Made[]> {
  const made: Made[] = [];
  for (let number = 1; number <= count; number += 1) made.push(await make(number));
  return made;
}

export const stopAll = async (servers: readonly ServerProcess[]): Promise<void> => {
  await Promise.all(servers.map((server) => server.stop()));
};

/** The same, through what listens at that port. */
export function through(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

export const portsOf = (servers: readonly ServerProcess[]): number[] => servers.map(({ port }) => port);

/** Asks until it is so: rows are on their way. */
export async function until(isSo: () => Promise<boolean>, limitMs = 20_000): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
