/**
 * Business with a bank in the backbone: one turn at a time per counter. A turn takes in what the bank shows, decides what this replica wants
 * it to show, makes that durable, and writes it by compare-and-set.
 *
 * It never tells the bank anything that is not durable here, and never raises a row by anything that the bank did not show.
 *
 * Invariants:
 *   N4  row.leased ≤ what the bank has shown for me ≤ the durable intent.
 *   N5  The bank's returned, minted and burned of mine ≤ those of my durable row.
 */
import type { Register } from '../../backbone/backbone.ts';
import { CffbrwError } from '../../error.ts';
import type { BoundedRow } from '../../strategy/bounded-counter.ts';
import type { Account } from '../ledger.ts';
import { accountsAt, after, type Branch, serve } from './branch.ts';
import { checkOpen, closedWindow, isClosed } from './closed.ts';
import type { Desk, SeenBank } from './desk.ts';
import { closeIntent, knownIntent, openIntent, putIntent, readIntent, writeRow } from './intent.ts';
import { isRecovering, isUnreachable, registersOf } from './lookup.ts';
import {
  type BankRecord,
  checkCovered,
  emptyBank,
  freeIn,
  leaseOf,
  leaseSize,
  parseBank,
  printBank,
  sameTotals,
  type Totals,
  totalsOf,
  withTotals,
} from './record.ts';
import { beginAgain, isBehind, isOfAnother, isSuspect, type Plan, planRecovery, type Shown, shownBy } from './recovery.ts';
import { declaredInitial, knownInitial, rightsOf, rowOf } from './rights.ts';
import { freshWants, lacking, setWants, smallestNeed } from './wants.ts';

const pollMs = 50;
const retryMs = 250;

/** Sees to it that a turn runs, now or after the one that is running. */
export function wake(branch: Branch, desk: Desk): void {
  if (branch.local !== null || branch.closed || branch.ledger.frozen !== null) return;
  desk.again = true;
  desk.turn ??= run(branch, desk);
}

/** Resolves when the desk has done what it can at the moment. */
export async function settled(branch: Branch, desk: Desk): Promise<void> {
  wake(branch, desk);
  while (desk.turn !== null) await desk.turn;
}

async function run(branch: Branch, desk: Desk): Promise<void> {
  desk.retry?.();
  desk.retry = null;
  try {
    while (desk.again) {
      desk.again = false;
      await turn(branch, desk);
      if (desk.trouble === 'unreachable') desk.trouble = null;
    }
  } catch (error) {
    try {
      fail(branch, desk, error);
    } catch (second) {
      // While closing nothing may be written any more, not even that nobody waits. Nobody waits for a turn either, so it never rejects.
      branch.options.alarm?.(second);
    }
  }
  desk.turn = null;
  if (desk.waiting.size > 0 || desk.strongWants > 0)
    wakeLater(branch, desk, desk.trouble === null ? (branch.options.pollMs ?? pollMs) : retryMs);
}

/** An unreachable bank is asked again while somebody waits, and on the next contact; anything else is told to who waits. */
function fail(branch: Branch, desk: Desk, error: unknown): void {
  desk.again = false;
  desk.seen = null;
  if (isUnreachable(error) || isRecovering(error)) {
    desk.trouble = isRecovering(error) ? 'recovering' : 'unreachable';
    return;
  }
  branch.options.alarm?.(error);
  for (const waiter of [...desk.waiting]) waiter.fail(error);
}

/** One timer per desk: the first that is set, holds. */
export function wakeLater(branch: Branch, desk: Desk, delayMs: number): void {
  desk.retry ??= after(branch, delayMs, () => {
    desk.retry = null;
    wake(branch, desk);
  });
}

