/** What the admin API tells about a replica and its app. */
import type { App } from '../../app.ts';
import { errorCodes } from '../../error.ts';
import type { Host } from '../../host.ts';
import type { Replica } from '../../replica/replica.ts';
import type { Json, JsonObject } from '../../strategy/json.ts';
import { version } from '../../version.ts';
import type { Plan, PlannedStep } from '../../workflow/plan.ts';

export interface Told {
  readonly app: App;
  readonly replica: Replica;
  readonly host: Host;
  /** `host.elapsed()` at the start. */
  readonly startedAt: number;
}

export const replicaFacts = ({ app, replica, host, startedAt }: Told): JsonObject => ({
  app: app.name,
  version,
  nowMs: host.now(),
  upMs: host.elapsed() - startedAt,
  ...replica.status,
});

export interface Asker {
  /** True for who has the token. */
  readonly admitted: boolean;
  readonly stopping: boolean;
}

export function healthFacts(replica: Replica, { admitted, stopping }: Asker): JsonObject {
  const { refused, frozen, withheld, lagMs } = replica.status;
  const status = refused !== null ? 'failing' : stopping ? 'stopping' : 'ok';
  return admitted ? { status, frozen, refused, withheld, lagMs } : { status };
}

export const errorFacts = (): JsonObject => ({
  errors: Object.entries(errorCodes).map(([code, { status, retry }]) => ({ code, status, retry })),
});

export function conflictFacts({ conflicts }: Replica, query: { variable?: string | undefined; limit: number }): JsonObject {
  const all = conflicts.list().filter(({ variable }) => query.variable === undefined || variable === query.variable);
  return { conflicts: all.slice(-query.limit).reverse() as unknown as Json };
}

export const workflowFacts = ({ app, host }: Told): JsonObject => ({
  app: app.name,
  workflows: [...app.workflows.values()].map((plan) => {
    const { name, description, file, http, cron, call, calls, document } = plan;
    return {
      ...{ name, description, file, callable: call !== null, calls: [...calls], ...touchesOf(plan) },
      http: http === null ? null : { method: http.method, path: http.path },
      cron: cron === null ? null : { schedule: cron.schedule, timezone: cron.timezone, nextMs: cron.next(host.now()) },
      document: document as unknown as Json,
    };
  }),
});

function touchesOf({ steps }: Plan): JsonObject {
  const reads = new Set<string>();
  const writes = new Map<string, JsonObject>();
  const visit = (step: PlannedStep): void => {
    for (const { reads: read } of step.compiled) for (const { variable } of read) reads.add(variable);
    for (const { variable, operation } of step.touches) {
      if (operation === 'get' || operation === 'keys') reads.add(variable);
      else writes.set(`${variable} ${operation}`, { variable, operation });
    }
    step.inside.forEach(visit);
  };
  steps.forEach(visit);
  return { reads: [...reads].sort(), writes: [...writes.values()] };
}
