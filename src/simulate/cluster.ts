/** Machines with the app's real handler, replica, strategies and bank in one world, and the backbone between them. */
import type { App } from '../app.ts';
import type { Direction, Loopback, Network } from '../backbone/index.ts';
import type { Replica } from '../replica/index.ts';
import type { Json } from '../strategy/json.ts';
import type { SimulatedHost, World } from './host.ts';
import type { KillAt, SimulatedProcess } from './process.ts';
import type { DiskFaults, DiskSnapshot, SimulatedDisk } from './store.ts';
import type { TraceEvent } from './trace.ts';
import type { SimulatedWitnessFile } from './witness.ts';

export interface ClusterOptions {
  readonly world: World;
  readonly app: App;
  readonly network?: Partial<Network>;
  readonly disk?: Partial<DiskFaults>;
  /** How often replicas look at the backbone by themselves. Default 1,000 ms. */
  readonly contactMs?: number;
  /** Default: `secret-<NAME>`. */
  readonly secrets?: ReadonlyMap<string, string>;
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
}

/** A user's request, without the cost of a `Request`. */
export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; null: no body. */
  readonly body?: Json;
}

export interface Answer {
  /** 0: none; the replica died before it answered, or does not run. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or the text; null without a body. */
  readonly body: Json;
}

export interface Cluster {
  readonly world: World;
  readonly app: App;
  readonly backbone: Loopback;
  readonly machines: ReadonlyMap<string, Machine>;

  /** Through the app's handler at that machine. Never rejects. */
  ask(machine: string, ask: Ask): Promise<Answer>;
  /** The same with a real `Request`. Rejects with CLOSED where the machine does not run or dies. */
  request(machine: string, request: Request): Promise<Response>;

  /** Adds a machine with an empty disk. It does not run yet. */
  add(machine: string): Machine;
  /** Starts a process on it, and a replica in it; nothing where one runs. Resolves when it answers, or died before that. */
  start(machine: string, killAt?: KillAt): Promise<void>;
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
  /** Crashes it and puts a backup back. It does not run then. */
  restore(machine: string, backup: DiskSnapshot): void;
  /** A second start of the same disk beside the first, on `<machine>-twin`. */
  twin(machine: string): Promise<void>;
  /** An operator retires all incarnations of a machine that does not run, at another one. */
  retire(machine: string, by: string): Promise<void>;

  /** What is wrong with bounded counters, seen from all disks at once: more was taken than there was. */
  oversold(): string | null;
  /** The first difference between the rows of machines that run, byte by byte; null: there is none. */
  difference(): string | null;
}
