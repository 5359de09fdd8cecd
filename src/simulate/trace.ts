/**
 * What happened in a simulation, one event per thing that happened: when, at which replica, in which run and step, what it read and wrote,
 * and what the network did. Plain data; how it looks belongs to a report.
 */
import type { Json } from '../strategy/json.ts';
import type { RunRecord } from '../workflow/index.ts';

interface At {
  /** Milliseconds since the load began. */
  readonly atMs: number;
  /** The machine that it happened at: a region, `<region>-twin`, or `backbone`. */
  readonly replica: string;
}

/** A user's request reaches a replica. */
export interface RequestEvent extends At {
  readonly kind: 'request';
  /** The number of the request, from 0. */
  readonly i: number;
  readonly user: number;
  readonly method: string;
  readonly path: string;
  readonly body: Json;
}

/** A user's request is answered. Status 0: never, because the replica died or did not run. */
export interface AnswerEvent extends At {
  readonly kind: 'answer';
  readonly i: number;
  readonly user: number;
  readonly status: number;
  readonly body: Json;
  readonly tookMs: number;
}

export interface ReadNote {
  readonly variable: string;
  readonly key: Json;
  readonly window: string;
  /** The value, or its beginning, as JSON. */
  readonly value: string;
}

export interface WriteNote extends ReadNote {
  readonly operation: string;
}

/** One step of a run. `atMs` is when it began. */
export interface StepEvent extends At {
  readonly kind: 'step';
  /** The number of the run, from 1, in the order in which runs began. */
  readonly run: number;
  readonly workflow: string;
  readonly file: string;
  readonly line: number;
  /** `steps[3].then[0]` */
  readonly step: string;
  readonly verb: string;
  readonly skipped: boolean;
  readonly reads: readonly ReadNote[];
  readonly writes: readonly WriteNote[];
  readonly error: string | null;
  readonly tookMs: number;
}

/**
 * What the network did with a message between a replica and the backbone. `sent`, then `answered`; or `gave-up`: the sender waited too long and
 * does not know the outcome. `delivered`: rows of others arrived. Questions that only look, and are answered, are left out.
 */
export interface NetworkEvent extends At {
  readonly kind: 'network';
  readonly what: 'sent' | 'answered' | 'gave-up' | 'delivered';
  readonly from: string;
  readonly to: string;
  /** `publish`, `get`, `compareAndSet <register>`, `rows` … */
  readonly message: string;
  /** The rows that it carries, as `<replica> <address> v<version>`. */
  readonly rows: readonly string[];
}

/** What was done to the world, and when it ended: a crash, a cut, a clock, a disk. */
export interface FaultEvent extends At {
  readonly kind: 'fault';
  /** The action's own name: `crash`, `start`, `cut`, `heal`, `clock` … */
  readonly what: string;
  /** What is particular to it: `out`, `2h ahead`. */
  readonly detail: string;
}

/** What a replica told its operator. */
export interface AlarmEvent extends At {
  readonly kind: 'alarm';
  readonly what: string;
  readonly detail: string;
}

/** The moment at which an invariant broke. */
export interface ViolationEvent extends At {
  readonly kind: 'violation';
  readonly invariant: string;
  readonly message: string;
  /** The response after which it was broken, or null. */
  readonly i: number | null;
}

/** From here on everything is healed. */
export interface PhaseEvent extends At {
  readonly kind: 'phase';
  readonly what: 'load' | 'heal' | 'rest';
}

export type TraceEvent =
  | RequestEvent
  | AnswerEvent
  | StepEvent
  | NetworkEvent
  | FaultEvent
  | AlarmEvent
  | ViolationEvent
  | PhaseEvent;

/** Keeps events while a simulation runs. */
export interface TraceLog {
  add(event: TraceEvent): void;
  /** In the order of time; what happened at one time is in the order in which it was added. */
  events(): readonly TraceEvent[];
}

/** Steps are told when their run ends, so they are put into their place afterwards. */
export function createTraceLog(): TraceLog {
  const kept: TraceEvent[] = [];
  return {
    add: (event) => void kept.push(event),
    events: () => kept.slice().sort((a, b) => a.atMs - b.atMs),
  };
}

/** What a run did, step by step. `beganMs`: when it began. */
export function stepEvents(record: RunRecord, { replica, beganMs }: { replica: string; beganMs: number }): StepEvent[] {
  const { workflow, file } = record;
  const run = Number(record.id.replace(/^run-/, ''));
  return record.trace.map((step) => ({
    ...{ kind: 'step', atMs: beganMs + step.startMs, replica, run, workflow, file },
    ...{ line: step.line, step: step.at, verb: step.verb, skipped: step.skipped, error: step.error, tookMs: step.tookMs },
    reads: step.reads.map(({ variable, key, window, text }) => ({ variable, key, window, value: text })),
    writes: step.writes.map(({ variable, key, window, text, operation }) => ({ variable, key, window, value: text, operation })),
  }));
}
