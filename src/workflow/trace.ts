/**
 * What a run did, step by step, for those who look at it afterwards. Only a run that somebody observes has a trace; any other pays for
 * none of this.
 *
 * Never: changes what a run does; keeps a whole value (they may be large: a text of at most `maxTextLength` is kept).
 *
 * Invariants:
 *   X1  What is read and written is noted at the step that did it, also where branches run side by side: each thread asks a replica of
 *       its own, and the steps of one thread are in each other or one after the other.
 *   X2  A trace is bounded, whatever the run does.
 */
import type { Place } from '../error.ts';
import type { Host } from '../host.ts';
import type { DecidedTake, Replica, SettleResult, TakeRequest } from '../replica/replica.ts';
import type { Key } from '../strategy/address.ts';
import type { Json } from '../strategy/json.ts';
import type { Operation } from '../strategy/strategy.ts';

export interface TracedRead {
  readonly variable: string;
  readonly key: Key | null;
  readonly window: string;
  /** The value, or its beginning, as JSON. */
  readonly text: string;
}

export interface TracedWrite extends TracedRead {
  readonly operation: string;
}

export interface TracedStep {
  readonly at: string;
  /** '' for the run itself. */
  readonly thread: string;
  readonly verb: string;
  readonly id: string | null;
  readonly line: number;
  /** After the start of the run. */
  readonly startMs: number;
  tookMs: number;
  skipped: boolean;
  readonly reads: TracedRead[];
  readonly writes: TracedWrite[];
  error: string | null;
}

export interface RunRecord {
  readonly id: string;
  readonly workflow: string;
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** Until its answer could leave: a run may go on after that. */
  readonly tookMs: number;
  readonly status: number;
  readonly code: string | null;
  /** It had an idempotency key. */
  readonly keyed: boolean;
  readonly trace: readonly TracedStep[];
  /** More steps than are kept. */
  readonly cut: boolean;
}

export interface StepFacts {
  readonly at: string;
  readonly verb: string;
  readonly id: string | null;
  readonly place: Place;
  readonly touches: readonly { readonly variable: string }[];
}

/** One thread of a traced run. */
export interface Thread {
  /** Notes what the step does until `leave`. */
  enter(step: StepFacts): TracedStep;
  leave(step: TracedStep, failure: string | null): void;
  readonly replica: Replica;
  /** Another thread of the same run. */
  fork(name: string): Thread;
}

export interface Trace {
  readonly id: string;
  readonly thread: Thread;
  end(status: number, code: string | null): void;
}

export interface TraceOptions {
  readonly id: string;
  readonly workflow: string;
  readonly file: string;
  readonly keyed: boolean;
  readonly host: Host;
  readonly replica: Replica;
  readonly observe: (record: RunRecord) => void;
}

/** Begins the trace of a run. Whoever wants none has no part of this in memory. */
export type StartTrace = (run: Omit<TraceOptions, 'observe'>) => Trace;

/** Tells `observe` of every run, when it is over. */
export const observing =
  (observe: (record: RunRecord) => void): StartTrace =>
  (run) =>
    createTrace({ ...run, observe });

export const maxSteps = 500;
export const maxNotes = 50;
export const maxTextLength = 200;

export function createTrace({ id, workflow, file, keyed, host, replica, observe }: TraceOptions): Trace {
  const [startedMs, began] = [host.now(), host.elapsed()];
  const trace: TracedStep[] = [];
  let cut = false;
  const keep = (step: TracedStep): void => {
    if (trace.length < maxSteps) trace.push(step);
    else cut = true;
  };
  const since = () => host.elapsed() - began;
  return {
    id,
    thread: createThread('', { replica, since, keep }),
    end(status, code) {
      const record = { id, workflow, file, startedMs, tookMs: since(), status, code, keyed, trace };
      observe({ ...record, cut });
    },
  };
}

interface ThreadOptions {
  readonly replica: Replica;
  readonly since: () => number;
  readonly keep: (step: TracedStep) => void;
}

function createThread(name: string, options: ThreadOptions): Thread {
  const { since, keep } = options;
  const open: Open[] = [];
  return {
    enter(step) {
      const entered: TracedStep = {
        at: step.at,
        thread: name,
        verb: step.verb,
        id: step.id,
        line: step.place.line,
        startMs: since(),
        tookMs: 0,
        skipped: false,
        reads: [],
        writes: [],
        error: null,
      };
      open.push({ step: entered, facts: step });
      keep(entered);
      return entered;
    },
    leave(step, failure) {
      open.pop();
      step.tookMs = since() - step.startMs;
      step.error = failure;
    },
    replica: notingReplica(options.replica, open),
    fork: (inner) => createThread(inner, options),
  };
}

