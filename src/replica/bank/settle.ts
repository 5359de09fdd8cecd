/**
 * Settling: a receipt is given back, confirmed, or its hold expires: one create-if-absent of `settle/<receipt id>`, wherever it is asked.
 * Only the issuer's row changes, once.
 *
 * How the issuer learns of it: whoever else settles first puts the receipt into the register `notices/<issuer>`, and the issuer looks at
 * that one register on every contact. So a contact costs the same however many receipts are open. The issuer itself notes what it is about to
 * settle in a record before it does.
 *
 * Invariants:
 *   N10 A receipt is settled once: what `settle/<id>` says first, holds.
 *   N11 The issuer's row applies a settlement once: in the transaction that deletes the receipt's record, or marks a plain receipt as applied.
 */
import type { Register } from '../../backbone/backbone.ts';
import { CffbrwError, invariant } from '../../error.ts';
import { type Address, parseAddress } from '../../strategy/address.ts';
import type { SettleResult } from '../replica.ts';
import { accountsAt, type Branch, closedBecause, type Desk, deskOf, locked, serve } from './branch.ts';
import { isClosedId } from './closed.ts';
import { openIntent, readIntent, writeRow } from './intent.ts';
import { type Applied, appliedName, drop, type KeptReceipt, loadKept, type Settlement, settleName } from './kept.ts';
import { exchangeLocally } from './local.ts';
import { isRecovering, isUnreachable, lookUp, registersOf } from './lookup.ts';
import { placeOfText, type Receipt } from './receipt.ts';
import { dropClosed } from './removing.ts';
import { giveBack } from './return.ts';
import { rightsOf, rowOf } from './rights.ts';
import { ensureAuthenticator } from './secret.ts';

export const settlingPrefix = 'settling/';
export const decidedPrefix = 'decided/';

/** What is being asked for about a receipt. */
export interface Asked {
  readonly text: string;
  readonly asked: Settlement;
}

/** What was decided here about a receipt of another issuer. */
export interface Decided {
  readonly text: string;
  readonly settlement: Settlement;
}

const noticesName = (who: string): string => `notices/${who}`;
const noticesPerContact = 200;

/** What was decided about a receipt; null: nothing yet. With a backbone. */
export async function settlementOf(branch: Branch, text: string): Promise<Settlement | null> {
  return (await registersOf(branch).get(settleName(placeOfText(text)))).value as Settlement | null;
}

/** Gives back or confirms. Durable when it resolves. */
export async function settle(branch: Branch, text: string, asked: 'give' | 'confirm'): Promise<SettleResult> {
  const closed = closedBecause(branch);
  if (closed !== null) return { ok: false, reason: closed, repeated: false };
  try {
    await ensureAuthenticator(branch);
    const receipt = branch.authenticator?.verify(text) ?? null;
    if (receipt === null || isClosedId(branch, receipt.address)) return unknown;
    return await locked(branch, `receipt ${receipt.id}`, () =>
      branch.local === null ? settleRegister(branch, receipt, asked) : settleHere(branch, receipt, asked),
    );
  } catch (error) {
    if (isUnreachable(error) || isRecovering(error)) {
      for (const who of branch.own) branch.unfinished.add(who);
      return { ok: false, reason: isRecovering(error) ? 'recovering' : 'unreachable', repeated: false };
    }
    if (error instanceof CffbrwError && error.code === 'WINDOW_CLOSED') return unknown;
    throw error;
  }
}

const unknown: SettleResult = { ok: false, reason: 'unknown', repeated: false };

function answer(asked: Settlement, held: Settlement, created: boolean): SettleResult {
  if (asked === held) return { ok: true, reason: null, repeated: !created };
  return { ok: false, reason: ({ give: 'given', confirm: 'confirmed', expire: 'expired' } as const)[held], repeated: false };
}

/** The end of a hold. Resolves when it is over, this way or another. Rejects with UNREACHABLE: then it waits. */
export async function expire(branch: Branch, text: string): Promise<void> {
  await ensureAuthenticator(branch);
  const receipt = branch.authenticator?.verify(text) ?? null;
  if (receipt === null) return;
  if (isClosedId(branch, receipt.address)) return dropClosed(branch, receipt.issuer, receipt);
  await locked(branch, `receipt ${receipt.id}`, async () => {
    if (branch.local !== null) {
      await settleHere(branch, receipt, 'expire');
    } else if (branch.bugs.has('expire without register')) {
      await apply(branch, receipt, 'expire');
    } else {
      const { register } = await lookUp(branch, settleName(receipt), () => 'expire');
      await apply(branch, receipt, register.value as Settlement);
    }
  });
}

// ── With a backbone. ──

async function settleRegister(branch: Branch, receipt: Receipt, asked: Settlement): Promise<SettleResult> {
  const found = await registersOf(branch).get(settleName(receipt));
  if (found.value === null || branch.own.has(receipt.issuer)) return carryThrough(branch, receipt, asked, found);
  return answer(asked, found.value as Settlement, false);
}

