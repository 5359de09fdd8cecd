/**
 * Every way in which CFFBRW refuses, in one closed list: its HTTP status, and what a client may do next.
 *
 * `retry`: `no` = the same request will fail again; `later` = nothing was done, retry it later; `same-key` = the outcome is
 * unknown or partly done, so retry only with the same `Idempotency-Key` (or `once`).
 */
export const errorCodes = {
  // What a request brought along.
  INVALID_INPUT: { status: 400, retry: 'no' },
  UNAUTHORIZED: { status: 401, retry: 'no' },
  FORBIDDEN: { status: 403, retry: 'no' },
  NOT_FOUND: { status: 404, retry: 'no' },
  METHOD_NOT_ALLOWED: { status: 405, retry: 'no' },
  BODY_TOO_LARGE: { status: 413, retry: 'no' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retry: 'no' },
  IDEMPOTENCY_MISMATCH: { status: 422, retry: 'no' },
  TOO_MANY_FAILURES: { status: 429, retry: 'later' },
  // What a workflow did with values.
  INVALID_NUMBER: { status: 422, retry: 'no' },
  INVALID_VALUE: { status: 422, retry: 'no' },
  INVALID_KEY: { status: 422, retry: 'no' },
  TOO_LARGE: { status: 422, retry: 'no' },
  SCHEMA_MISMATCH: { status: 422, retry: 'no' },
  OUT_OF_RANGE: { status: 422, retry: 'no' },
  WINDOW_CLOSED: { status: 422, retry: 'no' },
  EXPRESSION_FAILED: { status: 500, retry: 'no' },
  EXPRESSION_COST: { status: 500, retry: 'no' },
  RUN_FAILED: { status: 500, retry: 'no' },
  STEP_LIMIT: { status: 500, retry: 'no' },
  // What an author wrote.
  INVALID_DOCUMENT: { status: 500, retry: 'no' },
  INVALID_EXPRESSION: { status: 500, retry: 'no' },
  INVALID_APP: { status: 500, retry: 'no' },
  UNKNOWN_VARIABLE: { status: 500, retry: 'no' },
  WRONG_OPERATION: { status: 500, retry: 'no' },
  // What the machine or the network did.
  DISK_FULL: { status: 507, retry: 'later' },
  STORE_FAILED: { status: 503, retry: 'same-key' },
  STORE_CORRUPT: { status: 503, retry: 'no' },
  STORE_VERSION: { status: 503, retry: 'no' },
  UNREACHABLE: { status: 503, retry: 'same-key' },
  FORBIDDEN_ADDRESS: { status: 502, retry: 'no' },
  HTTP_FAILED: { status: 502, retry: 'same-key' },
  RECOVERING: { status: 503, retry: 'later' },
  FROZEN: { status: 503, retry: 'later' },
  FENCED: { status: 503, retry: 'later' },
  CLOCK_SUSPECT: { status: 503, retry: 'later' },
  OVERLOADED: { status: 503, retry: 'later' },
  CLOSED: { status: 503, retry: 'later' },
  TIMEOUT: { status: 504, retry: 'same-key' },
  // What can only be a mistake of ours.
  INVARIANT: { status: 500, retry: 'no' },
} as const satisfies Record<string, { status: number; retry: 'no' | 'later' | 'same-key' }>;

export type ErrorCode = keyof typeof errorCodes;

/** A place in a document: `line` and `column` count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ErrorDetails {
  /** What to do about it: one sentence, or text that can be pasted. */
  readonly fix?: string;
  readonly cause?: unknown;
  readonly place?: Place;
}

/** The only error that CFFBRW throws on purpose. `message` says what and why; `fix` says what to do. */
export class CffbrwError extends Error {
  override readonly name = 'CffbrwError';
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly place: Place | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.fix = details.fix;
    this.place = details.place;
  }
}

/** What whoever is refused with this may do next. */
export const retryAfter = (error: unknown): 'no' | 'later' | 'same-key' =>
  error instanceof CffbrwError ? errorCodes[error.code].retry : 'no';

/** An invariant, asserted in production: `invariant(ok, 'R3', 'what is wrong')`. The label is the number in the file's header. */
export function invariant(holds: boolean, label: string, message: string): asserts holds {
  if (!holds) throw new CffbrwError('INVARIANT', `invariant ${label} is broken: ${message}`);
}
