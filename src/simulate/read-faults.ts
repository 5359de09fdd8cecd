/** The faults of a scenario as single actions: what ends after a while is two of them. */
import { checkForm } from '../workflow/document.ts';
import { isMap } from '../workflow/source.ts';
import { knownRegions, ms, type Reading } from './reading.ts';
import { type FaultDocument, faultForms } from './scenario.ts';
import type { Fault } from './schedule.ts';

/** The most stretches of one partition that comes and goes. */
const maxSpells = 10_000;

export function readPartitions(reading: Reading, regions: readonly string[]): Fault[] {
  const partitions = reading.document.network?.partitions ?? [];
  return partitions.flatMap((one, index) => {
    const named = knownRegions(reading, one.regions, ['network', 'partitions', index, 'regions'], regions);
    const [fromMs, toMs] = [ms(one.at, 0), ms(one.at, 0) + ms(one.for, 0)];
    const direction = one.direction ?? 'both';
    const eachMs = one.flapping === undefined ? null : Math.max(1, ms(one.flapping, 1));
    if (eachMs !== null && toMs - fromMs > 2 * eachMs * maxSpells) {
      const place = reading.source.placeOf(['network', 'partitions', index, 'flapping']);
      reading.problems.add(
        place,
        `\`flapping\` cuts more than ${maxSpells} times.`,
        'Write a longer `flapping`, or a shorter `for`.',
      );
      return [];
    }
    return named.flatMap((region): Fault[] =>
      spells(fromMs, toMs, eachMs).flatMap(([cutMs, healMs]): Fault[] => [
        { kind: 'cut', atMs: cutMs, region, direction },
        { kind: 'heal', atMs: healMs, region },
      ]),
    );
  });
}

/** The whole time, or every other stretch of it. */
function spells(fromMs: number, toMs: number, eachMs: number | null): (readonly [number, number])[] {
  if (eachMs === null) return [[fromMs, toMs]];
  const found: (readonly [number, number])[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += 2 * eachMs) found.push([atMs, Math.min(toMs, atMs + eachMs)]);
  return found;
}

export function readFaults(reading: Reading, regions: readonly string[]): Fault[] {
  const joined: string[] = [];
  const faults: Fault[] = [];
  for (const [index, data] of (reading.document.faults ?? []).entries()) {
    const fault = readFault(reading, data, index);
    if (fault === undefined) continue;
    const region = regionOf(fault);
    if ('join' in fault) joined.push(fault.join);
    else if (region !== null) knownRegions(reading, region, ['faults', index], [...regions, ...joined]);
    faults.push(...actionsOf(fault));
  }
  return faults;
}

const verbs = Object.keys(faultForms) as (keyof typeof faultForms)[];

function readFault({ source, problems }: Reading, data: unknown, index: number): FaultDocument | undefined {
  const path = ['faults', index];
  const verb = isMap(data) ? verbs.find((name) => Object.hasOwn(data, name)) : undefined;
  if (verb !== undefined) {
    return checkForm<FaultDocument>(faultForms[verb], { source, problems, path, what: `The fault \`${verb}\`` }, data);
  }
  problems.add(source.placeOf(path), 'A fault is a map with one of its names.', `Write one of: ${verbs.join(', ')}.`);
  return undefined;
}

function regionOf(fault: FaultDocument): string | null {
  if ('backbone' in fault) return null;
  if ('disk' in fault) return fault.region;
  const verb = verbs.find((name) => name in fault);
  return verb === undefined ? null : String((fault as Record<string, unknown>)[verb]);
}

function actionsOf(fault: FaultDocument): Fault[] {
  const atMs = ms(fault.at, 0);
  const untilMs = 'for' in fault && fault.for !== undefined ? atMs + ms(fault.for, 0) : null;
  const ending = (end: (atMs: number) => Fault): Fault[] => (untilMs === null ? [] : [end(untilMs)]);
  if ('crash' in fault) {
    const region = fault.crash;
    return [
      { kind: fault.power ? 'power-cut' : 'crash', atMs, region },
      ...ending((endMs) => ({ kind: 'start', atMs: endMs, region })),
    ];
  }
  if ('stop' in fault) {
    const region = fault.stop;
    return [{ kind: 'stop', atMs, region }, ...ending((endMs) => ({ kind: 'start', atMs: endMs, region }))];
  }
  if ('pause' in fault) {
    const region = fault.pause;
    return [{ kind: 'pause', atMs, region }, ...ending((endMs) => ({ kind: 'resume', atMs: endMs, region }))];
  }
  if ('restore' in fault) return backupPair(ms(fault.backup, 0), atMs, fault.restore);
  if ('twice' in fault) return [{ kind: 'twin', atMs, region: fault.twice }];
  if ('join' in fault) return [{ kind: 'join', atMs, region: fault.join }];
  if ('retire' in fault) return [{ kind: 'retire', atMs, region: fault.retire }];
  if ('clock' in fault) {
    const region = fault.clock;
    const skewMs = ms(fault.ahead, 0) - ms(fault.behind, 0);
    return [{ kind: 'clock', atMs, region, skewMs }, ...ending((endMs) => ({ kind: 'clock', atMs: endMs, region, skewMs: 0 }))];
  }
  if ('disk' in fault)
    return [diskFault(fault, atMs), ...ending((endMs) => ({ ...healthyDisk, atMs: endMs, region: fault.region }))];
  return backboneFaults(fault, atMs, untilMs);
}

/** What begins and ends. */
export const pair = (begin: Fault, end: Fault): Fault[] => [begin, end];

/** A backup that is put back later. */
export const backupPair = (backupMs: number, atMs: number, region: string): Fault[] => [
  { kind: 'backup', atMs: backupMs, region },
  { kind: 'restore', atMs, region },
  { kind: 'start', atMs, region },
];

export const healthyDisk = { kind: 'disk', full: false, syncMs: 1, syncFailure: 0, syncs: true } as const;

function diskFault({ disk, region }: Extract<FaultDocument, { disk: unknown }>, atMs: number): Fault {
  const faults = {
    full: { full: true },
    slow: { syncMs: 500 },
    failing: { syncFailure: 0.5 },
    unsynced: { syncs: false },
  } as const;
  return { ...healthyDisk, atMs, region, ...faults[disk] };
}

function backboneFaults(fault: Extract<FaultDocument, { backbone: unknown }>, atMs: number, untilMs: number | null): Fault[] {
  const region = 'backbone';
  const noticed = fault.noticed ?? true;
  const lengthMs = untilMs === null ? 10_000 : untilMs - atMs;
  switch (fault.backbone) {
    case 'restart':
      return [{ kind: 'backbone-restart', atMs, region }];
    case 'empty':
      return [{ kind: 'backbone-empty', atMs, region, noticed }];
    case 'rollback':
      return [
        { kind: 'backbone-keep', atMs: Math.max(0, atMs - lengthMs), region },
        { kind: 'backbone-restore', atMs, region, noticed },
      ];
    case 'unreachable':
      return [
        { kind: 'backbone-cut', atMs, region },
        { kind: 'backbone-heal', atMs: atMs + lengthMs, region },
      ];
    case 'unknown-outcomes':
      return [
        { kind: 'backbone-lateness', atMs, region, lateness: 0.5 },
        { kind: 'backbone-lateness', atMs: atMs + lengthMs, region, lateness: 0 },
      ];
  }
}
