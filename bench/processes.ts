/** Processes of a benchmark: servers that tell where they listen, and what they cost. Each is ended by its own handle. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { cli } from './built.ts';

export interface ServerProcess {
  readonly port: number;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

const startLimitMs = 60_000;

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(force);
}

/** What `child` says first, or how it failed. */
export async function firstOf<Value>(child: ChildProcess, said: Promise<Value>, name: string): Promise<Value> {
  const limit = AbortSignal.timeout(startLimitMs);
  const failed = Promise.race([
    once(child, 'exit', { signal: limit }).then(([code]) => `ended with code ${code}`),
    once(child, 'error', { signal: limit }).then(([error]) => String(error)),
  ]);
  return Promise.race([
    said,
    failed.then((why) => {
      throw new Error(`${name} ${why}`);
    }),
  ]);
}

/** A bundled server of bench/servers, which says `{ port }`. */
export async function startServer(file: string, env: Record<string, string> = {}): Promise<ServerProcess> {
  const child = fork(file, { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [said] = await firstOf(child, once(child, 'message'), file);
  return { port: (said as { port: number }).port, process: child, stop: () => end(child) };
}

export interface StartOptions {
  /** The app's directory. */
  readonly app: string;
  readonly data: string;
  /** Where the witness is kept: never among the user's own. */
  readonly state: string;
  /** For node itself: `--cpu-prof`, say. */
  readonly nodeOptions?: readonly string[];
  /** Several that share their variables: this one's name, and the URL of the PostgreSQL that connects them. */
  readonly site?: { readonly name: string; readonly backbone: string };
}

/** The real `cffbrw start`, ready when it says where it answers. */
export async function startCffbrw({ app, data, state, nodeOptions = [], site }: StartOptions): Promise<ServerProcess> {
  const shared = site === undefined ? {} : { CFFBRW_NAME: site.name, CFFBRW_BACKBONE: site.backbone };
  const child = spawn(process.execPath, [...nodeOptions, cli, 'start', app, '--port', '0', '--data', data], {
    env: { ...process.env, ...shared, XDG_STATE_HOME: state, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await firstOf(child, portIn(child), 'cffbrw start');
  return { port, process: child, stop: () => end(child) };
}

async function portIn(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('cffbrw start has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const found = / answers at http:\/\/[^\s:]+:(\d+)/.exec(line);
    if (found === null) continue;
    child.stdout.resume();
    return Number(found[1]);
  }
  return new Promise(() => {});
}

/** null: no redis-server is installed here. */
export function redisPath(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'redis-server')).find((file) => existsSync(file)) ?? null;
}

/** A Redis of its own, on loopback, that syncs each write to the disk before it answers. */
export async function startRedis(file: string, directory: string): Promise<ServerProcess> {
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--daemonize', 'no'];
  const child = spawn(file, [...settings, '--appendonly', 'yes', '--appendfsync', 'always'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await firstOf(child, saying(child, 'Ready to accept connections'), 'redis-server');
  return { port, process: child, stop: () => end(child) };
}

async function saying(child: ChildProcess, text: string): Promise<void> {
  if (child.stdout === null) return;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes(text)) continue;
    child.stdout.resume();
    return;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

const ticksPerSecond = 100;

/** Seconds of processor time that a process (all its threads) has used; null where the system does not tell it this way. */
export function cpuSeconds(pid: number | undefined): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return null;
  }
}

/** The same of a process and of those that it started and that still run. */
export function cpuSecondsOfFamily(pid: number): number | null {
  const own = cpuSeconds(pid);
  if (own === null) return null;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + (cpuSeconds(Number(child)) ?? 0), own);
}

/** Resident memory in MB; null where the system does not tell it this way. */
export function residentMB(pid: number | undefined): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}
