/** The admin API's router: the table of operations, each with what answers it, behind the guard. */
import { Hono } from 'hono';
import { CffbrwError } from '../../error.ts';
import { observing, type RunRecord } from '../../workflow/trace.ts';
import { decodeBody, RequestInbound } from '../body.ts';
import { parseQuery, queryOf } from '../input.ts';
import { appOpenapi } from '../openapi.ts';
import { type InputError, invalidInput, toProblem } from '../problem.ts';
import { refused } from '../respond.ts';
import type { Admin, AdminOptions } from './admin.ts';
import { conflictFacts, errorFacts, healthFacts, replicaFacts, workflowFacts } from './facts.ts';
import { createFeed, type EventType, eventTypes, type Feed } from './feed.ts';
import { checkGuard, createDoor, type Door } from './guard.ts';
import { adminOpenapi } from './openapi.ts';
import { type OperationId, type OperationPlan, operations } from './operations.ts';
import { referencePage, referenceScript } from './reference.ts';
import { createRuns, type Runs } from './runs.ts';
import * as shapes from './shapes.ts';
import { known, listed } from './sites.ts';
import { factsOf, listKeys, operate, readValue } from './variables.ts';

const maxBodyBytes = 1_048_576;

/** A request that was let in, with its parts checked by the table. */
interface Asked {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

type Answer = Response | object | Promise<Response | object>;
type Answers = Readonly<Record<OperationId, (asked: Asked) => Answer>>;

/** Throws INVALID_APP for a guard that guards nothing. */
export function createAdmin(options: AdminOptions): Admin {
  const { host, guard, log } = options;
  checkGuard(guard);
  const door = createDoor(guard, host);
  const runs = createRuns();
  const feed = createFeed(options);
  const answers = answersOf(options, { runs, feed, door });
  const router = new Hono({ strict: true });
  const refuse = (error: unknown) => secured(refused(toProblem(error, () => host.id(), log)));
  const mount = (id: OperationId) => {
    const plan: OperationPlan = operations[id];
    router.on(plan.method.toUpperCase(), plan.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) =>
      respond(await answers[id](await ask(plan, context.req.raw, context.req.param() as Record<string, string>))),
    );
  };
  const [open, closed] = parted((plan) => plan.open === true);
  for (const id of open) mount(id);
  router.use('*', async (context, next) => {
    door.admit(context.req.raw);
    await next();
  });
  for (const id of closed) mount(id);
  router.notFound((context) => refuse(missing(context.req.raw, context.req.path)));
  router.onError((error) => refuse(error));
  const observe = (record: RunRecord): void => {
    runs.add(record);
    feed.observe(record);
  };
  return {
    routes: router.routes.filter(({ path }) => path !== '/*').map(({ method, path }) => ({ method, path })),
    answer: async (request) => secured(await router.fetch(request)),
    observe,
    startTrace: observing(observe),
    close: () => feed.close(),
  };
}

function parted(isOpen: (plan: OperationPlan) => boolean): readonly [OperationId[], OperationId[]] {
  const ids = Object.keys(operations) as OperationId[];
  return [ids.filter((id) => isOpen(operations[id])), ids.filter((id) => !isOpen(operations[id]))];
}

function missing(request: Request, path: string): CffbrwError {
  const here = Object.values<OperationPlan>(operations).filter((plan) => patternOf(plan.path).test(path));
  if (here.length === 0) return new CffbrwError('NOT_FOUND', 'the admin API has nothing at this path', { fix: hint });
  return new CffbrwError('METHOD_NOT_ALLOWED', `this path does not take ${request.method.slice(0, 20)}`);
}

const hint = 'See /_cffbrw/v1/openapi.json for what there is.';
const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);

/** The parts of a request as the table wants them. Throws INVALID_INPUT, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE. */
async function ask(plan: OperationPlan, request: Request, params: Record<string, string>): Promise<Asked> {
  const fields: Record<string, unknown> = {};
  for (const [name, values] of parseQuery(queryOf(request.url))) fields[name] = values.length === 1 ? values[0] : values;
  const query = checked('query', plan.query.safeParse(fields)) as Asked['query'];
  if (plan.body === undefined) return { request, params, query, body: null };
  const inbound = new RequestInbound(request);
  const given = decodeBody(await inbound.bytes(maxBodyBytes), inbound, false) ?? {};
  return { request, params, query, body: checked('body', plan.body.safeParse(given)) };
}

