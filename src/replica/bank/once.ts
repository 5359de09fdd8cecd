/**
 * `once: key`: at most one live grant per address and key, anywhere. The register `once/<address>/<key>` names the receipt of the grant; a
 * key is free when the settlement of that receipt says give or expiry.
 *
 * It never answers with a grant before the register names it, and never leaves a lost claim's units taken.
 *
 * Invariants:
 *   N8  A claim is durable before the register can name it.
 *   N9  A claim is over once: granted when the register names it, given back when the register names another.
 */
import type { Register, Registers } from '../../backbone/backbone.ts';
import { CffbrwError, retryAfter } from '../../error.ts';
import { type Address, checkKey } from '../../strategy/address.ts';
import type { Account } from '../ledger.ts';
import type { DecidedTake, TakeOptions } from '../replica.ts';
import { accountsAt, type Branch, closedBecause, locked, pause } from './branch.ts';
import { checkOpen } from './closed.ts';
import { credit } from './credit.ts';
import type { Desk, Part } from './desk.ts';
import { drop, type KeptReceipt, keep, loadKept } from './kept.ts';
import { errorOf, isRecovering, isUnreachable, registersOf, unknownOutcome } from './lookup.ts';
import { graceMs, lockedBy, patienceOf, registersBy } from './patience.ts';
import { type Later, onceStem, whenKnown } from './registers.ts';
import { remaining } from './rights.ts';
import { noteSeen } from './seen.ts';
import { settlementOf } from './settle.ts';
import { takeStrongly } from './strong.ts';
import { decided, defaultTimeoutMs, type Grant, grant, granted, prepared, refused, type TakeEntry } from './take.ts';
import { obtain } from './waiting.ts';

/** What the register holds. `confirmed` only in local registers, where the settlement is written into it. */
export interface Named {
  readonly receipt: string;
  readonly expires: number | null;
  readonly confirmed?: boolean;
  /** Written again after a loss, by who does not know whether it was named: gives way to a grant that was. */
  readonly claiming?: boolean;
}

const retryMs = 100;

export const oncePrefix = (addressId: string): string => `${onceStem}${addressId}/`;
export const printNamed = (named: Named): string => JSON.stringify(named);
export const parseNamed = (text: string): Named => JSON.parse(text) as Named;

export function takeOnce(branch: Branch, entry: TakeEntry, options: TakeOptions): Later<DecidedTake> {
  const prefix = oncePrefix(entry.address.id);
  const name = prefix + JSON.stringify(checkKey(options.once));
  if (branch.local === null) {
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const [deadlineMs, untilMs] = [branch.host.elapsed() + timeoutMs, patienceOf(branch, timeoutMs)];
    return lockedBy(branch, name, untilMs, () => claim(branch, entry, { options, name, deadlineMs, untilMs }));
  }
  return whenKnown(branch.local.prepare(name, prefix), () =>
    prepared(branch, [entry], (parts) => takeOnceHere(branch, parts, { options, name, prefix })),
  );
}

// ── Without a backbone: one synchronous block. ──

interface LocalOnce {
  readonly options: TakeOptions;
  readonly name: string;
  readonly prefix: string;
}

function takeOnceHere(branch: Branch, parts: readonly Part[], { options, name, prefix }: LocalOnce): Later<DecidedTake> {
  const [{ desk, units }] = parts as [Part];
  /** The earlier grant's answer; null: there is none; or all again, when memory was reverted or has forgotten it, and it must be read anew. */
  const earlier = (): Later<DecidedTake> | null => {
    const known = branch.local?.peek(name, prefix);
    if (known === undefined) return takeOnce(branch, { address: desk.address, amount: units }, options);
    return known.value === null ? null : decided(options, repeated(branch, desk, parseNamed(known.value)));
  };
  const first = branch.ledger.frozen === null ? earlier() : null;
  if (first !== null) return first;
  const decision = obtain<Later<DecidedTake>>(branch, {
    parts,
    timeoutMs: 0,
    perform(accounts) {
      const late = earlier();
      if (late !== null) return late;
      const made = grant(branch, parts, accounts, { options, once: name, state: 'granted' });
      branch.local?.put(name, printNamed({ receipt: made.text, expires: made.deadline }));
      return decided(options, granted(branch, parts, accounts, made));
    },
    refuse: (reason, part) => decided(options, refused(branch, reason, part)),
  });
  return whenKnown(decision, (result) => result);
}

