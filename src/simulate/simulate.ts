/**
 * Runs scenarios: one seed, or many, of one app, or of several that are compared. The real handler, workflows, replicas and strategies on a
 * world made of the seed.
 */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import type { RunResult, RunSet } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { Schedule } from './schedule.ts';

export interface SimulateOptions {
  readonly app: App;
  readonly scenario: Scenario;
  readonly seed: string | number;
  /** Resolves when every microtask is over. */
  readonly drain: () => Promise<void>;
  /** The values of the app's secrets. Default: `secret-<NAME>`. */
  readonly secrets?: ReadonlyMap<string, string>;
  /** Keep a trace. Changes nothing else. Default true. */
  readonly trace?: boolean;
  /** Replay this schedule (of this scenario and seed, made shorter perhaps) instead of drawing one. */
  readonly schedule?: Schedule;
}

/** One run. Rejects with INVALID_APP or INVALID_EXPRESSION where the scenario does not fit the app. */
export async function simulate(options: SimulateOptions): Promise<RunResult> {
  throw new CffbrwError('INVARIANT', `not built yet: ${options.scenario.name}`);
}

/** One app of a set of runs. A baseline must break an invariant in at least one run. */
export interface SimulatedDocument {
  readonly name: string;
  readonly app: App;
  readonly role: 'subject' | 'baseline';
}

export interface RunsOptions {
  readonly documents: readonly SimulatedDocument[];
  readonly scenario: Scenario;
  readonly seeds: readonly (string | number)[];
  readonly drain: () => Promise<void>;
  readonly secrets?: ReadonlyMap<string, string>;
  /** Draw network, faults and load from each seed (`drawScenario`). */
  readonly swarm?: boolean;
  /** Told after every run. */
  readonly progress?: (done: number, all: number, result: RunResult) => void;
}

/** Every document under every seed. */
export async function runs(options: RunsOptions): Promise<RunSet> {
  throw new CffbrwError('INVARIANT', `not built yet: ${options.scenario.name}`);
}