type Parsed = ReturnType<(typeof shapes.operation)['safeParse']> | ReturnType<OperationPlan['query']['safeParse']>;

function checked(source: InputError['source'], parsed: Parsed): unknown {
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    ...{ source, message, pointer: path.map((part) => `/${String(part)}`).join('') },
  }));
  const [first] = errors;
  throw invalidInput(`the ${source} is not what this takes at ${first?.pointer || '/'}: ${first?.message ?? ''}`, errors);
}

const respond = (answer: Response | object): Response => (answer instanceof Response ? answer : Response.json(answer));

/** Nothing of this is kept by anybody, framed, or taken for another type. */
function secured(response: Response): Response {
  const { headers } = response;
  headers.set('x-content-type-options', 'nosniff');
  headers.set('referrer-policy', 'no-referrer');
  headers.set('cross-origin-resource-policy', 'same-origin');
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  if (!headers.has('content-security-policy'))
    headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  return response;
}

function answersOf(options: AdminOptions, { runs, feed, door }: { runs: Runs; feed: Feed; door: Door }): Answers {
  const { app, replica, host, metrics, referenceScript: script } = options;
  const told = { app, replica, host, startedAt: host.elapsed() };
  const documents = { admin: null as object | null, app: null as object | null };
  return {
    health({ request }) {
      const facts = healthFacts(replica, { admitted: door.isAdmitted(request), stopping: options.isStopping?.() === true });
      return Response.json(facts, { status: facts.status === 'ok' ? 200 : 503 });
    },
    async metrics() {
      if (metrics === undefined) throw absent('metrics');
      return new Response(await metrics(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
    },
    appOpenapi: () => (documents.app ??= appOpenapi(app)),
    reference: () => {
      if (script === undefined) throw absent('a reference page');
      return referencePage(app.name);
    },
    async referenceScript() {
      if (script === undefined) throw absent('a reference page');
      return referenceScript(await script());
    },
    openapi: () => (documents.admin ??= adminOpenapi()),
    errors: errorFacts,
    replica: () => replicaFacts(told),
    listReplicas: () => listed(options.sites),
    retire: ({ params, body }) => {
      const { why, carryOut } = shapes.retire.parse(body);
      return known(options.sites).retire({ who: params.name ?? '', by: replica.id, why, carryOut });
    },
    adoptBackbone() {
      known(options.sites);
      replica.adoptBackbone();
      return { adopting: true };
    },
    listVariables: () => ({ variables: [...replica.variables.values()].map((variable) => factsOf(replica, variable)) }),
    getVariable: ({ params, query }) => readValue(replica, params.name ?? '', shapes.queries.value.parse(query)),
    listKeys: ({ params, query }) => listKeys(replica, params.name ?? '', shapes.queries.keys.parse(query)),
    operate: ({ params, body }) => operate(replica, params.name ?? '', params.operation ?? '', shapes.operation.parse(body)),
    conflicts: ({ query }) => conflictFacts(replica, shapes.queries.conflicts.parse(query)),
    listRuns: ({ query }) => runs.list(shapes.queries.runs.parse(query)),
    getRun: ({ params }) => runs.get(params.id ?? ''),
    workflows: () => workflowFacts(told),
    events: ({ request, query }) => stream(feed, request, shapes.queries.events.parse(query)),
  };
}

const absent = (what: string): CffbrwError => new CffbrwError('NOT_FOUND', `this server has no ${what}`);

function stream(
  feed: Feed,
  request: Request,
  { types, variable }: { types?: string | undefined; variable?: string | undefined },
) {
  const named = types === undefined ? eventTypes : types.split(',').map(eventTypeOf);
  const after = request.headers.get('last-event-id');
  const body = feed.open({ types: new Set(named), variable, after }, request.signal);
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
  });
}

function eventTypeOf(name: string): EventType {
  const found = eventTypes.find((type) => type === name);
  if (found !== undefined) return found;
  throw new CffbrwError('INVALID_INPUT', `there are no events ${name.slice(0, 40)}`, {
    fix: `There are ${eventTypes.join(', ')}.`,
  });
}