function repeated(branch: Branch, desk: Desk, { receipt, expires, confirmed = false }: Named): DecidedTake {
  const account = branch.ledger.peek(desk.address);
  return {
    ok: true,
    reason: null,
    left: account === undefined ? 0 : remaining(account),
    receipt,
    repeated: true,
    confirmed,
    expires,
    windowEnds: desk.windowEnds,
    commit: branch.ledger.pending,
  };
}

// ── With a backbone. ──

interface Claiming {
  readonly options: TakeOptions;
  readonly name: string;
  /** For rights, and for the backbone's answers; by the elapsed clock. */
  readonly deadlineMs: number;
  readonly untilMs: number;
}

async function claim(branch: Branch, entry: TakeEntry, claiming: Claiming): Promise<DecidedTake> {
  const { options, name, deadlineMs, untilMs } = claiming;
  // What the registers say may be what they said before something was lost.
  const closed = closedBecause(branch);
  if (closed !== null) throw errorOf(closed);
  const asked = registersBy(branch, untilMs);
  const register = await asked.get(name);
  const live = await liveGrant(branch, register, { name, registers: asked });
  const leftMs = Math.max(0, deadlineMs - branch.host.elapsed());
  const go = async (parts: readonly Part[], timeoutMs: number): Promise<DecidedTake> => {
    const [{ desk }] = parts as [Part];
    if (live !== null) return decided(options, repeated(branch, desk, live));
    const claimed = await reserve(branch, parts, { options, name, timeoutMs });
    if ('ok' in claimed) return claimed;
    const { decided: made, durable } = claimed;
    if (branch.bugs.has('claim not durable')) durable.catch(() => {});
    else await durable;
    const registers = registersBy(branch, untilMs + graceMs);
    try {
      const finished = await finishClaim(branch, { ...claiming, parts, made, registers }, register);
      await finished.durable;
      return finished.decided;
    } catch (error) {
      throw afterClaim(error);
    }
  };
  return prepared(branch, [entry], go, leftMs);
}

/** The claim is durable here, and is finished later: nobody may be told that nothing was done. */
function afterClaim(error: unknown): unknown {
  if (isRecovering(error))
    return new CffbrwError('UNREACHABLE', 'the backbone was replaced while a key was claimed', {
      fix: 'Take again with the same key.',
    });
  return retryAfter(error) === 'later' ? unknownOutcome(error) : error;
}

interface ReserveOptions {
  readonly options: TakeOptions;
  readonly name: string;
  readonly timeoutMs: number;
}

/** What was decided in one block, and when what that block wrote is durable. */
interface Written<T> {
  readonly decided: T;
  readonly durable: Promise<void>;
}
const written = <T>({ ledger }: Branch, decided: T): Written<T> => ({ decided, durable: ledger.flush() });

/** Takes the units as claiming; or the refusal. */
function reserve(
  branch: Branch,
  parts: readonly Part[],
  { options, name, timeoutMs }: ReserveOptions,
): Later<Written<Grant> | DecidedTake> {
  const terms = { options, once: name, state: 'claiming' } as const;
  if (options.strong === true)
    return takeStrongly<Written<Grant>>(branch, parts[0] as Part, {
      terms,
      timeoutMs,
      finish: (_, made) => written(branch, made),
    });
  return obtain<Written<Grant> | DecidedTake>(branch, {
    parts,
    timeoutMs,
    perform: (accounts) => written(branch, grant(branch, parts, accounts, terms)),
    refuse: (reason, part) => decided(options, refused(branch, reason, part)),
  });
}

/** The grant that the register names, unless it was given back or has expired. For `asking`, who tells it or builds on it, it is noted. */
export async function liveGrant(
  branch: Branch,
  { value }: Pick<Register, 'value'>,
  asking: Pick<Claim, 'name' | 'registers'> | null = null,
): Promise<Named | null> {
  if (value === null) return null;
  const named = parseNamed(value);
  const { receipt: text, expires: deadline } = named;
  const settlement = await settlementOf(asking?.registers ?? registersOf(branch), text);
  const over = settlement === 'give' || settlement === 'expire';
  if (asking !== null)
    await noteSeen(branch, text, {
      ...(settlement !== null && { settlement }),
      ...(!over && { named: { text, deadline, once: asking.name } }),
    });
  return over ? null : { ...named, confirmed: settlement === 'confirm' };
}

