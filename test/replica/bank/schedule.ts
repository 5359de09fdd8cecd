/** One random history from one seed: safety under every fault, then everything is healed, and everything must come to rest. */
import { CffbrwError } from '../../../src/error.ts';
import type { BankBug, TakeEntry } from '../../../src/replica/bank/bank.ts';
import { freeIn } from '../../../src/replica/bank/record.ts';
import type { TakeOptions, TakeResult } from '../../../src/replica/replica.ts';
import { createRandom, type Random } from '../../../src/simulate/random.ts';
import type { Address } from '../../../src/strategy/address.ts';
import { type Cluster, createCluster, type Place } from './cluster.ts';
import { type AskedTake, rowsOn, Violation } from './observer.ts';

export interface Outcome {
  readonly violation: string | null;
  readonly grants: number;
  readonly events: number;
  readonly trace: readonly string[];
}

interface Run {
  readonly cluster: Cluster;
  readonly random: Random;
  readonly connected: boolean;
  readonly trace: string[];
  /** Units of takes whose outcome nobody was told for sure. */
  readonly unknown: Map<string, number>;
  readonly pending: Set<object>;
  /** Who will die at some later await. */
  readonly doomed: Set<Place>;
  faulty: boolean;
}

const faultsMs = 3_000;
const healMs = 9_000;

export async function runSchedule(seed: string | number, bugs?: ReadonlySet<BankBug>, backbone = true): Promise<Outcome> {
  const random = createRandom(`schedule/${seed}`);
  const cluster = createCluster({
    seed,
    replicas: backbone ? random.integer(2, 5) : 1,
    backbone,
    initial: random.pick([0, 1, 2, 3, 5, 10, 40]),
    contactMs: random.pick([50, 200, 500]),
    ...(bugs === undefined ? {} : { bugs }),
  });
  const run: Run = {
    cluster,
    random,
    connected: backbone,
    trace: [],
    unknown: new Map(),
    pending: new Set(),
    doomed: new Set(),
    faulty: false,
  };
  let violation: string | null = null;
  try {
    await beFaulty(run);
    await heal(run);
    await checkRest(run);
  } catch (error) {
    violation = describe(error);
  }
  return { violation, grants: cluster.observer.grants, events: cluster.world.events, trace: run.trace };
}

const describe = (error: unknown): string =>
  error instanceof Violation
    ? error.message
    : error instanceof Error
      ? `${error.name}: ${error.message}\n${error.stack}`
      : String(error);

const note = ({ cluster, trace }: Run, text: string) =>
  void trace.push(`${cluster.world.elapsedMs.toFixed(1).padStart(9)} ${text}`);

function failed({ cluster }: Run): void {
  if (cluster.errors.length > 0) throw cluster.errors[0];
}

// ── Faults. ──

async function beFaulty(run: Run): Promise<void> {
  const { cluster, random } = run;
  const { network } = cluster.loopback;
  const wild = random.pick([0, 0.3, 1]);
  Object.assign(network, {
    rttMs: random.integer(1, 20),
    jitterMs: random.integer(0, 30) * wild,
    lagMs: random.integer(0, 100) * wild,
    timeoutMs: 100,
    retryMs: 50,
    loss: random.pick([0, 0.02, 0.15]) * wild,
    duplication: random.pick([0, 0.2]) * wild,
    reordering: random.pick([0, 0.3]) * wild,
    lateness: random.pick([0, 0.1, 0.4]) * wild,
  });
  const diskFaults = random.chance(0.3) ? random.pick([0.01, 0.05]) : 0;
  for (const place of cluster.places) {
    place.disk.faults.syncFailure = diskFaults;
    start(run, place, wild > 0);
  }
  const steps = random.integer(10, 60);
  for (let i = 0; i < steps; i += 1) {
    await cluster.world.run(random.integer(0, (2 * faultsMs) / steps));
    failed(run);
    if (wild > 0 && random.chance(0.25)) breakSomething(run);
    else act(run);
  }
}

function start(run: Run, place: Place, maybeDying: boolean): void {
  const { cluster, random } = run;
  const when = random.pick(['before', 'during', 'after'] as const);
  const dying = maybeDying && random.chance(0.5) ? { await: random.integer(1, 150), when } : undefined;
  if (dying === undefined) run.doomed.delete(place);
  else run.doomed.add(place);
  cluster.start(place, dying);
  place.process.onKill(() => {
    place.running = null;
    note(run, `${place.id} dies`);
    cluster.world.host('operator').after(random.integer(1, 600), () => {
      if (place.process.alive) return;
      note(run, `${place.id} starts`);
      start(run, place, run.faulty);
    });
  });
}

