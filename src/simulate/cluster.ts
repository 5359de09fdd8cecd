/**
 * Machines with the app's real handler, replica, strategies, bank and schedules in one world, and the backbone between them.
 *
 * Nothing of the app is replaced: the cluster gives it a host, a disk, a witness and a network that can break, and looks at it from outside.
 *
 * Invariants:
 *   L1  An ask is always answered: by the app, or with status 0 when its machine died or does not run.
 *   L2  A trace changes nothing: with and without one the same happens.
 */
import type { App } from '../app.ts';
import { createLoopback, type Direction, type Loopback, type Network } from '../backbone/index.ts';
import type { Replica } from '../replica/index.ts';
import { type Retirement, retire } from '../replica/index.ts';
import type { Answer, Ask } from './ask.ts';
import type { SimulatedHost, World } from './host.ts';
import { createLife, type Life, type LifeOptions, type StartOptions } from './machine.ts';
import { createObserver, differenceOf, type Observer, rowsWithout } from './observer.ts';
import type { SimulatedProcess } from './process.ts';
import type { Spread } from './schedule.ts';
import { createSimulatedDisk, type DiskFaults, type DiskSnapshot, type SimulatedDisk } from './store.ts';
import type { TraceEvent } from './trace.ts';
import { createSimulatedWitness, type SimulatedWitnessFile } from './witness.ts';

export type { Answer, Ask } from './ask.ts';
export type { StartOptions } from './machine.ts';

export interface ClusterOptions {
  readonly world: World;
  readonly app: App;
  /** What a machine runs that was deployed with other declarations. Default: `app`, everywhere. */
  readonly appOf?: (machine: string) => App;
  readonly network?: Partial<Network>;
  /** Delays that differ from row to row, and from request to request. Default: those of `network`, always. */
  readonly lag?: Spread;
  readonly rtt?: Spread;
  readonly disk?: Partial<DiskFaults>;
  /** A write of a witness takes about so long. Default 0.1 ms. */
  readonly witnessMs?: number;
  /** How often replicas look at the backbone by themselves. Default 1,000 ms. */
  readonly contactMs?: number;
  /** Default: `secret-<NAME>`. */
  readonly secrets?: ReadonlyMap<string, string> | undefined;
  /** Told of everything that happens. Changes nothing. */
  readonly trace?: ((event: TraceEvent) => void) | undefined;
}

/** One location. Its disk, witness and clock outlive its processes. */
export interface Machine {
  readonly name: string;
  readonly host: SimulatedHost;
  readonly disk: SimulatedDisk;
  readonly witness: SimulatedWitnessFile;
  /** null before the first start. */
  readonly process: SimulatedProcess | null;
  /** null while it starts, or does not run. */
  readonly replica: Replica | null;
  /** Why its last start failed, or null. */
  readonly failure: unknown;
}

export interface Cluster {
  readonly world: World;
  readonly app: App;
  readonly backbone: Loopback;
  readonly machines: ReadonlyMap<string, Machine>;
  readonly observer: Observer;

  /** Through the app's handler at that machine. Never rejects. */
  ask(machine: string, ask: Ask): Promise<Answer>;

  /** Adds a machine with an empty disk. It does not run yet. */
  add(machine: string): Machine;
  /** Starts a process on it, and a replica in it; nothing where one runs. Resolves when it answers, or died or failed before that. */
  start(machine: string, options?: StartOptions): Promise<void>;
  /** A clean stop: rights go back. */
  stop(machine: string): Promise<void>;
  /** Its process dies. `power`: and what was not synced is lost. */
  crash(machine: string, options?: { readonly power?: boolean }): void;
  pause(machine: string): void;
  resume(machine: string): void;
  cut(machine: string, direction?: Direction): void;
  /** One machine's connection, or all. */
  heal(machine?: string): void;
  backup(machine: string): DiskSnapshot;
  /** Crashes it and puts a backup back; `missing`: its witness is gone, too. It does not run then. */
  restore(machine: string, backup: DiskSnapshot, witness?: 'missing'): void;
  /** A second start of the same disk beside the first, on `<machine>-twin`. */
  twin(machine: string): Promise<void>;
  /** An operator retires all incarnations of a machine that does not run, at another one. Rejects with UNREACHABLE, NOT_FOUND. */
  retire(machine: string, by: string): Promise<Retirement>;

  /**
   * The first difference between the rows of machines that run, byte by byte; null: there is none. A disk that ran twice is left out, and
   * so is what its incarnations wrote: one of two processes may overwrite there what the other left. (A real one is locked: D2.)
   */
  difference(): string | null;
}

