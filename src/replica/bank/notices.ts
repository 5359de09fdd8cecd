/**
 * Notices: how an issuer learns what others decided about its receipts. Whoever else settles one first puts it into the register
 * `notices/<issuer>`, and the issuer looks at that one register on every contact. So a contact costs the same however many receipts are open.
 *
 * It never takes a notice away before what it tells of is durable at the issuer.
 */
import { type Branch, locked } from './branch.ts';
import { isClosedId } from './closed.ts';
import { apply, settlingName } from './credit.ts';
import { type Settlement, settleName } from './kept.ts';
import { registersOf } from './lookup.ts';
import { placeOfText, type Receipt } from './receipt.ts';
import { dropClosed } from './removing.ts';

export const decidedPrefix = 'decided/';

/** What was decided here about a receipt of another issuer. */
export interface Decided {
  readonly text: string;
  readonly settlement: Settlement;
}

const noticesName = (who: string): string => `notices/${who}`;
const noticesPerContact = 200;

export async function notify(branch: Branch, { issuer, text }: Receipt): Promise<void> {
  const name = noticesName(issuer);
  let register = await registersOf(branch).get(name);
  for (;;) {
    const texts = register.value === null ? [] : (JSON.parse(register.value) as string[]);
    if (texts.includes(text)) return;
    const outcome = await registersOf(branch).compareAndSet(name, JSON.stringify([...texts, text]), register.revision);
    if (outcome.done) return;
    register = outcome.register;
  }
}

/** Looks at what others settled of `who`'s receipts. What is not decided yet stays noted. Rejects with UNREACHABLE. */
export async function readNotices(branch: Branch, who: string): Promise<void> {
  const { value } = await registersOf(branch).get(noticesName(who));
  const texts = value === null ? [] : (JSON.parse(value) as string[]);
  const over = new Set<string>();
  const { generation } = branch.ledger;
  // What is never decided must not hide what is: begin anywhere.
  const from = texts.length > noticesPerContact ? Math.floor(branch.host.random() * texts.length) : 0;
  for (const text of [...texts.slice(from), ...texts.slice(0, from)].slice(0, noticesPerContact)) {
    const receipt = branch.authenticator?.verify(text) ?? null;
    if (receipt === null || (await learn(branch, receipt))) over.add(text);
  }
  if (over.size === 0) return;
  await branch.ledger.flush();
  // A commit that failed meanwhile took back what was applied: it is learnt again at the next contact.
  if (generation !== branch.ledger.generation) return;
  await forget(branch, noticesName(who), over);
}

/**
 * What was decided here for other issuers is forgotten once they have learnt it: they take the notice away after that is durable. What a
 * backbone lost is no proof of it, so this is asked only where nothing is lost. Rejects with UNREACHABLE.
 */
export async function forgetDecided(branch: Branch): Promise<void> {
  for (const issuer of [...branch.decidedFor]) {
    const records = await branch.ledger.records(`${decidedPrefix}${issuer}/`);
    const { value } = records.length === 0 ? { value: null } : await registersOf(branch).get(noticesName(issuer));
    const noted = new Set(value === null ? [] : (JSON.parse(value) as string[]));
    let left = 0;
    for (const record of records) {
      const { text } = JSON.parse(record.value) as Decided;
      if (noted.has(text) && !isClosedId(branch, placeOfText(text).address)) left += 1;
      else branch.ledger.putRecord(record.name, null);
    }
    if (left === 0) branch.decidedFor.delete(issuer);
  }
}

const learn = (branch: Branch, receipt: Receipt): Promise<boolean> =>
  locked(branch, `receipt ${receipt.id}`, async () => {
    if (isClosedId(branch, receipt.address)) {
      await dropClosed(branch, receipt.issuer, receipt);
      return true;
    }
    const { value } = await registersOf(branch).get(settleName(receipt));
    if (value !== null) await apply(branch, receipt, value as Settlement);
    return value !== null;
  });

async function forget(branch: Branch, name: string, over: ReadonlySet<string>): Promise<void> {
  let register = await registersOf(branch).get(name);
  for (;;) {
    const texts = register.value === null ? [] : (JSON.parse(register.value) as string[]);
    const rest = texts.filter((text) => !over.has(text));
    if (rest.length === texts.length) return;
    const outcome = await registersOf(branch).compareAndSet(name, JSON.stringify(rest), register.revision);
    if (outcome.done) return;
    register = outcome.register;
  }
}

/** Until the issuer has applied it, only this store knows it for certain. */
export function noteDecided(branch: Branch, receipt: Receipt, settlement: Settlement): void {
  branch.ledger.putRecord(`${decidedPrefix}${receipt.issuer}/${receipt.id}`, JSON.stringify({ text: receipt.text, settlement }));
  branch.ledger.putRecord(settlingName(branch, receipt), null);
  branch.decidedFor.add(receipt.issuer);
}
