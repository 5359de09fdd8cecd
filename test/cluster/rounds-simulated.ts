/**
 * A round in a simulated world: the same app, users, faults and judge as on real processes, with a simulated host, disks and network below,
 * where the same round always goes the same way.
 */
import { join } from 'node:path';
import { type App, loadApp } from '../../src/app.ts';
import { readDocuments } from '../../src/node/directory.ts';
import { type Cluster, createCluster, type Machine } from '../../src/simulate/cluster.ts';
import { addressOf, type Entry, strategies, type Variable } from '../../src/strategy/index.ts';
import { createWorld } from '../simulate/world.ts';
import { openBook } from './rounds-book.ts';
import type { Clock } from './rounds-clock.ts';
import { type Answer, type Place, patienceMs } from './rounds-load.ts';
import { type Fault, type Round, siteNames } from './rounds-plan.ts';
import { type Ground, type Played, playRound } from './rounds-play.ts';
import type { Reader, Value } from './rounds-shown.ts';

const kiosk = join(import.meta.dirname, 'kiosk');
/** What PostgreSQL on the same machine is like. */
const network = { lagMs: 5, rttMs: 2, timeoutMs: 1_000, retryMs: 200 };
const slowMs = 300;

/** The same round: the same result, and the same fingerprint of all that happened. */
export async function playSimulated(round: Round): Promise<Played & { readonly fingerprint: number }> {
  const world = createWorld(round.seed);
  const cluster = createCluster({ world, app: await kioskApp(round.stock), network, disk: { syncMs: 1 } });
  for (const name of siteNames) await world.runUntil(cluster.start(name));
  const played = await world.runUntil(playRound(openGround(cluster), round));
  return { ...played, fingerprint: world.fingerprint };
}

async function kioskApp(units: number): Promise<App> {
  const files = await readDocuments(kiosk);
  return loadApp(files.map(({ path, text }) => ({ path, text: text.replace('initial: 100', `initial: ${units}`) })));
}

interface Stage {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly ground: Pick<Ground, 'book' | 'say'>;
  readonly copies: string[];
  /** What is done to one machine is done in its order. */
  readonly turns: Map<string, Promise<void>>;
  /** Whose way to the backbone is broken by itself. */
  readonly broken: Map<string, 'both' | 'in' | 'out'>;
  backboneRuns: boolean;
}

function openGround(cluster: Cluster): Ground {
  const users = cluster.world.host('users');
  const clock: Clock = {
    nowMs: () => cluster.world.elapsedMs,
    pause: (delayMs) => new Promise((resolve) => void users.after(delayMs, resolve)),
  };
  const ground = { book: openBook(clock), say: () => {} };
  const stage: Stage = { cluster, clock, ground, copies: [], turns: new Map(), broken: new Map(), backboneRuns: true };
  return {
    ...ground,
    places: () => [...siteNames, ...stage.copies].map((name) => placeOf(stage, name)),
    sites: () => siteNames.map((name) => placeOf(stage, name)),
    readers: () => siteNames.map((name) => readerOf(cluster, name)),
    carryOut: (fault) => carryOut(stage, fault),
    heal: () => heal(stage),
    async endCopies() {
      for (const copy of stage.copies) await cluster.stop(copy);
    },
  };
}

const machineOf = ({ machines }: Cluster, name: string): Machine => {
  const machine = machines.get(name);
  if (machine === undefined) throw new Error(`there is no machine ${name}`);
  return machine;
};

function placeOf({ cluster, clock }: Stage, name: string): Place {
  if (machineOf(cluster, name).replica === null) return { name, post: null };
  const ask = async (path: string, body: Readonly<Record<string, unknown>>): Promise<Answer> => {
    const answer = await cluster.ask(name, { method: 'POST', path, body: body as never });
    return { body: answer.status === 200 ? (answer.body as Record<string, unknown>) : null };
  };
  const noAnswer: Answer = { body: null };
  return { name, post: (path, body) => Promise.race([ask(path, body), clock.pause(patienceMs).then(() => noAnswer)]) };
}

/** What its disk holds: at rest that is what it shows. */
const readerOf = (cluster: Cluster, name: string): Reader => ({
  name,
  async read(path) {
    const [variable = '', key = null] = path.split('?key=').map(decodeURIComponent);
    return valueOn(machineOf(cluster, name), cluster.app.variables.get(variable) as Variable, key);
  },
});

function valueOn({ disk }: Machine, variable: Variable, key: string | null): Value {
  const strategy = strategies[variable.strategy];
  const rows = new Map<string, Entry<object>>();
  for (const [replica, { version, bytes }] of disk.rows().get(addressOf(variable, key).id) ?? [])
    rows.set(replica, { version, row: strategy.parseRow(JSON.parse(bytes)) });
  return { value: strategy.read(rows, variable), rows: [...rows].map(([replica, entry]) => ({ replica, ...entry })) };
}

// ── Faults. ──

async function carryOut(stage: Stage, fault: Fault): Promise<void> {
  await stage.clock.pause(fault.atMs);
  const name = siteNames[fault.site] as string;
  switch (fault.kind) {
    case 'postgres':
      return inTurn(stage, 'backbone', () => killBackbone(stage, fault.forMs));
    case 'backup':
      return inTurn(stage, name, () => setBack(stage, name, fault));
    case 'copy':
      return inTurn(stage, name, () => startCopy(stage, name, fault));
    case 'pause':
      return inTurn(stage, name, () => hold(stage, name, fault.forMs));
    case 'kill':
    case 'stop':
      return inTurn(stage, name, () => endAndRestart(stage, name, fault));
    default:
      return breakConnection(stage, name, fault);
  }
}

