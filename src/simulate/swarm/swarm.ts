/**
 * The swarm: this project's own claims over random apps, loads and faults, by seed. Nothing of handler, workflow, replica, strategies and bank
 * is replaced; host, disks and network are simulated, and the models (model-*.ts) know only what users asked and were told.
 *
 *   C1  An acknowledged write survives the death of the process and of the power.
 *   C2  A bounded counter never gives out more than was minted.
 *   C3  When faults stop, all replicas hold the same bytes.
 *   C4  Each refusal says what, whether a retry is safe, and never claims success.
 *   C5  A timeout is unknown, and a retry with the same key gives the one true outcome.
 *
 * What it leaves out because DESIGN 5 says that it remains: a backbone that is rolled back or emptied without anybody noticing, a new replica that
 * meets an emptied backbone before anyone else, a disk cloned beside its running original and cut off, a whole machine's snapshot, a replica that
 * is retired before it wrote again what the backbone lost.
 * What real parts are needed for (a flipped byte in a file, a server that restarts) is tested over real processes.
 */
import { quarantineAheadMs } from '../../clock.ts';
import { createCluster } from '../cluster.ts';
import { applyFault, createOperator } from '../faults.ts';
import { createSimulatedHost } from '../host.ts';
import { createFingerprint } from '../random.ts';
import type { Fault } from '../schedule.ts';
import { swarmApp } from './app.ts';
import { keyed, mint, race, settle, take } from './ask-stock.ts';
import { add, drop, merge, offer, read, refuse, set, wipe } from './ask-values.ts';
import type { BulkFault } from './draw-faults.ts';
import { createOracle, type Finding } from './oracle.ts';
import type { AskAction, SwarmAction, SwarmPlan } from './plan.ts';
import { checkRest, heal } from './rest.ts';
import { type Counts, note, report, type Stage } from './stage.ts';

export { drawPlan, type SwarmPlan, type SwarmSize } from './plan.ts';

export interface SwarmOptions {
  readonly plan: SwarmPlan;
  /** Resolves when every microtask is over. */
  readonly drain: () => Promise<void>;
  /** Keep a line for each thing that happens. Changes nothing. */
  readonly notes?: boolean;
}

export interface SwarmRun extends Counts {
  readonly finding: Finding | null;
  readonly faults: number;
  readonly events: number;
  readonly fingerprint: string;
  readonly notes: readonly string[];
}

/** Plays one plan. Never rejects: what breaks is a finding. */
export async function playSwarm(options: SwarmOptions): Promise<SwarmRun> {
  const stage = setUp(options);
  try {
    await play(stage);
    if (stage.finding === null) await heal(stage);
    if (stage.finding === null) await checkRest(stage);
  } catch (error) {
    report(stage, 'C4', `the world broke down: ${error instanceof Error ? error.stack : String(error)}`);
  }
  const { counts, finding, notes, world, plan } = stage;
  const faults = plan.actions.filter(({ kind }) => kind !== 'ask').length;
  return { ...counts, finding, faults, events: world.events, fingerprint: fingerprintOf(stage), notes: notes ?? [] };
}

function setUp({ plan, drain, notes = false }: SwarmOptions): Stage {
  const { seed, network, syncMs, witnessMs, startMs, regions } = plan;
  const { app, other } = swarmApp(plan.app);
  const world = createSimulatedHost({ seed, drain, startMs });
  const { lag, rtt, contactMs, ...rest } = network;
  const lines: string[] | null = notes ? [] : null;
  const cluster = createCluster({
    ...{ world, app, lag, rtt, contactMs, witnessMs, disk: { syncMs } },
    appOf: (machine) => (machine.replace(/-twin$/, '') === plan.elsewhere ? other : app),
    network: { ...rest, rttMs: rtt.medianMs },
  });
  const even = lag.medianMs === lag.p99Ms ? lag.medianMs : 0;
  const operator = createOperator(cluster, regions);
  return {
    ...{ plan, app, world, cluster, notes: lines, finding: null, aheadMs: 0 },
    ...{ runs: new Map(), forgetful: new Set(), backups: new Map(), twins: new Map(), clocks: new Set() },
    operator,
    oracle: createOracle(app, other, { travelMs: even + rtt.medianMs / 2 - 0.01, unheard: operator.unheard }),
    counts: { asked: 0, acknowledged: 0, refused: 0, unknown: 0 },
  };
}