interface Claim extends Claiming {
  readonly parts: readonly Part[];
  readonly made: Grant;
  /** Asked for as long as somebody waits. */
  readonly registers: Registers;
}

async function finishClaim(branch: Branch, claimed: Claim, register: Register): Promise<Written<DecidedTake>> {
  const { parts, made, options } = claimed;
  const winner = await decideClaim(branch, claimed, register);
  const [{ desk }] = parts as [Part];
  const finished = (result: DecidedTake) => written(branch, decided(options, result));
  return locked(branch, `receipt ${made.id}`, async () => {
    if (winner === null) return granting(branch, desk, made.id, (accounts) => finished(granted(branch, parts, accounts, made)));
    return losing(branch, desk, made.id, () => finished(repeated(branch, desk, winner)));
  });
}

/** null: the register names this claim. Rejects with UNREACHABLE when that is not known in time. */
async function decideClaim(branch: Branch, claimed: Claim, first: Register): Promise<Named | null> {
  const { parts, made, name, deadlineMs, registers } = claimed;
  let register = first;
  for (;;) {
    if (register.value !== null && parseNamed(register.value).receipt === made.text) return null;
    const live = await liveGrant(branch, register, claimed);
    if (live !== null) return live;
    try {
      checkOpen(branch, parts[0]?.desk.address as Address);
      const value = printNamed({ receipt: made.text, expires: made.deadline });
      register = (await registers.compareAndSet(name, value, register.revision)).register;
      if (branch.bugs.has('once unread')) return null;
    } catch (error) {
      if (!isUnreachable(error) || branch.host.elapsed() >= deadlineMs) throw error;
      await pause(branch, retryMs);
      register = await registers.get(name);
    }
  }
}

/** The claim is granted: its record says so from now on. Already settled and gone is granted, too. */
async function granting<T>(branch: Branch, desk: Desk, id: string, answer: (accounts: readonly Account[]) => T): Promise<T> {
  for (;;) {
    const { generation } = branch.ledger;
    const kept = await loadKept(branch, desk.who, { id, address: desk.address.id });
    const accounts = await accountsAt(branch, [desk.address]);
    if (generation !== branch.ledger.generation) continue;
    if (kept?.state === 'claiming') keep(branch, desk.who, id, { ...kept, state: 'granted' });
    return answer(accounts);
  }
}

/** Another claim has won: the units go back, in the transaction that forgets this one (N9). */
async function losing<T>(branch: Branch, desk: Desk, id: string, answer: () => T): Promise<T> {
  for (;;) {
    const { generation } = branch.ledger;
    const place = { id, address: desk.address.id };
    const kept = await loadKept(branch, desk.who, place);
    if (generation !== branch.ledger.generation) continue;
    if (kept?.state !== 'claiming') return answer();
    const done = await credit(
      branch,
      desk.who,
      branch.bugs.has('loser keeps unit') ? [] : kept.entries,
      () => {
        drop(branch, desk.who, place);
        return { answer: answer() };
      },
      generation,
    );
    if (done !== null) return done.answer;
  }
}

/** Finishes a claim of which a crash or an unknown outcome left the record. Rejects with UNREACHABLE. */
export function resumeClaim(branch: Branch, desk: Desk, id: string, { text, once, deadline }: KeptReceipt): Promise<void> {
  const name = once ?? '';
  return locked(branch, name, async () => {
    const kept = await loadKept(branch, desk.who, { id, address: desk.address.id });
    if (kept?.state !== 'claiming') return;
    const registers = registersOf(branch);
    const made = { id, text, deadline };
    const claimed: Claim = { parts: [{ desk, units: 0 }], made, registers, options: {}, name, deadlineMs: 0, untilMs: 0 };
    const { durable } = await finishClaim(branch, claimed, await registers.get(name));
    durable.catch(() => {}); // it is finished again at the next contact
  });
}
