/**
 * The bank's branch in this replica: a desk for each bounded counter that it has business with, and what all its parts (lease, take, once,
 * strong, settle, mint) share.
 *
 * Nothing here is the truth: rows and records in the ledger are, and the registers. A desk can be thrown away and made again from them.
 */
import { CffbrwError } from '../../error.ts';
import type { Cancel, Host } from '../../host.ts';
import type { Address } from '../../strategy/address.ts';
import type { Recovery } from '../identity/recovery.ts';
import type { Account, Ledger } from '../ledger.ts';
import { createDesk, type Desk, isQuiet } from './desk.ts';
import type { Authenticator } from './receipt.ts';
import { createLocalRegisters, type LocalRegisters } from './registers.ts';

/** Mechanisms that a test switches off, to see that it notices. Never set outside tests. */
export type BankBug =
  | 'row before bank'
  | 'no intent'
  | 'intent not durable'
  | 'return before row'
  | 'intent lowered early'
  | 'generation ignored'
  | 'lease too much'
  | 'view kept'
  | 'settle overwrites'
  | 'credit twice'
  | 'expire without register'
  | 'once unread'
  | 'claim not durable'
  | 'loser keeps unit'
  | 'strong by count'
  | 'stale row'
  | 'no wants'
  | 'nobody yields';

export interface BankOptions {
  /** How many replicas share the rights now. Default: those that have a row. */
  readonly activeReplicas?: () => number;
  /** Identity of the backbone, as last seen; null: not known. It changes when the backbone lost something (B5). */
  readonly epoch?: () => string | null;
  /** True for a counter whose local bank must begin with nothing, because its units may have been sold before a write-off. */
  readonly bornEmpty?: (account: Account) => boolean;
  /** Every incarnation ever known and not retired: whom a recovery waits for. Default: those that have a row. */
  readonly members?: () => readonly string[] | null;
  /** Where members stand with what a backbone lost; undefined: nothing is ever lost. */
  readonly recovery?: Recovery;
  /** True for an address whose window is closed for good: nothing is handed out in it, given back or asked of its bank. Default: none is. */
  readonly isClosed?: (address: Address) => boolean;
  /** While a take waits, the bank is asked again so often. Default 50 ms. */
  readonly pollMs?: number;
  /** Told what goes wrong in the background. */
  readonly alarm?: (error: unknown) => void;
  readonly bugs?: ReadonlySet<BankBug>;
}

export interface Branch {
  readonly ledger: Ledger;
  readonly host: Host;
  readonly me: string;
  /** null: the registers are the backbone's. */
  readonly local: LocalRegisters | null;
  readonly options: BankOptions;
  readonly bugs: ReadonlySet<BankBug>;
  /** By address id, of this incarnation. */
  readonly desks: Map<string, Desk>;
  /** Of old incarnations whose rights are returned, by incarnation and address id. */
  readonly oldDesks: Map<string, Desk>;
  /** Me, and the old incarnations that were proven to be mine. */
  readonly own: Set<string>;
  authenticator: Authenticator | null;
  /** Receipts that are claims or have a deadline, by id: what to look at again. Hints only: the records decide. */
  readonly open: Map<string, OpenReceipt>;
  openGeneration: number;
  /** Tasks in progress by name; the next of that name waits. */
  readonly locks: Map<string, Promise<unknown>>;
  readonly timers: Set<Cancel>;
  /** Incarnations of mine whose records must be gone through again: something was left with an unknown outcome. */
  readonly unfinished: Set<string>;
  /** Issuers for whom something was decided here that they may not have learnt. */
  readonly decidedFor: Set<string>;
  /** The ledger's generation in which they were last gone through. */
  finishedGeneration: number;
  /** No more leases: everything is being returned. */
  stopping: boolean;
  closed: boolean;
}

export interface OpenReceipt {
  readonly who: string;
  readonly text: string;
  /** Milliseconds since 1970; null: it is a claim without one. */
  readonly deadline: number | null;
  readonly claiming: boolean;
  readonly once: string | null;
}

const noBugs: ReadonlySet<BankBug> = new Set();

export const createBranch = (ledger: Ledger, options: BankOptions): Branch => ({
  ledger,
  host: ledger.host,
  me: ledger.me,
  local: ledger.registers === null ? createLocalRegisters(ledger, options.bugs?.has('view kept') === true) : null,
  options,
  bugs: options.bugs ?? noBugs,
  desks: new Map(),
  oldDesks: new Map(),
  own: new Set([ledger.me]),
  authenticator: null,
  open: new Map(),
  openGeneration: -1,
  locks: new Map(),
  timers: new Set(),
  unfinished: new Set([ledger.me]),
  decidedFor: new Set(),
  finishedGeneration: ledger.generation,
  stopping: false,
  closed: false,
});