async function turn(branch: Branch, desk: Desk): Promise<void> {
  let seen = desk.seen;
  let fresh = false;
  let suspects: Shown | null = null;
  for (;;) {
    // Asked again after each await: nobody creates the bank of a window whose bank was removed.
    if (isClosed(branch, desk.address)) return refuseClosed(desk);
    await readIntent(branch, desk);
    const [account] = (await accountsAt(branch, [desk.address])) as [Account];
    if (desk.intentGeneration !== branch.ledger.generation) continue;
    if (seen !== null && !fresh && isSuspect(account, seen)) seen = null;
    if (seen === null || (fresh && suspects === null && isSuspect(account, seen))) {
      // What rows show now, a bank that is asked from now on must show, too.
      suspects = shownBy(account);
      seen = await look(branch, desk);
      fresh = true;
      continue;
    }
    const plan = consider(branch, desk, account, { ...seen, regressed: suspects !== null && isBehind(seen, suspects) });
    if (plan === null) {
      if (fresh) return;
      seen = null;
      continue;
    }
    seen = await carryOut(branch, desk, plan, seen);
    fresh = true;
  }
}

function refuseClosed(desk: Desk): void {
  for (const waiter of [...desk.waiting]) waiter.fail(closedWindow(desk.address));
}

const asSeen = ({ value, revision }: Register): SeenBank => ({ bank: value === null ? null : parseBank(value), revision });

export const fetchBank = async (branch: Branch, desk: Desk, registers = registersOf(branch)): Promise<SeenBank> =>
  asSeen(await registers.get(desk.bankName));

/** For turns only: what one turn has seen, the next one sees too or something newer. */
async function look(branch: Branch, desk: Desk): Promise<SeenBank> {
  desk.seen = null;
  desk.seen = await answered(branch, desk, fetchBank(branch, desk));
  return desk.seen;
}

/** Whoever waits meanwhile can see for how long the bank has said nothing. */
async function answered<T>(branch: Branch, desk: Desk, asked: Promise<T>): Promise<T> {
  desk.askedMs = branch.host.elapsed();
  try {
    return await asked;
  } finally {
    desk.askedMs = null;
  }
}

/** Takes in what the bank shows (synchronously), and decides what to write. */
function consider(branch: Branch, desk: Desk, account: Account, seen: SeenBank & { readonly regressed: boolean }): Plan | null {
  const epoch = branch.options.epoch?.() ?? null;
  const found = seen.bank ?? emptyBank(knownInitial(account) ?? declaredInitial(account), epoch);
  const elsewhere = isOfAnother(epoch, found);
  // Not there, while not everybody has written: it may have been lost.
  const lost = elsewhere || (seen.bank === null && branch.options.recovery?.stage === 0);
  const bank = lost || seen.regressed ? beginAgain(found, epoch, lost) : found;
  if (seen.bank !== null) takeIn(branch, desk, account, seen.bank);
  if (bank.recovering !== null) return planRecovery(branch, desk, account, bank);
  desk.trouble = null;
  // What was said while the bank was out of reach holds no longer.
  if (desk.refusal !== null && desk.refusal.reason !== 'held-elsewhere') desk.refusal = null;
  serve(branch, desk);
  const row = rowOf(account, desk.who);
  const more = leaseWanted(branch, desk, account, freeIn(bank));
  const leased = row.leased + more;
  setWants(branch, desk, account, more);
  const totals: Totals = { leased, returned: row.returned, minted: row.minted, burned: row.burned };
  if (seen.bank !== null && sameTotals(totals, totalsOf(bank, desk.who)) && closeIntent(branch, desk, account)) return null;
  return { account, totals, bank: withTotals({ ...bank, epoch: bank.epoch ?? epoch }, desk.who, totals) };
}

/** Raises my row to the lease that the bank shows. Asserts N4. */
function takeIn(branch: Branch, desk: Desk, account: Account, bank: BankRecord): void {
  const row = rowOf(account, desk.who);
  const shown = leaseOf(bank, desk.who).leased;
  if (shown > Math.max(row.leased, desk.intent ?? 0)) throw notMine(desk, shown);
  if (shown <= row.leased && row.initial !== null) return;
  writeRow(branch, desk, account, { ...row, leased: Math.max(row.leased, shown), initial: row.initial ?? bank.initial });
  desk.refusal = null;
  openIntent(branch, desk, account);
}

