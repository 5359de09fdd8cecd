/**
 * The swarm: a scenario's regions, network, disks, faults and load drawn from a seed; what is asked and what must hold stay.
 *
 * Left out is what no replica can notice, and what DESIGN names as remaining: a backbone that is rolled back without another identity, a disk
 * that lies, a clock in another window. A scenario can ask for each of them.
 */
import { createRandom, type Random } from './random.ts';
import { backupPair, healthyDisk, pair } from './read-faults.ts';
import type { Load, Scenario } from './scenario.ts';
import type { Fault, NetworkSettings } from './schedule.ts';

export function drawScenario(scenario: Scenario, seed: string | number): Scenario {
  const random = createRandom(`swarm/${seed}`);
  const regions = Array.from({ length: random.integer(2, 6) }, (_, index) => scenario.regions[index] ?? `r${index + 1}`);
  const load = scenario.load.map((one) => drawLoad(one, regions, random));
  const endMs = Math.max(1, ...load.map(({ fromMs, overMs }) => fromMs + overMs));
  const wild = random.pick([0, 0.3, 1]);
  const network = drawNetwork(random, wild);
  return {
    ...scenario,
    ...{ regions, load, network },
    disk: { ...scenario.disk, syncMs: random.pick([0.2, 1, 20]) },
    faults: wild === 0 ? [] : drawFaults({ random, regions, endMs, count: random.integer(0, Math.ceil(12 * wild)) }),
    liveness: { ...scenario.liveness, convergeMs: Math.max(scenario.liveness.convergeMs, 300_000 + 6 * network.lag.p99Ms) },
  };
}

function drawLoad(load: Load, regions: readonly string[], random: Random): Load {
  const factor = random.pick([0.01, 0.1, 0.3, 1]);
  return {
    ...load,
    overMs: Math.ceil(load.overMs * factor),
    fromMs: Math.ceil(load.fromMs * factor),
    arrival: random.pick(['even', 'uniform', 'poisson', 'burst']),
    regions: load.regions.filter((name) => regions.includes(name)),
  };
}

function drawNetwork(random: Random, wild: number): NetworkSettings {
  const lagMs = random.pick([5, 50, 400, 2_000, 10_000]);
  const rttMs = random.pick([1, 10, 60, 200]);
  return {
    lag: { medianMs: lagMs, p99Ms: lagMs * random.pick([1, 3, 20]) },
    rtt: { medianMs: rttMs, p99Ms: rttMs * random.pick([1, 1, 4, 20]) },
    jitterMs: random.integer(0, 50) * wild,
    timeoutMs: random.pick([500, 2_000]),
    retryMs: random.pick([50, 200, 1_000]),
    loss: random.pick([0, 0.02, 0.15]) * wild,
    duplication: random.pick([0, 0.2]) * wild,
    reordering: random.pick([0, 0.3]) * wild,
    lateness: random.pick([0, 0.1, 0.4]) * wild,
    contactMs: random.pick([500, 1_000, 5_000]),
  };
}

interface Drawing {
  readonly random: Random;
  readonly regions: readonly string[];
  readonly endMs: number;
  readonly count: number;
}

function drawFaults({ random, regions, endMs, count }: Drawing): Fault[] {
  const faults: Fault[] = [];
  for (let index = 0; index < count; index += 1) {
    const atMs = random.next() * endMs;
    const untilMs = atMs + random.pick([50, 1_000, 5_000, 30_000]) * random.next();
    faults.push(...drawFault({ random, atMs, untilMs, region: random.pick(regions) }));
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

interface OneFault {
  readonly random: Random;
  readonly atMs: number;
  readonly untilMs: number;
  readonly region: string;
}

const kinds = [
  ...['cut', 'cut', 'cut', 'crash', 'crash-at', 'crash-at', 'power-cut', 'stop', 'pause', 'clock', 'full', 'slow', 'failing'],
  ...['restore', 'twin', 'backbone-cut', 'backbone-restart', 'backbone-lateness'],
] as const;

function drawFault({ random, atMs, untilMs, region }: OneFault): Fault[] {
  const kind = random.pick(kinds);
  const restarted: Fault = { kind: 'start', atMs: untilMs, region };
  switch (kind) {
    case 'cut':
      return pair({ kind, atMs, region, direction: random.pick(['both', 'in', 'out']) }, { kind: 'heal', atMs: untilMs, region });
    case 'crash':
    case 'power-cut':
    case 'stop':
      return pair({ kind, atMs, region }, restarted);
    case 'crash-at': {
      const when = random.pick(['before', 'during', 'after'] as const);
      return pair({ kind, atMs, region, await: random.integer(1, 60), when }, restarted);
    }
    case 'pause':
      return pair({ kind, atMs, region }, { kind: 'resume', atMs: untilMs, region });
    case 'clock':
      return pair({ kind, atMs, region, skewMs: random.integer(-240_000, 240_000) }, { kind, atMs: untilMs, region, skewMs: 0 });
    case 'full':
    case 'slow':
    case 'failing': {
      const broken = { full: kind === 'full', syncMs: kind === 'slow' ? 500 : 1, syncFailure: kind === 'failing' ? 0.3 : 0 };
      return pair({ ...healthyDisk, ...broken, atMs, region }, { ...healthyDisk, atMs: untilMs, region });
    }
    case 'restore':
      return backupPair(atMs, untilMs, region);
    case 'twin':
      return [{ kind, atMs, region }];
    case 'backbone-restart':
      return [{ kind, atMs, region: 'backbone' }];
    case 'backbone-cut':
      return pair({ kind, atMs, region: 'backbone' }, { kind: 'backbone-heal', atMs: untilMs, region: 'backbone' });
    case 'backbone-lateness':
      return pair({ kind, atMs, region: 'backbone', lateness: 0.5 }, { kind, atMs: untilMs, region: 'backbone', lateness: 0 });
  }
}
