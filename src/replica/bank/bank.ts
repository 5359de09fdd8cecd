/**
 * The bounded counter's bank, as one replica sees it: it hands out rights to spend, so that a stock never goes below its bound although every
 * location decides locally (escrow: Patrick O'Neil, "The Escrow Transactional Method", 1986; Balegas et al., "Bounded Counter CRDTs", 2015).
 *
 * It never decides on what it read before an await, never tells the backbone anything that is not durable here, and never answers before it
 * knows whose right it spends. Whoever calls waits for durability before telling anybody.
 *
 * Invariant B: Σ taken − Σ given ≤ initial + Σ minted − Σ burned, over all replicas, at every instant. It follows from those of the parts:
 *   N1–N2 record.ts, N3 registers.ts, N4–N7 lease.ts, N8–N9 once.ts, N10–N11 settle.ts, N12 strong.ts, N16 seen.ts.
 * They are asserted where they could break, in production too.
 */
import type { Address } from '../../strategy/address.ts';
import type { Account, Ledger } from '../ledger.ts';
import { unthrowing } from '../receive.ts';
import type { DecidedTake, SettleResult, TakeOptions } from '../replica.ts';
import {
  accountsAt,
  type BankOptions,
  type Branch,
  closedError,
  countWaiting,
  createBranch,
  deskOf,
  holdsBusiness,
  isCalled,
  isIdle,
  isRecovered,
  serve,
} from './branch.ts';
import { checkOpen, isClosed } from './closed.ts';
import { type Desk, intentPrefix, type Part } from './desk.ts';
import { createWatchman, type Watchman } from './holds.ts';
import { isUnsettled, settled, wake, wakeLater } from './lease.ts';
import { isRecovering, isUnreachable, recoveringError } from './lookup.ts';
import { burn, type Decided, mint } from './mint.ts';
import { forgetDecided, readNotices } from './notices.ts';
import { takeOnce } from './once.ts';
import type { Later } from './registers.ts';
import { removeClosed } from './removing.ts';
import { finishClaims, lookAfter, openDesk, reopen, reopenDecided, resumeLocally } from './resume.ts';
import { answerWants, giveBack, returnIdle } from './return.ts';
import { writeAgain } from './rewrite.ts';
import { rightsOf, rowOf } from './rights.ts';
import { ensureAuthenticator } from './secret.ts';
import { settle } from './settle.ts';
import { takeStrongly } from './strong.ts';
import { checkTake, decided, defaultTimeoutMs, granted, prepared, refused, type TakeEntry, takePlain } from './take.ts';
import { freshWants } from './wants.ts';

export type { BankBug, BankOptions } from './branch.ts';
export type { TakeEntry } from './take.ts';

export interface Bank {
  /** Finds what the last life left: once, before the first take. Never waits for the backbone. */
  start(): Promise<void>;
  /** Decides synchronously wherever this replica holds the rights. Decided, not yet durable. Throws INVALID_NUMBER, WRONG_OPERATION, INVALID_KEY. */
  take(entries: readonly TakeEntry[], options?: TakeOptions): Later<DecidedTake>;
  /** Durable when it resolves. */
  give(receipt: string): Promise<SettleResult>;
  confirm(receipt: string): Promise<SettleResult>;
  mint(address: Address, units: number, decided?: Decided): Promise<void>;
  burn(address: Address, units: number, decided?: Decided): Promise<void>;
  /** Everything that only the backbone can tell or be told. Rejects with UNREACHABLE. */
  contact(): Promise<void>;
  /** Removes some of what a window that is gone has left besides its rows; true: that was all. Rejects with UNREACHABLE. */
  removeClosed(address: Address): Promise<boolean>;
  /** A row of another replica was received. */
  rowsChanged(address: Address): void;
  /** Finishes the business of a proven old incarnation of mine and returns its rights; from then on it is looked after on every contact. */
  resume(who: string): Promise<void>;
  /** True while the account must stay in memory. */
  holds(address: Address): boolean;
  /** Takes that wait for rights. */
  waiting(): number;
  /** Somebody waits for rights, here or elsewhere: rows are published at once. */
  isCalled(): boolean;
  /** True when a contact would find nothing to do: no rights, nothing open, nobody waiting. */
  isIdle(): boolean;
  /** Units that may be taken here without asking anybody. */
  rights(address: Address): number;
  /** Returns all rights. What the bank could not be told is durable here, and told at the next start. */
  stop(): Promise<void>;
  /** Stops all timers; nothing is decided any more. */
  close(): void;
}

const callMs = 500;

