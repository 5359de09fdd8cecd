/**
 * Plays a schedule: the load and the faults first, looking at the invariants after every response; then everything heals, and the replicas must
 * come to hold the same.
 *
 * Invariants:
 *   Y1  What is played depends on the app, the scenario and the schedule alone. A trace, or what is watched, changes nothing.
 *   Y2  Every request of the schedule gives exactly one response, also where nobody answers.
 */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import type { Answer } from './ask.ts';
import { type Cluster, createCluster } from './cluster.ts';
import type { Checks, Seen } from './expressions.ts';
import { applyFault, createOperator, type Operator } from './faults.ts';
import { createSimulatedHost, type World } from './host.ts';
import { createLists, type Lists } from './kept-filters.ts';
import { outboundScript } from './outbound.ts';
import { createFingerprint } from './random.ts';
import type { SimulatedResponse, Violation } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { RequestAction, Schedule } from './schedule.ts';
import { createTraceLog, type TraceEvent, type TraceLog } from './trace.ts';

export interface PlayOptions {
  readonly app: App;
  readonly scenario: Scenario;
  readonly checks: Checks;
  readonly schedule: Schedule;
  readonly drain: () => Promise<void>;
  readonly secrets: ReadonlyMap<string, string> | undefined;
  readonly trace: boolean;
}

export interface Played {
  readonly violations: readonly Violation[];
  readonly responses: readonly SimulatedResponse[];
  readonly watched: number | null;
  readonly fingerprint: string;
  readonly tookMs: number;
  readonly events: number;
  readonly trace: readonly TraceEvent[];
}

interface Stage extends PlayOptions {
  readonly world: World;
  readonly cluster: Cluster;
  readonly operator: Operator;
  readonly log: TraceLog | null;
  /** When the load begins. */
  beginMs: number;
  readonly responses: SimulatedResponse[];
  readonly violations: Violation[];
  /** Invariants that are broken already: only the first time counts. */
  readonly broken: Set<object>;
  waiting: number;
  readonly lists: Lists;
}

export async function play(options: PlayOptions): Promise<Played> {
  const stage = setUp(options);
  try {
    await begin(stage);
    await underLoad(stage);
    await heal(stage);
  } catch (error) {
    if (!(error instanceof CffbrwError) || error.code !== 'INVARIANT') throw error;
    violate(stage, { kind: 'failure', invariant: 'the simulation runs', message: error.message });
  }
  const { world, responses, violations, log, beginMs } = stage;
  return {
    ...{ violations, responses, watched: watchedAt(stage), fingerprint: fingerprintOf(stage), events: world.events },
    tookMs: world.elapsedMs - beginMs,
    trace: log?.events() ?? [],
  };
}

function setUp(options: PlayOptions): Stage {
  const { app, scenario, schedule, drain, secrets } = options;
  const { seed, network, disk } = schedule;
  const world = createSimulatedHost({ seed, drain, startMs: scenario.startMs, fetch: outboundScript(scenario.outbound, seed) });
  const log = options.trace ? createTraceLog() : null;
  const { lag, rtt, contactMs, ...rest } = network;
  const cluster = createCluster({
    ...{ world, app, lag, rtt, contactMs, secrets, disk },
    network: { ...rest, rttMs: rtt.medianMs },
    trace: log === null ? undefined : (event) => note(stage, event),
  });
  const stage: Stage = {
    ...options,
    ...{ world, cluster, log, operator: createOperator(cluster, schedule.regions) },
    ...{ beginMs: 0, responses: [], violations: [], broken: new Set(), waiting: 0, lists: createLists() },
  };
  return stage;
}

/** Times are told from the beginning of the load on. */
function note({ log, beginMs }: Stage, event: TraceEvent): void {
  if (beginMs > 0) log?.add({ ...event, atMs: event.atMs - beginMs });
}

async function begin(stage: Stage): Promise<void> {
  const { world, cluster, schedule } = stage;
  await world.runUntil(Promise.all(schedule.regions.map((region) => cluster.start(region))));
  stage.beginMs = world.elapsedMs;
  note(stage, { kind: 'phase', what: 'load', atMs: stage.beginMs, replica: 'backbone' });
}

async function underLoad(stage: Stage): Promise<void> {
  const { world, schedule, scenario } = stage;
  const users = world.host('users');
  let number = 0;
  for (const action of schedule.actions) {
    if (action.kind === 'request') {
      const i = number++;
      users.after(action.atMs, () => void send(stage, action, i));
    } else {
      users.after(action.atMs, () => applyFault(stage.operator, action, (event) => note(stage, event)));
    }
  }
  stage.waiting = number;
  await world.run(schedule.durationMs);
  const lastMs = world.elapsedMs + scenario.liveness.answersMs;
  while (stage.waiting > 0 && world.elapsedMs < lastMs) await world.run(100);
}

