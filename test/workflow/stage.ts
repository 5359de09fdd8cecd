/** An app on one simulated machine: real replica, real store contract, virtual time. */
import { type App, loadApp } from '../../src/app.ts';
import { openReplica, type Replica } from '../../src/replica/index.ts';
import { createSimulatedHost, type World } from '../../src/simulate/host.ts';
import type { KillAt } from '../../src/simulate/process.ts';
import { createSimulatedProcess, type SimulatedProcess } from '../../src/simulate/process.ts';
import { createSimulatedDisk, type SimulatedDisk } from '../../src/simulate/store.ts';
import type { Json } from '../../src/strategy/json.ts';
import { createKeyedRuns, executeRun, type LogEntry, type RunContext, type RunResult } from '../../src/workflow/index.ts';

export const runs = (count: number): number => Math.ceil(count * Number(process.env.CFFBRW_RUNS ?? 1));
const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const appOf = (...texts: string[]): App => loadApp(texts.map((text, index) => ({ path: `f${index + 1}.yaml`, text })));

/** The message of what `task` throws. */
export function refusal(task: () => unknown): string {
  try {
    task();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

export interface RequestOptions {
  readonly body?: Json;
  readonly params?: Json;
  readonly query?: Json;
  readonly key?: string;
  readonly caller?: string;
}

export interface Stage {
  readonly world: World;
  readonly logs: LogEntry[];
  readonly replica: Replica;
  readonly disk: SimulatedDisk;
  readonly process: SimulatedProcess;
  /** Starts a new process over the same disk; what the last one had in memory is gone. False: it died while it started. */
  start(killAt?: KillAt): Promise<boolean>;
  /** What a client sees: the answer, or null when the process died before it. */
  tryAsk(workflow: string, options?: RequestOptions): Promise<RunResult | null>;
  /** A request to a workflow: the promise, without letting time pass. */
  begin(workflow: string, options?: RequestOptions): Promise<RunResult>;
  /** A request to a workflow, and its answer. */
  ask(workflow: string, options?: RequestOptions): Promise<RunResult>;
  value(variable: string, key?: string): Promise<Json>;
}

export async function createStage(app: App, seed = 'workflow', context: Partial<RunContext> = {}, other?: Stage): Promise<Stage> {
  const world = other?.world ?? createSimulatedHost({ seed, drain });
  const host = world.host('here');
  const disk = other?.disk ?? createSimulatedDisk(world, 'here');
  other?.process.kill();
  const logs: LogEntry[] = [];
  let process = createSimulatedProcess(host);
  let replica: Replica;
  let keyed: ReturnType<typeof createKeyedRuns>;
  let death: Promise<null> = Promise.resolve(null);
  const start = async (killAt?: KillAt): Promise<boolean> => {
    process.kill();
    const next = createSimulatedProcess(host, killAt);
    process = next;
    death = new Promise((resolve) => next.onKill(() => resolve(null)));
    const opening = openReplica({ name: 'here', variables: app.variables, host: next.host, store: next.store(disk.open()) });
    const opened = await world.runUntil(Promise.race([opening, death]));
    if (opened === null) return false;
    replica = opened;
    keyed = createKeyedRuns({ replica, host: next.host });
    return true;
  };
  const begin: Stage['begin'] = async (workflow, { key, caller = '', ...given } = {}) => {
    const plan = app.workflows.get(workflow);
    if (plan === undefined) throw new Error(`no workflow ${workflow}`);
    const request = { method: plan.http?.method ?? 'POST', path: '/', params: {}, query: {}, headers: {}, body: null, ...given };
    const full: RunContext = { replica, host: process.host, log: (entry) => logs.push(entry), ...context };
    return key === undefined ? executeRun(plan, request, full) : keyed.run(plan, request, { key, caller }, full);
  };
  await start();
  return {
    world,
    logs,
    disk,
    get replica() {
      return replica;
    },
    get process() {
      return process;
    },
    start,
    begin,
    tryAsk: (workflow, options) => world.runUntil(Promise.race([begin(workflow, options), death])),
    ask: (workflow, options) => world.runUntil(begin(workflow, options)),
    async value(variable, key) {
      const address = replica.address(variable, key);
      return world.runUntil(
        (async () => {
          await replica.load([address]);
          const slot = replica.peek(address);
          if (slot === undefined) throw new Error('not loaded');
          return replica.read(slot);
        })(),
      );
    },
  };
}