export function createBank(ledger: Ledger, options: BankOptions = {}): Bank {
  const branch = createBranch(ledger, { ...options, alarm: unthrowing(options.alarm ?? (() => {})) });
  const watchman = createWatchman(branch);
  return {
    async start() {
      await reopen(branch);
      await reopenDecided(branch);
      watchman.look();
      // A disk that is full now must not keep the replica from reading; the first take asks again.
      if (branch.local !== null) await ensureAuthenticator(branch).catch(() => {});
      else for (const { name } of await ledger.records(`${intentPrefix}${ledger.me}/`)) await openDesk(branch, ledger.me, name);
    },
    take(entries, takeOptions = {}) {
      checkTake(entries, takeOptions);
      for (const { address } of entries) checkOpen(branch, address);
      const result = decide(branch, entries, takeOptions);
      if (!(result instanceof Promise)) return noted(watchman, result);
      return result.catch((error) => outOfReach(branch, entries, takeOptions, error)).then((late) => noted(watchman, late));
    },
    give: (receipt) => settle(branch, receipt, 'give'),
    confirm: (receipt) => settle(branch, receipt, 'confirm'),
    mint: (address, units, decided) => mint(branch, address, units, decided),
    burn: (address, units, decided) => burn(branch, address, units, decided),
    async contact() {
      if (branch.local === null && ledger.frozen === null && !branch.closed) await contact(branch, watchman);
    },
    removeClosed: (address) => removeClosed(branch, address),
    rowsChanged: (address) => rowsChanged(branch, address),
    async resume(who) {
      if (who === branch.me) return;
      branch.own.add(who);
      if (branch.local !== null) return resumeLocally(branch, who).then(watchman.look);
      branch.unfinished.add(who);
      if (!isRecovered(branch)) throw recoveringError();
      await contact(branch, watchman);
    },
    holds: (address) => holdsBusiness(branch, address),
    waiting: () => countWaiting(branch),
    isCalled: () => isCalled(branch),
    isIdle: () => isIdle(branch),
    rights(address) {
      const account = ledger.peek(address);
      return account === undefined ? 0 : rightsOf(rowOf(account, branch.me));
    },
    async stop() {
      if (branch.local !== null || ledger.frozen !== null) return;
      branch.stopping = true;
      await returnAll(branch);
    },
    close() {
      branch.closed = true;
      for (const cancel of [...branch.timers]) cancel();
      for (const { waiting } of branch.desks.values()) for (const waiter of [...waiting]) waiter.fail(closedError());
    },
  };
}

function decide(branch: Branch, entries: readonly TakeEntry[], options: TakeOptions): Later<DecidedTake> {
  const entry = entries[0] as TakeEntry;
  if (options.once !== undefined) return takeOnce(branch, entry, options);
  if (options.strong !== true || branch.local !== null) return takePlain(branch, entries, options);
  return prepared(branch, entries, async (parts) => {
    const [part] = parts as [Part];
    return takeStrongly(branch, part, {
      terms: { options, once: null, state: 'granted' },
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      finish: (accounts, grant) => decided(options, granted(branch, parts, accounts, grant)),
    });
  });
}

async function outOfReach(
  branch: Branch,
  entries: readonly TakeEntry[],
  options: TakeOptions,
  error: unknown,
): Promise<DecidedTake> {
  if (!isUnreachable(error) && !isRecovering(error)) throw error;
  const reason = isRecovering(error) ? 'recovering' : 'unreachable';
  const [account] = (await accountsAt(branch, [(entries[0] as TakeEntry).address])) as [Account];
  return decided(options, refused(branch, reason, { desk: deskOf(branch, account, branch.me), units: 0 }, entries));
}

function noted(watchman: Watchman, result: DecidedTake): DecidedTake {
  if (result.expires !== null) watchman.note(result.expires);
  return result;
}

// ── The contact. ──

async function contact(branch: Branch, watchman: Watchman): Promise<void> {
  await writeAgain(branch);
  await ensureAuthenticator(branch);
  if (!isRecovered(branch)) return visitDesks(branch);
  // A commit that failed may have taken effect: then there are records that nobody here remembers.
  if (branch.finishedGeneration !== branch.ledger.generation) for (const who of branch.own) branch.unfinished.add(who);
  branch.finishedGeneration = branch.ledger.generation;
  for (const who of [...branch.unfinished]) {
    branch.unfinished.delete(who);
    try {
      await lookAfter(branch, who);
    } catch (error) {
      branch.unfinished.add(who);
      throw error;
    }
  }
  await finishClaims(branch);
  await watchman.expireDue();
  for (const who of branch.own) await readNotices(branch, who);
  await forgetDecided(branch);
  await visitDesks(branch);
}

async function visitDesks(branch: Branch): Promise<void> {
  const turns: Promise<void>[] = [];
  for (const desk of [...branch.desks.values(), ...branch.oldDesks.values()]) {
    if (isClosed(branch, desk.address)) continue;
    if (desk.intent === null && desk.waiting.size === 0 && desk.intentGeneration === branch.ledger.generation) continue;
    const [account] = (await accountsAt(branch, [desk.address])) as [Account];
    answerWants(branch, desk, account);
    returnIdle(branch, desk, account);
    if (isUnsettled(branch, desk, account)) turns.push(settled(branch, desk));
  }
  await Promise.all(turns);
}

async function returnAll(branch: Branch): Promise<void> {
  for (const desk of branch.desks.values()) {
    if (isClosed(branch, desk.address)) continue;
    const [account] = (await accountsAt(branch, [desk.address])) as [Account];
    giveBack(branch, desk, account, rightsOf(rowOf(account, desk.who)));
    await settled(branch, desk);
  }
}

function rowsChanged(branch: Branch, address: Address): void {
  const account = branch.local === null && !isClosed(branch, address) ? branch.ledger.peek(address) : undefined;
  if (account === undefined) return;
  // A want is for everybody: also who never had anything of this bank says so while it is recovering.
  const isConcerned = branch.desks.has(address.id) || account.rows.has(branch.me) || isWanted(branch, account);
  if (!isConcerned) return;
  const desk = deskOf(branch, account, branch.me);
  desk.refusal = null;
  serve(branch, desk);
  answerWants(branch, desk, account);
  if (desk.waiting.size > 0) wake(branch, desk);
  else if (freshWants(branch, desk, account).all > 0) comeSoon(branch, desk);
}

function isWanted(branch: Branch, account: Account): boolean {
  for (const [who, { row }] of account.rows) if (row.wants > 0 && !branch.own.has(who)) return true;
  return false;
}

/** Somebody wants something: the bank is looked at, once in a while, in case it is recovering. */
function comeSoon(branch: Branch, desk: Desk): void {
  const now = branch.host.elapsed();
  wakeLater(branch, desk, Math.max(0, desk.calledMs + callMs - now));
  desk.calledMs = Math.max(desk.calledMs, now);
}
