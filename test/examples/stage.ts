/** An example app at five locations of a simulated world: real documents, handlers, replicas and loopback, 2 s of lag, virtual time. */
import { join } from 'node:path';
import { type App, loadApp } from '../../src/app.ts';
import { createHandler, type Handler } from '../../src/http/handler.ts';
import { readDocuments } from '../../src/node/directory.ts';
import type { FetchScript, World } from '../../src/simulate/host.ts';
import { type Cluster, createCluster } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';

export interface Answer {
  /** 0: the location died before it answered. */
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an app answers is what the tests are about.
  readonly body: any;
}

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  /** The body as it goes over the wire, where its bytes matter. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Stage {
  readonly app: App;
  readonly world: World;
  readonly cluster: Cluster;
  readonly locations: readonly string[];
  /** Asks one location, else a random one. */
  ask(request: Ask, location?: string): Promise<Answer>;
  /** Asks, and lets the world run until the answer is there. */
  now(request: Ask, location?: string): Promise<Answer>;
  /** Reads the event stream of a location. */
  listen(path: string, location: string): Listener;
  /** Starts a location again; nothing where it runs. */
  start(location: string): Promise<void>;
  kill(location: string): void;
  /** Everything runs, nothing is cut, and so much time passes. */
  settle(durationMs?: number): Promise<void>;
}

/** What a stream has told: the last value of each variable and key, and how many changes. */
export interface Listener {
  readonly values: ReadonlyMap<string, unknown>;
  readonly told: number;
}

export interface StageOptions {
  readonly app: string;
  readonly seed: string | number;
  readonly replicas?: number;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly fetch?: FetchScript;
  readonly startMs?: number;
  /** Changes the documents' texts: where a test switches a mistake on. */
  readonly edit?: (text: string, path: string) => string;
}

export const lagMs = 2_000;

export const directoryOf = (name: string): string => join(import.meta.dirname, '../../examples', name);

export async function openApp(name: string, edit: StageOptions['edit'] = (text) => text): Promise<App> {
  const files = await readDocuments(directoryOf(name));
  return loadApp(files.map(({ path, text }) => ({ path, text: edit(text, path) })));
}

/** A mistake to switch on: the text must be there. */
export const replaced =
  (file: string, from: string, to: string): NonNullable<StageOptions['edit']> =>
  (text, path) => {
    if (path !== file) return text;
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    return text.replaceAll(from, to);
  };

export async function openStage({
  app: name,
  seed,
  replicas = 5,
  secrets = {},
  fetch,
  startMs,
  edit,
}: StageOptions): Promise<Stage> {
  const app = await openApp(name, edit);
  const world = createWorld(seed, { ...(fetch && { fetch }), ...(startMs !== undefined && { startMs }) });
  const locations = Array.from({ length: replicas }, (_, index) => `r${index + 1}`);
  const variables = Object.fromEntries([...app.variables].map(([variable, { name: _, ...declared }]) => [variable, declared]));
  const cluster = createCluster({ world, variables, loopback: { lagMs, rttMs: 20, jitterMs: 10 } });
  const handlers = new Map<string, Handler>();
  const starting = new Map<string, Promise<void>>();
  const values = new Map(Object.entries(secrets));
  const random = world.random.fork('users');

  async function open(location: string): Promise<void> {
    const replica = await cluster.start(location);
    const process = cluster.machine(location).process;
    if (process === null) return;
    handlers.set(location, createHandler({ app, replica, host: process.host, secrets: values }));
    process.onKill(() => handlers.delete(location));
  }

  async function start(location: string): Promise<void> {
    if (handlers.has(location)) return;
    const running = starting.get(location) ?? open(location).finally(() => starting.delete(location));
    starting.set(location, running);
    await running;
  }

  async function ask(request: Ask, location = random.pick(locations)): Promise<Answer> {
    const handler = handlers.get(location);
    const process = cluster.machine(location).process;
    if (handler === undefined || process === null) return lost;
    const died = new Promise<Answer>((resolve) => process.onKill(() => resolve(lost)));
    return Promise.race([died, answerOf(handler.fetch(requestOf(request)))]);
  }

  function listen(path: string, location: string): Listener {
    const values = new Map<string, unknown>();
    const listener = { values, told: 0 };
    const read = async () => {
      const response = await handlers.get(location)?.fetch(new Request(`http://localhost${path}`));
      let text = '';
      for await (const chunk of response?.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        const complete = text.slice(0, text.lastIndexOf('\n\n') + 1);
        text = text.slice(complete.length);
        for (const [, variable, data] of complete.matchAll(/event: (\S+)\ndata: (.+)\n/g)) {
          const { key, value } = JSON.parse(data ?? 'null');
          values.set(`${variable} ${key}`, value);
          listener.told += 1;
        }
      }
    };
    read().catch(() => {});
    return listener;
  }

  const kill = (location: string): void => {
    starting.delete(location);
    cluster.kill(location);
  };

  async function settle(durationMs = 20_000): Promise<void> {
    cluster.loopback?.heal();
    for (const location of locations) await world.runUntil(start(location));
    await world.run(durationMs);
  }

  const now = (request: Ask, location?: string) => world.runUntil(ask(request, location));
  for (const location of locations) await world.runUntil(start(location));
  return { app, world, cluster, locations, ask, now, listen, start, kill, settle };
}

const lost: Answer = { status: 0, headers: new Headers(), body: null };

function requestOf({ method = 'GET', path, body, text, headers = {} }: Ask): Request {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const type = sent === undefined ? {} : { 'content-type': 'application/json' };
  return new Request(`http://localhost${path}`, {
    method,
    headers: { ...type, ...headers },
    ...(sent !== undefined && { body: sent }),
  });
}

async function answerOf(response: Response | Promise<Response>): Promise<Answer> {
  const got = await response;
  const text = await got.text();
  return { status: got.status, headers: got.headers, body: text === '' ? null : JSON.parse(text) };
}

export interface Load {
  readonly count: number;
  /** All of it within so long. */
  readonly withinMs: number;
  readonly one: (index: number) => Promise<void>;
}

/** So many calls at random moments, all at once where they fall together. Resolves when all have been answered. */
export async function load({ world }: Stage, { count, withinMs, one }: Load): Promise<void> {
  const users = world.host('users');
  const all = Array.from(
    { length: count },
    (_, index) =>
      new Promise<void>((resolve, reject) => {
        users.after(world.random.next() * withinMs, () => one(index).then(resolve, reject));
      }),
  );
  await world.runUntil(Promise.all(all));
}

/** Deaths and cuts at random moments; whatever died comes back, whatever was cut heals, within three seconds. */
export function storm(stage: Stage, { deaths, cuts, withinMs }: { deaths: number; cuts: number; withinMs: number }): void {
  const { world, cluster, locations } = stage;
  const weather = world.host('weather');
  const random = world.random.fork('weather');
  const later = (task: (location: string) => void) => weather.after(random.next() * withinMs, () => task(random.pick(locations)));
  for (let death = 0; death < deaths; death += 1) {
    later((location) => {
      stage.kill(location);
      weather.after(random.next() * 3_000, () => void stage.start(location).catch(() => {}));
    });
  }
  for (let cut = 0; cut < cuts; cut += 1) {
    later((location) => {
      cluster.loopback?.cut(location, random.pick(['both', 'in', 'out'] as const));
      weather.after(random.next() * 3_000, () => cluster.loopback?.heal(location));
    });
  }
}
