/**
 * Runs a plan. A run is synchronous as far as it can be; nothing leaves it before everything that it has read or written here is durable
 * (the output gate).
 */
import { CffbrwError } from '../error.ts';
import { createFuel, defaultFuel } from '../expression/expression.ts';
import type { Host } from '../host.ts';
import type { Replica } from '../replica/replica.ts';
import type { Json } from '../strategy/json.ts';
import { gateOn, idOf, type Limits, type LogEntry, type Run, RunFrame, returned, type Secrets } from './frame.ts';
import type { Journal } from './journal.ts';
import type { Plan } from './plan.ts';
import { causeOf, isInternal, isProblem, problemOf, type RunAnswer, type RunResult } from './result.ts';
import { runSteps } from './sequence.ts';
import type { StartTrace, Trace } from './trace.ts';
import { didForGood, truthful } from './written.ts';

export interface RunContext {
  readonly replica: Replica;
  readonly host: Host;
  readonly log?: (entry: LogEntry) => void;
  readonly secrets?: Secrets;
  readonly limits?: Partial<Limits>;
  /** Told of what goes on after an answer with `continue: true`, so that a platform keeps the process alive until then. */
  readonly background?: (work: Promise<void>) => void;
  /** Records every run (`observing`). Without it nothing is recorded. */
  readonly observe?: StartTrace;
  /** Names every run. Default: the host's identifiers, and only for runs that somebody is told of. */
  readonly runId?: () => string;
}

/** What a keyed run goes on from. */
export interface RunStart {
  readonly seed: string;
  readonly startedMs: number;
  readonly journal: Journal;
  /** An earlier attempt left something. */
  readonly resumed: boolean;
  /** Keeps the result, in the block in which the run ended. Answers with the commit that makes it durable; 0: it is not kept. */
  readonly finish: (result: RunResult) => number;
}

/** What a workflow sees as `request`: `{ method, path, params, query, headers, body }`, or `{ with }`. */
export type RunRequest = Readonly<Record<string, Json>>;

export const defaultLimits: Limits = Object.freeze({ steps: 10_000, depth: 16, fuel: defaultFuel });

/** Never rejects: what goes wrong is a problem. A promise only if something had to be waited for. */
export function executeRun(
  plan: Plan,
  request: RunRequest,
  context: RunContext,
  start?: RunStart,
): RunResult | Promise<RunResult> {
  if (context.observe === undefined) return execute(plan, request, createRun(plan, context, start), start);
  const { host, replica, observe } = context;
  const keyed = start !== undefined;
  const id = context.runId?.() ?? host.id();
  const trace = observe({ id, workflow: plan.name, file: plan.file, keyed, host, replica });
  const result = execute(plan, request, createRun(plan, context, start, trace), start);
  return result instanceof Promise ? result.then((later) => told(trace, later)) : told(trace, result);
}

function told(trace: Trace, result: RunResult): RunResult {
  trace.end(result.status, isProblem(result) ? (result.code ?? result.type) : null);
  return result;
}

function execute(plan: Plan, request: RunRequest, run: Run, start: RunStart | undefined): RunResult | Promise<RunResult> {
  const frame = new RunFrame(run, [request], { name: '', lane: run.journal?.lane('') ?? null, depth: 0 });
  if (plan.answersEarly) return runAnsweringEarly(plan, frame, start);
  let pending: void | Promise<void>;
  try {
    pending = runSteps(plan.steps, frame);
  } catch (error) {
    return gated(run, failed(run, error), start);
  }
  if (pending === undefined) return gated(run, answerOf(frame), start);
  return pending.then(
    () => gated(run, answerOf(frame), start),
    (error: unknown) => gated(run, failed(run, error), start),
  );
}

function createRun(plan: Plan, context: RunContext, start: RunStart | undefined, trace: Trace | null = null): Run {
  const limits = context.limits === undefined ? defaultLimits : { ...defaultLimits, ...context.limits };
  return {
    id: trace === null ? (context.runId?.() ?? null) : trace.id,
    thread: trace === null ? null : trace.thread,
    workflow: plan.name,
    replica: trace === null ? context.replica : trace.thread.replica,
    host: context.host,
    log: context.log ?? noLog,
    secrets: context.secrets,
    limits,
    fuel: createFuel(limits.fuel),
    journal: start?.journal ?? null,
    steps: 0,
    commit: 0,
    gates: [],
    writes: start?.resumed === true ? [0] : [],
    startedMs: start?.startedMs ?? null,
    seed: start?.seed ?? null,
    answer: null,
    early: null,
    background: context.background ?? ignore,
  };
}

const noLog = (): void => {};
const ignore = (): void => {};

const noContent: RunAnswer = Object.freeze({ status: 204, headers: Object.freeze({}) });

function answerOf(frame: RunFrame): RunAnswer {
  if (frame.run.answer !== null) return frame.run.answer;
  return frame.signal === returned ? { status: 200, headers: noContent.headers, body: frame.result } : noContent;
}

function failed(run: Run, error: unknown): RunResult {
  if (isInternal(error)) report(run, error);
  const problem = problemOf(error);
  return run.id === null ? problem : { ...problem, instance: `urn:cffbrw:${run.id}` };
}

function report(run: Run, thrown: unknown): void {
  const error = causeOf(thrown);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const code = error instanceof CffbrwError ? error.code : 'INVARIANT';
  run.log({
    level: 'error',
    message,
    workflow: run.workflow,
    id: idOf(run),
    data: { code, stack: error instanceof Error ? (error.stack ?? null) : null },
  });
}

/** The output gate: the result, when everything that it may show is durable. */
function gated(run: Run, reached: RunResult, start: RunStart | undefined): RunResult | Promise<RunResult> {
  let result = reached;
  try {
    if (start !== undefined) gateOn(run, start.finish(result));
  } catch (error) {
    result = failed(run, error);
  }
  const [first] = run.gates;
  if (first === undefined) return truthful(run, result);
  const gate: Promise<unknown> = run.gates.length === 1 ? first : Promise.all(run.gates);
  return gate.then(
    () => truthful(run, result),
    (error: unknown) => truthful(run, failed(run, error)),
  );
}

/** A run that answers and goes on: what fails afterwards is logged. */
function runAnsweringEarly(plan: Plan, frame: RunFrame, start: RunStart | undefined): Promise<RunResult> {
  const { run } = frame;
  return new Promise((resolve) => {
    let answered = false;
    const settle = (result: RunResult) => {
      if (answered) return;
      answered = true;
      resolve(gated(run, result, start));
    };
    run.early = (answer) => {
      didForGood(run); // it goes on, whatever becomes of its answer
      settle(answer);
    };
    const work = (async () => {
      try {
        await runSteps(plan.steps, frame);
        settle(answerOf(frame));
        await Promise.all(run.gates);
      } catch (error) {
        if (answered) report(run, error);
        settle(failed(run, error));
      }
    })();
    run.background(work);
  });
}
