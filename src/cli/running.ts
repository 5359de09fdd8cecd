/** An app that answers requests: its replicas, a handler each, one server. Reloading swaps handlers and keeps what the replicas know. */
import { join } from 'node:path';
import { type App, loadApp } from '../app.ts';
import { CffbrwError } from '../error.ts';
import { createHandler, type Handler, type RequestLine } from '../http/index.ts';
import { readDocuments } from '../node/directory.ts';
import { createStaticReader } from '../node/files.ts';
import { createNodeHost } from '../node/host.ts';
import { type Served, type ServeOptions, serve } from '../node/serve.ts';
import { canonical } from '../strategy/json.ts';
import { type Cron, startCron } from '../workflow/index.ts';
import { createGate, type Gate } from './gate.ts';
import { type LocationOptions, type Locations, openLocations } from './locations.ts';
import { printAlarm, printLog } from './print.ts';

export interface RunOptions extends Omit<LocationOptions, 'alarm'> {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  /** Whether `reload` will be called. */
  readonly reloads?: boolean;
  readonly onRequest?: (line: RequestLine, replica: string) => void;
}

export interface Running {
  readonly app: App;
  readonly url: string;
  readonly replicas: readonly string[];
  /** Reads the documents again. Rejects with what is wrong with them, and goes on as before. */
  reload(): Promise<App>;
  /** Finishes what runs, returns rights, closes. */
  close(): Promise<void>;
}

interface Generation {
  readonly app: App;
  readonly locations: Locations;
  readonly handlers: readonly Handler[];
  readonly crons: readonly Cron[];
}

export const readApp = async (directory: string): Promise<App> => loadApp(await readDocuments(directory));

export async function run(options: RunOptions): Promise<Running> {
  const app = await readApp(options.directory);
  let current = await open(app, options);
  const gate = createGate();
  const served = await serve({
    ...answering(() => current.handlers, options.reloads ? gate : null),
    port: options.port,
    host: options.host,
    log: printLog,
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
      current = await open(next, options);
    } catch (error) {
      // Nothing is lost by a declaration that can't be opened: the old ones over the same data still work.
      current = await open(before.app, options);
      throw error;
    }
  }

  return {
    get app() {
      return current.app;
    },
    url: `http://${options.host}:${served.port}`,
    replicas: current.locations.replicas.map((replica) => replica.id),
    async reload() {
      const next = await readApp(options.directory);
      const before = current;
      if (!sameVariables(before.app, next)) await gate.alone(() => reopen(next));
      else {
        // Runs that go on are the next generation's: it finds them by their ticks.
        void endCrons(before);
        current = await generationOf(next, before.locations, options);
        endStreams(before);
      }
      return next;
    },
    close: () => closeAll(served, () => current),
  };
}

const open = async (app: App, options: RunOptions): Promise<Generation> => {
  const locations = await openLocations(app, { ...options, alarm: printAlarm });
  return generationOf(app, locations, options);
};

/** Without a gate the handler answers itself: a request of `start` pays for nothing that only `dev` needs. */
function answering(handlers: () => readonly Handler[], gate: Gate | null): Pick<ServeOptions, 'fetch' | 'answer'> {
  const chosen = (request: Request) => choose(handlers(), request.headers.get('x-cffbrw-replica'));
  if (gate !== null) {
    return {
      fetch: (request) => gate.pass(() => chosen(request).fetch(request)),
      answer: (request, inbound) => gate.pass(() => chosen(request).answer(request, inbound)),
    };
  }
  const [only] = handlers();
  if (only === undefined) throw new CffbrwError('INVARIANT', 'an app runs on at least one replica');
  return { fetch: only.fetch, answer: only.answer };
}

async function closeAll(served: Served, generation: () => Generation): Promise<void> {
  await served.close();
  await endCrons(generation());
  await generation().locations.close();
}

async function generationOf(app: App, locations: Locations, { directory, onRequest }: RunOptions): Promise<Generation> {
  const readStatic = app.settings.static === null ? undefined : await createStaticReader(join(directory, app.settings.static));
  const handlers = locations.replicas.map((replica) =>
    createHandler({
      ...{ app, replica, host: createNodeHost(app.settings.outbound), log: printLog, secrets: secretsOf(app) },
      ...(readStatic === undefined ? {} : { readStatic }),
      ...(onRequest === undefined ? {} : { onRequest: (line: RequestLine) => onRequest(line, replica.id) }),
    }),
  );
  return { app, locations, handlers, crons: startCrons(app, locations) };
}

const startCrons = (app: App, { replicas, backbones }: Locations): readonly Cron[] =>
  replicas.map((replica, index) =>
    startCron({
      ...{ plans: app.workflows.values(), replica, backbone: backbones[index] ?? null },
      ...{ host: createNodeHost(app.settings.outbound), log: printLog, secrets: secretsOf(app) },
    }),
  );

/** Values come from the environment; the handler says which one is missing. */
const secretsOf = (app: App): ReadonlyMap<string, string> =>
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

/** `r2` or `2` names one; without a name any of them answers, as the nearest edge location would. */
function choose(handlers: readonly Handler[], wanted: string | null): Handler {
  const index = wanted === null ? Math.floor(Math.random() * handlers.length) : Number(wanted.replace(/^r/, '')) - 1;
  const handler = handlers[index] ?? handlers[0];
  if (handler === undefined) throw new CffbrwError('INVARIANT', 'an app runs on at least one replica');
  return handler;
}

const sameVariables = (a: App, b: App): boolean => canonical([...a.variables.values()]) === canonical([...b.variables.values()]);
