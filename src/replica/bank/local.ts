/**
 * The bank of a replica without a backbone: a record of its own store, written in the transaction of the row. So there is no outcome that
 * could be unknown, and the only replica holds everything that is free.
 */

import type { Branch } from './branch.ts';
import type { Desk, Part } from './desk.ts';
import { writeRow } from './intent.ts';
import { emptyBank, freeIn, leaseOf, parseBank, printBank, withTotals } from './record.ts';
import { type Later, whenKnown } from './registers.ts';
import { declaredInitial, rowOf } from './rights.ts';

/** Leases all that is free of each part's counter. */
export const leaseLocally = (branch: Branch, parts: readonly Part[]): Later<void> =>
  parts.reduce<Later<void>>((done, { desk }) => whenKnown(done, () => exchangeLocally(branch, desk)), undefined);

/** Tells the bank my totals, and takes what is free. */
export function exchangeLocally(branch: Branch, desk: Desk): Later<void> {
  const { local } = branch;
  if (local === null) return;
  return whenKnown(local.get(desk.bankName), ({ value }) => {
    const account = branch.ledger.peek(desk.address);
    if (account === undefined || local.peek(desk.bankName)?.value !== value) {
      return branch.ledger.account(desk.address).then(() => exchangeLocally(branch, desk));
    }
    const row = rowOf(account, desk.who);
    const old =
      value === null ? emptyBank(branch.options.bornEmpty?.(account) === true ? 0 : declaredInitial(account)) : parseBank(value);
    const totals = { leased: leaseOf(old, desk.who).leased, returned: row.returned, minted: row.minted, burned: row.burned };
    const told = withTotals(old, desk.who, totals);
    const leased = totals.leased + (desk.who === branch.me ? freeIn(told) : 0);
    if (leased === row.leased && row.initial !== null) {
      if (told.minted !== old.minted || told.burned !== old.burned || leaseOf(old, desk.who).returned !== row.returned) {
        local.put(desk.bankName, printBank(told));
      }
      return;
    }
    local.put(desk.bankName, printBank(withTotals(told, desk.who, { ...totals, leased })));
    writeRow(branch, desk, account, { ...row, leased, initial: old.initial });
    // Should this bank ever move into a backbone, the rights here are found by it.
    branch.ledger.putRecord(desk.intentName, String(leased));
  });
}
