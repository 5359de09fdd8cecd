/** The end of a schedule: everything heals, everybody comes to hold the same, and the models say whether it is what it must be. */
import type { Replica } from '../../replica/index.ts';
import { addressOf, type Entry, type Json, strategies, type Variable } from '../../strategy/index.ts';
import type { Machine } from '../cluster.ts';
import { handleOf } from './ask-values.ts';
import type { Shelf } from './model-stock.ts';
import { nameOf, type Spot } from './oracle.ts';
import { inProcess, note, report, type Stage, type Told } from './stage.ts';
import { diskOf } from './writes.ts';

const stepMs = 500;
/** Retries wait up to 15 s between them, and a recovery takes several contacts of everybody. */
const restMs = 120_000;

export async function heal(stage: Stage): Promise<void> {
  const { operator, world, plan, cluster } = stage;
  note(stage, '-- everything heals');
  const { aheadMs } = stage;
  operator.heal({ syncMs: plan.syncMs, readMs: 0.1, syncs: true });
  for (const { process } of cluster.machines.values()) process?.killAt({ await: Number.MAX_SAFE_INTEGER, when: 'before' });
  // What was stamped hours ahead is in force when that time has come: for all clocks at once.
  for (const { host } of cluster.machines.values()) host.skewMs = aheadMs;
  world.host('backbone').skewMs = aheadMs;
  endTwins(stage);
  const endMs = world.elapsedMs + restMs;
  let unrest: string | null = 'nobody has looked yet';
  // Some of what was held back is looked at again only at a contact: what rests once must rest after one, too.
  for (
    let rested = 0;
    rested < 2 && world.elapsedMs < endMs && stage.finding === null;
    rested = unrest === null ? rested + 1 : 0
  ) {
    supervise(stage);
    await world.run(rested === 0 ? stepMs : plan.network.contactMs + stepMs);
    unrest = stage.operator.unrest();
  }
  if (unrest !== null) report(stage, 'C3', `${restMs / 1_000} s after everything had healed: ${unrest}`);
}

/** Whoever should run, runs: also who died of a stop that was called off. */
function supervise({ operator, cluster }: Stage): void {
  operator.supervise();
  for (const name of operator.wanted) if (cluster.machines.get(name)?.process?.alive !== true) operator.start(name);
}

/** A disk that was started twice is started once more, when it is only one again: the other may have left rows on it. */
function endTwins({ operator, cluster }: Stage): void {
  for (const name of cluster.machines.keys()) {
    if (!name.endsWith('-twin')) continue;
    cluster.crash(diskOf(name));
    if (operator.wanted.has(diskOf(name))) operator.start(diskOf(name));
  }
}

export async function checkRest(stage: Stage): Promise<void> {
  const gone = [...stage.cluster.machines.values()].filter(({ name, replica }) => replica === null && !name.endsWith('-twin'));
  // What somebody acknowledged who never comes back may be on that disk alone.
  for (const { name } of gone) stage.oracle.lose(name, 0);
  for (const [name, fromMs] of stage.twins) stage.oracle.lose(name, fromMs);
  const running = [...stage.cluster.machines.values()].filter(({ replica }) => replica !== null);
  const [first] = running.filter(({ name }) => name !== stage.plan.elsewhere);
  if (first === undefined) return;
  checkModels(stage, first);
  for (const machine of running) await compareMemory(stage, machine);
  if (stage.finding === null) await sellOut(stage, running);
}

/** What this disk reads as. */
function valueOn({ disk }: Machine, variable: Variable, { key, window }: Spot): Json {
  const strategy = strategies[variable.strategy];
  const rows = new Map<string, Entry<object>>();
  for (const [replica, { version, bytes }] of disk.rows().get(addressOf(variable, key, window).id) ?? [])
    rows.set(replica, { version, row: strategy.parseRow(JSON.parse(bytes)) });
  return strategy.read(rows, variable);
}

function checkModels(stage: Stage, machine: Machine): void {
  const { oracle, app } = stage;
  const valueAt = (spot: Spot): Json => {
    const variable = app.variables.get(spot.variable);
    return variable === undefined ? null : valueOn(machine, variable, spot);
  };
  const judge = (spot: Spot, problem: string | null) =>
    report(stage, 'C1', problem === null ? null : `${nameOf(spot)} at ${machine.name}: ${problem}`);
  checkSums(stage, valueAt, judge);
  for (const [spot, model] of oracle.fields.all()) judge(spot, model.judge(valueAt(spot)));
  for (const [spot, model] of oracle.latest.all()) judge(spot, model.judge(valueAt(spot)));
  for (const [spot, model] of oracle.extremes.all()) judge(spot, model.judge((valueAt(spot) as { value: number | null }).value));
}

