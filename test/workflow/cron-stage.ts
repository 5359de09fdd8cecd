/** An app with a schedule on several simulated machines, whose processes die and whose clocks differ. */
import type { App } from '../../src/app.ts';
import { createLoopback, type Loopback, type LoopbackOptions } from '../../src/backbone/index.ts';
import { openReplica, type Replica } from '../../src/replica/index.ts';
import { createSimulatedHost, type SimulatedHost, type World } from '../../src/simulate/host.ts';
import { createSimulatedProcess, type KillAt, type SimulatedProcess } from '../../src/simulate/process.ts';
import { createSimulatedDisk, type SimulatedDisk } from '../../src/simulate/store.ts';
import { createSimulatedWitness } from '../../src/simulate/witness.ts';
import { type Cron, type LogEntry, startCron } from '../../src/workflow/index.ts';

export const midnightMs = Date.UTC(2026, 0, 1);
const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface Machine {
  readonly name: string;
  readonly host: SimulatedHost;
  readonly disk: SimulatedDisk;
  readonly process: SimulatedProcess;
  readonly replica: Replica;
  readonly cron: Cron;
  /** A new process over the same disk. False: it died while it started. */
  start(killAt?: KillAt): Promise<boolean>;
}

export interface CronStage {
  readonly world: World;
  readonly loopback: Loopback | null;
  readonly machines: readonly Machine[];
  readonly logs: LogEntry[];
  /** Stops every process, and starts them with another app. */
  redeploy(app: App): Promise<void>;
}

export interface CronStageOptions {
  readonly app: App;
  readonly seed: string;
  /** Default 5. One machine has no backbone. */
  readonly machines?: number;
  readonly network?: Partial<LoopbackOptions>;
  readonly skewsMs?: readonly number[];
  /** What the clocks show at the start, milliseconds after midnight. */
  readonly startsMs?: number;
  /** Where the first process of the first machine dies. */
  readonly killAt?: KillAt;
}

export async function createCronStage(options: CronStageOptions): Promise<CronStage> {
  const { seed, machines: count = 5, network = {}, skewsMs = [], startsMs = 0 } = options;
  const world = createSimulatedHost({ seed, drain, startMs: midnightMs + startsMs });
  const loopback = count === 1 ? null : createLoopback({ host: world.host('backbone'), ...network });
  const logs: LogEntry[] = [];
  let current = options.app;
  const machines = Array.from({ length: count }, (_, index) =>
    createMachine({ world, loopback, app: () => current, name: `r${index + 1}`, skewMs: skewsMs[index] ?? 0, logs }),
  );
  for (const [index, machine] of machines.entries()) await machine.start(index === 0 ? options.killAt : undefined);
  return {
    world,
    loopback,
    machines,
    logs,
    async redeploy(next) {
      current = next;
      for (const machine of machines) await machine.start();
    },
  };
}

interface MachineOptions {
  readonly world: World;
  readonly loopback: Loopback | null;
  readonly app: () => App;
  readonly name: string;
  readonly skewMs: number;
  readonly logs: LogEntry[];
}

function createMachine({ world, loopback, app, name, skewMs, logs }: MachineOptions): Machine {
  const host = world.host(name);
  host.skewMs = skewMs;
  const disk = createSimulatedDisk(world, name);
  const witness = createSimulatedWitness(world, name);
  let process = createSimulatedProcess(host);
  let replica: Replica | null = null;
  let cron: Cron | null = null;
  return {
    name,
    host,
    disk,
    get process() {
      return process;
    },
    get replica() {
      if (replica === null) throw new Error(`${name} has not started`);
      return replica;
    },
    get cron() {
      if (cron === null) throw new Error(`${name} has not started`);
      return cron;
    },
    async start(killAt) {
      process.kill();
      const next = createSimulatedProcess(host, killAt);
      process = next;
      const death = new Promise<null>((resolve) => next.onKill(() => resolve(null)));
      const backbone = loopback === null ? null : next.backbone(loopback.connect(name));
      const opening = openReplica({
        ...{ name, variables: app().variables, host: next.host, backbone },
        ...{ store: next.store(disk.open()), witness: next.witness(witness.open()) },
      });
      const opened = await world.runUntil(Promise.race([opening, death]));
      if (opened === null) return false;
      replica = opened;
      const log = (entry: LogEntry) => logs.push(entry);
      cron = startCron({ plans: app().workflows.values(), replica, host: next.host, backbone, log });
      return true;
    },
  };
}
