/** The life of one machine: its processes one after another, each with a replica and the app's handler. */
import type { App } from '../app.ts';
import type { Loopback } from '../backbone/index.ts';
import { createHandler, type Handler } from '../http/index.ts';
import { type Alarm, openReplica, type Replica } from '../replica/index.ts';
import { type Cron, type RunContext, startCron } from '../workflow/index.ts';
import { observing } from '../workflow/trace.ts';
import { type Answer, type Ask, answerOf, makeLight, sentOf, unanswered } from './ask.ts';
import type { SimulatedHost, World } from './host.ts';
import { createPath } from './network.ts';
import { createSimulatedProcess, type KillAt, type SimulatedProcess } from './process.ts';
import type { Spread } from './schedule.ts';
import type { SimulatedDisk } from './store.ts';
import { stepEvents, type TraceEvent } from './trace.ts';
import type { SimulatedWitnessFile } from './witness.ts';

export interface LifeOptions {
  readonly world: World;
  readonly app: App;
  readonly backbone: Loopback;
  readonly secrets: ReadonlyMap<string, string>;
  readonly trace: ((event: TraceEvent) => void) | null;
  readonly contactMs: number;
  readonly lag: Spread;
  readonly rtt: Spread;
  readonly isCut: (name: string) => boolean;
  readonly nextRun: () => number;
  readonly name: string;
  /** What its replica is called: a twin's is its original's. */
  readonly identity: string;
  readonly host: SimulatedHost;
  readonly disk: SimulatedDisk;
  readonly witness: SimulatedWitnessFile;
}

export interface StartOptions {
  /** Dies at this await of its. */
  readonly killAt?: KillAt;
  /** An operator says: join this backbone although it is not the one that this store knows. */
  readonly adopt?: boolean;
}

export interface Life {
  readonly host: SimulatedHost;
  readonly process: SimulatedProcess | null;
  readonly replica: Replica | null;
  readonly failure: unknown;
  start(options?: StartOptions): Promise<void>;
  stop(): Promise<void>;
  ask(ask: Ask): Promise<Answer>;
}

/** What runs in one process. */
interface Running {
  readonly replica: Replica;
  readonly handler: Handler;
  readonly cron: Cron | null;
}

export function createLife(options: LifeOptions): Life {
  const { host, app } = options;
  let process: SimulatedProcess | null = null;
  let running: Running | null = null;
  let starting: Promise<void> | null = null;
  let stopping: Promise<void> | null = null;
  let failure: unknown = null;
  /** Who waits for this process, to be told of its death. */
  const waiting = new Set<() => void>();

  const died = (): void => {
    running = null;
    starting = null;
    const told = [...waiting];
    waiting.clear();
    for (const tell of told) tell();
  };
  /** Settles like `work`, or as lost when the process dies before. */
  const orDeath = <T>(lost: T, work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const onDeath = () => resolve(lost);
      waiting.add(onDeath);
      const done = (settle: () => void) => {
        if (waiting.delete(onDeath)) settle();
      };
      work().then(
        (value) => done(() => resolve(value)),
        (error: unknown) => done(() => reject(error)),
      );
    });
  const begin = async ({ killAt, adopt = false }: StartOptions): Promise<void> => {
    const next = createSimulatedProcess(host, killAt);
    process = next;
    failure = null;
    next.onKill(died);
    try {
      await orDeath(undefined, async () => {
        const opened = await open(options, next, adopt);
        if (next.alive) running = opened;
      });
    } catch (error) {
      failure = error;
      next.kill();
    }
  };
  /** Who is stopping ends first. */
  const start = (how: StartOptions = {}): Promise<void> => {
    if (stopping !== null) return stopping.then(() => start(how));
    if (process?.alive && (running !== null || starting !== null)) return starting ?? Promise.resolve();
    const mine = begin(how).finally(() => {
      if (starting === mine) starting = null;
    });
    starting = mine;
    return mine;
  };
  const end = async (): Promise<void> => {
    const ending = running;
    if (ending !== null) {
      await orDeath(undefined, async () => {
        await ending.cron?.close();
        ending.handler.close();
        await ending.replica.close();
      }).catch(() => {});
    }
    process?.kill();
  };
  const answer = async (ask: Ask): Promise<Answer> => {
    if (running === null) return unanswered;
    const { request, inbound } = sentOf(ask);
    return answerOf(await running.handler.answer(request, inbound));
  };
  return {
    host,
    get process() {
      return process;
    },
    get replica() {
      return running?.replica ?? null;
    },
    get failure() {
      return failure;
    },
    start,
    stop() {
      stopping ??= end().finally(() => {
        stopping = null;
      });
      return stopping;
    },
    ask(ask) {
      const current = process;
      if (running === null || current === null || !current.alive) return Promise.resolve(unanswered);
      if (!current.paused) return orDeath(unanswered, () => answer(ask));
      // Who is paused reads it when it goes on.
      return orDeath(
        unanswered,
        () => new Promise((resolve) => void current.host.after(0, () => void answer(ask).then(resolve))),
      );
    },
  };

  async function open(from: LifeOptions, on: SimulatedProcess, adopt: boolean): Promise<Running> {
    const path = pathOf(from, on);
    const backbone = on.backbone(path);
    const replica = await openReplica({
      ...{ name: from.identity, variables: app.variables, host: on.host, backbone, contactMs: from.contactMs, adopt },
      store: on.store(from.disk.open()),
      witness: on.witness(from.witness.open()),
      alarm: alarmOf(from),
    });
    const context = contextOf(from);
    const handler = createHandler({ app, replica, host: on.host, makeResponse: makeLight, ...context });
    const plans = [...app.workflows.values()].filter((plan) => plan.cron !== null);
    const cron = plans.length === 0 ? null : startCron({ plans, replica, host: on.host, backbone, ...context });
    return { replica, handler, cron };
  }
}

const pathOf = ({ name, world, host, backbone, lag, rtt, isCut, trace }: LifeOptions, process: SimulatedProcess) =>
  createPath({
    ...{ name, lag, rtt, backbone: backbone.connect(name) },
    host: process.host,
    random: world.random.fork(`path/${name}/${world.events}`),
    timeoutMs: backbone.network.timeoutMs,
    retryMs: backbone.network.retryMs,
    isCut: () => isCut(name),
    trace: trace === null ? null : (event) => trace({ kind: 'network', atMs: host.elapsed(), replica: name, ...event }),
  });

const alarmOf =
  ({ trace, host, name }: LifeOptions) =>
  (alarm: Alarm) =>
    trace?.({ kind: 'alarm', atMs: host.elapsed(), replica: name, what: alarm.kind, detail: alarm.message });

function contextOf({ secrets, trace, host, name, nextRun }: LifeOptions): Pick<RunContext, 'secrets' | 'observe' | 'runId'> {
  // A run is called by its number, so that being observed takes no identifier from the machine.
  const runId = () => `run-${nextRun()}`;
  if (trace === null) return { secrets, runId };
  const observe = observing((record) => {
    const beganMs = host.elapsed() - record.tookMs;
    for (const event of stepEvents(record, { replica: name, beganMs })) trace(event);
  });
  return { secrets, runId, observe };
}