function inTurn({ turns }: Stage, who: string, work: () => Promise<void>): Promise<void> {
  const next = (turns.get(who) ?? Promise.resolve()).then(work);
  turns.set(who, next);
  return next;
}

async function heal(stage: Stage): Promise<void> {
  const { cluster } = stage;
  stage.broken.clear();
  Object.assign(cluster.backbone.network, network, { lateness: 0 });
  stage.backboneRuns = true;
  cluster.heal();
  for (const name of siteNames) {
    cluster.resume(name);
    // As a supervisor would: one that can write nothing any more is started again.
    if (machineOf(cluster, name).replica?.status.refused != null) cluster.crash(name);
    await cluster.start(name);
  }
}

async function hold({ cluster, clock }: Stage, name: string, forMs: number | null): Promise<void> {
  cluster.pause(name);
  if (forMs === null) return;
  await clock.pause(forMs);
  cluster.resume(name);
}

async function endAndRestart({ cluster, clock }: Stage, name: string, { kind, forMs }: Fault): Promise<void> {
  cluster.resume(name);
  if (kind === 'kill') cluster.crash(name);
  else await cluster.stop(name);
  if (forMs === null) return;
  await clock.pause(forMs);
  await cluster.start(name);
}

async function breakConnection(stage: Stage, name: string, { kind, forMs }: Fault): Promise<void> {
  const { backbone } = stage.cluster;
  const { clock, broken } = stage;
  if (kind === 'slow') backbone.network.rttMs += slowMs;
  else if (kind === 'late') backbone.network.lateness = 0.5;
  else broken.set(name, ({ deaf: 'in', mute: 'out' } as const)[kind as 'deaf' | 'mute'] ?? 'both');
  connect(stage, name);
  // A connection that ends in the middle of a message is there again at once.
  if (kind !== 'torn' && forMs === null) return;
  await clock.pause(kind === 'torn' ? 1 : (forMs ?? 0));
  if (kind === 'slow') backbone.network.rttMs = Math.max(network.rttMs, backbone.network.rttMs - slowMs);
  else if (kind === 'late') backbone.network.lateness = 0;
  else broken.delete(name);
  connect(stage, name);
}

/** As it is with its way to the backbone now. */
function connect({ cluster, broken, backboneRuns }: Stage, name: string): void {
  const direction = backboneRuns ? broken.get(name) : 'both';
  cluster.heal(name);
  if (direction !== undefined) cluster.cut(name, direction);
}

async function killBackbone(stage: Stage, forMs: number | null): Promise<void> {
  if (!stage.backboneRuns) return;
  const everybody = () => {
    for (const name of [...siteNames, ...stage.copies]) connect(stage, name);
  };
  stage.backboneRuns = false;
  everybody();
  await stage.cluster.backbone.restart();
  if (forMs === null) return;
  await stage.clock.pause(forMs);
  stage.backboneRuns = true;
  everybody();
}

// ── Disks. ──

async function setBack(stage: Stage, name: string, fault: Fault & { readonly kind: 'backup' }): Promise<void> {
  const { cluster, clock, ground } = stage;
  const machine = machineOf(cluster, name);
  if (machine.replica === null) return;
  const [fromMs, backup, kept] = [clock.nowMs(), cluster.backup(name), machine.witness.text];
  await clock.pause(fault.forMs);
  // With its witness it is the snapshot of a whole machine: what has left that machine since must prove it.
  const provable = fault.witness !== 'restored' || (await isBeyond(stage, name, kept));
  const becomes = provable ? fault.witness : 'stays';
  cluster.resume(name);
  cluster.restore(name, backup, becomes === 'missing' ? 'missing' : undefined);
  if (becomes === 'restored') machine.witness.text = kept;
  ground.book.lost.push({ site: name, fromMs, untilMs: clock.nowMs() });
  await cluster.start(name);
}

async function startCopy(stage: Stage, name: string, { witness }: Fault & { readonly kind: 'copy' }): Promise<void> {
  const { cluster, copies } = stage;
  const machine = machineOf(cluster, name);
  if (machine.replica === null) return;
  const copy = `${name}-copy`;
  const [backup, text] = [cluster.backup(name), machine.witness.text];
  const copied = witness === 'copied' && (await isBeyond(stage, name, text));
  cluster.add(copy);
  cluster.restore(copy, backup);
  machineOf(cluster, copy).witness.text = copied ? text : null;
  copies.push(copy);
  connect(stage, copy);
  await cluster.start(copy);
}

/** True once another site holds something of this incarnation that comes after what its witness says; false: not for two seconds. */
async function isBeyond({ cluster, clock }: Stage, name: string, witness: string | null): Promise<boolean> {
  const [id = '', commit = '0'] = (witness ?? '').split(' ');
  const latest = () => {
    let version = 0;
    for (const other of siteNames)
      if (other !== name)
        for (const rows of machineOf(cluster, other).disk.rows().values())
          version = Math.max(version, rows.get(id)?.version ?? 0);
    return version;
  };
  for (const untilMs = clock.nowMs() + 2_000; clock.nowMs() < untilMs; await clock.pause(100)) {
    // The store may be one commit ahead of its witness.
    if (latest() > Number(commit) + 1) return true;
  }
  return false;
}