interface Located extends Machine {
  readonly life: Life;
}

export function createCluster(options: ClusterOptions): Cluster {
  const { world, app } = options;
  const backbone = createLoopback({ host: world.host('backbone'), ...options.network });
  const observer = createObserver(app.variables);
  const machines = new Map<string, Located>();
  const cuts = createCuts(backbone);
  const shared = sharedOf(options, backbone, cuts);

  const place = (name: string, disk: SimulatedDisk, witness: SimulatedWitnessFile, identity = name): Located => {
    const declared = options.appOf?.(name) ?? app;
    const life = createLife({ ...shared, app: declared, name, identity, host: world.host(name), disk, witness });
    const machine: Located = {
      ...{ name, host: life.host, disk, witness, life },
      get process() {
        return life.process;
      },
      get replica() {
        return life.replica;
      },
      get failure() {
        return life.failure;
      },
    };
    machines.set(name, machine);
    return machine;
  };
  const add = (name: string): Located => {
    const disk = createSimulatedDisk(world, name, { ...options.disk, written: observer.written });
    return place(name, disk, createSimulatedWitness(world, name, options.witnessMs));
  };
  const at = (name: string): Located => machines.get(name) ?? add(name);
  const difference = (): string | null => {
    const twice = new Set([...machines.keys()].filter((name) => machines.has(`${name}-twin`)));
    const running = [...machines.values()].filter(({ name, replica }) => replica !== null && !twice.has(name));
    const [first, ...others] = running.map(({ name, disk }) => [name, rowsWithout(disk.rows(), twice)] as const);
    if (first === undefined) return null;
    for (const other of others) {
      const found = differenceOf(first, other) ?? differenceOf(other, first);
      if (found !== null) return found;
    }
    return null;
  };
  return {
    ...{ world, app, backbone, machines, observer, add, difference },
    ask: (name, ask) => at(name).life.ask(ask),
    start: (name, how) => at(name).life.start(how),
    stop: (name) => at(name).life.stop(),
    crash(name, { power = false } = {}) {
      at(name).process?.kill();
      if (power) at(name).disk.crash();
    },
    pause: (name) => at(name).process?.pause(),
    resume: (name) => at(name).process?.resume(),
    cut: (name, direction = 'both') => cuts.cut(name, direction),
    heal: (name) => cuts.heal(name),
    backup: (name) => at(name).disk.snapshot(),
    restore(name, backup, witness) {
      at(name).process?.kill();
      at(name).disk.restore(backup);
      if (witness === 'missing') at(name).witness.text = null;
    },
    twin(name) {
      const { disk, witness } = at(name);
      const twin = machines.get(`${name}-twin`) ?? place(`${name}-twin`, disk, witness, name);
      return twin.life.start();
    },
    async retire(name, by) {
      const { disk, replica } = at(by);
      const { registers } = backbone.connect(`operator of ${by}`);
      return retire({ registers, store: disk.open(), who: name, by: replica?.id ?? '', why: 'simulated', now: world.nowMs });
    },
  };
}

interface Cuts {
  isCut(name: string): boolean;
  cut(name: string, direction: Direction): void;
  heal(name?: string): void;
}

/** The loopback cuts; who travels besides it must know of it, too. */
function createCuts(backbone: Loopback): Cuts {
  const inward = new Set<string>();
  return {
    isCut: (name) => inward.has(name),
    cut(name, direction) {
      if (direction !== 'out') inward.add(name);
      backbone.cut(name, direction);
    },
    heal(name) {
      if (name === undefined) inward.clear();
      else inward.delete(name);
      backbone.heal(name);
    },
  };
}

/** What all machines have in common. */
function sharedOf(options: ClusterOptions, backbone: Loopback, cuts: Cuts) {
  const { world, app, trace = null, contactMs = 1_000 } = options;
  const secrets = options.secrets ?? new Map(app.settings.secrets.map((name) => [name, `secret-${name}`]));
  let runs = 0;
  const shared: Omit<LifeOptions, 'name' | 'identity' | 'host' | 'disk' | 'witness'> = {
    ...{ world, app, backbone, secrets, trace, contactMs, isCut: cuts.isCut },
    lag: options.lag ?? always(options.network?.lagMs),
    rtt: options.rtt ?? always(options.network?.rttMs),
    nextRun: () => ++runs,
  };
  return shared;
}

const always = (ms = 0): Spread => ({ medianMs: ms, p99Ms: ms });
