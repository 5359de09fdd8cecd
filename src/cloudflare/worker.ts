/**
 * The Worker: it finds the nearest region for each request and passes it on. What no workflow answers is refused here, without asking an object.
 *
 * It never lets in what says that it comes from an object, and never asks twice for what may have happened.
 */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import { type Endpoint, reservedPrefix } from '../http/http.ts';
import { pathOf } from '../http/input.ts';
import { problemResponse, toProblem } from '../http/problem.ts';
import { createRouter } from '../http/router.ts';
import { routeTable } from '../http/routes.ts';
import type { Env } from './bindings.ts';
import { streamEvents } from './event-source.ts';
import { createWorkerHost } from './host.ts';
import { regionStub } from './hub-object.ts';
import { workerLog } from './log.ts';
import { nearest, onlyRegion, type Whereabouts } from './place.ts';
import { readRest } from './unread.ts';
import { objectHeader, objectRequest } from './wire.ts';

export interface Worker {
  fetch(request: Request, env: Env): Promise<Response>;
  /** For an app whose schedules must begin before anybody has asked for anything: name any cron trigger in `wrangler.jsonc`. */
  scheduled(event: unknown, env: Env): Promise<void>;
}

/** With a request to the admin API: which region is meant. */
export const regionHeader = 'cffbrw-region';

export function createWorker(app: App): Worker {
  const host = createWorkerHost();
  const { regions, events } = app.settings;
  const endpoints = [...app.workflows.values()].flatMap((plan) => (plan.http === null ? [] : [doorOf(plan.name, plan.http)]));
  const table = routeTable({ host, endpoints, createPathRouter: app.createPathRouter });
  // What it answers is always a refusal, or what a browser asks before it asks.
  const refuse = createRouter({ host, endpoints, createPathRouter: app.createPathRouter, log: workerLog });

  const pass = async (request: Request, env: Env): Promise<Response> => {
    const region = namedRegion(request, regions) ?? nearest(regions, (request as { cf?: Whereabouts }).cf);
    const isStream = events !== null && pathOf(request.url) === events.path && request.method === 'GET';
    return isStream ? streamEvents(regionStub(env, region), request) : regionStub(env, region).fetch(request);
  };
  const answer = (request: Request, env: Env): Response | Promise<Response> => {
    if (request.headers.has(objectHeader)) throw new CffbrwError('FORBIDDEN', `a client may not send ${objectHeader}`);
    const path = pathOf(request.url);
    const isFound = (table.match(request.method === 'HEAD' ? 'GET' : request.method, path)[0][0] ?? null) !== null;
    if (isFound || path === events?.path || path.startsWith(reservedPrefix)) return pass(request, env);
    return table.at(path).length === 0 ? fileOr(env, request) : refuse.fetch(request);
  };
  /** Where there is no file, and no page that says so, it is refused as everywhere. */
  const fileOr = async ({ ASSETS }: Env, request: Request): Promise<Response> => {
    if (ASSETS === undefined || !['GET', 'HEAD'].includes(request.method)) return refuse.fetch(request);
    const file = await ASSETS.fetch(request);
    return file.status === 404 && !file.headers.has('content-type') ? refuse.fetch(request) : file;
  };

  return {
    async fetch(request, env) {
      try {
        return await answer(request, env);
      } catch (error) {
        return problemResponse(toProblem(asProblem(error), host.id, workerLog));
      } finally {
        await readRest(host, request);
      }
    },
    async scheduled(_event, env) {
      await regionStub(env, regions[0] ?? onlyRegion).fetch(objectRequest('wake', null));
    },
  };
}

/** Operators name the region that they mean; everybody else gets the nearest. Throws NOT_FOUND. */
function namedRegion(request: Request, regions: readonly string[]): string | null {
  const name = request.headers.get(regionHeader);
  if (name === null || !pathOf(request.url).startsWith(reservedPrefix)) return null;
  if (regions.includes(name) || (regions.length === 0 && name === onlyRegion)) return name;
  throw new CffbrwError('NOT_FOUND', `this app has no region ${name.slice(0, 40)}`, {
    fix: `It has ${regions.join(', ') || onlyRegion}.`,
  });
}

/** Only what finds it: the region lets in and answers. */
const doorOf = (workflow: string, { method, path, cors }: Pick<Endpoint, 'method' | 'path' | 'cors'>): Endpoint => ({
  ...{ workflow, method, path, cors, reads: new Set(), idempotencyHeader: null },
  run() {
    throw new CffbrwError('INVARIANT', 'a Worker runs no workflow');
  },
});

/** The runtime marks what it threw before anything was done. */
function asProblem(error: unknown): unknown {
  if (error instanceof CffbrwError) return error;
  const { overloaded, message } = error as { readonly overloaded?: boolean; readonly message?: string };
  if (overloaded === true) return new CffbrwError('OVERLOADED', 'this region has too much to do', { cause: error });
  return new CffbrwError('UNREACHABLE', `the region did not answer: ${message ?? String(error)}`, { cause: error });
}