function breakSomething(run: Run): void {
  const { cluster, random } = run;
  const place = random.pick(cluster.places);
  const what = random.pick(['cut', 'cut', 'heal', 'kill', 'pause', 'resume', 'evict', 'full', 'restart'] as const);
  note(run, `${what} ${place.id}`);
  if (what === 'cut') cluster.loopback.cut(place.id, random.pick(['both', 'out', 'in']));
  else if (what === 'heal') cluster.loopback.heal(place.id);
  else if (what === 'kill') place.process.kill();
  else if (what === 'pause') place.process.pause();
  else if (what === 'resume') place.process.resume();
  else if (what === 'evict') place.running?.ledger.evict();
  else if (what === 'full') place.disk.faults.full = random.chance(0.3);
  else void cluster.loopback.restart();
}

// ── Load. ──

function act(run: Run): void {
  const { cluster, random } = run;
  const place = random.pick(cluster.places);
  if (place.running === null) return;
  const dice = random.next();
  if (dice < 0.1) race(run);
  else if (dice < 0.7) take(run, place);
  else if (dice < 0.9) settle(run, place);
  else if (dice < 0.96) mint(run, place);
  else burn(run, place);
}

/** The same key, at the same instant, everywhere. */
function race(run: Run): void {
  for (const place of run.cluster.places) if (run.random.chance(0.7)) take(run, place, 'race');
}

function take(run: Run, place: Place, only?: 'race'): void {
  const { cluster, random } = run;
  const { running } = place;
  if (running === null) return;
  const address = only === 'race' ? (cluster.addresses[0] as Address) : random.pick(cluster.addresses);
  const kind = only === 'race' ? 'once' : random.pick(['plain', 'plain', 'once', 'once', 'strong', 'list'] as const);
  const key = kind === 'once' ? (only === 'race' ? 'ann' : random.pick(['ann', 'bob'])) : null;
  // A repeated answer does not say how many units it is for: a key always asks for the same.
  const amount = key === null ? random.pick([1, 1, 1, 2, 3]) : key === 'ann' ? 1 : 2;
  const entries: TakeEntry[] = [{ address, amount }];
  if (kind === 'list') for (const other of cluster.addresses) entries.push({ address: other, amount: random.integer(1, 2) });
  const options: TakeOptions = {
    timeoutMs: random.pick([20, 100, 300, 800]),
    ...(random.chance(0.3) ? { holdMs: random.integer(50, 1_500) } : {}),
    ...(key === null ? {} : { once: key }),
    ...(kind === 'strong' || (kind === 'once' && random.chance(0.1)) ? { strong: true } : {}),
  };
  const units = new Map<string, number>();
  for (const entry of entries) units.set(entry.address.id, (units.get(entry.address.id) ?? 0) + entry.amount);
  const asked = { units, once: key === null ? null : `${address.id}/${key}` };
  const text = `${place.id} takes ${kind} ${[...units].join(' ')} ${JSON.stringify(options)}`;
  note(run, text);
  void answered(run, asked, async () => {
    const result = await running.bank.take(entries, options);
    await running.ledger.flush();
    note(run, `  ${result.ok ? 'ok' : result.reason} ${result.repeated} ${result.receipt?.slice(0, 8)} <- ${text}`);
    return result;
  });
}

/** Notes the answer, or that there was none. */
async function answered(run: Run, asked: AskedTake, ask: () => Promise<TakeResult>): Promise<void> {
  const { cluster, pending } = run;
  pending.add(asked);
  const unsure = () => {
    for (const [address, units] of asked.units) run.unknown.set(address, (run.unknown.get(address) ?? 0) + units);
  };
  try {
    const result = await ask();
    pending.delete(asked);
    if (result.reason === 'unreachable') unsure();
    cluster.observer.acknowledged(asked, result);
  } catch (error) {
    pending.delete(asked);
    note(run, `  refused with ${error}`);
    unsure();
    if (!(error instanceof CffbrwError) || !['STORE_FAILED', 'DISK_FULL', 'UNREACHABLE'].includes(error.code))
      cluster.errors.push(error);
  }
}

function settle(run: Run, place: Place): void {
  const { cluster, random } = run;
  const { running } = place;
  const known = cluster.observer.receipts();
  if (running === null || known.length === 0) return;
  const receipt = random.chance(0.05) ? forge(random.pick(known)) : random.pick(known);
  const asked = random.pick(['give', 'confirm'] as const);
  note(run, `${place.id} ${asked} ${receipt.slice(0, 8)}`);
  running.bank[asked](receipt).then(
    (result) => {
      note(run, `  ${asked} ${receipt.slice(0, 8)} ${JSON.stringify(result)}`);
      try {
        cluster.observer.settledAs(receipt, asked, result);
      } catch (error) {
        cluster.errors.push(error);
      }
    },
    (error: unknown) => ignoreDisk(run, error),
  );
}

/** The same receipt, but for more units. */
function forge(receipt: string): string {
  const [id = '', payload = '', mac = ''] = receipt.split('.');
  const [issuer, address, units] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string, string, number];
  const flipped = `${id[0] === '0' ? '1' : '0'}${id.slice(1)}`;
  return `${flipped}.${Buffer.from(JSON.stringify([issuer, address, units + 1])).toString('base64url')}.${mac}`;
}

