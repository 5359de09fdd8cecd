/** An app that answers requests: its replicas, a handler each, one server. Reloading swaps handlers and keeps what the replicas know. */
import { join } from 'node:path';
import { type App, loadApp } from '../app.ts';
import { CffbrwError } from '../error.ts';
import type { Admin, AdminOptions } from '../http/admin/admin.ts';
import { checkGuard, checkHost, type Guard } from '../http/admin/guard.ts';
import { createAdmin } from '../http/admin/router.ts';
import type { Sites } from '../http/admin/sites.ts';
import {
  createFiles,
  createHandler,
  type Handler,
  type HandlerOptions,
  type Log,
  type RequestLine,
  reservedPrefix,
} from '../http/index.ts';
import { problemResponse, toProblem } from '../http/problem.ts';
import { readDocuments } from '../node/directory.ts';
import { createStaticReader } from '../node/files.ts';
import { createNodeHost, nodeHost } from '../node/host.ts';
import type { Metrics } from '../node/metrics.ts';
import { readReferenceScript } from '../node/reference.ts';
import { type Served, type ServeOptions, serve } from '../node/serve.ts';
import { openTelemetry } from '../node/telemetry.ts';
import type { Alarm, Replica } from '../replica/index.ts';
import { canonical } from '../strategy/json.ts';
import { type Cron, observing, startCron } from '../workflow/index.ts';
import { createGate, type Gate } from './gate.ts';
import { type LocationOptions, type Locations, openLocations } from './locations.ts';
import { printLog } from './print.ts';
import { telling } from './telling.ts';

export interface RunOptions extends Omit<LocationOptions, 'alarm' | 'refused' | 'reach'> {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  /** For so long after `close` was called it goes on accepting, and its health says that it stops. Default 0. */
  readonly drainMs?: number;
  /** Whether `reload` will be called. */
  readonly reloads?: boolean;
  readonly onRequest?: (line: RequestLine, replica: string) => void;
  /** Told of the app before anything of it runs. What it rejects with ends the start. */
  readonly admit?: (app: App) => Promise<void>;
  /** Who may use the admin API; null: there is none. */
  readonly admin: Guard | null;
  /** Where log entries go. Default: the terminal. */
  readonly log?: (app: App) => Log;
}

export interface Running {
  readonly app: App;
  readonly url: string;
  readonly replicas: readonly string[];
  /** Resolves with why, when nothing can be written any more and only a new process helps; null: nobody would start one. */
  readonly lost: Promise<CffbrwError> | null;
  /** Reads the documents again. Rejects with what is wrong with them, and goes on as before. */
  reload(): Promise<App>;
  /** Lets others know, finishes what runs, returns rights, closes. */
  close(): Promise<void>;
}

interface Generation {
  readonly app: App;
  readonly locations: Locations;
  readonly handlers: readonly Handler[];
  readonly log: Log;
  readonly crons: readonly Cron[];
}

export const readApp = async (directory: string): Promise<App> => loadApp(await readDocuments(directory));

export async function run(options: RunOptions): Promise<Running> {
  if (options.admin !== null) checkGuard(options.admin);
  const app = await readApp(options.directory);
  await options.admit?.(app);
  const observers = await openObservers(options, () => current.locations.replicas);
  const state = { stopping: false };
  const running = { ...options, ...observers, isStopping: () => state.stopping };
  let current = await open(app, running);
  const gate = createGate();
  const served = await serve({
    ...answering(() => current.handlers, options.reloads ? gate : null),
    port: options.port,
    host: options.host,
    log: (entry) => current.log(entry),
    stopping: () => endStreams(current),
  }).catch(async (error: unknown) => {
    await current.locations.close();
    throw error;
  });

  /** Other variables need other replicas over the same data. */
  async function reopen(next: App): Promise<void> {
    const before = current;
    endStreams(before);
    await endCrons(before);
    await before.locations.close();
    try {
      current = await open(next, running);
    } catch (error) {
      // Nothing is lost by a declaration that can't be opened: the old ones over the same data still work.
      current = await open(before.app, running);
      throw error;
    }
  }

  return {
    get app() {
      return current.app;
    },
    url: `http://${options.host}:${served.port}`,
    replicas: current.locations.replicas.map((replica) => replica.id),
    lost: current.locations.lost,
    async reload() {
      const next = await readApp(options.directory);
      const before = current;
      if (!sameVariables(before.app, next)) await gate.alone(() => reopen(next));
      else {
        // Runs that go on are the next generation's: it finds them by their ticks.
        void endCrons(before);
        current = await generationOf(next, before.locations, running);
        endStreams(before);
      }
      return next;
    },
    async close() {
      state.stopping = true;
      served.retreat();
      await pause(options.drainMs ?? 0);
      await closeAll(served, () => current);
    },
  };
}

interface Observers {
  /** null: nobody can ask for them. */
  readonly metrics: Metrics | null;
  readonly spans: Awaited<ReturnType<typeof openTelemetry>>;
}

/** They outlive a reload. What nobody uses is not even loaded. */
async function openObservers({ admin }: RunOptions, replicas: () => readonly Replica[]): Promise<Observers> {
  const metrics = admin === null ? null : (await import('../node/metrics.ts')).createMetrics(replicas);
  return { metrics, spans: await openTelemetry() };
}

