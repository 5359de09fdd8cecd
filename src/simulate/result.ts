/** What simulations give: one run, many runs, and what broke in them. Plain data. */
import type { CffbrwError, Place } from '../error.ts';
import type { Json } from '../strategy/json.ts';
import type { Schedule } from './schedule.ts';
import type { TraceEvent } from './trace.ts';

/** What a user was answered. `responses` of an invariant is the list of these, in the order in which they came. */
export interface SimulatedResponse {
  /** The number of the request, from 0, in the order in which they were sent. */
  readonly i: number;
  readonly user: number;
  readonly region: string;
  readonly method: string;
  readonly path: string;
  /** 0: no answer; the replica died, or did not run. What became of the request is unknown. */
  readonly status: number;
  /** JSON, or a text. */
  readonly body: Json;
  /** When it was answered, milliseconds since the start. */
  readonly at: number;
  readonly took: number;
}

export interface Violation {
  /**
   * `always`, `finally`: an invariant of the scenario. `bound`: more was taken from a bounded counter than there was. `convergence`: replicas
   * hold different bytes after healing. `answer`: a request was not answered in time. `failure`: a replica broke down.
   */
  readonly kind: 'always' | 'finally' | 'bound' | 'convergence' | 'answer' | 'failure';
  /** The invariant's name. */
  readonly invariant: string;
  readonly message: string;
  /** Where the invariant stands in the scenario. */
  readonly place: Place | null;
  /** The first response after which it was broken: an index of `responses`. */
  readonly response: number | null;
  readonly atMs: number;
}

export interface RunResult {
  readonly app: string;
  readonly scenario: string;
  readonly seed: string;
  readonly passed: boolean;
  readonly violations: readonly Violation[];
  readonly responses: readonly SimulatedResponse[];
  /** The figure that the scenario watches; null: it watches none. */
  readonly watched: number | null;
  /** Equal for equal runs: of all events, responses and rows at the end. */
  readonly fingerprint: string;
  /** Virtual time, until everything had come to rest. */
  readonly tookMs: number;
  /** How many events the world had. */
  readonly events: number;
  readonly schedule: Schedule;
  /** Empty unless asked for. */
  readonly trace: readonly TraceEvent[];
}

/** How a figure is spread over runs. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
  readonly mean: number;
  /** From `from` (included) to `to` (excluded; the last one includes it). */
  readonly buckets: readonly { readonly from: number; readonly to: number; readonly count: number }[];
}

export interface DocumentRuns {
  readonly name: string;
  readonly role: 'subject' | 'baseline';
  readonly runs: number;
  /** How many runs broke at least one invariant. */
  readonly violated: number;
  /** The first of them. */
  readonly first: { readonly seed: string; readonly violations: readonly Violation[] } | null;
  /** How many runs broke each invariant. */
  readonly byInvariant: Readonly<Record<string, number>>;
  readonly watched: Distribution | null;
  readonly requests: number;
  readonly events: number;
  /** Of all runs together. */
  readonly fingerprint: string;
}

export interface RunSet {
  readonly scenario: string;
  readonly seeds: readonly string[];
  /** The name of the figure that is watched. */
  readonly watch: string | null;
  readonly documents: readonly DocumentRuns[];
  /** Every subject held in every run, and every baseline broke. */
  readonly passed: boolean;
  /** What is wrong with the scenario itself: a baseline that does not break. */
  readonly problems: readonly CffbrwError[];
}
