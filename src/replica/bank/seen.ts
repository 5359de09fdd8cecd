/**
 * What a register showed of a receipt or a key, as this store keeps it. Whoever wrote the register may never have learnt that it arrived, and
 * a backbone may lose it: then no record says so but this one, and the recovery writes it again from here.
 *
 * It is kept for as long as the issuer's own records are: until the window is closed for good.
 *
 * Invariant:
 *   N16 What became of a receipt, and which grant a key has, is durable here, or in the issuer's records, before anybody is told or builds on it.
 */
import { type Branch, locked } from './branch.ts';
import { type Applied, loadKept, seenPrefix } from './kept.ts';
import { placeOfText } from './receipt.ts';

/** The parts that are known of what its issuer may not have applied yet. */
export type Seen = Partial<Applied>;

/** Durable when it resolves. */
export async function noteSeen(branch: Branch, text: string, seen: Seen): Promise<void> {
  const { issuer, ...place } = placeOfText(text);
  if (branch.own.has(issuer)) {
    const kept = await loadKept(branch, issuer, place);
    if (kept === null || (seen.settlement === undefined && kept.state === 'granted')) return; // my own record says it
  }
  const name = `${seenPrefix}${place.address}/${place.id}`;
  await locked(branch, name, async () => {
    const before = await branch.ledger.loadRecord(name);
    const now = JSON.stringify({ ...(before !== null && (JSON.parse(before) as Seen)), ...seen });
    if (now !== before) branch.ledger.putRecord(name, now);
    await branch.ledger.flush();
  });
}