const ignoreDisk = ({ cluster }: Run, error: unknown): void => {
  const codes = ['STORE_FAILED', 'DISK_FULL', 'UNREACHABLE', 'OUT_OF_RANGE'];
  if (!(error instanceof CffbrwError) || !codes.includes(error.code)) cluster.errors.push(error);
};

function mint(run: Run, { running, id }: Place): void {
  const { cluster, random } = run;
  const address = random.pick(cluster.addresses);
  const units = random.integer(1, 4);
  note(run, `${id} mints ${units} ${address.id}`);
  running?.bank.mint(address, units).catch((error: unknown) => ignoreDisk(run, error));
}

function burn(run: Run, { running, id }: Place): void {
  const address = run.random.pick(run.cluster.addresses);
  note(run, `${id} burns ${address.id}`);
  running?.bank.burn(address, 1).catch((error: unknown) => ignoreDisk(run, error));
}

// ── Rest. ──

async function heal(run: Run): Promise<void> {
  const { cluster } = run;
  note(run, 'everything is healed');
  run.faulty = false;
  Object.assign(cluster.loopback.network, { loss: 0, lateness: 0, duplication: 0, reordering: 0, jitterMs: 0 });
  cluster.loopback.heal();
  for (const place of cluster.places) {
    place.disk.faults.full = false;
    place.disk.faults.syncFailure = 0;
    place.process.resume();
    if (place.process.alive && !run.doomed.has(place)) continue;
    place.process.kill();
    start(run, place, false);
  }
  await cluster.world.run(healMs);
  failed(run);
}

async function checkRest(run: Run): Promise<void> {
  const { cluster } = run;
  for (const asked of run.pending as Set<AskedTake>) {
    for (const [address, units] of asked.units) run.unknown.set(address, (run.unknown.get(address) ?? 0) + units);
  }
  const disks = cluster.disks();
  // A process may have died between a commit and anybody's seeing it.
  cluster.observer.committed(disks);
  for (const { id } of cluster.addresses) {
    const bank = cluster.observer.bank(id);
    if (bank === null) continue;
    let out = 0;
    let held = 0;
    let stock = bank.initial;
    for (const [who, disk] of disks) {
      const row = rowsOn(disk, id, who);
      out += row.taken - row.given;
      stock += row.minted - row.burned;
      const rights = row.leased - row.returned - row.taken + row.given + row.strong;
      held += rights;
      if (rights !== 0 && run.connected) throw new Violation(`stranded: ${who} still holds ${rights} idle rights of ${id}`);
      const left = disk.records.find(({ name }) => /^(intent|settling|strong)\//.test(name));
      if (left !== undefined && run.connected)
        throw new Violation(`stranded: ${who} never finished ${left.name} = ${left.value}`);
      const claim = disk.records.find(({ name, value }) => name.startsWith('receipt/') && value?.includes('"claiming"'));
      if (claim !== undefined) throw new Violation(`stranded: ${who} never finished the claim ${claim.name}`);
    }
    const free = freeIn(bank) + held;
    if (free !== stock - out) throw new Violation(`stranded: ${free} units of ${id} are free, of ${stock} minus ${out} taken`);
    const live = cluster.observer.live(id);
    const most = live + (run.unknown.get(id) ?? 0);
    if (out < live) throw new Violation(`${live} units of ${id} are out, and rows say ${out}`);
    if (out > most) throw new Violation(`stranded: rows say that ${out} units of ${id} are out, and at most ${most} can be`);
    await sellAll(run, id, free);
  }
}

/** What is left can be sold, all of it, at any place. */
async function sellAll(run: Run, id: string, free: number): Promise<void> {
  const { cluster, random } = run;
  const address = cluster.addresses.find((known) => known.id === id);
  const { running } = random.pick(cluster.places);
  if (address === undefined || running === null) throw new Violation('a place does not run after everything was healed');
  if (free > 0) await sell(run, running, { address, amount: free }, true);
  await sell(run, running, { address, amount: 1 }, false);
}

async function sell(
  run: Run,
  { bank, ledger }: NonNullable<Place['running']>,
  entry: TakeEntry,
  expected: boolean,
): Promise<void> {
  const { cluster } = run;
  let result: TakeResult | null = null;
  const ask = async () => {
    const decided = await bank.take([entry]);
    await ledger.flush();
    result = decided;
  };
  ask().catch((error: unknown) => cluster.errors.push(error));
  await cluster.world.run(3_000);
  if (result === null) throw new Violation('a take at rest was never answered');
  cluster.observer.acknowledged({ units: new Map([[entry.address.id, entry.amount]]), once: null }, result);
  failed(run);
  const { ok, reason, left } = result as TakeResult;
  if (ok !== expected || (!expected && reason !== 'exhausted')) {
    throw new Violation(`a take of ${entry.amount} at rest was answered ${ok}, ${reason}: left ${left}`);
  }
}
