/**
 * The records of receipts that are more than their text: holds, claims of `once`, lists. One record each, in the transaction of the take,
 * deleted in the transaction in which the issuer's row applies the settlement; and a record of each settlement that was applied.
 *
 * The names of what stays hold the address, so that a closed window's can be found and removed.
 */
import { invariant } from '../../error.ts';
import type { Branch } from './branch.ts';
import { settlePrefix } from './registers.ts';

export type Settlement = 'give' | 'confirm' | 'expire';

export interface KeptReceipt {
  readonly text: string;
  /** Address ids and units. */
  readonly entries: readonly (readonly [address: string, units: number])[];
  readonly state: 'claiming' | 'granted';
  /** When the hold runs out, milliseconds since 1970. */
  readonly deadline: number | null;
  /** The register `once/…` that names it. */
  readonly once: string | null;
}

/** What became of a receipt, as its issuer applied it. */
export interface Applied {
  readonly settlement: Settlement;
  /** The grant of a key: the register that names it, and what it says. */
  readonly named: (Pick<KeptReceipt, 'text' | 'deadline'> & { readonly once: string }) | null;
}

/** Which record: the receipt's own random part, and its (first) address. */
export interface ReceiptPlace {
  readonly id: string;
  readonly address: string;
}

/** Claims and holds, which a start must look at again, stand apart from what is settled for good: a million grants are not a slow start. */
export const openPrefix = 'receipt/open/';
export const grantedPrefix = 'receipt/granted/';
export const appliedPrefix = 'applied/';
export const seenPrefix = 'seen/';
const idDigits = 32;

const isOpen = ({ state, deadline }: KeptReceipt): boolean => state === 'claiming' || deadline !== null;

const openName = (who: string, id: string): string => `${openPrefix}${who}/${id}`;
const grantedName = (who: string, { address, id }: ReceiptPlace): string => `${grantedPrefix}${who}/${address}/${id}`;
export const appliedName = ({ address, id }: ReceiptPlace): string => `${appliedPrefix}${address}/${id}`;

/** The register that says what became of it. */
export const settleName = ({ address, id }: ReceiptPlace): string => `${settlePrefix}${address}/${id}`;

/** The place that a name below `prefix` says: `<address>/<id>`. */
export const placeIn = (name: string, prefix: string): ReceiptPlace => ({
  address: name.slice(prefix.length, -idDigits - 1),
  id: name.slice(-idDigits),
});

export function placeOf(id: string, { entries }: KeptReceipt): ReceiptPlace {
  const address = entries[0]?.[0];
  invariant(address !== undefined, 'N8', `the receipt ${id} is for nothing`);
  return { id, address };
}

/** Writes the record, and remembers whether it must be looked at again. */
export function keep(branch: Branch, who: string, id: string, kept: KeptReceipt): void {
  const open = isOpen(kept);
  branch.ledger.putRecord(open ? openName(who, id) : grantedName(who, placeOf(id, kept)), JSON.stringify(kept));
  // A grant that was a claim before leaves its old place in the same transaction. A local one never was.
  if (!open && (branch.local === null || branch.open.has(id))) branch.ledger.putRecord(openName(who, id), null);
  remember(branch, who, id, kept);
}

export function remember(branch: Branch, who: string, id: string, kept: KeptReceipt): void {
  const { text, deadline, state, once } = kept;
  if (isOpen(kept)) branch.open.set(id, { who, text, deadline, claiming: state === 'claiming', once });
  else branch.open.delete(id);
}

export function drop(branch: Branch, who: string, place: ReceiptPlace): void {
  for (const name of [openName(who, place.id), grantedName(who, place)]) branch.ledger.putRecord(name, null);
  branch.open.delete(place.id);
}

export async function loadKept(branch: Branch, who: string, place: ReceiptPlace): Promise<KeptReceipt | null> {
  const { ledger } = branch;
  const text = (await ledger.loadRecord(openName(who, place.id))) ?? (await ledger.loadRecord(grantedName(who, place)));
  return text === null ? null : (JSON.parse(text) as KeptReceipt);
}