/** `once` and settling wait: somebody still has to write again what the backbone lost. */
export const isRecovered = ({ local, options }: Branch): boolean => local !== null || options.recovery?.over !== false;

/** Why nothing may be asked of the shared registers of `once` and settling, or null. */
export function closedBecause(branch: Branch): 'unreachable' | 'recovering' | null {
  const { frozen } = branch.ledger;
  if (frozen !== null) return frozen === 'unreachable' ? frozen : 'recovering';
  return isRecovered(branch) ? null : 'recovering';
}

const manyDesks = 10_000;
/** Nothing here takes so long. */
const quietMs = 60_000;

/** My desk for this counter. */
export function deskAt(branch: Branch, account: Pick<Account, 'address' | 'variable'>): Desk {
  const known = branch.desks.get(account.address.id);
  if (known !== undefined) {
    known.touchedMs = branch.host.elapsed();
    return known;
  }
  if (branch.desks.size % manyDesks === manyDesks - 1) dropQuiet(branch);
  const desk = createDesk(branch.host, account, branch.me);
  branch.desks.set(account.address.id, desk);
  return desk;
}

/** The desk of an incarnation of mine. */
export function deskOf(branch: Branch, account: Pick<Account, 'address' | 'variable'>, who: string): Desk {
  if (who === branch.me) return deskAt(branch, account);
  const name = `${who}/${account.address.id}`;
  const desk = branch.oldDesks.get(name) ?? createDesk(branch.host, account, who);
  branch.oldDesks.set(name, desk);
  return desk;
}

/** Forgets desks that nobody waits at and that hold nothing. */
function dropQuiet(branch: Branch): void {
  const longAgo = branch.host.elapsed() - quietMs;
  for (const desks of [branch.desks, branch.oldDesks]) {
    for (const [name, desk] of desks) if (isQuiet(desk) && desk.touchedMs < longAgo) desks.delete(name);
  }
}

export const holdsBusiness = (branch: Branch, address: Address): boolean => {
  const desk = branch.desks.get(address.id);
  return desk !== undefined && !isQuiet(desk);
};

export function countWaiting({ desks }: Branch): number {
  let count = 0;
  for (const { waiting, strongWants } of desks.values()) count += waiting.size + strongWants;
  return count;
}

const calledMs = 3_000;

/** Somebody waits for rights, here or, not long ago, elsewhere: what this replica knows of them is news. */
export function isCalled({ desks, host }: Branch): boolean {
  for (const { waiting, strongWants, heard } of desks.values()) {
    if (waiting.size + strongWants > 0) return true;
    for (const { atMs } of heard.values()) if (host.elapsed() - atMs < calledMs) return true;
  }
  return false;
}

/** Nothing is held, waited for, or left to be found out. */
export function isIdle({ desks, oldDesks, unfinished, open, ...branch }: Branch): boolean {
  if (unfinished.size > 0 || [...open.values()].some(({ claiming }) => claiming)) return false;
  if (branch.options.recovery?.over === false) return false;
  return [...desks.values(), ...oldDesks.values()].every(isQuiet);
}

/** Runs tasks of one name one after another. */
export function locked<T>(branch: Branch, name: string, task: () => Promise<T>): Promise<T> {
  const before = branch.locks.get(name) ?? Promise.resolve();
  const run = before.then(task);
  const tail = run.then(
    () => {},
    () => {},
  );
  branch.locks.set(name, tail);
  void tail.then(() => {
    if (branch.locks.get(name) === tail) branch.locks.delete(name);
  });
  return run;
}

/** A timer that ends with the branch. */
export function after(branch: Branch, delayMs: number, task: () => void): Cancel {
  if (branch.closed) return () => {};
  const stop = branch.host.after(delayMs, () => {
    branch.timers.delete(cancel);
    task();
  });
  const cancel = () => {
    branch.timers.delete(cancel);
    stop();
  };
  branch.timers.add(cancel);
  return cancel;
}

export const pause = (branch: Branch, delayMs: number): Promise<void> =>
  new Promise((resolve) => after(branch, delayMs, resolve));

/** All of these accounts, in memory, at the same instant. */
export async function accountsAt(branch: Branch, addresses: readonly Address[]): Promise<Account[]> {
  for (;;) {
    const accounts = addresses.map((address) => branch.ledger.peek(address));
    if (accounts.every((account) => account !== undefined)) return accounts;
    for (const address of addresses) await branch.ledger.account(address);
  }
}

/** Rights or knowledge have changed: whoever waits at this desk tries again, in the order of arrival. */
export function serve(branch: Branch, desk: Desk): void {
  if (desk.who !== branch.me) return;
  for (const waiter of [...desk.waiting]) waiter.attempt();
}

export const closedError = (): CffbrwError => new CffbrwError('CLOSED', 'this replica is closed', { fix: 'Open it again.' });
