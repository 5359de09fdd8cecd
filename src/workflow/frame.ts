/**
 * What a run has while it runs. A Run is one execution of a plan; a RunFrame is one thread of it: the run itself, an iteration, a branch or a
 * called workflow, each with its own names, its own random numbers and its own part of the journal.
 *
 * Invariants:
 *   W1  Everything read from or written to the replica is noted (`touch`), so that the answer can wait until it is durable.
 *   W2  On replay a frame reads what it read before, and repeats no effect that the journal has.
 *   W3  Nothing waits unless it must: an address in memory is read and written synchronously.
 *   W4  A run that has written anything that stays is never refused with a code that says that nothing was done.
 */
import { CffbrwError } from '../error.ts';
import type { Compiled, Frame, Fuel, VariableRead } from '../expression/expression.ts';
import type { Host } from '../host.ts';
import type { Replica, Slot } from '../replica/replica.ts';
import type { Address, Key } from '../strategy/address.ts';
import type { Json } from '../strategy/json.ts';
import type { Journal, Lane } from './journal.ts';
import { createRandom, type Random } from './random.ts';
import type { RunAnswer } from './result.ts';
import type { Thread } from './trace.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly data?: Json;
  readonly workflow: string;
  /** The run's id. */
  readonly id?: string;
}

export interface Limits {
  /** Steps that one run may take, iterations and called workflows included. */
  readonly steps: number;
  /** How deep workflows may call each other. */
  readonly depth: number;
  /** Units of work of all expressions of a run. */
  readonly fuel: number;
}

/** The values of the secrets that an app names; a map is one. */
export interface Secrets {
  get(name: string): string | undefined;
  /** What to do about one without a value. Default: it is set in the environment. */
  fix?(name: string): string;
}

/** One execution of a plan. */
export interface Run {
  /** Null until somebody is told of it: see `idOf`. */
  id: string | null;
  /** Null: nobody observes this run. */
  readonly thread: Thread | null;
  readonly workflow: string;
  readonly replica: Replica;
  readonly host: Host;
  readonly log: (entry: LogEntry) => void;
  readonly secrets: Secrets | undefined;
  readonly limits: Limits;
  readonly fuel: Fuel;
  /** Null: not a keyed run. */
  readonly journal: Journal | null;
  steps: number;
  /** The highest commit touched, and what says that each touched one is durable. */
  commit: number;
  readonly gates: Promise<void>[];
  /** The commits of what it has written; 0: what it did for good, here or elsewhere. */
  readonly writes: number[];
  startedMs: number | null;
  seed: string | null;
  answer: RunAnswer | null;
  readonly background: (work: Promise<void>) => void;
  /** Called when a step responds and goes on. */
  early: ((answer: RunAnswer) => void) | null;
}

/** Why a frame stopped before its last step. */
export const going = 0;
export const returned = 1;
export const ended = 2;

type Resolved = { readonly address: Address } | { readonly error: unknown };

export class RunFrame implements Frame {
  readonly run: Run;
  readonly values: (Json | undefined)[];
  readonly lane: Lane | null;
  /** What makes this frame's random numbers differ from another's. */
  readonly name: string;
  readonly depth: number;
  signal: typeof going | typeof returned | typeof ended = going;
  result: Json = null;
  #random: Random | null = null;
  #threads = 0;
  #resolved: readonly Resolved[] = [];

  constructor(run: Run, values: (Json | undefined)[], origin: { name: string; lane: Lane | null; depth: number }) {
    this.run = run;
    this.values = values;
    this.lane = origin.lane;
    this.name = origin.name;
    this.depth = origin.depth;
  }

  get fuel(): Fuel {
    return this.run.fuel;
  }

  /** A number for the threads of the step that runs now: the same on replay. */
  nextThread(): number {
    this.#threads += 1;
    return this.#threads;
  }

  /** A thread of its own. `name` is unique among the threads of this frame. */
  child(name: string, values: (Json | undefined)[] = this.values.slice(), depth: number = this.depth): RunFrame {
    const full = `${this.name}/${name}`;
    const run = this.run.thread === null ? this.run : forThread(this.run, this.run.thread.fork(full));
    return new RunFrame(run, values, { name: full, lane: run.journal?.lane(full) ?? null, depth });
  }

  /** The value of a compiled value; a promise only when an address must be loaded first (W3). */
  evaluate(compiled: Compiled): Json | Promise<Json> {
    const { reads } = compiled;
    if (reads.length === 0) return compiled.evaluate(this);
    const resolved: Resolved[] = [];
    this.#resolved = resolved;
    for (const read of reads) {
      const found = this.#resolve(read);
      if ('address' in found && this.run.replica.peek(found.address) === undefined)
        return this.#evaluateLoading(compiled, found, resolved);
      resolved.push(found);
    }
    return compiled.evaluate(this);
  }

