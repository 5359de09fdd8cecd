/** Who breaks a cluster and heals it again: the faults of a schedule, one by one. */
import type { LoopbackSnapshot } from '../backbone/index.ts';
import { CffbrwError } from '../error.ts';
import type { Cluster, Machine } from './cluster.ts';
import { healthyDisk } from './read-faults.ts';
import type { BackboneFault, DiskSettings, Fault, ReplicaFault } from './schedule.ts';
import type { DiskSnapshot } from './store.ts';
import type { FaultEvent } from './trace.ts';

export interface Operator {
  readonly cluster: Cluster;
  readonly backups: Map<string, DiskSnapshot>;
  kept: LoopbackSnapshot | null;
  /** The backbone lost something: whoever starts is told to adopt what is left. */
  adopt: boolean;
  /** Who has joined what it is since then. */
  readonly adopted: Set<string>;
  /** Machines that should run. */
  readonly wanted: Set<string>;
  /** Machines that never come back, retired or not. */
  readonly gone: Set<string>;
  /** Those of them that took something with them which nobody else had when the backbone lost it: nobody may know what they gave out. */
  readonly unheard: Set<string>;
  start(machine: string): void;
  /** Ends every fault, and starts whoever should run. */
  heal(disk: DiskSettings): void;
  /** Starts again who died, and who stopped writing for good: a process that found out that it is an older copy. */
  supervise(): void;
  /** Why the cluster is not at rest: somebody does not run, or rows differ; null: it is. */
  unrest(): string | null;
}

const restartMs = 1_000;

export function createOperator(cluster: Cluster, regions: readonly string[]): Operator {
  const wanted = new Set(regions);
  const { world, machines, backbone } = cluster;
  const watchdog = world.host('operator');
  const operator: Operator = {
    ...{ cluster, backups: new Map(), kept: null, adopt: false, adopted: new Set(), wanted, gone: new Set(), unheard: new Set() },
    /** As a supervisor does it: a start that failed is tried again. */
    start(name) {
      wanted.add(name);
      operator.gone.delete(name);
      if (mustWait(operator, name)) return;
      const ran = machines.get(name)?.process?.alive === true;
      void cluster.start(name, { adopt: operator.adopt }).then(() => {
        const machine = machines.get(name);
        if (operator.adopt && !ran && machine?.replica?.status.frozen === null) operator.adopted.add(name);
        if (machine === undefined || machine.failure === null || !wanted.has(name)) return;
        if (isMistake(machine.failure)) return;
        watchdog.after(restartMs, () => operator.start(name));
      });
    },
    heal(disk) {
      Object.assign(backbone.network, { loss: 0, duplication: 0, reordering: 0, lateness: 0, skewMs: 0 });
      cluster.heal();
      for (const [name, machine] of machines) {
        Object.assign(machine.disk.faults, disk, { full: false, syncFailure: 0 });
        machine.host.skewMs = 0;
        cluster.resume(name);
        if (name.endsWith('-twin')) machine.process?.kill();
      }
      if (operator.adopt) for (const name of wanted) cluster.crash(name);
      for (const name of wanted) operator.start(name);
    },
    supervise() {
      for (const name of wanted) {
        const machine = machines.get(name);
        if (machine?.replica?.status.refused != null) cluster.crash(name);
        if (machine?.process?.alive !== true && !isMistake(machine?.failure ?? null)) operator.start(name);
      }
    },
    unrest() {
      for (const name of wanted) {
        const unrest = unrestOf(machines.get(name), name);
        if (unrest !== null) return unrest;
      }
      return cluster.difference();
    },
  };
  return operator;
}

/**
 * Whoever was there before a loss adopts what is left first: a new one would find nothing, and take that for the beginning. Where none of them
 * shall run, it is one.
 */
function mustWait(operator: Operator, name: string): boolean {
  const { adopt, adopted, wanted, gone, cluster } = operator;
  const machines = [...cluster.machines.values()];
  if (!adopt || adopted.size > 0 || !isNew(cluster.machines.get(name))) return false;
  if (machines.some((one) => wanted.has(one.name) && !isNew(one))) return true;
  for (const one of machines) if (!wanted.has(one.name)) gone.add(one.name);
  noteUnheard(operator);
  return false;
}

const isNew = (machine: Machine | undefined): boolean => machine === undefined || machine.disk.snapshot().records.length === 0;

const isMistake = (failure: unknown): boolean =>
  failure !== null && (!(failure instanceof CffbrwError) || failure.code === 'INVARIANT');

function unrestOf(machine: Machine | undefined, name: string): string | null {
  if (machine === undefined || machine.replica === null) {
    const why = machine?.failure instanceof Error ? `: ${machine.failure.message}` : '';
    return `${name} does not run${why}`;
  }
  const { dirty, unpublished, refused } = machine.replica.status;
  if (refused !== null) return `${name} refuses to write: ${refused}`;
  if (dirty > 0) return `${name} has ${dirty} addresses that are not durable`;
  return unpublished > 0 ? `${name} has ${unpublished} rows that are not published` : null;
}

type Tell = (event: FaultEvent) => void;

