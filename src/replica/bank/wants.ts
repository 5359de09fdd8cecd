/** Wants: how many units the takes that wait here lack, and what others lack. */

import type { Account } from '../ledger.ts';
import type { Branch } from './branch.ts';
import type { Desk } from './desk.ts';
import { openIntent, writeRow } from './intent.ts';
import { rightsOf, rowOf } from './rights.ts';

/** For so long after it was first heard, a want of another replica is answered. */
const wantFreshMs = 3_000;

/** Units that the takes which wait here lack together. */
export function lacking(desk: Desk, rights: number): number {
  let needed = 0;
  for (const { parts } of desk.waiting) for (const part of parts) if (part.desk === desk) needed += part.units;
  return Math.max(0, needed - rights);
}

export function smallestNeed(desk: Desk): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (const { parts } of desk.waiting)
    for (const part of parts) if (part.desk === desk) smallest = Math.min(smallest, part.units);
  return smallest;
}

/**
 * Says in my row what is lacking here, so that others return what they do not need. `coming`: units that the bank has and that are asked for
 * now. A want that the bank can serve would make everybody return a few units, and all these returns race with the lease itself.
 */
export function setWants(branch: Branch, desk: Desk, account: Account, coming = 0): void {
  const row = rowOf(account, desk.who);
  const lacks = lacking(desk, rightsOf(row) + coming) + desk.strongWants;
  const wants = desk.who === branch.me && !branch.bugs.has('no wants') ? lacks : 0;
  if (wants === row.wants) return;
  // Until it is 0 again there is business here: a restart must not leave a want behind that nobody has.
  openIntent(branch, desk, account);
  writeRow(branch, desk, account, { ...row, wants });
}

/** Units that others said, not long ago, that they lack: all together, and those of lower ids. */
export function freshWants(branch: Branch, desk: Desk, account: Account): { readonly all: number; readonly lower: number } {
  const now = branch.host.elapsed();
  let all = 0;
  let lower = 0;
  for (const [who, { version, row }] of account.rows) {
    if (row.wants === 0 || branch.own.has(who)) continue;
    let heard = desk.heard.get(who);
    if (heard?.version !== version) {
      heard = { version, atMs: now };
      desk.heard.set(who, heard);
    }
    if (now - heard.atMs > wantFreshMs) continue;
    all += row.wants;
    if (who < branch.me) lower += row.wants;
  }
  return { all, lower };
}
