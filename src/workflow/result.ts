/** What a run gives: an answer, or a problem. */
import { CffbrwError, type ErrorCode, errorCodes, type Place } from '../error.ts';
import type { Json } from '../strategy/json.ts';

export interface RunAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: an empty body. JSON, unless it is a string and a `content-type` is set. */
  readonly body?: Json;
}

/** A refusal with the members of RFC 9457, and the step that it comes from. */
export interface RunProblem {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail?: string;
  /** `urn:cffbrw:<id>`: the run. */
  readonly instance?: string;
  readonly code?: ErrorCode;
  readonly retry?: 'no' | 'later' | 'same-key';
  readonly fix?: string;
  readonly place?: Place;
  /** `steps[3].then[0]`. */
  readonly step?: string;
}

export type RunResult = RunAnswer | RunProblem;

export const isProblem = (result: RunResult): result is RunProblem => 'title' in result;

/** An author's `fail`. Not an Error: it is part of how workflows work, and needs no stack. */
export class Failure {
  readonly problem: RunProblem;
  constructor(problem: RunProblem) {
    this.problem = problem;
  }
}

/** Whatever a step threw, with the step. */
export class StepFailure {
  readonly cause: unknown;
  readonly step: { readonly at: string; readonly place: Place };
  constructor(cause: unknown, step: { readonly at: string; readonly place: Place }) {
    this.cause = cause;
    this.step = step;
  }
}

/** What was thrown inside, without the step. */
export const causeOf = (thrown: unknown): unknown => (thrown instanceof StepFailure ? thrown.cause : thrown);

/** What may be told about whatever a run threw. */
export function problemOf(thrown: unknown): RunProblem {
  const error = causeOf(thrown);
  const step = thrown instanceof StepFailure ? { place: thrown.step.place, step: thrown.step.at } : {};
  if (error instanceof Failure) return { ...error.problem, ...step };
  const place = error instanceof CffbrwError && error.place !== undefined ? { place: error.place } : {};
  return { ...describe(error), ...step, ...place };
}

/** Of a run that did something before it was refused so: that nothing was done would be untrue, and a retry would do it twice. */
export const partlyDone = (problem: RunProblem): RunProblem => ({
  ...problem,
  ...errorCodes.STORE_FAILED,
  title: titleOf('STORE_FAILED'),
  code: 'STORE_FAILED',
  detail: `Some of it was done, and then: ${problem.title}.`,
  fix: 'Retry with the same idempotency key only: with another, or none, it may be done twice.',
});

/** Whose messages are for the operator: they may name paths of this machine. */
const internal: ReadonlySet<ErrorCode> = new Set([
  'DISK_FULL',
  'STORE_FAILED',
  'STORE_CORRUPT',
  'STORE_VERSION',
  'CLOCK_SUSPECT',
  'FENCED',
  'INVARIANT',
]);

/** True for what the operator should see and the client may not. */
export function isInternal(thrown: unknown): boolean {
  const error = causeOf(thrown);
  return !(error instanceof Failure) && (!(error instanceof CffbrwError) || internal.has(error.code));
}

const titleOf = (code: ErrorCode): string =>
  code === 'INVARIANT' ? 'Internal error' : code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ');

function describe(error: unknown): RunProblem {
  const code = error instanceof CffbrwError ? error.code : 'INVARIANT';
  const { status, retry } = errorCodes[code];
  const problem: RunProblem = { status, type: 'about:blank', title: titleOf(code), code, retry };
  if (!(error instanceof CffbrwError) || internal.has(code)) return problem;
  return { ...problem, detail: error.message, ...(error.fix !== undefined && { fix: error.fix }) };
}
