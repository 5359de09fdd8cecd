/**
 * `strong`: each take is a compare-and-set that adds its units to this replica's strong total in the bank, under a random name. Only who
 * finds its own name there answers ok, so even two replicas with one identity cannot both.
 *
 * It never holds anything: the units go from the bank into the row's `taken` and `strong` at once.
 *
 * Invariant:
 *   N12 One strong take per counter at a time; its name is durable before the bank can show it.
 */

import type { Registers } from '../../backbone/backbone.ts';
import type { Account } from '../ledger.ts';
import type { DecidedTake } from '../replica.ts';
import { accountsAt, type Branch, pause } from './branch.ts';
import { checkOpen } from './closed.ts';
import type { Desk, Part, Reason, SeenBank } from './desk.ts';
import { openIntent, readIntent, writeRow } from './intent.ts';
import { fetchBank, settled } from './lease.ts';
import { isRecovering, isUnreachable, registersOf } from './lookup.ts';
import { inTime, lockedBy, patienceOf, registersBy } from './patience.ts';
import { type BankRecord, freeIn, printBank, totalsOf, withStrong, withTotals } from './record.ts';
import { isOfAnother, isSuspect } from './recovery.ts';
import { giveBack } from './return.ts';
import { knownInitial, remaining, rowOf } from './rights.ts';
import { decided, type Grant, type GrantTerms, issue, refused } from './take.ts';
import { setWants } from './wants.ts';

export const strongPrefix = 'strong/';
const strongName = (desk: Desk): string => `${strongPrefix}${desk.who}/${desk.address.id}`;
const pollMs = 50;

interface Attempt {
  readonly id: string;
  readonly units: number;
}

export interface StrongRequest<T> {
  readonly terms: GrantTerms;
  readonly timeoutMs: number;
  /** Called in the block that writes the row and the receipt. */
  finish(accounts: readonly Account[], grant: Grant): T;
}

/** Takes straight from the bank; or the refusal. */
export function takeStrongly<T>(
  branch: Branch,
  part: Part,
  { terms, timeoutMs, finish }: StrongRequest<T>,
): Promise<T | DecidedTake> {
  const deadlineMs = branch.host.elapsed() + timeoutMs;
  const untilMs = patienceOf(branch, timeoutMs);
  const registers = registersBy(branch, untilMs);
  return lockedBy(branch, `strong ${part.desk.bankName}`, untilMs, async () => {
    const reason = branch.ledger.frozen;
    if (reason !== null) return decided(terms.options, refused(branch, reason === 'unreachable' ? reason : 'recovering', part));
    await settleEarlier(branch, part.desk, registers);
    const outcome = await attempt(branch, part, { deadlineMs, untilMs, registers });
    if (typeof outcome === 'string') return decided(terms.options, refused(branch, outcome, part));
    return record(branch, part, outcome, (account) => finish([account], issue(branch, [part], terms)));
  });
}

/**
 * The bank shows my name: the row follows, in the block that `finish` writes the receipt in. It says what the bank began with, too: should
 * the bank be lost, nobody else may know.
 */
async function record<T>(branch: Branch, { desk, units }: Part, bank: BankRecord, finish: (account: Account) => T): Promise<T> {
  for (;;) {
    await readIntent(branch, desk);
    const [account] = (await accountsAt(branch, [desk.address])) as [Account];
    if (desk.intentGeneration !== branch.ledger.generation) continue;
    const row = rowOf(account, desk.who);
    const totals = { strong: row.strong + units, taken: row.taken + units };
    writeRow(branch, desk, account, { ...row, ...totals, initial: row.initial ?? bank.initial });
    branch.ledger.putRecord(strongName(desk), null);
    return finish(account);
  }
}

async function attempt(branch: Branch, part: Part, patience: Patience): Promise<BankRecord | Reason> {
  const { desk, units } = part;
  const trial: Trial = { ...patience, id: branch.host.id(), unsure: false, turned: false };
  branch.ledger.putRecord(strongName(desk), JSON.stringify({ id: trial.id, units } satisfies Attempt));
  await branch.ledger.flush();
  desk.strongWants += units;
  try {
    const outcome = await exchange(branch, part, trial);
    if (typeof outcome !== 'string') return outcome;
    // The record stays while a compare-and-set may still land.
    if (trial.unsure) branch.unfinished.add(desk.who);
    else branch.ledger.putRecord(strongName(desk), null);
    return outcome;
  } catch (error) {
    branch.unfinished.add(desk.who);
    // An earlier try of it may have happened.
    if (isRecovering(error) && trial.unsure) return 'unreachable';
    throw error;
  } finally {
    desk.strongWants -= units;
    const account = branch.ledger.peek(desk.address);
    if (account !== undefined) setWants(branch, desk, account);
  }
}

