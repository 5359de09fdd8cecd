/**
 * Settling: a receipt is given back, confirmed, or its hold expires: one create-if-absent of `settle/<receipt id>`, wherever it is asked.
 * Only the issuer's row changes, once (credit.ts); it learns of what others settled by a notice (notices.ts). What is about to be settled is
 * noted in a record before.
 *
 * Invariant:
 *   N10 A receipt is settled once: what `settle/<id>` says first, holds.
 */
import type { Register, Registers } from '../../backbone/backbone.ts';
import { CffbrwError, retryAfter } from '../../error.ts';
import type { SettleResult } from '../replica.ts';
import { type Branch, closedBecause, locked } from './branch.ts';
import { isClosedId } from './closed.ts';
import { apply, credit, entriesOf, settlingName } from './credit.ts';
import { drop, type KeptReceipt, loadKept, type Settlement, settleName } from './kept.ts';
import { isRecovering, isUnreachable, lookUp, registersOf, unknownOutcome } from './lookup.ts';
import { noteDecided, notify } from './notices.ts';
import { inTime } from './patience.ts';
import { placeOfText, type Receipt } from './receipt.ts';
import { dropClosed } from './removing.ts';
import { ensureAuthenticator } from './secret.ts';
import { noteSeen } from './seen.ts';

/** What is being asked for about a receipt. */
export interface Asked {
  readonly text: string;
  readonly asked: Settlement;
}

/** What was decided about a receipt; null: nothing yet. With a backbone. */
export async function settlementOf(registers: Registers, text: string): Promise<Settlement | null> {
  return (await registers.get(settleName(placeOfText(text)))).value as Settlement | null;
}

/** Whoever waited so long is told `unreachable`; what was begun goes on. */
const patienceMs = 2_000;

/** Gives back or confirms. Durable when it resolves. */
export async function settle(branch: Branch, text: string, asked: 'give' | 'confirm'): Promise<SettleResult> {
  const closed = closedBecause(branch);
  if (closed !== null) return { ok: false, reason: closed, repeated: false };
  try {
    const work = settleNow(branch, text, asked);
    return await (branch.local === null ? inTime(branch, branch.host.elapsed() + patienceMs, work) : work);
  } catch (error) {
    if (isUnreachable(error) || isRecovering(error)) {
      for (const who of branch.own) branch.unfinished.add(who);
      return { ok: false, reason: isRecovering(error) ? 'recovering' : 'unreachable', repeated: false };
    }
    if (error instanceof CffbrwError && error.code === 'WINDOW_CLOSED') return unknown;
    throw error;
  }
}

async function settleNow(branch: Branch, text: string, asked: 'give' | 'confirm'): Promise<SettleResult> {
  await ensureAuthenticator(branch);
  const receipt = branch.authenticator?.verify(text) ?? null;
  if (receipt === null || isClosedId(branch, receipt.address)) return unknown;
  return locked(branch, `receipt ${receipt.id}`, () =>
    branch.local === null ? settleRegister(branch, receipt, asked) : settleHere(branch, receipt, asked),
  );
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
  const settlement = found.value as Settlement;
  await noteSeen(branch, receipt.text, { settlement });
  return answer(asked, settlement, false);
}

async function carryThrough(branch: Branch, receipt: Receipt, asked: Settlement, found: Register): Promise<SettleResult> {
  const mine = branch.own.has(receipt.issuer);
  const before = await branch.ledger.loadRecord(settlingName(branch, receipt));
  if (found.value === null) await noteSettling(branch, receipt, asked);
  const { register, done } = await askFor(branch, receipt, asked, found).catch(async (error: unknown) => {
    // Refused by another backbone: it did not happen, and whoever is told so must not find that it happens later.
    if (isRecovering(error)) await takeBack(branch, receipt, before);
    throw error;
  });
  try {
    if (mine) await apply(branch, receipt, register.value as Settlement);
    else noteDecided(branch, receipt, register.value as Settlement);
    await branch.ledger.flush();
  } catch (error) {
    if (!done) throw error;
    // It is decided, and a contact writes the rest. But should the backbone forget it before that, what was asked elsewhere may come first (N16).
    branch.unfinished.add(mine ? receipt.issuer : branch.me);
    throw retryAfter(error) === 'later' ? unknownOutcome(error) : error;
  }
  return answer(asked, register.value as Settlement, done);
}

async function takeBack(branch: Branch, receipt: Receipt, before: string | null): Promise<void> {
  try {
    branch.ledger.putRecord(settlingName(branch, receipt), before);
    await branch.ledger.flush();
  } catch (error) {
    throw unknownOutcome(error);
  }
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

async function noteSettling(branch: Branch, receipt: Receipt, asked: Settlement): Promise<void> {
  branch.ledger.putRecord(settlingName(branch, receipt), JSON.stringify({ text: receipt.text, asked } satisfies Asked));
  await branch.ledger.flush();
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

// ── Without a backbone: the settlement and its effect are one transaction. ──

async function settleHere(branch: Branch, receipt: Receipt, asked: Settlement): Promise<SettleResult> {
  const { local } = branch;
  const name = settleName(receipt);
  for (;;) {
    const { generation } = branch.ledger;
    const held = (await local?.get(name))?.value as Settlement | null;
    const kept = receipt.units > 0 ? null : await loadKept(branch, receipt.issuer, receipt);
    if (generation !== branch.ledger.generation) continue;
    if (held !== null) {
      await branch.ledger.flush();
      return answer(asked, held, false);
    }
    if (!branch.own.has(receipt.issuer) || (receipt.units === 0 && kept === null)) return unknown;
    const finish = () => {
      local?.put(name, asked);
      if (kept !== null) drop(branch, receipt.issuer, receipt);
      if (kept?.once) nameLocally(branch, kept, asked);
      return { durable: branch.ledger.flush() };
    };
    const entries = asked === 'confirm' ? [] : entriesOf(receipt, kept);
    const done = await credit(branch, receipt.issuer, entries, finish, generation);
    if (done === null) continue;
    await done.durable;
    return answer(asked, asked, true);
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
