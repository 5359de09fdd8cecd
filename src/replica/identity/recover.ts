/**
 * What an operator does about a frozen store, while no process runs on it: look at what is at stake, then write it off, or vouch for the
 * disk. Writing off never hands out a unit: what may have been sold after the backup counts as sold.
 *
 * Invariants:
 *   I10  After a write-off no unit that existed before it can be spent from this store: what was free is burned, what was held stays locked,
 *        and counters that this disk has never seen begin empty.
 */
import { CffbrwError, invariant } from '../../error.ts';
import type { Host } from '../../host.ts';
import type { Store, StoredRecord, StoredRow } from '../../store/store.ts';
import type { BoundedRow } from '../../strategy/bounded-counter.ts';
import { canonical } from '../../strategy/json.ts';
import { type BankRecord, freeIn, leaseOf, parseBank, printBank, totalsOf, withTotals } from '../bank/record.ts';
import { emptyRow } from '../bank/rights.ts';
import { commitRecord, type Witness } from '../witness.ts';
import {
  allRecords,
  type Freeze,
  markText,
  membersRecord,
  nameOf,
  newIncarnation,
  type OldIncarnation,
  readStored,
  registerPrefix,
  type Stored,
  storeIdentity,
  storeOld,
} from './incarnation.ts';

/** What one bounded counter may lose: units that this disk shows as unsold, and that may have been sold after the backup. */
export interface Stake {
  readonly address: string;
  /** In the bank. */
  readonly free: number;
  /** Leased to incarnations of this store, and not taken as far as this disk knows. */
  readonly held: number;
}

export interface RecoveryPlan {
  readonly id: string;
  readonly frozen: Freeze | null;
  readonly old: readonly OldIncarnation[];
  readonly stakes: readonly Stake[];
  /** The sum of free and held: what a write-off gives up, and what trusting an old disk could sell twice. */
  readonly worstCase: number;
}

export interface RecoveryOptions {
  readonly host: Host;
  readonly store: Store;
  /** Opened for the recovery, so that no process runs meanwhile. */
  readonly witness: Witness | null;
  /** The operator knows that this disk is the newest: nothing is written off. Default false. */
  readonly trustStore?: boolean;
  /** With a write-off: go on without the backbone that this store belongs to. Default false. */
  readonly alone?: boolean;
}

const bankPrefix = `${registerPrefix}bank/`;

/** What is frozen and what is at stake. Changes nothing. */
export async function planRecovery(store: Store): Promise<RecoveryPlan> {
  const stored = await readStored(store);
  if (stored.identity === null) throw nothingThere();
  const counters = await readCounters(store);
  const mine = unsettled(stored.identity.id, stored.old);
  const stakes = counters.map((counter) => stakeOf(counter, mine)).filter(({ free, held }) => free > 0 || held > 0);
  const worstCase = stakes.reduce((sum, { free, held }) => sum + free + held, 0);
  return { id: stored.identity.id, frozen: stored.identity.frozen, old: [...stored.old.values()], stakes, worstCase };
}

/** Lifts the freeze: by writing off, or by trusting the store. Resolves with the plan that was carried out. Rejects with FROZEN, NOT_FOUND. */
export async function recover({
  host,
  store,
  witness,
  trustStore = false,
  alone = false,
}: RecoveryOptions): Promise<RecoveryPlan> {
  if (witness?.state() === 'locked') throw stillRunning();
  const plan = await planRecovery(store);
  const stored = await readStored(store);
  const mark = trustStore ? await trust(store, stored) : await writeOff({ host, store, alone }, stored);
  await witness?.write(mark);
  return plan;
}

/** The old incarnations count as proven disks again; their rights come back at the next contact, or start. */
async function trust(store: Store, { identity, mark, old }: Stored): Promise<string> {
  if (identity === null || mark === null) throw nothingThere();
  const vouched = [...old.values()]
    .filter((incarnation) => incarnation.state === 'locked')
    .map((incarnation) => storeOld({ ...incarnation, witness: null, lacks: 'an operator vouched for this disk' }));
  await store.commit([], [storeIdentity({ ...identity, disproven: null, frozen: null }), ...vouched]);
  return markText(mark.id, mark.commit);
}

type WriteOff = Required<Pick<RecoveryOptions, 'host' | 'store' | 'alone'>>;

/** One commit: a new incarnation, everything before it written off, the free units burned by the new one (I10). */
async function writeOff({ host, store, alone }: WriteOff, { identity, mark, old }: Stored): Promise<string> {
  if (identity === null || mark === null) throw nothingThere();
  const id = newIncarnation(nameOf(identity.id), host);
  const now = host.now();
  const commit = mark.commit + 1;
  const home = alone ? { home: 'local' as const, moving: null } : {};
  const counters = await readCounters(store);
  const mine = unsettled(identity.id, old);
  const burns = counters.flatMap((counter) => burn(counter, mine, { id, version: commit }) ?? []);
  const ended: OldIncarnation = {
    id: identity.id,
    commit: mark.commit,
    state: 'written-off',
    witness: null,
    lacks: '',
    since: now,
  };
  const gone = [...old.values()].map((one) => ({ ...one, state: 'written-off' as const }));
  await store.commit(
    burns.map(({ row }) => row),
    [
      storeIdentity({ ...identity, id, ...home, disproven: null, frozen: null, recoveredAt: now }),
      { name: commitRecord, value: markText(id, commit) },
      ...[ended, ...gone].map((incarnation) => storeOld({ ...incarnation, lacks: 'an operator wrote it off' })),
      ...burns.map(({ record }) => record),
      ...(alone ? [{ name: membersRecord, value: null }] : []),
    ],
  );
  return markText(id, commit);
}

