/**
 * Makes the schedule of a broken run shorter, as long as it still breaks the same invariant: fewer requests, fewer faults, fewer regions, a
 * quieter network. Deterministic: the same run shrinks to the same schedule.
 */
import { CffbrwError } from '../error.ts';
import type { RunResult, Violation } from './result.ts';
import type { Action, NetworkSettings, Schedule } from './schedule.ts';
import { type SimulateOptions, simulate } from './simulate.ts';

export interface ShrinkOptions extends Omit<SimulateOptions, 'trace' | 'schedule' | 'seed'> {
  /** A run with a violation. */
  readonly result: RunResult;
  /** At most so many runs are tried. Default 500. */
  readonly maxRuns?: number;
  /** Told before every run. */
  readonly progress?: (tried: number, most: number) => void;
  /** Asked before every run: true ends the search, and the shortest schedule so far is given. */
  readonly stop?: () => boolean;
}

export interface ShrinkSize {
  readonly requests: number;
  readonly regions: number;
  readonly faults: number;
}

export interface Shrunk {
  /** The shortest run found, with its schedule and its trace. */
  readonly result: RunResult;
  readonly from: ShrinkSize;
  readonly to: ShrinkSize;
  readonly tried: number;
}

/** Whether a schedule still breaks; false when no more runs may be tried. */
type Breaks = (schedule: Schedule) => Promise<boolean>;

/** Rejects with INVALID_INPUT for a run without a violation. */
export async function shrink({ result, maxRuns = 500, progress, stop, ...options }: ShrinkOptions): Promise<Shrunk> {
  const [violation] = result.violations;
  if (violation === undefined) throw new CffbrwError('INVALID_INPUT', `the run with seed ${result.seed} breaks nothing`);
  const again = (schedule: Schedule, trace: boolean) => simulate({ ...options, seed: result.seed, schedule, trace });
  let tried = 0;
  const breaks: Breaks = async (schedule) => {
    if (tried >= maxRuns || stop?.() === true) return false;
    tried += 1;
    progress?.(tried, maxRuns);
    return isBroken(await again(schedule, false), violation);
  };
  let best = result.schedule;
  for (let before: Schedule | null = null; before !== best; ) {
    before = best;
    best = await withoutEnd(best, violation, breaks);
    best = await withoutRegions(best, breaks);
    best = await withoutActions(best, breaks);
    best = await quieter(best, breaks);
  }
  return { result: await again(best, true), from: sizeOf(result.schedule), to: sizeOf(best), tried };
}

const isBroken = ({ violations }: RunResult, { kind, invariant }: Violation): boolean =>
  violations.some((one) => one.kind === kind && one.invariant === invariant);

function sizeOf({ actions, regions }: Schedule): ShrinkSize {
  const requests = actions.filter(({ kind }) => kind === 'request').length;
  return { requests, regions: regions.length, faults: actions.length - requests };
}

/** What ends with its last action. */
const ended = (schedule: Schedule, actions: readonly Action[]): Schedule => ({
  ...schedule,
  actions,
  durationMs: actions.at(-1)?.atMs ?? 0,
});

/** What came after the invariant broke had no part in it. */
async function withoutEnd(schedule: Schedule, { atMs, kind }: Violation, breaks: Breaks): Promise<Schedule> {
  if (kind !== 'always' && kind !== 'bound') return schedule;
  const actions = schedule.actions.filter((action) => action.atMs <= atMs);
  if (actions.length === schedule.actions.length) return schedule;
  const shorter = ended(schedule, actions);
  return (await breaks(shorter)) ? shorter : schedule;
}

async function withoutRegions(schedule: Schedule, breaks: Breaks): Promise<Schedule> {
  let best = schedule;
  for (const region of schedule.regions) {
    if (best.regions.length === 1) break;
    const regions = best.regions.filter((name) => name !== region);
    const first = regions[0] ?? region;
    // Its users go elsewhere, or stay at home.
    const moved = best.actions.flatMap((action): Action[] => {
      if (action.region !== region) return [action];
      return action.kind === 'request' ? [{ ...action, region: first }] : [];
    });
    for (const actions of [best.actions.filter((action) => action.region !== region), moved]) {
      const smaller = ended({ ...best, regions }, actions);
      if (!(await breaks(smaller))) continue;
      best = smaller;
      break;
    }
  }
  return best;
}

/** Leaves out halves, then quarters, down to single actions (after Zeller and Hildebrandt's ddmin). */
async function withoutActions(schedule: Schedule, breaks: Breaks): Promise<Schedule> {
  let best = schedule;
  for (let size = Math.ceil(best.actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.actions.length; ) {
      const rest = [...best.actions.slice(0, from), ...best.actions.slice(from + size)];
      const smaller = ended(best, rest);
      if (rest.length > 0 && (await breaks(smaller))) best = smaller;
      else from += size;
    }
  }
  return best;
}

const calm: readonly Partial<NetworkSettings>[] = [
  { loss: 0 },
  { duplication: 0 },
  { reordering: 0 },
  { lateness: 0 },
  { jitterMs: 0 },
];

async function quieter(schedule: Schedule, breaks: Breaks): Promise<Schedule> {
  let best = schedule;
  const { lag, rtt } = schedule.network;
  const steady = { lag: { medianMs: lag.p99Ms, p99Ms: lag.p99Ms }, rtt: { medianMs: rtt.medianMs, p99Ms: rtt.medianMs } };
  for (const change of [...calm, { lag: steady.lag }, { rtt: steady.rtt }]) {
    const network = { ...best.network, ...change };
    if (JSON.stringify(network) === JSON.stringify(best.network)) continue;
    if (await breaks({ ...best, network })) best = { ...best, network };
  }
  return best;
}
