/** Returning rights: in the row first, then to the bank. */

import type { Account } from '../ledger.ts';
import type { Branch } from './branch.ts';
import type { Desk } from './desk.ts';
import { openIntent, writeRow } from './intent.ts';
import { wake } from './lease.ts';
import { rightsOf, rowOf } from './rights.ts';
import { freshWants } from './wants.ts';

/** For so long who yielded leaves to the other what it wants. */
const yieldMs = 500;
const idleMs = 5_000;

/** Hands rights back: in the row now, to the bank in the next turn. */
export function giveBack(branch: Branch, desk: Desk, account: Account, units: number): void {
  const row = rowOf(account, desk.who);
  if (units <= 0) return;
  openIntent(branch, desk, account);
  writeRow(branch, desk, account, { ...row, returned: row.returned + units });
  desk.lowWater = 0;
  wake(branch, desk);
}

/** Returns what others lack. Of two that starve each other the higher id yields. */
export function answerWants(branch: Branch, desk: Desk, account: Account): void {
  if (branch.local !== null || branch.ledger.frozen !== null) return;
  const rights = rightsOf(rowOf(account, desk.who));
  if (rights <= 0) return;
  const wants = freshWants(branch, desk, account);
  const yields = desk.waiting.size > 0;
  if (yields && (wants.lower === 0 || branch.bugs.has('nobody yields'))) return;
  if (yields) desk.yieldedUntilMs = branch.host.elapsed() + yieldMs;
  giveBack(branch, desk, account, Math.min(rights, yields ? wants.lower : wants.all));
}

/** All of an old incarnation's rights go back at once; mine when nobody used them for a while. */
export function returnIdle(branch: Branch, desk: Desk, account: Account): void {
  if (branch.local !== null || branch.ledger.frozen !== null) return;
  const idle = desk.waiting.size === 0 && branch.host.elapsed() - desk.lastUsedMs >= idleMs;
  if (idle || desk.who !== branch.me) giveBack(branch, desk, account, rightsOf(rowOf(account, desk.who)));
}
