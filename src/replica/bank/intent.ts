/**
 * The intent record of a counter: the highest lease that any compare-and-set of mine may write into its bank. It is there as long as there
 * is business with the bank (rights, wants, totals that it does not show yet), so that a restart finds it.
 *
 * Invariants:
 *   N6  An intent gets smaller only when no compare-and-set of mine can still land: after one of mine succeeded (that changed the revision
 *       on which the others stood), or when the bank shows the intent itself.
 *   N7  Rights are never negative.
 */
import { invariant } from '../../error.ts';
import type { BoundedRow } from '../../strategy/bounded-counter.ts';
import type { Account } from '../ledger.ts';
import type { Branch } from './branch.ts';
import type { Desk } from './desk.ts';
import { rightsOf, rowOf } from './rights.ts';

/** Writes the row of the desk's incarnation. Asserts N7. */
export function writeRow(branch: Branch, desk: Desk, account: Account, row: BoundedRow): void {
  invariant(rightsOf(row) >= 0, 'N7', `${desk.who} would hold ${rightsOf(row)} rights of ${desk.address.id}`);
  branch.ledger.write(account, row, desk.who);
}

/** There is business with this bank: a durable record says so until it is over, so that a restart finds it. */
export function openIntent(branch: Branch, desk: Desk, account: Account): void {
  if (branch.local !== null) return;
  const ceiling = Math.max(knownIntent(branch, desk) ?? 0, rowOf(account, desk.who).leased);
  if (desk.intent !== ceiling) putIntent(branch, desk, ceiling);
}

/** The intent as last read, or null when it must be read again (then it is at least what the row says). */
export const knownIntent = (branch: Branch, desk: Desk): number | null =>
  desk.intentGeneration === branch.ledger.generation ? desk.intent : null;

export function putIntent(branch: Branch, desk: Desk, ceiling: number | null): void {
  if (desk.intentGeneration !== branch.ledger.generation) return; // the next turn reads it, and opens it again
  desk.intent = ceiling;
  if (!branch.bugs.has('no intent')) branch.ledger.putRecord(desk.intentName, ceiling === null ? null : String(ceiling));
}

/** Before a row gets rights in any way but a lease: so that its business can be noted in the same transaction. */
export async function readIntent(branch: Branch, desk: Desk): Promise<void> {
  while (desk.intentGeneration !== branch.ledger.generation) {
    if (branch.bugs.has('generation ignored') && desk.intentGeneration >= 0) {
      desk.intentGeneration = branch.ledger.generation;
      return;
    }
    const generation = branch.ledger.generation;
    const text = await branch.ledger.loadRecord(desk.intentName);
    if (generation !== branch.ledger.generation) continue;
    desk.intent = text === null ? null : Number(text);
    desk.intentGeneration = generation;
  }
}

/** Nothing has to be told to the bank. True when that may also be noted: the intent record goes, or shrinks to what I hold (N6). */
export function closeIntent(branch: Branch, desk: Desk, account: Account): boolean {
  const row = rowOf(account, desk.who);
  if (desk.intent === null) return true;
  if (desk.intent > row.leased && !desk.clean && !branch.bugs.has('intent lowered early')) return false;
  const over = rightsOf(row) === 0 && row.wants === 0;
  if (over) putIntent(branch, desk, null);
  else if (desk.intent !== row.leased) putIntent(branch, desk, row.leased);
  return true;
}