async function carryThrough(branch: Branch, receipt: Receipt, asked: Settlement, found: Register): Promise<SettleResult> {
  const mine = branch.own.has(receipt.issuer);
  const before = await branch.ledger.loadRecord(settlingName(branch, receipt));
  await noteSettling(branch, receipt, asked);
  const { register, done } = await askFor(branch, receipt, asked, found).catch(async (error: unknown) => {
    // Refused by another backbone: it did not happen, and whoever is told so must not find that it happens later.
    if (isRecovering(error)) {
      branch.ledger.putRecord(settlingName(branch, receipt), before);
      await branch.ledger.flush();
    }
    throw error;
  });
  if (mine) await apply(branch, receipt, register.value as Settlement);
  else noteDecided(branch, receipt, register.value as Settlement);
  await branch.ledger.flush();
  return answer(asked, register.value as Settlement, done);
}

async function askFor(branch: Branch, receipt: Receipt, asked: Settlement, found: Register) {
  if (!branch.own.has(receipt.issuer)) await notify(branch, receipt);
  return decide(branch, receipt, asked, found);
}

/** Create-if-absent, from what was found. */
async function decide(branch: Branch, receipt: Receipt, asked: Settlement, found: Register) {
  if (found.value !== null && !branch.bugs.has('settle overwrites')) return { register: found, done: false };
  const { register, done } = await registersOf(branch).compareAndSet(settleName(receipt), asked, found.revision);
  return branch.bugs.has('settle overwrites') ? { register: { value: asked }, done: true } : { register, done };
}

/** Of the issuer, or of whoever settles for it. */
const settlingName = (branch: Branch, { issuer, id }: Receipt): string =>
  `${settlingPrefix}${branch.own.has(issuer) ? issuer : branch.me}/${id}`;

async function noteSettling(branch: Branch, receipt: Receipt, asked: Settlement): Promise<void> {
  branch.ledger.putRecord(settlingName(branch, receipt), JSON.stringify({ text: receipt.text, asked } satisfies Asked));
  await branch.ledger.flush();
}

/** Until the issuer has applied it, only this store knows it for certain. */
function noteDecided(branch: Branch, receipt: Receipt, settlement: Settlement): void {
  branch.ledger.putRecord(`${decidedPrefix}${receipt.issuer}/${receipt.id}`, JSON.stringify({ text: receipt.text, settlement }));
  branch.ledger.putRecord(settlingName(branch, receipt), null);
  branch.decidedFor.add(receipt.issuer);
}

/** Finishes what a crash or an unknown outcome left: the same settlement is asked for again. */
export async function resumeSettling(branch: Branch, name: string, value: string): Promise<void> {
  const { text, asked } = JSON.parse(value) as Asked;
  const receipt = branch.authenticator?.verify(text) ?? null;
  if (receipt === null || isClosedId(branch, receipt.address)) return branch.ledger.putRecord(name, null);
  await locked(branch, `receipt ${receipt.id}`, async () =>
    carryThrough(branch, receipt, asked, await registersOf(branch).get(settleName(receipt))),
  );
  // An earlier incarnation may have noted it, for a receipt that is not its own.
  if (name !== settlingName(branch, receipt)) branch.ledger.putRecord(name, null);
}

/** The issuer's part. The settlement is decided; the row follows, once (N11). */
async function apply(branch: Branch, receipt: Receipt, settlement: Settlement): Promise<void> {
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

const entriesOf = (receipt: Receipt, kept: KeptReceipt | null): KeptReceipt['entries'] =>
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

// ── Notices. ──

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

// ── Without a backbone: the settlement and its effect are one transaction. ──

async function settleHere(branch: Branch, receipt: Receipt, asked: Settlement): Promise<SettleResult> {
  const { local } = branch;
  const name = settleName(receipt);
  for (;;) {
    const { generation } = branch.ledger;
    const held = (await local?.get(name))?.value as Settlement | null;
    const kept = receipt.units > 0 ? null : await loadKept(branch, receipt.issuer, receipt);
    if (generation !== branch.ledger.generation) continue;
    if (held !== null) return answered(branch, answer(asked, held, false));
    if (!branch.own.has(receipt.issuer) || (receipt.units === 0 && kept === null)) return unknown;
    const finish = () => {
      local?.put(name, asked);
      if (kept !== null) drop(branch, receipt.issuer, receipt);
      if (kept?.once) nameLocally(branch, kept, asked);
      return answer(asked, asked, true);
    };
    const entries = asked === 'confirm' ? [] : entriesOf(receipt, kept);
    const result = await credit(branch, receipt.issuer, entries, finish, generation);
    if (result !== null) return answered(branch, result);
  }
}

/** A local `once` register tells by itself what became of its grant. */
function nameLocally(branch: Branch, { once, text, deadline }: KeptReceipt, settlement: Settlement): void {
  if (once === null) return;
  branch.local?.put(
    once,
    settlement === 'confirm' ? JSON.stringify({ receipt: text, expires: deadline, confirmed: true }) : null,
  );
}

async function answered(branch: Branch, result: SettleResult): Promise<SettleResult> {
  await branch.ledger.flush();
  return result;
}