  async #evaluateLoading(compiled: Compiled, missing: { address: Address }, resolved: Resolved[]): Promise<Json> {
    const { replica } = this.run;
    await replica.load([missing.address]);
    resolved.push(missing);
    while (resolved.length < compiled.reads.length) {
      const read = compiled.reads[resolved.length];
      if (read === undefined) break;
      const found = this.#resolve(read);
      if ('address' in found && replica.peek(found.address) === undefined) await replica.load([found.address]);
      resolved.push(found);
    }
    // What came first may have left memory while the last was loaded.
    const gone = resolved.flatMap((found) =>
      'address' in found && replica.peek(found.address) === undefined ? [found.address] : [],
    );
    if (gone.length > 0) await replica.load(gone);
    return compiled.evaluate(this);
  }

  #resolve(read: VariableRead): Resolved {
    try {
      const key = read.key === null ? undefined : toKey(read.key.evaluate(this), `the key of \`${read.text}\``);
      return { address: this.run.replica.address(read.variable, key) };
    } catch (error) {
      return { error };
    }
  }

  #slot(index: number): Slot {
    const found = this.#resolved[index];
    if (found !== undefined && 'error' in found) throw found.error;
    const slot = found && this.run.replica.peek(found.address);
    if (slot !== undefined) return slot;
    throw new CffbrwError('OVERLOADED', 'a value left memory before it could be read', { fix: 'Retry the request.' });
  }

  read(index: number): Json {
    if (this.lane === null) return readSlot(this, this.#slot(index));
    return this.once(() => readSlot(this, this.#slot(index)), false);
  }

  age(index: number): number {
    return this.once(() => this.run.replica.age(this.#slot(index)), false);
  }

  /** What `act` gives: on replay, what it gave then. An effect is kept in the transaction that it writes in (W2). */
  once<Result extends Json>(act: () => Result, effect: boolean): Result {
    const { lane } = this;
    if (lane === null) return act();
    if (lane.replaying) return lane.next() as Result;
    if (effect) lane.check();
    let result: Result;
    try {
      result = act();
    } catch (error) {
      lane.recordError(error);
      throw error;
    }
    lane.record(result, effect);
    return result;
  }

  /** The same for what has to wait; its entry is written when it is done. */
  async onceWaiting<Result extends Json>(act: () => Promise<Result>, effect: boolean): Promise<Result> {
    const { lane } = this;
    if (lane?.replaying) return lane.next() as Result;
    let result: Result;
    try {
      result = await act();
    } catch (error) {
      lane?.recordError(error);
      throw error;
    }
    lane?.record(result, effect);
    return result;
  }

  touch(slot: Slot): void {
    gateOn(this.run, this.run.replica.commitOf(slot));
  }

  now(): number {
    this.run.startedMs ??= this.run.host.now();
    return this.run.startedMs;
  }

  random(): number {
    return this.#generator().next();
  }

  uuid(): string {
    return this.#generator().uuid();
  }

  #generator(): Random {
    this.run.seed ??= this.run.host.id();
    this.#random ??= createRandom(`${this.run.seed}${this.name}`);
    return this.#random;
  }

  secret(name: string): string {
    const { secrets } = this.run;
    const found = secrets?.get(name);
    if (found !== undefined) return found;
    throw new CffbrwError('RUN_FAILED', `the secret ${name} has no value here`, {
      fix: secrets?.fix?.(name) ?? `Set ${name} in the environment.`,
    });
  }
}

/** The run, as a thread of a traced one sees it: with a replica that notes who asks. What changes, changes in the run. */
function forThread(run: Run, thread: Thread): Run {
  const passed = ['id', 'steps', 'commit', 'startedMs', 'seed', 'answer', 'early'] as const satisfies readonly (keyof Run)[];
  const properties: PropertyDescriptorMap = { thread: { value: thread }, replica: { value: thread.replica } };
  for (const name of passed) {
    properties[name] = {
      get: () => run[name],
      set(value: never) {
        run[name] = value;
      },
    };
  }
  return Object.create(run, properties) as Run;
}

/** The id under which the log and the client know this run. */
export function idOf(run: Run): string {
  run.id ??= run.host.id();
  return run.id;
}

export function readSlot(frame: RunFrame, slot: Slot): Json {
  const value = frame.run.replica.read(slot);
  frame.touch(slot);
  return value;
}

/** The run's answer waits for this commit (W1). */
export function gateOn(run: Run, commit: number): void {
  if (commit <= run.commit) return;
  run.commit = commit;
  const gate = run.replica.durable(commit);
  if (gate !== undefined) run.gates.push(gate);
}

/** A key from a value. Throws INVALID_KEY for null and everything that is no key. */
export function toKey(value: Json | undefined, what: string): Key {
  if (typeof value === 'string' || typeof value === 'number') return value;
  const list = Array.isArray(value) && value.every((part) => typeof part === 'string' || typeof part === 'number');
  if (list) return value as readonly (string | number)[];
  const found =
    value === null || value === undefined
      ? 'null'
      : Array.isArray(value)
        ? 'a list with other things in it'
        : `a ${typeof value}`;
  throw new CffbrwError('INVALID_KEY', `${what} is ${found}; a key is text, an integer, or a list of them`, {
    fix: 'Make sure that it has a value: test for null before, or require it in the schema of the request.',
  });
}