/** A step that has begun and not ended. */
interface Open {
  readonly step: TracedStep;
  readonly facts: StepFacts;
}

/** The same replica; what is read and written through it is noted at the innermost step that is open when it is asked. */
function notingReplica(replica: Replica, open: readonly Open[]): Replica {
  const noting = Object.create(notingOf(replica)) as Noting;
  noting.open = open;
  return noting;
}

type Noting = Replica & { open: readonly Open[] };

/** What notes, once per replica: an object made for every thread would cost more than its steps. */
const known = new WeakMap<Replica, object>();

function notingOf(replica: Replica): object {
  let noting = known.get(replica);
  if (noting === undefined) {
    noting = Object.assign(Object.create(replica) as object, notingMethods(replica));
    known.set(replica, noting);
  }
  return noting;
}

const notingMethods = (replica: Replica): Partial<Replica> & ThisType<Noting> => ({
  read(slot) {
    const value = replica.read(slot);
    const { variable, key, window } = slot.address;
    noteRead(this.open.at(-1), { variable, key, window, text: brief(value) });
    return value;
  },
  update(slot, operation) {
    const commit = replica.update(slot, operation);
    const { variable, key, window } = slot.address;
    noteWrite(this.open.at(-1), { variable, key, window, operation: operation.operation, text: inputOf(operation) });
    return commit;
  },
  async keys(variable, page) {
    const at = this.open.at(-1);
    const found = await replica.keys(variable, page);
    noteRead(at, { variable, key: null, window: '', text: brief(found as Json) });
    return found;
  },
  take(requests, options) {
    const at = this.open.at(-1);
    const result = replica.take(requests, options);
    if (!(result instanceof Promise)) return noteTakes(at, requests, result);
    return result.then((later) => noteTakes(at, requests, later));
  },
  mint(address, units, decided) {
    noteSupply(this.open.at(-1), 'mint', address, units);
    return replica.mint(address, units, decided);
  },
  burn(address, units, decided) {
    noteSupply(this.open.at(-1), 'burn', address, units);
    return replica.burn(address, units, decided);
  },
  give(receipt) {
    return noteSettling(this.open.at(-1), 'give', replica.give(receipt));
  },
  confirm(receipt) {
    return noteSettling(this.open.at(-1), 'confirm', replica.confirm(receipt));
  },
});

type At = Open | undefined;

function noteRead(at: At, read: TracedRead): void {
  if (at !== undefined && at.step.reads.length < maxNotes) at.step.reads.push(read);
}

function noteWrite(at: At, write: TracedWrite): void {
  if (at !== undefined && at.step.writes.length < maxNotes) at.step.writes.push(write);
}

function noteTakes(at: At, requests: readonly TakeRequest[], result: DecidedTake): DecidedTake {
  for (const { variable, key = null, amount = 1 } of requests)
    noteWrite(at, { variable, key, window: '', operation: 'take', text: `${amount}: ${result.ok ? 'ok' : result.reason}` });
  return result;
}

type Where = Pick<TracedRead, 'variable' | 'key' | 'window'>;

function noteSupply(at: At, operation: string, { variable, key, window }: Where, units: number): void {
  noteWrite(at, { variable, key, window, operation, text: String(units) });
}

/** A receipt names its address in its own way: the variable is the one that the step names. */
async function noteSettling(at: At, operation: string, settling: Promise<SettleResult>): Promise<SettleResult> {
  const result = await settling;
  const variable = at?.facts.touches[0]?.variable ?? '';
  noteWrite(at, { variable, key: null, window: '', operation, text: result.ok ? 'ok' : String(result.reason) });
  return result;
}

function inputOf(operation: Operation): string {
  const { operation: _, ...fields } = operation as Operation & Record<string, Json>;
  const values = Object.values(fields);
  return values.length === 1 ? brief(values[0] ?? null) : brief(fields);
}

/** The value as JSON, or its beginning. Costs what it gives, not what the value is. */
export function brief(value: Json): string {
  const text = write(value, maxTextLength);
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength - 1)}…` : text;
}

function write(value: Json, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.length > room ? value.slice(0, room) : value);
  if (typeof value !== 'object' || value === null) return String(value);
  const list = Array.isArray(value);
  let text = list ? '[' : '{';
  for (const name in value) {
    if (text.length >= room) break;
    const label = list ? '' : `${JSON.stringify(name.slice(0, room))}:`;
    const inner = (value as Readonly<Record<string, Json>>)[name] ?? null;
    text += `${text.length > 1 ? ',' : ''}${label}${write(inner, room - text.length)}`;
  }
  return `${text}${list ? ']' : '}'}`;
}
