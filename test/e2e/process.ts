/** The built command line, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Another build, for who looks whether its mistakes are found. */
export const cli = process.env.CFFBRW_CLI ?? resolve(import.meta.dirname, '../../dist/cli/main.js');

/** What still runs when a test has failed is killed with its directory. */
const running = new Map<ChildProcess, string>();

export interface RunningApp {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Sends a signal and resolves with the exit code (null: killed by the signal). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `cffbrw <args>` on a free port and resolves when it answers. The witness stays inside `home`. */
export async function startApp(
  args: readonly string[],
  home: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningApp> {
  const child = spawn(process.execPath, [cli, ...args, '--port', '0'], {
    env: { ...process.env, XDG_STATE_HOME: join(home, 'state'), NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.set(child, home);
  child.on('exit', () => running.delete(child));
  let output = '';
  const exited = new Promise<number | null>((done) => child.on('exit', (code) => done(code)));
  const url = await new Promise<string>((found, failed) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const match = /answers at (http:\/\/\S+)/.exec(output);
      if (match?.[1] !== undefined) found(match[1]);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('exit', (code) => failed(new Error(`cffbrw ${args.join(' ')} ended with ${code}:\n${output}`)));
  });
  return {
    url,
    child,
    output: () => output,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

/** Runs `cffbrw <args>` to its end. */
export async function runCli(
  args: readonly string[],
  home: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, XDG_STATE_HOME: join(home, 'state'), NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.on('exit', done));
  return { code, output };
}

export async function inTemporary<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'cffbrw-e2e-'));
  try {
    return await use(directory);
  } finally {
    for (const [child, home] of running) if (home === directory) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
}