type Judge = (spot: Spot, problem: string | null) => void;

/** A write at the end of a window may be in the next one: together they hold no more than was asked for. */
function checkSums({ oracle, forgetful }: Stage, valueAt: (spot: Spot) => Json, judge: Judge): void {
  let asked = 0;
  let held = 0;
  for (const [spot, model] of oracle.sums.all()) {
    const value = valueAt(spot) as number;
    if (spot.window !== '') {
      asked += model.most();
      held += value;
      judge(spot, model.judge(Math.min(value, model.most())));
    } else if (spot.variable === 'runs' && forgetful.size > 0) judge(spot, model.judge(Math.min(value, model.most())));
    else judge(spot, model.judge(value));
  }
  if (held > asked)
    judge({ variable: 'visits', key: null, window: '' }, `all windows hold ${held}, and ${asked} can have been added`);
}

/** What a replica shows equals what its disk holds. */
async function compareMemory(stage: Stage, machine: Machine): Promise<void> {
  const { oracle, app } = stage;
  const spots = [oracle.sums, oracle.fields, oracle.latest].flatMap((models) => models.all().map(([spot]) => spot));
  for (const spot of spots) {
    const variable = app.variables.get(spot.variable);
    if (variable === undefined || spot.window !== '') continue;
    const told = await ended(stage, machine, (replica) => handleOf(replica, spot).get());
    if (told.kind !== 'answered') return report(stage, 'C3', `${machine.name} does not read ${nameOf(spot)} at rest`);
    const [shown, held] = [told.value, valueOn(machine, variable, spot)].map((value) => JSON.stringify(value));
    if (shown !== held) report(stage, 'C3', `${machine.name} shows ${shown} for ${nameOf(spot)}, and its disk holds ${held}`);
  }
}

const patienceMs = 20_000;

/** Runs the world until it was answered, or for so long that it never will be. */
async function ended<T>(stage: Stage, machine: Machine, work: (replica: Replica) => Promise<T>): Promise<Told<T>> {
  const { world } = stage;
  let told: Told<T> | null = null;
  void inProcess(stage, machine, work).then((answer) => {
    told = answer;
  });
  const endMs = world.elapsedMs + patienceMs;
  while (told === null && world.elapsedMs < endMs) await world.run(10);
  return told ?? { kind: 'unknown' };
}

/** All that is left is sold, everywhere: never more than there was (C2), and where nothing is lost for good, all of it. */
async function sellOut(stage: Stage, running: readonly Machine[]): Promise<void> {
  for (const [spot, shelf] of stage.oracle.shelves.all()) {
    if (!isCurrent(stage, spot)) continue;
    const over = await sell(stage, running, spot, shelf);
    if (stage.finding !== null) return;
    const least = shelf.initial + shelf.mintedAtLeast - shelf.burnedAtMost;
    const out = stage.oracle.stock.mostOut(shelf);
    if (over && out < least && !mayStrand(stage))
      report(stage, 'C2', `of ${least} units of ${shelf.name} only ${out} can be had`);
  }
}

const isCurrent = ({ app }: Stage, { variable }: Spot): boolean => app.variables.get(variable)?.window === undefined;

/** Rights of an incarnation that is not proven stay locked until an operator writes them off. */
const mayStrand = ({ forgetful, operator, cluster }: Stage): boolean =>
  forgetful.size > 0 || operator.adopt || [...cluster.machines.values()].some(({ replica }) => replica === null);

/** Longer than a replica answers by its last refusal. */
const refusalMs = 2_500;

async function sell(stage: Stage, running: readonly Machine[], spot: Spot, shelf: Shelf): Promise<boolean> {
  const most = 2 * (shelf.initial + shelf.mintedAtMost) + 4;
  let refused = 0;
  for (let index = 0; index < most; index += 1) {
    const machine = running[index % running.length] as Machine;
    const told = await ended(stage, machine, async (replica) => {
      const result = await handleOf(replica, spot).take(1, { timeoutMs: 3_000 });
      return { ...result, receipt: result.receipt };
    });
    if (told.kind !== 'answered') {
      shelf.unknown += 1;
      return false;
    }
    const { ok, receipt, reason } = told.value;
    if (reason === 'exhausted') return true;
    if (!ok || receipt === null) {
      refused += 1;
      if (refused > 2 * running.length) return true;
      await stage.world.run(refusalMs);
      continue;
    }
    refused = 0;
    const grant = { receipt, machine: machine.name, entries: [{ shelf, units: 1 }], once: null, hold: false };
    report(stage, 'C2', stage.oracle.stock.granted(grant, false));
    if (stage.finding !== null) return false;
  }
  return true;
}