export function applyFault(operator: Operator, fault: Fault, tell: Tell): void {
  const { kind, region } = fault;
  const atMs = operator.cluster.world.elapsedMs;
  tell({ kind: 'fault', atMs, replica: region, what: kind, detail: detailOf(fault) });
  if (isOfBackbone(fault)) breakBackbone(operator, fault);
  else if (isOfMachine(fault)) breakMachine(operator.cluster, fault);
  else breakProcess(operator, fault);
}

type MachineFault = Extract<ReplicaFault, { kind: 'cut' | 'heal' | 'clock' | 'disk' | 'crash-at' }>;
type ProcessFault = Exclude<ReplicaFault, MachineFault>;

const ofMachine: ReadonlySet<string> = new Set(['cut', 'heal', 'clock', 'disk', 'crash-at']);
const isOfBackbone = (fault: Fault): fault is BackboneFault => fault.kind.startsWith('backbone-');
const isOfMachine = (fault: ReplicaFault): fault is MachineFault => ofMachine.has(fault.kind);

function detailOf(fault: Fault): string {
  const { kind: _, atMs: __, region: ___, ...detail } = fault;
  return Object.entries(detail)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function breakMachine(cluster: Cluster, fault: MachineFault): void {
  const machine = cluster.machines.get(fault.region);
  if (fault.kind === 'cut') cluster.cut(fault.region, fault.direction);
  else if (fault.kind === 'heal') cluster.heal(fault.region);
  else if (machine === undefined) return;
  else if (fault.kind === 'clock') machine.host.skewMs = fault.skewMs;
  else if (fault.kind === 'crash-at') machine.process?.killAt({ await: fault.await, when: fault.when });
  else {
    const { full, syncMs, syncFailure, syncs } = { ...healthyDisk, ...fault };
    Object.assign(machine.disk.faults, { full, syncMs, syncFailure, syncs });
  }
}

function breakProcess(operator: Operator, fault: ProcessFault): void {
  const { kind, region } = fault;
  const { cluster, wanted, backups } = operator;
  switch (kind) {
    case 'crash':
    case 'power-cut':
      cluster.crash(region, { power: kind === 'power-cut' });
      break;
    case 'join':
    case 'start':
      operator.start(region);
      break;
    case 'stop':
      wanted.delete(region);
      void cluster.stop(region);
      break;
    case 'pause':
      cluster.pause(region);
      break;
    case 'resume':
      cluster.resume(region);
      break;
    case 'backup':
      backups.set(region, cluster.backup(region));
      break;
    case 'restore':
      restore(operator, region, fault.witness);
      break;
    case 'twin':
      void cluster.twin(region);
      break;
    case 'retire':
      retire(operator, region);
  }
}

function restore({ cluster, backups }: Operator, region: string, witness?: 'missing'): void {
  const backup = backups.get(region);
  if (backup !== undefined) cluster.restore(region, backup, witness);
}

/** It is gone for good; somebody who runs tells the others. */
function retire(operator: Operator, region: string): void {
  const { cluster, wanted, gone, unheard } = operator;
  wanted.delete(region);
  cluster.crash(region);
  gone.add(region);
  if (operator.adopt) noteUnheard(operator);
  const by = [...wanted].find((name) => cluster.machines.get(name)?.replica != null);
  if (by === undefined) return;
  cluster.retire(region, by).then(
    (retirement) => {
      if (retirement.unheard.length > 0) unheard.add(region);
    },
    () => {}, // out of reach, or nothing to retire: an operator reads it and does it later
  );
}

/** Whose rows nobody else has when the backbone has lost them. */
function noteUnheard({ cluster: { machines }, gone, unheard }: Operator): void {
  const others = [...machines.values()].filter(({ name }) => !gone.has(name));
  for (const name of gone) {
    for (const [address, rows] of machines.get(name)?.disk.rows() ?? [])
      for (const [replica, { version }] of rows)
        if (!others.some(({ disk }) => (disk.rows().get(address)?.get(replica)?.version ?? -1) >= version))
          unheard.add(replica.slice(0, replica.indexOf('.')));
  }
}

function lose(operator: Operator, { noticed }: { readonly noticed: boolean }): void {
  operator.adopt ||= noticed;
  operator.adopted.clear();
  noteUnheard(operator);
}

function breakBackbone(operator: Operator, fault: BackboneFault): void {
  const { cluster } = operator;
  const { backbone, machines } = cluster;
  switch (fault.kind) {
    case 'backbone-restart':
      void backbone.restart();
      break;
    case 'backbone-keep':
      void backbone.snapshot().then((kept) => {
        operator.kept = kept;
      });
      break;
    case 'backbone-restore':
      if (operator.kept === null) break;
      lose(operator, fault);
      void backbone.restore(operator.kept, { noticed: fault.noticed });
      break;
    case 'backbone-empty':
      lose(operator, fault);
      void backbone.empty({ noticed: fault.noticed });
      break;
    case 'backbone-cut':
      for (const name of machines.keys()) cluster.cut(name);
      break;
    case 'backbone-heal':
      cluster.heal();
      break;
    case 'backbone-lateness':
      backbone.network.lateness = fault.lateness;
  }
}
