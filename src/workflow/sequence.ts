/** Runs steps one after the other: synchronously, until one has to wait. */
import { CffbrwError } from '../error.ts';
import { going, type RunFrame } from './frame.ts';
import type { Executed, PlannedStep } from './plan.ts';
import { StepFailure } from './result.ts';

export function runSteps(steps: readonly PlannedStep[], frame: RunFrame): Executed {
  for (let index = 0; index < steps.length; index++) {
    const pending = runStep(steps[index] as PlannedStep, frame);
    if (pending !== undefined) return resume(pending, steps, frame, index);
    if (frame.signal !== going) return;
  }
}

async function resume(first: Promise<void>, steps: readonly PlannedStep[], frame: RunFrame, at: number): Promise<void> {
  let pending: Executed = first;
  for (let index = at; ; ) {
    if (pending !== undefined) await located(pending, steps[index] as PlannedStep);
    index += 1;
    const next = steps[index];
    if (next === undefined || frame.signal !== going) return;
    pending = runStep(next, frame);
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
