/** The faults of a plan: what is done, and what ends it. */
import type { Random } from '../random.ts';
import type { Fault } from '../schedule.ts';

/** `network` and `elsewhere` are there from the beginning or not at all; the others happen. */
export const faultKinds = [
  ...['network', 'elsewhere', 'crash', 'crash-at', 'power-cut', 'blackout', 'storm', 'cut', 'flapping', 'pause', 'disk-full'],
  ...['disk-fails', 'disk-slow', 'clock', 'clock-jumps', 'backup', 'twin', 'stop', 'join', 'retire'],
  ...['backbone-restart', 'backbone-cut', 'backbone-lateness', 'backbone-empty', 'backbone-rollback'],
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface BulkFault {
  /** All the power of all machines; everybody's processes. */
  readonly kind: 'blackout';
  readonly atMs: number;
  readonly region: 'everywhere';
  readonly power: boolean;
}

interface FaultOptions {
  readonly kinds: readonly FaultKind[];
  readonly regions: readonly string[];
  readonly durationMs: number;
  readonly count: number;
}

interface Spell {
  readonly regions: readonly string[];
  readonly atMs: number;
  readonly untilMs: number;
  readonly region: string;
}

export function drawFaults(random: Random, { kinds, regions, durationMs, count }: FaultOptions): (Fault | BulkFault)[] {
  const happening = kinds.filter((kind) => kind !== 'network' && kind !== 'elsewhere');
  if (happening.length === 0) return [];
  const faults = Array.from({ length: count }, () => {
    const atMs = random.next() * durationMs;
    const untilMs = atMs + random.next() * random.pick([50, 500, durationMs]);
    return drawFault(random, random.pick(happening), { regions, atMs, untilMs, region: random.pick(regions) });
  }).flat();
  return kinds.includes('crash-at') ? faults.flatMap((fault) => dyingAgain(random, fault)) : faults;
}

/** Who starts may die at any await of its start, or soon after. */
function dyingAgain(random: Random, fault: Fault | BulkFault): (Fault | BulkFault)[] {
  if (fault.kind !== 'start' || random.chance(0.5)) return [fault];
  const spell = { atMs: fault.atMs + 0.01, untilMs: fault.atMs + random.integer(20, 400), region: fault.region };
  return [fault, ...crashAt(random, spell, random.integer(1, 150))];
}

function drawFault(random: Random, kind: FaultKind, spell: Spell): (Fault | BulkFault)[] {
  const { atMs, untilMs, region, regions } = spell;
  const [now, then] = [
    { atMs, region },
    { atMs: untilMs, region },
  ];
  const backbone = { atMs, region: 'backbone' } as const;
  switch (kind) {
    case 'crash':
    case 'power-cut':
      return [
        { kind, ...now },
        { kind: 'start', ...then },
      ];
    case 'crash-at':
      return crashAt(random, spell, random.integer(1, 100));
    case 'storm':
      return storm(random, spell);
    case 'blackout':
      return [{ kind, atMs, region: 'everywhere', power: random.chance(0.5) }];
    case 'cut':
      return [
        { kind, ...now, direction: random.pick(['both', 'in', 'out'] as const) },
        { kind: 'heal', ...then },
      ];
    case 'flapping':
      return flapping(random, spell);
    case 'pause':
      return [
        { kind, ...now },
        { kind: 'resume', ...then },
      ];
    case 'disk-full':
    case 'disk-fails':
    case 'disk-slow':
      return disk(random, kind, spell);
    case 'clock':
    case 'clock-jumps':
      return clock(random, kind, spell);
    case 'backup':
      return [
        { kind, ...now },
        { kind: 'restore', ...then, ...(random.chance(0.3) && { witness: 'missing' as const }) },
        { kind: 'start', atMs: untilMs + random.integer(1, 100), region },
      ];
    case 'twin':
      return [{ kind, ...now }];
    case 'stop':
      return [
        { kind, ...now },
        { kind: 'start', ...then },
      ];
    case 'join':
      return [{ kind, atMs, region: `j${random.integer(0, 2)}` }];
    case 'retire':
      return [{ kind, atMs, region: random.chance(0.5) ? `j${random.integer(0, 2)}` : region }];
    case 'backbone-restart':
      return [{ kind, ...backbone }];
    case 'backbone-cut':
      return [
        { kind, ...backbone },
        { kind: 'backbone-heal', atMs: untilMs, region: 'backbone' },
      ];
    case 'backbone-lateness':
      return [{ kind, ...backbone, lateness: random.pick([0, 0.5, 1]) }];
    case 'backbone-empty':
      return [{ kind, ...backbone, noticed: true }, ...adoptions(random, regions, atMs)];
    case 'backbone-rollback':
      return [
        { kind: 'backbone-keep', ...backbone },
        { kind: 'backbone-restore', atMs: untilMs, region: 'backbone', noticed: true },
        ...adoptions(random, regions, untilMs),
      ];
    default:
      return [];
  }
}

/** Operators have the backbone adopted, one replica after another, under load. */
function adoptions(random: Random, regions: readonly string[], lostMs: number): Fault[] {
  return regions
    .filter(() => random.chance(0.7))
    .flatMap((region): Fault[] => {
      const atMs = lostMs + random.next() * random.pick([20, 300]);
      return [
        { kind: 'crash', atMs, region },
        { kind: 'start', atMs: atMs + 1, region },
      ];
    });
}

function crashAt(random: Random, { atMs, untilMs, region }: Omit<Spell, 'regions'>, number: number): Fault[] {
  const when = random.pick(['before', 'during', 'after'] as const);
  return [
    { kind: 'crash-at', atMs, region, await: number, when },
    { kind: 'start', atMs: untilMs, region },
    { kind: 'start', atMs: untilMs + 100, region },
  ];
}

/** It dies again and again, soon after each start. */
function storm(random: Random, { atMs, region }: Spell): Fault[] {
  return Array.from({ length: random.integer(3, 8) }, (_, index): Fault[] => {
    const fromMs = atMs + index * random.integer(5, 60);
    return [
      { kind: 'start', atMs: fromMs, region },
      { kind: random.chance(0.3) ? 'power-cut' : 'crash', atMs: fromMs + random.next() * 20, region },
      { kind: 'start', atMs: fromMs + 25, region },
    ];
  }).flat();
}

function flapping(random: Random, { atMs, region }: Spell): Fault[] {
  const eachMs = random.integer(5, 100);
  return Array.from({ length: random.integer(2, 8) }, (_, index): Fault[] => [
    { kind: 'cut', atMs: atMs + 2 * index * eachMs, region, direction: random.pick(['both', 'in', 'out'] as const) },
    { kind: 'heal', atMs: atMs + (2 * index + 1) * eachMs, region },
  ]).flat();
}

const healthy = { full: false, syncMs: 1, syncFailure: 0, syncs: true };

function disk(random: Random, kind: 'disk-full' | 'disk-fails' | 'disk-slow', { atMs, untilMs, region }: Spell): Fault[] {
  const broken = {
    'disk-full': { full: true },
    'disk-fails': { syncFailure: random.pick([0.1, 0.5, 1]) },
    'disk-slow': { syncMs: random.pick([20, 200]) },
  }[kind];
  return [
    { kind: 'disk', atMs, region, ...healthy, ...broken },
    { kind: 'disk', atMs: untilMs, region, ...healthy },
  ];
}

const minuteMs = 60_000;

/** Two hours away, or so little that nobody is put into quarantine. (Any further, and windows are closed for good.) */
function clock(random: Random, kind: 'clock' | 'clock-jumps', { atMs, untilMs, region }: Spell): Fault[] {
  const far = random.pick([0.3, 0.7, 120]) * minuteMs;
  const skewMs = random.pick([-1, 1]) * far;
  const away: Fault = { kind: 'clock', atMs, region, skewMs };
  return kind === 'clock' ? [away] : [away, { kind: 'clock', atMs: untilMs, region, skewMs: 0 }];
}
