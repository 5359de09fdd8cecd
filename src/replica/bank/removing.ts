/** What a bounded counter has besides its rows, in a window that is closed for good: records here, registers in the backbone. */
import type { Address } from '../../strategy/address.ts';
import type { Branch } from './branch.ts';
import {
  appliedPrefix,
  drop,
  grantedPrefix,
  type KeptReceipt,
  loadKept,
  type ReceiptPlace,
  seenPrefix,
  settleName,
} from './kept.ts';
import { registersOf } from './lookup.ts';
import { localPrefix, onceStem, settlePrefix } from './registers.ts';
import type { Seen } from './seen.ts';

const together = 16;

/** A receipt that nobody may settle any more, and that its issuer has not applied. Rejects with UNREACHABLE. */
export async function dropClosed(branch: Branch, who: string, place: ReceiptPlace): Promise<void> {
  const kept = await loadKept(branch, who, place);
  if (branch.local === null) {
    await deleteRegister(branch, settleName(place));
    if (kept !== null && kept.once !== null) await deleteRegister(branch, kept.once);
  }
  drop(branch, who, place);
}

/** Removes some of it. True when there was nothing left but what is removed now. Rejects with UNREACHABLE. */
export async function removeClosed(branch: Branch, address: Address): Promise<boolean> {
  const { id } = address;
  closeDesks(branch, id);
  const local = branch.local !== null;
  const granted = [...branch.own].map((who) => `${grantedPrefix}${who}/${id}/`);
  const own = [...granted, `${appliedPrefix}${id}/`, `${seenPrefix}${id}/`];
  const registers = local ? [`${localPrefix}${onceStem}${id}/`, `${localPrefix}${settlePrefix}${id}/`] : [];
  for (const prefix of [...own, ...registers]) {
    const page = await branch.ledger.page(prefix, '');
    if (page.length === 0) continue;
    if (!local)
      await inGroups(page, ({ name, value }) => deleteRegisters(branch, { address: id, id: name.slice(prefix.length) }, value));
    for (const { name } of page) branch.ledger.putRecord(name, null);
    await branch.ledger.flush();
    return false;
  }
  if (local) branch.ledger.putRecord(`${localPrefix}bank/${id}`, null);
  else await deleteRegister(branch, `bank/${id}`);
  for (const who of branch.own) branch.ledger.putRecord(`intent/${who}/${id}`, null);
  await branch.ledger.flush();
  return true;
}

/** The registers that this record of a receipt is the reason of. */
async function deleteRegisters(branch: Branch, place: ReceiptPlace, value: string): Promise<void> {
  const { settlement, named, once = named?.once ?? null } = JSON.parse(value) as Seen & Partial<KeptReceipt>;
  if (settlement !== undefined) await deleteRegister(branch, settleName(place));
  if (once !== null) await deleteRegister(branch, once);
}

async function deleteRegister(branch: Branch, name: string): Promise<void> {
  let register = await registersOf(branch).get(name);
  while (register.value !== null) {
    const outcome = await registersOf(branch).compareAndSet(name, null, register.revision);
    if (outcome.done) return;
    register = outcome.register;
  }
}

function closeDesks(branch: Branch, id: string): void {
  for (const desks of [branch.desks, branch.oldDesks]) {
    for (const [name, desk] of desks) {
      if (desk.address.id !== id || desk.turn !== null) continue;
      desk.retry?.();
      desks.delete(name);
    }
  }
}

async function inGroups<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += together) await Promise.all(items.slice(at, at + together).map(work));
}
