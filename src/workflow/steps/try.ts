import type * as z from 'zod';
import { CffbrwError, type ErrorCode, errorCodes } from '../../error.ts';
import { anyShape } from '../../expression/expression.ts';
import type { Json } from '../../strategy/json.ts';
import type { Fields } from '../fields.ts';
import { going, type RunFrame } from '../frame.ts';
import type { PlannedStep } from '../plan.ts';
import { causeOf, Failure, problemOf } from '../result.ts';
import { runSteps } from '../sequence.ts';
import { closed, scalarsShape } from '../shape.ts';
import { AnswerFailure, isPassing } from './http-answer.ts';
import { defineVerb, type StepContext } from './verb.ts';

const retry = ({ z, duration }: Fields) =>
  z.strictObject({
    attempts: z.int().min(1).max(20).optional(),
    delay: duration.optional(),
    backoff: z.number().min(1).max(10).optional(),
    max: duration.optional(),
    on: z.array(z.union([z.int().min(100).max(599), z.string()])).optional(),
  });
type RetryField = z.infer<ReturnType<typeof retry>>;

interface Retry {
  readonly attempts: number;
  readonly delayMs: number;
  readonly backoff: number;
  readonly maxMs: number;
  readonly on: readonly (number | string)[] | null;
}

interface Tried {
  readonly body: readonly PlannedStep[];
  /** The slots that the body binds: null again before each attempt. */
  readonly slots: readonly [from: number, to: number];
  readonly retry: Retry;
  readonly caught: { readonly steps: readonly PlannedStep[]; readonly slot: number } | null;
  readonly last: readonly PlannedStep[];
}

export const tryVerb = /* @__PURE__ */ defineVerb({
  verb: 'try',
  fields(fields) {
    const { z, steps, boundName } = fields;
    return {
      try: steps,
      retry: retry(fields).optional(),
      catch: z.strictObject({ as: boundName.optional(), do: steps }).optional(),
      finally: steps.optional(),
    };
  },
  yields: false,
  compile(step, context) {
    const { flow, scope } = context;
    const retried = retryOf(step.retry, context);
    const from = scope.slots;
    let body: readonly PlannedStep[] = [];
    let caught: Tried['caught'] = null;
    const before = { repeats: flow.repeats, answers: flow.answers };
    const compileBody = () => {
      flow.repeats ||= retried.attempts > 1;
      body = context.block(step.try, 'try');
      flow.repeats = before.repeats;
    };
    const compileCatch = () => {
      // It may have answered before it failed.
      flow.answered ||= flow.answers > before.answers;
      caught = step.catch === undefined ? null : compileCaught(step.catch, context);
    };
    context.arms(step.catch === undefined ? [compileBody] : [compileBody, compileCatch], true);
    const slots = [from, scope.slots] as const;
    const last = step.finally === undefined ? [] : compileLast(step.finally, context);
    return (frame) => attempt(frame, { body, slots, retry: retried, caught, last });
  },
});

const caughtShape = (() => {
  const fields = scalarsShape('code', 'message', 'status', 'step');
  return fields.kind === 'object' ? closed({ ...Object.fromEntries(fields.properties), body: anyShape }) : anyShape;
})();

function compileCaught(field: { as?: string | undefined; do: readonly unknown[] }, context: StepContext): Tried['caught'] {
  return context.scope.inner(() => {
    const slot = field.as === undefined ? -1 : context.bind(field.as, caughtShape, 'catch', 'as');
    return { slot, steps: context.block(field.do, 'catch', 'do') };
  });
}

function compileLast(list: readonly unknown[], context: StepContext): readonly PlannedStep[] {
  const { flow } = context;
  const [silent, live] = [flow.silent, flow.live];
  flow.silent = '`finally`';
  flow.live = true;
  const compiled = context.block(list, 'finally');
  Object.assign(flow, { silent, live: live && flow.live });
  return compiled;
}