interface Counter {
  readonly address: string;
  readonly bank: BankRecord | null;
  readonly rows: ReadonlyMap<string, BoundedRow>;
}

async function readCounters(store: Store): Promise<Counter[]> {
  const banks = new Map(
    (await allRecords(store, bankPrefix)).map(({ name, value }) => [name.slice(bankPrefix.length), parseBank(value)]),
  );
  const rows = new Map<string, Map<string, BoundedRow>>();
  for await (const { address, replica, bytes } of boundedRows(store)) {
    const found = rows.get(address) ?? new Map<string, BoundedRow>();
    rows.set(address, found.set(replica, { ...emptyRow, ...(JSON.parse(bytes) as BoundedRow) }));
  }
  const addresses = [...new Set([...banks.keys(), ...rows.keys()])].sort();
  return addresses.map((address) => ({ address, bank: banks.get(address) ?? null, rows: rows.get(address) ?? new Map() }));
}

async function* boundedRows(store: Store): AsyncGenerator<StoredRow> {
  for (let after = ''; ; ) {
    const addresses = await store.scan({ prefix: '', after });
    const last = addresses.at(-1);
    if (last === undefined) return;
    const bounded = addresses.filter((address) => address.split(':', 2)[1] === 'bounded-counter');
    for (const rows of await store.load(bounded)) yield* rows;
    after = last;
  }
}

function stakeOf(counter: Counter, mine: ReadonlySet<string>): Stake {
  const { address, bank } = counter;
  const held = [...mine].reduce((sum, who) => sum + heldBy(counter, who), 0);
  return { address, free: bank === null ? 0 : freeIn(bank), held };
}

/** Units leased to an incarnation, and neither returned nor taken as far as this disk knows. */
function heldBy({ bank, rows }: Counter, who: string): number {
  const row = rows.get(who) ?? emptyRow;
  const lease = bank === null ? row : leaseOf(bank, who);
  return Math.max(0, Math.max(lease.leased, row.leased) - row.returned - (row.taken - row.strong) + row.given);
}

/** Everything at stake as burned by the new incarnation, in its row and in the bank: what is held goes back there first. null: nothing. */
function burn(
  counter: Counter,
  mine: ReadonlySet<string>,
  by: { readonly id: string; readonly version: number },
): { readonly row: StoredRow; readonly record: StoredRecord } | null {
  const { address, bank } = counter;
  if (bank === null) return null;
  const returned = [...mine].reduce((record, who) => withReturned(record, who, heldBy(counter, who)), bank);
  const burned = freeIn(returned);
  if (burned === 0) return null;
  const row: BoundedRow = { ...emptyRow, burned, initial: bank.initial };
  const after = withTotals(returned, by.id, { leased: 0, returned: 0, minted: 0, burned });
  invariant(freeIn(after) === 0, 'I10', `${freeIn(after)} units of ${address} would stay free`);
  return {
    row: { address, replica: by.id, version: by.version, bytes: canonical(row) },
    record: { name: bankPrefix + address, value: printBank(after) },
  };
}

function withReturned(bank: BankRecord, who: string, units: number): BankRecord {
  const totals = totalsOf(bank, who);
  return units === 0 ? bank : withTotals(bank, who, { ...totals, returned: totals.returned + units });
}

/** The incarnations of this store whose rights are not written off yet. */
const unsettled = (id: string, old: ReadonlyMap<string, OldIncarnation>): ReadonlySet<string> =>
  new Set([id, ...[...old.values()].filter(({ state }) => state !== 'written-off').map((one) => one.id)]);

/**
 * True for a counter whose bank is created with nothing, because units of it may have been sold before the write-off: any without a window,
 * and any whose window had begun. `windowStarts`: milliseconds since 1970, null without a window.
 */
export const writtenOffAtBirth = (recoveredAt: number | null, windowStarts: number | null): boolean =>
  recoveredAt !== null && (windowStarts === null || windowStarts <= recoveredAt);

const stillRunning = (): CffbrwError =>
  new CffbrwError('FROZEN', 'a process runs on this data directory, or holds its witness', {
    fix: 'Stop it first, then recover.',
  });

const nothingThere = (): CffbrwError =>
  new CffbrwError('NOT_FOUND', 'there is nothing to recover: this data directory has never been used', {
    fix: 'Name the directory that the replica was started with.',
  });