async function send(stage: Stage, { region, user, method, path, headers, body }: RequestAction, i: number): Promise<void> {
  const { world, cluster, log } = stage;
  const sentMs = world.elapsedMs;
  if (log !== null) note(stage, { kind: 'request', atMs: sentMs, replica: region, i, user, method, path, body });
  const answer = await cluster.ask(region, { method, path, headers, body });
  const took = world.elapsedMs - sentMs;
  const { status, body: answered } = answer;
  if (log !== null)
    note(stage, { kind: 'answer', atMs: world.elapsedMs, replica: region, i, user, status, body: answered, tookMs: took });
  stage.waiting -= 1;
  const at = world.elapsedMs - stage.beginMs;
  stage.responses.push({ i, user, region, method, path, status, body: answered, at, took });
  checkAnswer(stage, answer);
  checkAlways(stage);
}

const seenBy = ({ responses, cluster, app, world, lists }: Stage): Seen => ({
  responses,
  lists,
  observer: cluster.observer,
  app,
  nowMs: world.nowMs,
});

function violate(stage: Stage, violation: Omit<Violation, 'atMs' | 'response' | 'place'> & Partial<Violation>): void {
  const { world, responses, beginMs } = stage;
  const response = responses.length === 0 ? null : responses.length - 1;
  const full: Violation = { place: null, response, atMs: world.elapsedMs - beginMs, ...violation };
  stage.violations.push(full);
  const { invariant, message } = full;
  const i = response === null ? null : (responses[response]?.i ?? null);
  note(stage, { kind: 'violation', atMs: world.elapsedMs, replica: responses.at(-1)?.region ?? '', invariant, message, i });
}

function checkAlways(stage: Stage): void {
  const { checks, broken, cluster } = stage;
  if (checks.always.length > 0) {
    const seen = seenBy(stage);
    for (const { invariant, check } of checks.always) {
      if (broken.has(invariant)) continue;
      const message = check(seen);
      if (message === null) continue;
      broken.add(invariant);
      violate(stage, { kind: 'always', invariant: invariant.name, message, place: invariant.that.place });
    }
  }
  checkBound(stage, cluster.observer.oversold);
}

const bound = {};

function checkBound(stage: Stage, oversold: string | null): void {
  if (oversold === null || stage.broken.has(bound)) return;
  stage.broken.add(bound);
  violate(stage, { kind: 'bound', invariant: 'no bounded counter gives out more than there is', message: oversold });
}

const mistake = {};

/** What can only be a mistake of ours is none of the app's answers. */
function checkAnswer(stage: Stage, { body }: Answer): void {
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : null;
  if (code !== 'INVARIANT' || stage.broken.has(mistake)) return;
  stage.broken.add(mistake);
  violate(stage, { kind: 'failure', invariant: 'no internal error', message: `an answer was ${JSON.stringify(body)}` });
}

// ── Healing. ──

const stepMs = 1_000;

async function heal(stage: Stage): Promise<void> {
  const { world, operator, scenario, schedule } = stage;
  if (stage.waiting > 0) {
    const message = `${stage.waiting} requests were not answered within ${scenario.liveness.answersMs} ms after the load`;
    violate(stage, { kind: 'answer', invariant: 'every request is answered', message });
  }
  note(stage, { kind: 'phase', what: 'heal', atMs: world.elapsedMs, replica: 'backbone' });
  operator.heal(schedule.disk);
  const endMs = world.elapsedMs + scenario.liveness.convergeMs;
  let unrest = operator.unrest();
  while (unrest !== null && world.elapsedMs < endMs) {
    await world.run(stepMs);
    operator.supervise();
    unrest = operator.unrest();
  }
  note(stage, { kind: 'phase', what: 'rest', atMs: world.elapsedMs, replica: 'backbone' });
  if (unrest !== null) {
    const message = `${scenario.liveness.convergeMs} ms after everything had healed: ${unrest}`;
    violate(stage, { kind: 'convergence', invariant: 'all replicas come to hold the same', message });
  }
  const seen = seenBy(stage);
  for (const { invariant, check } of stage.checks.finally) {
    const message = check(seen);
    if (message === null) continue;
    violate(stage, { kind: 'finally', invariant: invariant.name, message, place: invariant.that.place, response: null });
  }
  checkBound(stage, stage.cluster.observer.oversold);
}

const watchedAt = (stage: Stage): number | null => stage.checks.watch?.(seenBy(stage)) ?? null;

function fingerprintOf({ world, responses, violations, cluster }: Stage): string {
  const print = createFingerprint();
  print.add(`${world.fingerprint} ${world.events}`);
  print.add(JSON.stringify(responses));
  print.add(JSON.stringify(violations));
  for (const [name, { disk }] of cluster.machines) {
    print.add(name);
    for (const ofAddress of disk.rows().values())
      for (const { address, replica, version, bytes } of ofAddress.values())
        print.add(`${address} ${replica} ${version} ${bytes}`);
  }
  return print.text();
}