type OpenOptions = RunOptions & Observers & Pick<AdminOptions, 'isStopping'>;

const open = async (app: App, options: OpenOptions): Promise<Generation> => {
  const told = telling(options.log?.(app));
  const alarm = (kind: Alarm) => {
    options.metrics?.alarm(kind);
    told.alarm(kind);
  };
  const timing = options.metrics === null ? {} : { observeTime: options.metrics.time };
  const locations = await openLocations(app, { ...options, ...timing, ...told, alarm });
  return generationOf(app, locations, options);
};

/** Without a gate the handler answers itself: a request of `start` pays for nothing that only `dev` needs. */
function answering(handlers: () => readonly Handler[], gate: Gate | null): Pick<ServeOptions, 'fetch' | 'answer'> {
  if (gate !== null) {
    return {
      fetch: (request) => refuseForeign(request) ?? gate.pass(() => choose(handlers(), request).fetch(request)),
      answer: (request, inbound) =>
        refuseForeign(request) ?? gate.pass(() => choose(handlers(), request).answer(request, inbound)),
    };
  }
  const [only] = handlers();
  if (only === undefined) throw new CffbrwError('INVARIANT', 'an app runs on at least one replica');
  return { fetch: only.fetch, answer: only.answer };
}

/** `dev` is for this machine alone: a foreign name that leads here is a page that tries to get at it. */
function refuseForeign(request: Request): Response | null {
  try {
    checkHost(request);
    return null;
  } catch (error) {
    return problemResponse(toProblem(error, nodeHost.id));
  }
}

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => void nodeHost.after(delayMs, resolve));

async function closeAll(served: Served, generation: () => Generation): Promise<void> {
  await served.close();
  await endCrons(generation());
  await generation().locations.close();
}

async function generationOf(app: App, locations: Locations, options: OpenOptions): Promise<Generation> {
  const { directory, onRequest } = options;
  const readStatic = app.settings.static === null ? undefined : await createStaticReader(join(directory, app.settings.static));
  const log = options.log?.(app) ?? printLog;
  const shared = { app, host: createNodeHost(app.settings.outbound), log, secrets: secretsOf(app) };
  const sites = locations.replicas.map((replica, index) => {
    const admin = adminOf({ app, replica, sites: locations.sites }, options, log);
    const observe = observerOf(replica, admin, options);
    const handler = createHandler({
      ...{ ...shared, replica },
      ...(readStatic && { files: createFiles({ host: shared.host, readStatic, log }) }),
      ...(onRequest && { onRequest: (line: RequestLine) => onRequest(line, replica.id) }),
      ...(admin && { admin }),
      ...(observe && { observe }),
    });
    const backbone = locations.backbones[index] ?? null;
    return {
      handler,
      cron: startCron({ ...shared, plans: app.workflows.values(), replica, backbone, ...(observe && { observe }) }),
    };
  });
  return { app, locations, log, handlers: sites.map(({ handler }) => handler), crons: sites.map(({ cron }) => cron) };
}

type Administered = Pick<AdminOptions, 'app' | 'replica'> & { readonly sites: Sites | null };

function adminOf({ sites, ...what }: Administered, { admin: guard, metrics, isStopping }: OpenOptions, log: Log): Admin | null {
  if (guard === null) return null;
  // A browser can't send a token with an address: the page is for `dev`.
  const page = guard.loopback ? { referenceScript: readReferenceScript } : {};
  const more = { ...(metrics && { metrics: metrics.text }), ...(sites && { sites }), ...page };
  return createAdmin({ ...what, host: nodeHost, guard, log, isStopping, ...more });
}

/** Who is told of every run; undefined: nobody, and so nothing is recorded. */
function observerOf(replica: Replica, admin: Admin | null, { metrics, spans }: OpenOptions): HandlerOptions['observe'] {
  if (admin === null && spans === null) return undefined;
  return observing((record) => {
    admin?.observe(record);
    metrics?.observe(replica.id, record);
    spans?.(record);
  });
}

/** Values come from the environment; the handler says which one is missing. */
export const secretsOf = (app: App): ReadonlyMap<string, string> =>
  new Map(
    app.settings.secrets.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );

const endCrons = async ({ crons }: Generation): Promise<void> => {
  await Promise.all(crons.map((cron) => cron.close()));
};

const endStreams = ({ handlers }: Generation): void => {
  for (const handler of handlers) handler.close();
};

/**
 * `r2` or `2` names one; without a name any of them answers, as the nearest edge location would. The admin API is asked of the first: a
 * run is found where it was.
 */
function choose(handlers: readonly Handler[], request: Request): Handler {
  const wanted = request.headers.get('x-cffbrw-replica');
  const anyone = request.url.includes(reservedPrefix) ? 0 : Math.floor(Math.random() * handlers.length);
  const index = wanted === null ? anyone : Number(wanted.replace(/^r/, '')) - 1;
  const handler = handlers[index] ?? handlers[0];
  if (handler === undefined) throw new CffbrwError('INVARIANT', 'an app runs on at least one replica');
  return handler;
}

const sameVariables = (a: App, b: App): boolean => canonical([...a.variables.values()]) === canonical([...b.variables.values()]);
