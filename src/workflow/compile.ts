/** From checked documents to plans: triggers, the shape of the request, and the steps. */
import { CffbrwError } from '../error.ts';
import { anyShape, type Shape, scalarShape } from '../expression/expression.ts';
import type { Variable } from '../strategy/variable.ts';
import { isTimezone } from '../strategy/window.ts';
import { type Compilation, compileSteps, type Language, type Workflows } from './compiler.ts';
import { digestOf } from './digest.ts';
import type { CheckedDocument } from './document.ts';
import { durationMs } from './duration.ts';
import type { CronTrigger, HttpTrigger, WorkflowDocument } from './fields.ts';
import { createFlow } from './flow.ts';
import { type Cors, defaultKeepMs, type HttpPlan, type JsonSchema, type Plan, type RequestPart } from './plan.ts';
import { membersRead } from './reads.ts';
import type { Schedule } from './schedule.ts';
import { createScope, requestName } from './scope.ts';
import { closed, scalarsShape, shapeOf } from './shape.ts';
import type { Problems } from './source.ts';

export interface WorkflowContext {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly secrets: ReadonlySet<string>;
  readonly problems: Problems;
  readonly workflows: Workflows;
  readonly language: Language;
}

type WorkflowSource = Extract<CheckedDocument, { kind: 'workflow' }>;

/** The plan. Only to be used when `problems` has got nothing more. */
export function compileWorkflow({ source, document }: WorkflowSource, context: WorkflowContext): Plan {
  const { problems, variables } = context;
  const { http, call, cron } = document.on;
  const called = call !== undefined;
  context.language.checks.triggers(document.on, { source, problems, secrets: context.secrets });
  const silent = silentBecause(document.on);
  const scope = createScope(
    { variables, secrets: context.secrets, checkName: context.language.checks.name },
    requestShape(document.on),
  );
  const compilation: Compilation = {
    ...{ source, problems, scope, variables, workflows: context.workflows, language: context.language },
    ...{ flow: createFlow(silent), ids: new Map(), count: 0, calls: new Set<string>(), compiled: [] },
  };
  const steps = compileSteps(document.steps, ['steps'], compilation);
  // Only keyed runs ask for it.
  let fingerprint: string | null = null;
  return {
    name: document.workflow,
    description: document.description ?? null,
    file: source.file,
    http: http === undefined ? null : planHttp(http, compilation),
    cron: cron === undefined ? null : planCron(cron, compilation),
    call: called ? { with: schemaAt(call?.with, ['on', 'call', 'with'], compilation) ?? null } : null,
    steps,
    slots: scope.slots,
    answersEarly: compilation.flow.answers > 0,
    calls: compilation.calls,
    get fingerprint() {
      fingerprint ??= fingerprintOf(document);
      return fingerprint;
    },
    document,
  };
}

/** Why nobody hears what it responds; null: somebody may. */
function silentBecause({ http, call }: WorkflowDocument['on']): string | null {
  if (call !== undefined) return 'a workflow that is called';
  return http === undefined ? 'a workflow that only a schedule starts' : null;
}

function planCron(cron: CronTrigger, { source, problems, language }: Compilation): Schedule | null {
  const at = cron.timezone !== undefined && !isTimezone(cron.timezone) ? 'timezone' : 'schedule';
  const rule = { schedule: cron.schedule, timezone: cron.timezone ?? 'UTC' };
  return problems.attempt(source.placeOf(['on', 'cron', at]), () => language.schedules.parseSchedule(rule)) ?? null;
}

const fingerprintOf = (document: WorkflowDocument): string => {
  try {
    return digestOf(document);
  } catch (error) {
    // A document that is no JSON has its own problem already.
    if (error instanceof CffbrwError) return '';
    throw error;
  }
};

function schemaAt(
  schema: unknown,
  path: readonly string[],
  { source, problems, language }: Pick<Compilation, 'source' | 'problems' | 'language'>,
): JsonSchema | undefined {
  if (schema === undefined) return undefined;
  problems.attempt(source.placeOf(path), () => language.compileSchema(schema as JsonSchema));
  return schema as JsonSchema;
}

function planHttp(http: HttpTrigger, compilation: Compilation): HttpPlan {
  const schemas: Partial<Record<RequestPart, JsonSchema>> = {};
  for (const part of parts) {
    const schema = schemaAt(http[part], ['on', 'http', part], compilation);
    if (schema !== undefined) schemas[part] = schema;
  }
  return {
    ...{ method: http.method, path: http.path, ...schemas, reads: partsRead(compilation) },
    idempotency: planIdempotency(http),
    ...(http.auth && { auth: http.auth }),
    ...(http.verify && { verify: { ...http.verify, header: http.verify.header.toLowerCase() } }),
    ...(http.cors && { cors: planCors(http.cors) }),
  };
}

const parts: readonly RequestPart[] = ['params', 'query', 'headers', 'body'];

function planIdempotency(http: HttpTrigger): HttpPlan['idempotency'] {
  if (http.method === 'GET' && http.idempotency === undefined) return null;
  const { header = 'idempotency-key', keep } = http.idempotency ?? {};
  return { header: header.toLowerCase(), keepMs: durationMs(keep) ?? defaultKeepMs };
}

function planCors(cors: NonNullable<HttpTrigger['cors']>): Cors {
  if (typeof cors === 'boolean') return { origins: cors ? '*' : [] };
  const maxAgeMs = durationMs(cors.maxAge);
  return {
    origins: cors.origins ?? '*',
    ...(cors.headers && { headers: cors.headers }),
    ...(cors.credentials !== undefined && { credentials: cors.credentials }),
    ...(maxAgeMs !== undefined && { maxAgeSeconds: Math.floor(maxAgeMs / 1000) }),
  };
}

export const parameterPattern = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/** The names in `/lots/{lot}`. */
export const parametersOf = (path: string): string[] =>
  path.split('/').flatMap((segment) => parameterPattern.exec(segment)?.[1] ?? []);

function requestShape(on: WorkflowDocument['on']): Shape {
  const { http, call, cron } = on;
  const shapes: Record<string, Shape> = cron === undefined ? {} : { scheduled: scalarShape };
  if (http !== undefined) {
    const params = scalarsShape(...parametersOf(http.path));
    Object.assign(shapes, { method: scalarShape, path: scalarShape, params });
    for (const part of ['query', 'headers', 'body'] as const)
      shapes[part] = http[part] === undefined ? anyShape : shapeOf(http[part]);
  }
  if (call !== undefined) shapes.with = call?.with === undefined ? anyShape : shapeOf(call.with);
  return closed(shapes);
}

/** Which parts of the request the expressions of a workflow read; all, where `request` stands as a whole. */
const partsRead = ({ compiled }: Compilation): ReadonlySet<RequestPart> => membersRead(compiled, requestName, parts);
