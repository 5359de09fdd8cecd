/**
 * A plan: everything that happens to a cluster from outside, drawn from a seed. Plain data, so that it can be printed, replayed and made
 * shorter. Every seed draws its own subset of operations and faults (swarm testing: Groce et al., "Swarm Testing", 2012), because a fault that
 * is always there hides what only shows without it.
 */
import { createRandom, type Random } from '../random.ts';
import type { Fault, NetworkSettings } from '../schedule.ts';
import { appCount } from './app.ts';
import { type BulkFault, drawFaults, type FaultKind, faultKinds } from './draw-faults.ts';

const valueAsks = ['add', 'hit', 'wipe', 'visit', 'set', 'merge', 'drop', 'raise', 'lower', 'read', 'refuse'] as const;
const stockAsks = ['take', 'hold', 'list', 'strong', 'once', 'seat', 'settle', 'mint', 'burn', 'keyed', 'race'] as const;
const asks = [...valueAsks, ...stockAsks] as const;

export type AskKind = (typeof asks)[number];

/** One user's request. Numbers are drawn here; what they mean, who answers knows. */
export interface AskAction {
  readonly kind: 'ask';
  readonly atMs: number;
  readonly region: string;
  readonly ask: AskKind;
  /** Its own number: what it writes can be told from what others write. */
  readonly id: number;
  readonly key: number;
  readonly amount: number;
  readonly pick: number;
  /** Through the app's handler, or straight to the replica. */
  readonly door: 'handler' | 'replica';
}

export type SwarmAction = AskAction | BulkFault | Fault;

export type SwarmSize = 'small' | 'middle' | 'full';

export interface SwarmPlan {
  readonly seed: string;
  readonly app: number;
  readonly size: SwarmSize;
  readonly regions: readonly string[];
  /** Who declares some variables differently. */
  readonly elsewhere: string | null;
  readonly network: NetworkSettings;
  readonly syncMs: number;
  readonly witnessMs: number;
  /** Where the clocks begin, milliseconds since 1970. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly actions: readonly SwarmAction[];
}

/** How many of a hundred schedules are of each size, and what that means. */
export const sizes: Readonly<Record<SwarmSize, { share: number; regions: [number, number]; actions: [number, number] }>> = {
  small: { share: 80, regions: [1, 3], actions: [20, 60] },
  middle: { share: 18, regions: [2, 4], actions: [80, 200] },
  full: { share: 2, regions: [5, 5], actions: [600, 700] },
};

export function drawPlan(seed: string | number, only?: SwarmSize): SwarmPlan {
  const random = createRandom(`swarm ${seed}`);
  const size = only ?? drawSize(random);
  const regions = Array.from({ length: random.integer(...sizes[size].regions) }, (_, index) => `r${index}`);
  const count = random.integer(...sizes[size].actions);
  const everyMs = random.pick([2, 10, 30]);
  const durationMs = count * everyMs;
  const kinds = subset(random, faultKinds, random.pick([0, 0.15, 0.4]));
  const faults = drawFaults(random, { kinds, regions, durationMs, count: Math.ceil(count * random.pick([0.03, 0.1, 0.2])) });
  const actions = [...drawClocks(random, regions), ...drawAsks(random, regions, { count, everyMs }), ...faults];
  return {
    ...{ seed: String(seed), app: random.integer(0, appCount - 1), size, regions, durationMs },
    elsewhere: kinds.includes('elsewhere') ? random.pick(regions) : null,
    network: drawNetwork(random, kinds),
    syncMs: random.pick([0.2, 1, 1, 8]),
    witnessMs: random.pick([0.1, 1, 10]),
    // A minute before an hour and a day end, so that windows end under load.
    startMs: Date.UTC(2026, 0, 1) - random.pick([500, 2_000, 60_000]),
    // What would end later is ended by the healing.
    actions: actions.filter(({ atMs }) => atMs <= durationMs).sort((a, b) => a.atMs - b.atMs),
  };
}

/** Real clocks never agree: a few seconds are no fault. */
function drawClocks(random: Random, regions: readonly string[]): Fault[] {
  if (random.chance(0.5)) return [];
  return regions.map((region): Fault => ({ kind: 'clock', atMs: 0, region, skewMs: random.integer(-20_000, 20_000) }));
}

function drawSize(random: Random): SwarmSize {
  const number = random.integer(1, 100);
  if (number <= sizes.small.share) return 'small';
  return number <= sizes.small.share + sizes.middle.share ? 'middle' : 'full';
}

export const subset = <T>(random: Random, all: readonly T[], probability: number): T[] =>
  all.filter(() => random.chance(probability));

function drawNetwork(random: Random, kinds: readonly FaultKind[]): NetworkSettings {
  const wild = kinds.includes('network') || random.chance(0.3) ? random.pick([0.3, 1]) : 0;
  const lagMs = random.integer(1, 60);
  const rttMs = random.integer(1, 20);
  const tail = random.pick([1, 1, 5]);
  return {
    lag: { medianMs: lagMs, p99Ms: lagMs * tail },
    rtt: { medianMs: rttMs, p99Ms: rttMs * tail },
    jitterMs: random.integer(0, 20) * wild,
    timeoutMs: random.pick([100, 400]),
    retryMs: random.pick([50, 200]),
    loss: random.pick([0, 0.02, 0.15]) * wild,
    duplication: random.pick([0, 0.2]) * wild,
    reordering: random.pick([0, 0.3]) * wild,
    lateness: random.pick([0, 0.1, 0.4]) * wild,
    contactMs: random.pick([100, 300, 1_000]),
  };
}

interface LoadOptions {
  readonly count: number;
  readonly everyMs: number;
}

function drawAsks(random: Random, regions: readonly string[], { count, everyMs }: LoadOptions): AskAction[] {
  const about = random.pick([asks, asks, stockAsks, stockAsks, valueAsks]);
  const chosen = subset(random, about, random.pick([0.3, 0.6, 1]));
  const kinds = chosen.length === 0 ? about : chosen;
  const doors = random.pick([['replica'], ['handler'], ['replica', 'handler']] as const);
  const keys = random.pick([1, 3]);
  // Some work goes on at the same instant everywhere, which is where races are.
  const bursts = random.pick([0, 0.3, 0.7]);
  let atMs = 0;
  return Array.from({ length: count }, (_, id): AskAction => {
    if (!random.chance(bursts)) atMs = Math.min(count * everyMs, atMs + random.next() * 2 * everyMs);
    return {
      ...{ kind: 'ask', atMs, region: random.pick(regions), ask: random.pick(kinds), id: id + 1 },
      ...{ key: random.integer(1, keys), amount: random.integer(1, 3), pick: random.integer(0, 1_000_000) },
      door: random.pick(doors),
    };
  });
}
