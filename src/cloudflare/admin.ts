/**
 * The admin API of a region, with the token `CFFBRW_TOKEN`: what operators need, at the same addresses and with the same answers as on
 * Node.js. What says nothing of a region (workflows, errors, pages), and runs, which only a process that never sleeps could remember for
 * nothing, are left out: a Worker is small.
 */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import { conflictFacts, healthFacts, replicaFacts } from '../http/admin/facts.ts';
import { checkGuard, createDoor } from '../http/admin/guard.ts';
import { factsOf, type Input, listKeys, operate, readValue, type ValueQuery } from '../http/admin/variables.ts';
import { decodeBody, RequestInbound } from '../http/body.ts';
import { reservedPrefix } from '../http/http.ts';
import { problemResponse, toProblem } from '../http/problem.ts';
import { planRetirement, retire } from '../replica/identity/retire.ts';
import type { Replica } from '../replica/replica.ts';
import { listSites } from '../replica/sites.ts';
import { isObject, type JsonObject } from '../strategy/json.ts';
import type { HubBackbone } from './backbone.ts';
import type { Usage } from './driver.ts';
import { workerLog } from './log.ts';
import { metricsText } from './metrics.ts';

export interface EdgeAdminOptions {
  readonly app: App;
  readonly replica: Replica;
  readonly host: Host;
  readonly backbone: HubBackbone;
  readonly token: string;
  readonly usage: Usage;
  /** Rejects when the hub is out of reach. */
  readonly hubUsage: () => Promise<Usage>;
}

const maxBodyBytes = 1_048_576;

/** Throws INVALID_APP for a token that is none. */
export type EdgeAdmin = (options: EdgeAdminOptions) => (request: Request) => Promise<Response>;

export const admin: EdgeAdmin = (options) => {
  const { host, token, replica } = options;
  const guard = { token, loopback: false };
  checkGuard(guard);
  const door = createDoor(guard, host);
  const told = { app: options.app, replica, host, startedAt: host.elapsed() };
  return async (request) => {
    const url = new URL(request.url);
    const path = url.pathname.slice(reservedPrefix.length);
    try {
      if (path === 'health') {
        const facts = healthFacts(replica, { admitted: door.isAdmitted(request), stopping: false });
        return answered(facts, facts.status === 'ok' ? 200 : 503);
      }
      door.admit(request);
      if (path === 'metrics')
        return new Response(await metricsOf(options), { headers: { ...noStore, 'content-type': 'text/plain; version=0.0.4' } });
      const query = Object.fromEntries(url.searchParams);
      const parts = path.split('/').map(decodeURIComponent);
      if (request.method === 'POST') return answered(await change(options, parts, await bodyOf(request)));
      if (request.method !== 'GET') throw new CffbrwError('METHOD_NOT_ALLOWED', 'the admin API takes GET and POST');
      return answered(await look({ ...options, ...told }, parts, query));
    } catch (error) {
      return problemResponse(
        toProblem(error, () => host.id(), workerLog),
        noStore,
      );
    }
  };
};

const noStore = { 'cache-control': 'no-store' };

const answered = (facts: object, status = 200): Response => Response.json(facts, { status, headers: noStore });

const metricsOf = async ({ replica, usage, hubUsage }: EdgeAdminOptions): Promise<string> =>
  metricsText(replica, usage, await hubUsage().catch(() => null));

async function bodyOf(request: Request): Promise<JsonObject> {
  const inbound = new RequestInbound(request);
  const body = decodeBody(await inbound.bytes(maxBodyBytes), inbound, false) ?? {};
  if (isObject(body)) return body;
  throw new CffbrwError('INVALID_INPUT', 'the body is no object', { fix: 'Send JSON such as {}.' });
}

type Query = Readonly<Record<string, string>>;
type Told = EdgeAdminOptions & { readonly startedAt: number };

async function look(told: Told, [version, kind, name = '', more]: readonly string[], query: Query): Promise<object> {
  const { replica, backbone } = told;
  const window = query.window === 'previous' ? 'previous' : 'current';
  switch (version === 'v1' ? [kind, name !== '', more].join(' ') : '') {
    case 'replica false ':
      return replicaFacts(told);
    case 'conflicts false ':
      return conflictFacts(replica, { variable: query.variable, limit: limitIn(query) });
    case 'replicas false ':
      return { replicas: await listSites(backbone) };
    case 'variables false ':
      return { variables: [...replica.variables.values()].map((variable) => factsOf(replica, variable)) };
    case 'variables true ':
      return readValue(replica, name, { ...query, window, rows: query.rows === 'true' ? 'true' : 'false' } satisfies ValueQuery);
    case 'variables true keys':
      return listKeys(replica, name, { ...query, window, limit: limitIn(query) });
    default:
      throw missing();
  }
}

async function change(options: EdgeAdminOptions, parts: readonly string[], body: JsonObject): Promise<object> {
  const { replica, backbone, host } = options;
  const [version, kind, name = '', what = ''] = parts;
  if (version !== 'v1') throw missing();
  if (kind === 'variables' && what !== '') return operate(replica, name, what, inputOf(body));
  if (kind === 'backbone' && name === 'adopt') {
    replica.adoptBackbone();
    return { adopting: true };
  }
  if (kind !== 'replicas' || what !== 'retire') throw missing();
  const { why, carryOut } = body;
  if (typeof why !== 'string' || why === '')
    throw new CffbrwError('INVALID_INPUT', 'a retirement needs a reason', { fix: 'Send { "why": "…" }.' });
  const { registers, since } = backbone;
  const retiring = { registers, store: { since }, who: name, by: replica.id, why, now: host.now() };
  return carryOut === true ? retire(retiring) : planRetirement(retiring);
}

/** What `operate` does not look at itself. */
function inputOf(body: JsonObject): Input {
  for (const field of ['amount', 'holdMs', 'timeoutMs']) {
    const value = body[field];
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0)) continue;
    throw new CffbrwError('INVALID_INPUT', `${field} is no integer from 0 on`);
  }
  return body as unknown as Input;
}

function limitIn({ limit = '100' }: Query): number {
  const number = Number(limit);
  if (Number.isSafeInteger(number) && number >= 1 && number <= 1_000) return number;
  throw new CffbrwError('INVALID_INPUT', 'limit is an integer from 1 to 1,000');
}

const missing = () =>
  new CffbrwError('NOT_FOUND', 'the admin API has nothing here', { fix: 'docs/cloudflare.md lists what it has.' });
