/**
 * An app over HTTP: its workflows, its event stream, its static folder. Platform-free; `fetch` also mounts in another app
 * (`hono.all('*', (context) => handler.fetch(context.req.raw))`).
 */
import type { App } from '../app.ts';
import type { Host } from '../host.ts';
import type { Replica } from '../replica/replica.ts';
import type { Secrets } from '../workflow/frame.ts';
import { createKeyedRuns, type KeyedRuns } from '../workflow/keyed.ts';
import type { Plan } from '../workflow/plan.ts';
import { executeRun, type RunContext } from '../workflow/run.ts';
import type { Admin } from './admin/admin.ts';
import { createEvents } from './events.ts';
import type { Endpoint, Fallback, Fetcher, RequestLine } from './http.ts';
import type { Log, MakeResponse } from './problem.ts';
import { createRouter } from './router.ts';

export interface HandlerOptions {
  readonly app: App;
  readonly replica: Replica;
  readonly host: Host;
  readonly log?: Log;
  /** The values of the secrets that the app names. */
  readonly secrets?: Secrets;
  /** Answers with the files of the app's static folder (`createFiles`). Without it there are none. */
  readonly files?: Fallback;
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Told of every request; costs nothing when absent. */
  readonly onRequest?: (line: RequestLine) => void;
  /** Told of runs that go on after their answer. */
  readonly background?: RunContext['background'];
  /** The admin API of this replica (`createAdmin`). Without it there is none, and no run is recorded. */
  readonly admin?: Admin;
  /** Records every run (`observing`), in the place of `admin.startTrace`: for a caller that tells others as well. */
  readonly observe?: RunContext['observe'];
  /** Default: a `Response`. */
  readonly makeResponse?: MakeResponse;
  /** Whether idle event streams are kept alive with comments. Default true; false: whoever passes them on does it. */
  readonly eventBeats?: boolean;
  /** Names every run. */
  readonly runId?: RunContext['runId'];
}

export interface Handler extends Fetcher {
  /** Ends the event streams; requests are still answered. */
  close(): void;
}

/** Throws INVALID_APP for what could never be answered: a secret without a value, a path that cannot be routed. */
export function createHandler(options: HandlerOptions): Handler {
  const { app, replica, host, log, secrets, files, background, admin, runId } = options;
  const observe = options.observe ?? admin?.startTrace;
  const context: RunContext = {
    replica,
    host,
    ...(log && { log }),
    ...(secrets && { secrets }),
    ...(background && { background }),
    ...(observe && { observe }),
    ...(runId && { runId }),
  };
  const keyed = createKeyedRuns({ replica, host });
  const endpoints = [...app.workflows.values()].flatMap((plan) => endpointOf(plan, context, keyed) ?? []);
  const events =
    app.settings.events === null ? null : createEvents({ host, replica, log, beats: options.eventBeats, ...app.settings.events });
  const fallbacks: Fallback[] = [];
  if (events !== null) fallbacks.push(events.answer);
  if (files !== undefined) fallbacks.push(files);
  const { maxBodyBytes, onRequest, makeResponse } = options;
  const router = createRouter({
    ...{
      host,
      endpoints,
      createPathRouter: app.createPathRouter,
      fallbacks,
      log,
      onRequest,
      makeResponse,
      reserved: admin?.answer,
    },
    ...(secrets && { secrets }),
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
  });
  return {
    ...router,
    close() {
      events?.close();
      admin?.close();
    },
  };
}

function endpointOf(plan: Plan, context: RunContext, keyed: KeyedRuns): Endpoint | null {
  const { http } = plan;
  if (http === null) return null;
  const { idempotency, ...rest } = http;
  return {
    ...rest,
    workflow: plan.name,
    idempotencyHeader: idempotency?.header ?? null,
    run: (request, key) => (key === null ? executeRun(plan, request, context) : keyed.run(plan, { ...request }, key, context)),
  };
}
