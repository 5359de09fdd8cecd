/** An app's directory as `npm install cffbrw` and `cffbrw init --cloudflare` leave it, with what was built here as the package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { cli, runCli } from '../e2e/process.ts';

const root = resolve(import.meta.dirname, '../..');
export const wranglerCli = join(root, 'node_modules/wrangler/wrangler-dist/cli.js');

/** Nothing is asked of anybody outside of this machine. */
export const offline = {
  WRANGLER_SEND_METRICS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CI: '1',
  NO_COLOR: '1',
};

/** The package is where `npx cffbrw` and imports look for it. */
export async function install(directory: string): Promise<void> {
  await mkdir(join(directory, 'node_modules/.bin'), { recursive: true });
  await symlink(root, join(directory, 'node_modules/cffbrw'));
  await symlink(cli, join(directory, 'node_modules/.bin/cffbrw'));
}

/** The wheel for Cloudflare, in `directory`. */
export async function makeWheel(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await install(directory);
  const { code, output } = await runCli(['init', directory, '--cloudflare'], directory);
  if (code !== 0) throw new Error(output);
}

export interface Wrangler {
  readonly url: string;
  stop(): Promise<void>;
}

/** `wrangler <args>` to its end, and what it printed. */
export async function wrangler(directory: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = start(directory, args);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.on('exit', done));
  return { code, output };
}

/** `wrangler dev`, once it answers. */
export async function wranglerDev(directory: string): Promise<Wrangler> {
  const port = await freePort();
  const child = start(directory, ['dev', '--ip', '127.0.0.1', '--port', String(port)]);
  const exited = new Promise<void>((done) => child.on('exit', () => done()));
  await new Promise<void>((ready, failed) => {
    let output = '';
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Ready on')) ready();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('exit', (code) => failed(new Error(`wrangler dev ended with ${code}:\n${output}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const start = (directory: string, args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [wranglerCli, ...args], {
    cwd: directory,
    env: { ...process.env, ...offline },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((found) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