const notMine = (desk: Desk, shown: number) =>
  new CffbrwError(
    'FENCED',
    `the bank of ${desk.address.id} has leased ${shown} units to ${desk.who}, which this replica never asked for`,
    {
      fix: 'Another replica runs with this identity, or this data directory is an old copy: stop the other, or start with an empty directory.',
    },
  );

/** How many units more to ask for. */
function leaseWanted(branch: Branch, desk: Desk, account: Account, free: number): number {
  if (desk.who !== branch.me || branch.stopping) return 0;
  const rights = rightsOf(rowOf(account, desk.who));
  // What was yielded must not be leased again before who it was for had a chance to.
  const yielded = branch.host.elapsed() < desk.yieldedUntilMs ? freshWants(branch, desk, account).lower : 0;
  const available = free - yielded;
  const active = branch.options.activeReplicas?.() ?? new Set([...account.rows.keys(), branch.me]).size;
  const needed = lacking(desk, rights);
  if (needed > 0) {
    if (smallestNeed(desk) - rights > available && !branch.bugs.has('lease too much')) return 0;
    return branch.bugs.has('lease too much') ? needed : leaseSize(available, Math.max(1, needed), active);
  }
  if (rights >= desk.lowWater || desk.waiting.size > 0) return 0;
  if (free <= 2 * active) desk.lowWater = 0;
  return leaseSize(available, 0, active);
}

/** Makes the plan durable, then writes it. */
async function carryOut(branch: Branch, desk: Desk, { account, totals, bank }: Plan, seen: SeenBank): Promise<SeenBank> {
  const ceiling = Math.max(desk.intent ?? 0, totals.leased);
  if (desk.intent !== ceiling) putIntent(branch, desk, ceiling);
  const before = rowOf(account, desk.who);
  const durable = branch.ledger.flush();
  if (skipsFlush(branch, desk, totals, seen)) durable.catch(() => {});
  else await durable;
  checkOpen(branch, desk.address);
  checkCovered(bank);
  if (branch.bugs.has('row before bank')) raise(branch, desk, { ...rowOf(account, desk.who), leased: totals.leased });
  desk.clean = false;
  desk.seen = null;
  const asked = registersOf(branch).compareAndSet(desk.bankName, printBank(bank), seen.revision);
  const outcome = await answered(branch, desk, asked);
  desk.clean = outcome.done;
  desk.seen = asSeen(outcome.register);
  const more = seen.bank === null ? totals.leased : totals.leased - leaseOf(seen.bank, desk.who).leased;
  if (outcome.done && more > 0) desk.lowWater = Math.floor(more / 2);
  if (outcome.done && branch.bugs.has('stale row')) raise(branch, desk, { ...before, leased: totals.leased });
  return desk.seen;
}

// For tests that switch a mechanism off.

function skipsFlush({ bugs }: Branch, desk: Desk, totals: Totals, { bank }: SeenBank): boolean {
  if (bugs.size === 0) return false;
  const returns = totals.returned > leaseOf(bank ?? emptyBank(0), desk.who).returned;
  return returns ? bugs.has('return before row') : bugs.has('intent not durable');
}

function raise(branch: Branch, desk: Desk, row: BoundedRow): void {
  const account = branch.ledger.peek(desk.address);
  if (account === undefined) return;
  branch.ledger.write(account, row, desk.who);
  serve(branch, desk);
}

/** The bank may not show yet what my row says, or whether something of mine has arrived is not known. */
export function isUnsettled(branch: Branch, desk: Desk, account: Account): boolean {
  if (desk.waiting.size > 0 || desk.trouble !== null) return true;
  if (knownIntent(branch, desk) === null) return false;
  const row = rowOf(account, desk.who);
  const shown = desk.seen?.bank ?? null;
  return (
    shown === null || desk.intent !== row.leased || rightsOf(row) === 0 || !sameTotals({ ...row }, totalsOf(shown, desk.who))
  );
}
