/**
 * The issuer's part of a settlement: what was decided reaches its row.
 *
 * Invariant:
 *   N11 The issuer's row applies a settlement once: in the transaction that deletes the receipt's record, or marks a plain receipt as applied.
 */
import { invariant } from '../../error.ts';
import { type Address, parseAddress } from '../../strategy/address.ts';
import { accountsAt, type Branch, deskOf, serve } from './branch.ts';
import { isClosedId } from './closed.ts';
import type { Desk } from './desk.ts';
import { openIntent, readIntent, writeRow } from './intent.ts';
import { type Applied, appliedName, drop, type KeptReceipt, loadKept, type Settlement } from './kept.ts';
import { exchangeLocally } from './local.ts';
import type { Receipt } from './receipt.ts';
import { giveBack } from './return.ts';
import { rightsOf, rowOf } from './rights.ts';

export const settlingPrefix = 'settling/';

/** Of the issuer, or of whoever settles for it. */
export const settlingName = (branch: Branch, { issuer, id }: Receipt): string =>
  `${settlingPrefix}${branch.own.has(issuer) ? issuer : branch.me}/${id}`;

/** The settlement is decided; the row follows, once (N11). */
export async function apply(branch: Branch, receipt: Receipt, settlement: Settlement): Promise<void> {
  const { issuer, id } = receipt;
  for (;;) {
    const { generation } = branch.ledger;
    const plain = receipt.units > 0;
    const kept = plain ? null : await loadKept(branch, issuer, receipt);
    const done = await branch.ledger.loadRecord(appliedName(receipt));
    const over = plain ? done !== null : kept === null;
    if (generation !== branch.ledger.generation) continue;
    const entries = over && !branch.bugs.has('credit twice') ? [] : entriesOf(receipt, kept);
    const finish = () => {
      if (done === null) branch.ledger.putRecord(appliedName(receipt), JSON.stringify(appliedOf(settlement, kept)));
      if (kept !== null) drop(branch, issuer, receipt);
      branch.open.delete(id);
      branch.ledger.putRecord(settlingName(branch, receipt), null);
      return true;
    };
    if ((await credit(branch, issuer, settlement === 'confirm' ? [] : entries, finish, generation)) !== null) return;
  }
}

const appliedOf = (settlement: Settlement, kept: KeptReceipt | null): Applied => {
  if (kept === null || kept.once === null) return { settlement, named: null };
  return { settlement, named: { once: kept.once, text: kept.text, deadline: kept.deadline } };
};

export const entriesOf = (receipt: Receipt, kept: KeptReceipt | null): KeptReceipt['entries'] =>
  receipt.units > 0 ? [[receipt.address, receipt.units]] : (kept?.entries ?? []);

/**
 * Adds units to what `who` was given back, and calls `finish` in the same synchronous block. null: memory was reverted since `generation`, and
 * nothing was done.
 */
export async function credit<T>(
  branch: Branch,
  who: string,
  all: KeptReceipt['entries'],
  finish: () => T,
  generation: number,
): Promise<T | null> {
  // Of a list: what comes back to a window that is closed for good is of no use to anybody.
  const entries = all.filter(([id]) => !isClosedId(branch, id));
  const accounts = await accountsAt(branch, addressesOf(entries));
  const desks = accounts.map((account) => deskOf(branch, account, who));
  if (branch.local === null) for (const desk of desks) await readIntent(branch, desk);
  const current = accounts.map(({ address }) => branch.ledger.peek(address));
  if (generation !== branch.ledger.generation || current.some((account) => account === undefined)) return null;
  for (let i = 0; i < entries.length; i += 1) {
    const account = current[i];
    const desk = desks[i];
    const units = entries[i]?.[1] ?? 0;
    if (account === undefined || desk === undefined) continue;
    const row = rowOf(account, who);
    invariant(row.given + units <= row.taken, 'N11', `more of ${desk.address.id} would be given back than ${who} has taken`);
    openIntent(branch, desk, account);
    writeRow(branch, desk, account, { ...row, given: row.given + units });
    desk.refusal = null;
    desk.lastUsedMs = branch.host.elapsed();
  }
  const result = finish();
  for (const desk of desks) {
    if (desk.who === branch.me) serve(branch, desk);
    else returnOld(branch, desk);
  }
  return result;
}

/** An old incarnation sells nothing: what comes back to it goes on to the bank. */
function returnOld(branch: Branch, desk: Desk): void {
  const account = branch.ledger.peek(desk.address);
  if (account === undefined) return;
  giveBack(branch, desk, account, rightsOf(rowOf(account, desk.who)));
  if (branch.local !== null) void exchangeLocally(branch, desk);
}

const addressesOf = (entries: KeptReceipt['entries']): Address[] =>
  entries.map(([id]) => {
    const address = parseAddress(id);
    invariant(address !== null, 'N11', `a receipt names ${id}, which is no address`);
    return address;
  });
