/**
 * Runs scenarios: one seed, or many, of one app, or of several that are compared. The real handler, workflows, replicas and strategies on a
 * world made of the seed.
 */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import { drawScenario } from './draw.ts';
import { expand } from './expand.ts';
import { checksOf } from './expressions.ts';
import { play } from './play.ts';
import type { RunResult, RunSet } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import { createTally } from './tally.ts';

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

/** One run. Rejects with INVALID_EXPRESSION where the scenario does not fit the app, EXPRESSION_FAILED where it can't be evaluated. */
export async function simulate(options: SimulateOptions): Promise<RunResult> {
  const { app, scenario, drain, secrets, trace = true } = options;
  const seed = String(options.seed);
  const checks = checksOf(app, scenario);
  const schedule = options.schedule ?? expand(scenario, checks.requests, seed);
  const played = await play({ app, scenario, checks, schedule, drain, secrets, trace });
  return { app: app.name, scenario: scenario.name, seed, schedule, passed: played.violations.length === 0, ...played };
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
  /** Asked before every run: true ends it there. What is told then is what was found so far. */
  readonly stop?: () => boolean;
}

/** Every document under every seed, one seed after the other. Rejects as `simulate` does. */
export async function runs(options: RunsOptions): Promise<RunSet> {
  const { documents, scenario, seeds } = options;
  const tallies = documents.map(({ name, role }) => createTally(name, role));
  const stopped = await runAll(options, (index, result) => tallies[index]?.add(result));
  const told = tallies.map((tally) => tally.told());
  const unbroken = stopped ? [] : told.filter(({ role, violated }) => role === 'baseline' && violated === 0);
  const problems = unbroken.map(({ name }) => unbrokenBaseline(name, scenario));
  const held = told.every(({ role, violated }) => role === 'baseline' || violated === 0);
  return {
    scenario: scenario.name,
    seeds: seeds.map(String),
    watch: scenario.watch?.name ?? null,
    documents: told,
    passed: held && problems.length === 0,
    problems,
  };
}

/** Resolves with whether it was stopped before the last run. */
async function runAll(
  { documents, scenario, seeds, swarm = false, progress, stop, ...options }: RunsOptions,
  tell: (index: number, result: RunResult) => void,
): Promise<boolean> {
  const all = documents.length * seeds.length;
  let done = 0;
  for (const seed of seeds) {
    const drawn = swarm ? drawScenario(scenario, seed) : scenario;
    for (const [index, { name, app }] of documents.entries()) {
      if (stop?.() === true) return true;
      const result = await simulate({ ...options, app, scenario: drawn, seed, trace: false }).catch((error: unknown) => {
        throw named(error, name);
      });
      tell(index, result);
      done += 1;
      progress?.(done, all, result);
    }
  }
  return false;
}

const unbrokenBaseline = (name: string, scenario: Scenario): CffbrwError =>
  new CffbrwError(
    'INVALID_DOCUMENT',
    `the baseline ${name} breaks no invariant of ${scenario.name}, so the scenario shows nothing`,
    {
      fix: 'Make the scenario harder (more users, more lag), run more seeds, or name another baseline.',
      place: { file: scenario.file, line: 1, column: 1 },
    },
  );

/** Says of which app it is. */
function named(error: unknown, app: string): unknown {
  if (!(error instanceof CffbrwError)) return error;
  const { code, message, fix, place, cause } = error;
  return new CffbrwError(code, `${app}: ${message}`, { ...(fix !== undefined && { fix }), ...(place && { place }), cause });
}
