/**
 * A bank that lost something: that shows less than it has shown before. `recovering` is written into it, and nobody leases until every
 * incarnation ever known, and not retired, has written its totals again. Rights that are held stay spendable.
 *
 * How it is noticed: a row's `leased` and `strong` are only ever raised to what the bank has shown. So whoever holds a row that is ahead of a
 * bank which was asked afterwards knows; and so does everybody when the backbone shows another identity than the bank.
 *
 * Invariant:
 *   N13 A bank stops recovering only when all members have written, and what they wrote is covered by what was minted.
 */

import type { BoundedRow } from '../../strategy/bounded-counter.ts';
import type { Account } from '../ledger.ts';
import type { Branch } from './branch.ts';
import type { Desk, SeenBank } from './desk.ts';
import { openIntent, writeRow } from './intent.ts';
import { type BankRecord, freeIn, leaseOf, printBank, type Totals, totalsOf, withTotals } from './record.ts';
import { knownInitial, rowOf } from './rights.ts';

/** What the bank shall hold next, or null when nothing has to change. */
export interface Plan {
  readonly account: Account;
  readonly totals: Totals;
  readonly bank: BankRecord;
}

/** What rows prove that the bank has shown. */
export interface Shown {
  readonly initial: number | null;
  readonly totals: ReadonlyMap<string, { readonly leased: number; readonly strong: number }>;
}

export function shownBy(account: Account): Shown {
  const totals = new Map<string, { leased: number; strong: number }>();
  for (const [who, { row }] of account.rows) totals.set(who, { leased: row.leased, strong: row.strong });
  return { initial: knownInitial(account), totals };
}

/** True when a bank that was asked after `shown` was known does not show it. */
export function isBehind({ bank }: SeenBank, { initial, totals }: Shown): boolean {
  if (bank === null) return initial !== null;
  if (bank.recovering !== null) return false;
  if (freeIn(bank) < 0) return true;
  for (const [who, { leased, strong }] of totals) {
    if (leaseOf(bank, who).leased < leased || (bank.strong[who]?.count ?? 0) < strong) return true;
  }
  return false;
}

/** It was kept by a backbone that has lost something since. */
export const isOfAnother = (epoch: string | null, bank: BankRecord): boolean =>
  epoch !== null && bank.epoch !== null && bank.epoch !== epoch;

/** The same without knowing which is the newer: worth asking again. */
export const isSuspect = (account: Account, seen: SeenBank): boolean => isBehind(seen, shownBy(account));

/** Everybody writes again what they hold; the last one opens the bank. null: nothing to write. */
export function planRecovery(branch: Branch, desk: Desk, account: Account, bank: BankRecord): Plan | null {
  const members = branch.options.members?.() ?? [...account.rows.keys()];
  // Old incarnations of mine have nobody else to write for them, also when they have returned everything.
  const mine = desk.who === branch.me ? [...branch.own] : [desk.who];
  const rows = new Map([...account.rows].map(([who, { row }]) => [who, row]));
  const next = writtenAgain(bank, rows, mine);
  const written = new Set(next.recovering?.written);
  const hasWritten = (who: string): boolean =>
    written.has(who) || (next.recovering?.everything === true && branch.options.recovery?.hasWrittenFacts(who) === true);
  const isOver = members.every(hasWritten) && freeIn(next) >= 0;
  if (!isOver) refuseAll(branch, desk, account);
  if (!isOver && printBank(next) === printBank(bank)) return null;
  return { account, totals: totalsOf(next, desk.who), bank: isOver ? { ...next, recovering: null } : next };
}

/** A bank that was kept by another backbone, or that is not there although somebody may have had units of it. */
export const beginAgain = (bank: BankRecord, epoch: string | null, everything: boolean): BankRecord => ({
  ...bank,
  epoch,
  recovering: everything ? { written: [], everything } : { written: [] },
});

/**
 * The recovering record with all that these durable rows prove, and with a note that `mine` have written. A row of somebody else is as good
 * a proof: what it says is durable where it comes from. Those who retired have nobody else to say it.
 */
export function writtenAgain(bank: BankRecord, rows: ReadonlyMap<string, BoundedRow>, mine: readonly string[]): BankRecord {
  const written = [...new Set([...(bank.recovering?.written ?? []), ...mine])];
  let next: BankRecord = { ...bank, recovering: { ...bank.recovering, written } };
  for (const [who, row] of rows) {
    next = rewritten(next, row, who);
    if (row.initial !== null && bank.recovering?.everything === true) next = { ...next, initial: row.initial };
  }
  return next;
}

/** The record with what this incarnation's row proves, where the bank shows less. */
function rewritten(bank: BankRecord, row: BoundedRow, who: string): BankRecord {
  const shown = totalsOf(bank, who);
  const strong = { ...bank.strong };
  if (row.strong > (strong[who]?.count ?? 0)) strong[who] = { count: row.strong, id: '' };
  return withTotals({ ...bank, strong }, who, {
    leased: Math.max(row.leased, shown.leased),
    returned: Math.max(row.returned, shown.returned),
    minted: Math.max(row.minted, shown.minted),
    burned: Math.max(row.burned, shown.burned),
  });
}

function refuseAll(branch: Branch, desk: Desk, account: Account): void {
  desk.trouble = 'recovering';
  for (const waiter of [...desk.waiting]) {
    for (const part of waiter.parts) if (part.desk === desk) waiter.refuse('recovering', part);
  }
  callEverybody(branch, desk, account);
}

/** A want brings everybody to the bank. It is taken back when the bank is open again. */
function callEverybody(branch: Branch, desk: Desk, account: Account): void {
  const row = rowOf(account, desk.who);
  if (desk.who !== branch.me || row.wants > 0) return;
  openIntent(branch, desk, account);
  writeRow(branch, desk, account, { ...row, wants: 1 });
}
