/**
 * The records of receipts that are more than their text: holds, claims of `once`, lists. One record each, in the transaction of the take,
 * deleted in the transaction in which the issuer's row applies the settlement.
 */
import type { Branch } from './branch.ts';

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

/** Claims and holds, which a start must look at again, stand apart from what is settled for good: a million grants are not a slow start. */
export const openPrefix = 'receipt/open/';
const grantedPrefix = 'receipt/granted/';

const isOpen = ({ state, deadline }: KeptReceipt): boolean => state === 'claiming' || deadline !== null;

const nameIn = (prefix: string, who: string, id: string): string => `${prefix}${who}/${id}`;

/** Writes the record, and remembers whether it must be looked at again. */
export function keep(branch: Branch, who: string, id: string, kept: KeptReceipt): void {
  const open = isOpen(kept);
  branch.ledger.putRecord(nameIn(open ? openPrefix : grantedPrefix, who, id), JSON.stringify(kept));
  // A grant that was a claim before leaves its old place in the same transaction. A local one never was.
  if (!open && (branch.local === null || branch.open.has(id))) branch.ledger.putRecord(nameIn(openPrefix, who, id), null);
  remember(branch, who, id, kept);
}

export function remember(branch: Branch, who: string, id: string, kept: KeptReceipt): void {
  const { text, deadline, state, once } = kept;
  if (isOpen(kept)) branch.open.set(id, { who, text, deadline, claiming: state === 'claiming', once });
  else branch.open.delete(id);
}

export function drop(branch: Branch, who: string, id: string): void {
  for (const prefix of [openPrefix, grantedPrefix]) branch.ledger.putRecord(nameIn(prefix, who, id), null);
  branch.open.delete(id);
}

export async function loadKept(branch: Branch, who: string, id: string): Promise<KeptReceipt | null> {
  const { ledger } = branch;
  const text =
    (await ledger.loadRecord(nameIn(openPrefix, who, id))) ?? (await ledger.loadRecord(nameIn(grantedPrefix, who, id)));
  return text === null ? null : (JSON.parse(text) as KeptReceipt);
}
