/** Runs steps one after the other: synchronously, until one has to wait. */
import { CffbrwError } from '../error.ts';
import { going, type RunFrame } from './frame.ts';
import type { Executed, PlannedStep } from './plan.ts';
import { causeOf, Failure, StepFailure } from './result.ts';
import type { Thread, TracedStep } from './trace.ts';

export function runSteps(steps: readonly PlannedStep[], frame: RunFrame): Executed {
  const take = frame.run.thread === null ? runStep : runTraced;
  for (let index = 0; index < steps.length; index++) {
    const pending = take(steps[index] as PlannedStep, frame);
    if (pending !== undefined) return resume(pending, steps, frame, index);
    if (frame.signal !== going) return;
  }
}

async function resume(first: Promise<void>, steps: readonly PlannedStep[], frame: RunFrame, at: number): Promise<void> {
  let pending: Executed = first;
  const take = frame.run.thread === null ? runStep : runTraced;
  for (let index = at; ; ) {
    if (pending !== undefined) await located(pending, steps[index] as PlannedStep);
    index += 1;
    const next = steps[index];
    if (next === undefined || frame.signal !== going) return;
    pending = take(next, frame);
  }
}

async function located(pending: Promise<void>, step: PlannedStep): Promise<void> {
  try {
    await pending;
  } catch (error) {
    throw withStep(error, step);
  }
}

function runStep(step: PlannedStep, frame: RunFrame): Executed {
  try {
    countStep(frame);
    if (step.when === null) return step.execute(frame);
    const holds = step.when.evaluate(frame);
    if (holds instanceof Promise) return holds.then((loaded) => (loaded ? step.execute(frame) : undefined));
    return holds ? step.execute(frame) : undefined;
  } catch (error) {
    throw withStep(error, step);
  }
}

/** The same, with its beginning and its end noted. */
function runTraced(step: PlannedStep, frame: RunFrame): Executed {
  const { thread } = frame.run;
  if (thread === null) return runStep(step, frame);
  const entered = thread.enter(step);
  let pending: Executed;
  try {
    pending = runStep(step.when === null ? step : noting(step, entered), frame);
  } catch (error) {
    thread.leave(entered, messageOf(error));
    throw error;
  }
  if (pending === undefined) thread.leave(entered, null);
  else return leaveLater(pending, thread, entered);
}

async function leaveLater(pending: Promise<void>, thread: Thread, entered: TracedStep): Promise<void> {
  try {
    await pending;
  } catch (error) {
    thread.leave(entered, messageOf(error));
    throw error;
  }
  thread.leave(entered, null);
}

/** The step, which notes whether its condition lets it run. */
function noting(step: PlannedStep, entered: TracedStep): PlannedStep {
  entered.skipped = true;
  const execute = (frame: RunFrame): Executed => {
    entered.skipped = false;
    return step.execute(frame);
  };
  return { ...step, execute };
}

function messageOf(thrown: unknown): string {
  const error = causeOf(thrown);
  if (error instanceof Failure) return `${error.problem.status} ${error.problem.title}`;
  return error instanceof CffbrwError ? `${error.code}: ${error.message}` : 'INVARIANT: something unforeseen was thrown';
}

function countStep(frame: RunFrame): void {
  const { run } = frame;
  run.steps += 1;
  if (run.steps <= run.limits.steps) return;
  throw new CffbrwError('STEP_LIMIT', `this run has taken more than ${run.limits.steps} steps`, {
    fix: 'Work on less at once, or look for a loop that does not end.',
  });
}

/** The innermost step is the one to show. */
const withStep = (error: unknown, step: PlannedStep): StepFailure =>
  error instanceof StepFailure ? error : new StepFailure(error, step);
