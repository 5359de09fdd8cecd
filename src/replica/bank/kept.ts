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

export const keptPrefix = 'receipt/';
export const keptName = (who: string, id: string): string => `${keptPrefix}${who}/${id}`;

/** Writes the record, and remembers whether it must be looked at again. */
export function keep(branch: Branch, who: string, id: string, kept: KeptReceipt): void {
  branch.ledger.putRecord(keptName(who, id), JSON.stringify(kept));
  remember(branch, who, id, kept);
}

export function remember(branch: Branch, who: string, id: string, { text, deadline, state, once }: KeptReceipt): void {
  const claiming = state === 'claiming';
  if (claiming || deadline !== null) branch.open.set(id, { who, text, deadline, claiming, once });
  else branch.open.delete(id);
}

export function drop(branch: Branch, who: string, id: string): void {
  branch.ledger.putRecord(keptName(who, id), null);
  branch.open.delete(id);
}

export async function loadKept(branch: Branch, who: string, id: string): Promise<KeptReceipt | null> {
  const text = await branch.ledger.loadRecord(keptName(who, id));
  return text === null ? null : (JSON.parse(text) as KeptReceipt);
}