async function play(stage: Stage): Promise<void> {
  const { world, plan, operator } = stage;
  for (const region of plan.regions) operator.start(region);
  await world.run(firstMs);
  const users = world.host('users');
  for (const action of plan.actions) users.after(action.atMs, () => happen(stage, action));
  for (let left = plan.durationMs; left > 0 && stage.finding === null; left -= sliceMs) await world.run(Math.min(left, sliceMs));
}

/** Time for the first start, without which nothing can be asked. */
const firstMs = 200;
/** How much is played after a violation before somebody looks. */
const sliceMs = 50;

function happen(stage: Stage, action: SwarmAction): void {
  if (stage.finding !== null) return;
  if (action.kind === 'ask') ask(stage, action);
  else breakSomething(stage, action);
}

const asking: Readonly<Record<AskAction['ask'], (...given: Parameters<typeof add>) => Promise<void>>> = {
  ...{ add, hit: add, visit: add, wipe, set, merge, drop, raise: offer, lower: offer, read, refuse },
  ...{ take, hold: take, list: take, strong: take, once: take, seat: take, settle, mint, burn: mint, keyed, race },
};

function ask(stage: Stage, action: AskAction): void {
  const machine = stage.cluster.machines.get(action.region);
  if (machine === undefined || machine.replica === null) return;
  stage.counts.asked += 1;
  note(stage, `${action.region} ${action.ask} ${action.id} key ${action.key} amount ${action.amount} over the ${action.door}`);
  asking[action.ask](stage, machine, action).catch((error: unknown) =>
    report(stage, 'C4', `an answer could not be understood: ${error instanceof Error ? error.stack : String(error)}`),
  );
}

function breakSomething(stage: Stage, fault: Fault | BulkFault): void {
  const { cluster, operator, forgetful, oracle, world } = stage;
  const { kind, region } = fault;
  note(stage, `-- ${JSON.stringify(fault)}`);
  if (kind === 'clock') {
    stage.aheadMs = Math.max(stage.aheadMs, fault.skewMs);
    if (Math.abs(fault.skewMs) > quarantineAheadMs) stage.clocks.add(region);
  }
  if (kind === 'blackout') {
    blackOut(stage, fault.power);
    return;
  }
  if (kind === 'backup') stage.backups.set(region, world.elapsedMs);
  if (kind === 'restore') {
    const fromMs = stage.backups.get(region);
    if (fromMs === undefined) return;
    forgetful.add(region);
    oracle.lose(region, fromMs);
  }
  // Who comes back after it was retired begins anew, beside what it had.
  if (kind === 'twin' || kind === 'retire') forgetful.add(region);
  if (kind === 'twin' && !stage.twins.has(region)) stage.twins.set(region, world.elapsedMs);
  if (kind === 'retire' && operator.wanted.size < 2) return;
  if (kind === 'join' || kind === 'start') if (!cluster.machines.has(region)) cluster.add(region);
  applyFault(operator, fault, () => {});
}

function blackOut({ cluster, operator }: Stage, power: boolean): void {
  for (const name of cluster.machines.keys()) cluster.crash(name, { power });
  for (const name of operator.wanted) operator.start(name);
}

function fingerprintOf({ world, finding, counts, cluster }: Stage): string {
  const print = createFingerprint();
  print.add(`${world.fingerprint} ${world.events} ${JSON.stringify([finding, counts])}`);
  for (const [name, { disk }] of cluster.machines)
    for (const ofAddress of disk.rows().values())
      for (const { address, replica, version, bytes } of ofAddress.values())
        print.add(`${name} ${address} ${replica} ${version} ${bytes}`);
  return print.text();
}
