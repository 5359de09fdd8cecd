/**
 * Refusals as RFC 9457 problem details. What a client may know is here; what only the operator may know (paths, causes, stacks) goes to
 * the log, under an id that both have.
 */
import { CffbrwError, type ErrorCode, errorCodes, type Place } from '../error.ts';
import type { Json } from '../strategy/json.ts';

/** One thing that is wrong with an input: `pointer` is a JSON pointer (RFC 6901) into `source`. */
export interface InputError {
  readonly source: 'body' | 'query' | 'params' | 'headers';
  readonly pointer: string;
  readonly message: string;
}

/** The members of RFC 9457, section 3.1, and ours: what may be done next (`retry`, `fix`), where it happened, and what was wrong. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** `urn:cffbrw:<id>`: the id under which the log has the details. */
  readonly instance?: string;
  readonly code?: string;
  readonly retry?: 'no' | 'later' | 'same-key';
  readonly fix?: string;
  readonly place?: Place;
  /** `steps[3].then[0]`: the step that refused. */
  readonly step?: string;
  readonly errors?: readonly InputError[];
}

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly data?: Json;
  /** The id that the client was given. */
  readonly id?: string;
  readonly workflow?: string;
  readonly cause?: unknown;
}

export type Log = (entry: LogEntry) => void;

/** A refusal of an input that names each thing that is wrong. The list travels as the error's cause. */
export class InputErrors {
  readonly list: readonly InputError[];
  constructor(list: readonly InputError[]) {
    this.list = list;
  }
}

export const invalidInput = (message: string, list: readonly InputError[]): CffbrwError =>
  new CffbrwError('INVALID_INPUT', message, { cause: new InputErrors(list) });

/** Whose message may hold a path of this machine, or says nothing to a client. They get these words instead. */
const outward: Partial<Record<ErrorCode, string>> = {
  DISK_FULL: 'The disk of this server is full: nothing was written.',
  STORE_FAILED: 'The write may or may not have become durable.',
  STORE_CORRUPT: 'The store of this server is damaged.',
  STORE_VERSION: 'The store of this server was written by another version.',
  CLOCK_SUSPECT: 'The clock of this server is wrong, so it refuses to write.',
  FENCED: 'Another server took over from this one.',
  INVARIANT: 'This is a mistake of the server.',
  INVALID_APP: 'This server lacks what its app needs.',
};

const titleOf = (code: ErrorCode): string => {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** A document is named as its author knows it, never by where it lies on this machine. */
const placeOf = (place: Place): Place =>
  /^([/\\]|[A-Za-z]:)/.test(place.file) ? { ...place, file: place.file.slice(place.file.search(/[^/\\]*$/)) } : place;

/** What to tell the client about `error`. What it may not know is logged, under the problem's `instance`. */
export function toProblem(error: unknown, makeId: () => string, log?: Log): Problem {
  if (!(error instanceof CffbrwError)) return unknownProblem(error, makeId(), log);
  const { status, retry } = errorCodes[error.code];
  const said = outward[error.code];
  const id = said === undefined ? undefined : makeId();
  if (id !== undefined) log?.({ level: 'error', message: adviceOf(error), id, cause: error });
  return {
    type: 'about:blank',
    title: titleOf(error.code),
    status,
    detail: said ?? error.message,
    ...(id !== undefined && { instance: `urn:cffbrw:${id}` }),
    code: error.code,
    retry,
    ...(said === undefined && error.fix !== undefined && { fix: error.fix }),
    ...(error.place !== undefined && { place: error.place }),
    ...(error.cause instanceof InputErrors && { errors: error.cause.list }),
  };
}

const adviceOf = ({ message, fix }: CffbrwError): string => (fix === undefined ? message : `${message}\n  → ${fix}`);

function unknownProblem(error: unknown, id: string, log?: Log): Problem {
  log?.({
    level: 'error',
    message: error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error was thrown',
    id,
    cause: error,
  });
  const { status, retry } = errorCodes.INVARIANT;
  return {
    type: 'about:blank',
    title: 'Internal error',
    status,
    detail: 'Something went wrong here. The log has the details under this instance.',
    instance: `urn:cffbrw:${id}`,
    code: 'INVARIANT',
    retry,
  };
}

/** Makes the response of a run. A platform that needs no `Response` can give something lighter that looks like one. */
export type MakeResponse = (
  body: string | null,
  init: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
) => Response;

/** `retry: later` says when: at once is too soon for a machine that is full, frozen or recovering. */
export const retryAfterSeconds = 1;

export function problemResponse(
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
  make: MakeResponse = (body, init) => new Response(body, init),
): Response {
  const { place } = problem;
  return make(JSON.stringify(place === undefined ? problem : { ...problem, place: placeOf(place) }), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(problem.retry === 'later' && { 'retry-after': String(retryAfterSeconds) }),
      ...headers,
    },
  });
}