function retryOf(field: RetryField | undefined, context: StepContext): Retry {
  if (field === undefined) return { attempts: 1, delayMs: 0, backoff: 1, maxMs: 0, on: null };
  for (const [index, on] of (field.on ?? []).entries()) {
    if (typeof on === 'number' || /^[1-5]xx$/.test(on) || /^[A-Z][A-Z_]*$/.test(on)) continue;
    context.refuse(
      `\`${on}\` is nothing to retry on.`,
      'Write statuses, `5xx`, or error codes such as UNREACHABLE.',
      'retry',
      'on',
      index,
    );
  }
  return {
    attempts: field.attempts ?? 3,
    delayMs: context.duration(field.delay ?? '200ms', 30_000, 'retry', 'delay'),
    backoff: field.backoff ?? 2,
    maxMs: context.duration(field.max ?? '10s', 30_000, 'retry', 'max'),
    on: field.on ?? null,
  };
}

async function attempt(frame: RunFrame, tried: Tried): Promise<void> {
  try {
    await attempts(frame, tried);
  } catch (error) {
    await runLast(frame, tried);
    throw error;
  }
  await runLast(frame, tried);
}

/** What the body and `catch` decided (return, respond) holds, unless `finally` decides otherwise. */
async function runLast(frame: RunFrame, tried: Tried): Promise<void> {
  if (tried.last.length === 0) return;
  const { signal, result } = frame;
  frame.signal = going;
  await runSteps(tried.last, frame);
  if (frame.signal === going) Object.assign(frame, { signal, result });
}

async function attempts(frame: RunFrame, tried: Tried): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      await runSteps(tried.body, frame);
      return;
    } catch (error) {
      if (count < tried.retry.attempts && matches(error, tried.retry.on)) {
        await backOff(frame, tried.retry, count);
        frame.values.fill(undefined, tried.slots[0], tried.slots[1]);
        continue;
      }
      if (tried.caught === null || isFatal(error)) throw error;
      if (tried.caught.slot >= 0) frame.values[tried.caught.slot] = caughtError(error);
      await runSteps(tried.caught.steps, frame);
      return;
    }
  }
}

/** The run's own limits end it, whatever it catches. */
function isFatal(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof CffbrwError && (cause.code === 'EXPRESSION_COST' || cause.code === 'INVARIANT' || isStepLimit(cause));
}
const isStepLimit = (error: CffbrwError) => error.code === 'STEP_LIMIT';

/** Full jitter: anything up to the delay (Brooker, "Exponential Backoff And Jitter", 2015). */
async function backOff(frame: RunFrame, { delayMs, backoff, maxMs }: Retry, count: number): Promise<void> {
  const ceilingMs = Math.min(maxMs, delayMs * backoff ** (count - 1));
  const waitMs = Math.floor(frame.random() * (ceilingMs + 1));
  await frame.onceWaiting<null>(
    () =>
      new Promise((resolve) => {
        frame.run.host.after(waitMs, () => resolve(null));
      }),
    false,
  );
}

/** Without `on`: what says of itself that a retry may help. */
function matches(thrown: unknown, on: Retry['on']): boolean {
  if (isFatal(thrown)) return false;
  const cause = causeOf(thrown);
  const status = statusOf(cause);
  const code = cause instanceof Failure ? cause.problem.type : cause instanceof CffbrwError ? cause.code : 'INVARIANT';
  if (cause instanceof AnswerFailure && on === null) return isPassing(status);
  if (on === null) return cause instanceof CffbrwError && errorCodes[cause.code as ErrorCode].retry !== 'no';
  return on.some((wanted) => wanted === status || wanted === code || wanted === `${Math.floor(status / 100)}xx`);
}

function statusOf(cause: unknown): number {
  if (cause instanceof AnswerFailure) return cause.answer.status;
  if (cause instanceof Failure) return cause.problem.status;
  return cause instanceof CffbrwError ? errorCodes[cause.code].status : 500;
}

function caughtError(thrown: unknown): Json {
  const { code, type, detail, title, status, step = null } = problemOf(thrown);
  const cause = causeOf(thrown);
  const answer = cause instanceof AnswerFailure ? cause.answer : { status };
  return { code: code ?? type, message: detail ?? title, ...answer, step };
}
