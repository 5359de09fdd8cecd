/** An example app at five replicas of a real process, 2 s of lag, killed again and again under load. */
import { randomInt } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { inTemporary, startApp } from '../e2e/process.ts';
import { directoryOf } from './stage.ts';

export interface Answer {
  /** 0: there was none, and what became of the request is unknown. */
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what an app answers is what the tests are about.
  readonly body: any;
}

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** 1 to 5; else any. */
  readonly replica?: number;
}

export type Send = (ask: Ask) => Promise<Answer>;

export interface StormOptions {
  readonly app: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Changes the app's documents: shorter times, say. */
  readonly edits?: readonly (readonly [file: string, from: string, to: string])[];
  /** As `edits`, after the last death. */
  readonly lateEdits?: StormOptions['edits'];
  /** Once, before the first death. */
  readonly prepare?: (send: Send) => Promise<void>;
  /** How long a life is at least and at most. Default: 100 and 450. */
  readonly lifeMs?: readonly [atLeast: number, atMost: number];
  /** Called by many at once, again and again, while the process lives. */
  readonly work: (send: Send, worker: number) => Promise<void>;
  /** After the last death, with everything running. */
  readonly check: (send: Send) => Promise<void>;
}

export const deaths = 20;
export const replicas = [1, 2, 3, 4, 5];
const workers = 16;

export const weather = (options: StormOptions): Promise<void> =>
  inTemporary(async (home) => {
    Object.assign(process.env, options.environment);
    const app = await copyOf(options, home);
    const args = ['dev', app, '--data', join(home, 'data'), '--replicas', '5', '--lag', '2s', '--rtt', '20ms'];
    for (let death = 0; death < deaths; death += 1) {
      const running = await startApp(args, home);
      const send = sender(running.url);
      if (death === 0) await options.prepare?.(send);
      let alive = true;
      const work = async (worker: number) => {
        while (alive) await options.work(send, worker);
      };
      setTimeout(
        () => {
          alive = false;
          running.child.kill('SIGKILL');
        },
        randomInt(...(options.lifeMs ?? [100, 450])),
      );
      await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
      await running.stop('SIGKILL');
    }
    await edit(app, options.lateEdits);
    const running = await startApp(args, home);
    try {
      await options.check(sender(running.url));
    } finally {
      await running.stop();
    }
  });

async function copyOf({ app, edits }: StormOptions, home: string): Promise<string> {
  const copy = join(home, app);
  await cp(directoryOf(app), copy, { recursive: true, filter: (source) => basename(source) !== 'data' });
  await edit(copy, edits);
  return copy;
}

async function edit(copy: string, edits: StormOptions['edits'] = []): Promise<void> {
  for (const [file, from, to] of edits) {
    const text = await readFile(join(copy, file), 'utf8');
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    await writeFile(join(copy, file), text.replaceAll(from, to));
  }
}

function sender(url: string): Send {
  return async ({ method, path, body, text, headers, replica }) => {
    const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
    try {
      const response = await fetch(`${url}${path}`, {
        method: method ?? (sent === undefined ? 'GET' : 'POST'),
        headers: {
          'content-type': 'application/json',
          ...headers,
          ...(replica !== undefined && { 'x-cffbrw-replica': `r${replica}` }),
        },
        ...(sent !== undefined && { body: sent }),
      });
      const received = await response.text();
      return { status: response.status, body: received === '' ? null : JSON.parse(received) };
    } catch {
      return { status: 0, body: null };
    }
  };
}

/** Asks until the answer is as wanted, for at most so long; answers with the last one. */
export async function until<Value>(
  ask: () => Promise<Value>,
  wanted: (value: Value) => boolean,
  withinMs = 30_000,
): Promise<Value> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (wanted(value) || performance.now() > endMs) return value;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
