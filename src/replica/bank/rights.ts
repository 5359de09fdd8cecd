/** What rows of a bounded counter say: the rights of one replica, and what is left as known here. Pure. */
import type { BoundedRow } from '../../strategy/bounded-counter.ts';
import type { Account } from '../ledger.ts';

export const emptyRow: BoundedRow = Object.freeze({
  leased: 0,
  returned: 0,
  taken: 0,
  given: 0,
  wants: 0,
  strong: 0,
  minted: 0,
  burned: 0,
  initial: null,
});

export const rowOf = (account: Account, who: string): BoundedRow => account.rows.get(who)?.row ?? emptyRow;

/** Units that this row's owner may take without asking anybody. */
export const rightsOf = (row: BoundedRow): number => row.leased - row.returned - (row.taken - row.strong) + row.given;

/** The units that the bank was created with; null: no row has seen it yet. */
export function knownInitial(account: Account): number | null {
  let initial: number | null = null;
  for (const { row } of account.rows.values()) {
    if (row.initial !== null && (initial === null || row.initial > initial)) initial = row.initial;
  }
  return initial;
}

/** What is left, as the rows that are known here show it: minted − burned − taken + given, and never below 0. */
export function remaining(account: Account): number {
  let moved = 0;
  for (const { row } of account.rows.values()) moved += row.minted - row.burned - row.taken + row.given;
  return Math.max(0, (knownInitial(account) ?? declaredInitial(account)) + moved);
}

export const declaredInitial = ({ variable }: Account): number => (typeof variable.initial === 'number' ? variable.initial : 0);