interface Patience {
  /** For rights, and for the backbone's answers; by the elapsed clock. */
  readonly deadlineMs: number;
  readonly untilMs: number;
  /** Those that are asked until then. */
  readonly registers: Registers;
}

interface Trial extends Patience {
  readonly id: string;
  /** Set when a compare-and-set was not answered. */
  unsure: boolean;
  /** Set when a turn has seen the recovering bank: it opens what is complete. */
  turned: boolean;
}

async function turnFirst(branch: Branch, desk: Desk, trial: Trial): Promise<null> {
  trial.turned = true;
  return turn(branch, desk, trial);
}

async function turn(branch: Branch, desk: Desk, { untilMs }: Trial): Promise<null> {
  await inTime(branch, untilMs, settled(branch, desk));
  return null;
}

/** The bank that shows my name, or why there is none. */
async function exchange(branch: Branch, part: Part, trial: Trial): Promise<BankRecord | Reason> {
  const { desk } = part;
  const isLate = () => branch.host.elapsed() >= trial.deadlineMs;
  for (;;) {
    const seen = await lookOr(branch, desk, trial);
    if (seen === null) return 'unreachable';
    if (seen.bank === null) await turn(branch, desk, trial);
    else {
      const outcome = await propose(branch, part, trial, seen);
      if (outcome !== null && (outcome !== 'held-elsewhere' || isLate())) return outcome;
    }
    if (isLate()) return 'unreachable';
  }
}

/** null: it did not happen, try again. */
async function propose(branch: Branch, { desk, units }: Part, trial: Trial, seen: SeenBank): Promise<BankRecord | Reason | null> {
  const { bank } = seen;
  if (bank === null) return null;
  const total = bank.strong[desk.who];
  if (branch.bugs.has('strong by count')) {
    const known = branch.ledger.peek(desk.address);
    if (known !== undefined && (total?.count ?? 0) > rowOf(known, desk.who).strong) return bank;
  }
  if (total?.id === trial.id) return bank;
  if (bank.recovering !== null) return trial.turned ? 'recovering' : turnFirst(branch, desk, trial);
  const account = branch.ledger.peek(desk.address);
  const lost = isOfAnother(branch.options.epoch?.() ?? null, bank) || (account !== undefined && isSuspect(account, seen));
  if (lost) return turn(branch, desk, trial);
  if (freeIn(bank) < units) return wantMore(branch, desk, units);
  checkOpen(branch, desk.address);
  const next = printBank(withStrong(bank, desk.who, { count: (total?.count ?? 0) + units, id: trial.id }));
  try {
    const outcome = await trial.registers.compareAndSet(desk.bankName, next, seen.revision);
    return outcome.done ? bank : null;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    trial.unsure = true;
    await pause(branch, pollMs);
    return null;
  }
}

async function wantMore(branch: Branch, desk: Desk, units: number): Promise<Reason> {
  const [account] = (await accountsAt(branch, [desk.address])) as [Account];
  if (knownInitial(account) !== null && remaining(account) < units) return 'exhausted';
  setWants(branch, desk, account);
  await pause(branch, pollMs);
  return 'held-elsewhere';
}

async function lookOr(branch: Branch, desk: Desk, { deadlineMs, registers }: Trial): Promise<SeenBank | null> {
  for (;;) {
    try {
      return await fetchBank(branch, desk, registers);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (branch.host.elapsed() >= deadlineMs) return null;
      await pause(branch, pollMs);
    }
  }
}

/**
 * What an earlier attempt left, of which nobody was told that it succeeded: if the bank shows it, its units are taken and given back; if not,
 * the revision is changed first, so that it cannot land any more. Rejects with UNREACHABLE.
 */
export async function settleEarlier(branch: Branch, desk: Desk, registers = registersOf(branch)): Promise<void> {
  const text = await branch.ledger.loadRecord(strongName(desk));
  if (text === null) return;
  const { id, units } = JSON.parse(text) as Attempt;
  let seen = await fetchBank(branch, desk, registers);
  for (;;) {
    if (seen.bank?.strong[desk.who]?.id === id)
      return record(branch, { desk, units }, seen.bank, (account) => undo(branch, desk, account, units));
    if (seen.bank === null) break;
    const same = printBank(withTotals(seen.bank, desk.who, totalsOf(seen.bank, desk.who)));
    const { done } = await registers.compareAndSet(desk.bankName, same, seen.revision);
    if (done) break;
    seen = await fetchBank(branch, desk, registers);
  }
  branch.ledger.putRecord(strongName(desk), null);
}

function undo(branch: Branch, desk: Desk, account: Account, units: number): void {
  const row = rowOf(account, desk.who);
  openIntent(branch, desk, account);
  writeRow(branch, desk, account, { ...row, given: row.given + units });
  giveBack(branch, desk, account, units);
}
