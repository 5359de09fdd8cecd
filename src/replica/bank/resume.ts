/** What an earlier life left: records of claims, settlements, strong takes and leases whose outcome is not known, each finished once. */
import { parseAddress } from '../../strategy/address.ts';
import type { Account } from '../ledger.ts';
import { accountsAt, type Branch, deskOf, locked } from './branch.ts';
import { isClosed } from './closed.ts';
import { settlingPrefix } from './credit.ts';
import { type Desk, intentPrefix } from './desk.ts';
import { readIntent } from './intent.ts';
import { type KeptReceipt, loadKept, openPrefix, remember } from './kept.ts';
import { exchangeLocally } from './local.ts';
import { decidedPrefix } from './notices.ts';
import { resumeClaim } from './once.ts';
import { placeOfText } from './receipt.ts';
import { dropClosed } from './removing.ts';
import { giveBack } from './return.ts';
import { rightsOf, rowOf } from './rights.ts';
import { resumeSettling } from './settle.ts';
import { settleEarlier, strongPrefix } from './strong.ts';

/** Reads which receipts are claims or have deadlines, again after memory was reverted. */
export async function reopen(branch: Branch): Promise<void> {
  while (branch.openGeneration !== branch.ledger.generation) {
    const { generation } = branch.ledger;
    branch.open.clear(); // a commit that failed took back what it had opened
    for (const who of branch.own) {
      for (const { name, value } of await branch.ledger.records(`${openPrefix}${who}/`)) {
        remember(branch, who, name.slice(openPrefix.length + who.length + 1), JSON.parse(value) as KeptReceipt);
      }
    }
    branch.openGeneration = generation;
  }
}

/** For whom something was decided here in an earlier life. */
export async function reopenDecided(branch: Branch): Promise<void> {
  for (const { name } of await branch.ledger.records(decidedPrefix)) {
    branch.decidedFor.add(name.slice(decidedPrefix.length, name.lastIndexOf('/')));
  }
}

/** The desk of a record `<prefix>/<who>/<address id>`. */
export async function openDesk(branch: Branch, who: string, name: string): Promise<Desk | null> {
  const address = parseAddress(name.slice(name.indexOf('/', name.indexOf('/') + 1) + 1));
  if (address === null) return null;
  if (isClosed(branch, address)) {
    branch.ledger.putRecord(name, null);
    return null;
  }
  const [account] = (await accountsAt(branch, [address])) as [Account];
  const desk = deskOf(branch, account, who);
  await readIntent(branch, desk);
  return desk;
}

/** Claims, settlements, strong takes and intents of an incarnation of mine. Rejects with UNREACHABLE. */
export async function lookAfter(branch: Branch, who: string): Promise<void> {
  const { ledger } = branch;
  for (const { name } of await ledger.records(`${intentPrefix}${who}/`)) await openDesk(branch, who, name);
  for (const { name } of await ledger.records(`${strongPrefix}${who}/`)) await finishStrong(branch, who, name);
  for (const { name, value } of await ledger.records(`${settlingPrefix}${who}/`)) await resumeSettling(branch, name, value);
  branch.openGeneration = -1;
  await reopen(branch);
}

export async function finishStrong(branch: Branch, who: string, name: string): Promise<void> {
  const desk = await openDesk(branch, who, name);
  if (desk === null) return;
  if (branch.locks.has(`strong ${desk.bankName}`)) {
    branch.unfinished.add(who);
    return;
  }
  await locked(branch, `strong ${desk.bankName}`, () => settleEarlier(branch, desk));
}

/** Without a backbone: the old incarnation's rights go back into the local bank, and its holds run out here. */
export async function resumeLocally(branch: Branch, who: string): Promise<void> {
  for (const { name } of await branch.ledger.records(`${intentPrefix}${who}/`)) {
    const desk = await openDesk(branch, who, name);
    if (desk === null) continue;
    await branch.local?.get(desk.bankName);
    const [account] = (await accountsAt(branch, [desk.address])) as [Account];
    giveBack(branch, desk, account, rightsOf(rowOf(account, who)));
    await exchangeLocally(branch, desk);
  }
  branch.openGeneration = -1;
  await reopen(branch);
  await branch.ledger.flush();
}

/** Claims that nobody waits for any more. Rejects with UNREACHABLE. */
export async function finishClaims(branch: Branch): Promise<void> {
  for (const [id, { who, text, claiming, once }] of [...branch.open]) {
    if (!claiming || branch.locks.has(once ?? '')) continue;
    const kept = await loadKept(branch, who, placeOfText(text));
    const address = parseAddress(kept?.entries[0]?.[0] ?? '');
    if (kept === null || address === null) branch.open.delete(id);
    else if (isClosed(branch, address)) await dropClosed(branch, who, placeOfText(text));
    else await resumeClaim(branch, deskOf(branch, await branch.ledger.account(address), who), id, kept);
  }
}
