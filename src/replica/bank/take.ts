/**
 * Taking: all or nothing, decided in one synchronous block that writes the rows, the receipt and what the caller keeps with them.
 *
 * It never answers before it knows whose right it spends, and never waits where this replica holds the rights.
 */
import { CffbrwError } from '../../error.ts';
import type { Address } from '../../strategy/address.ts';
import type { Account } from '../ledger.ts';
import type { DecidedTake, TakeOptions, TakeResult } from '../replica.ts';
import { accountsAt, type Branch, deskAt } from './branch.ts';
import { type Desk, type Part, payloadAt, type Reason } from './desk.ts';
import { writeRow } from './intent.ts';
import { keep } from './kept.ts';
import { errorOf } from './lookup.ts';
import { inTime, patienceOf } from './patience.ts';
import type { Authenticator } from './receipt.ts';
import type { Later } from './registers.ts';
import { remaining, rowOf } from './rights.ts';
import { ensureAuthenticator } from './secret.ts';
import { obtain, type Request } from './waiting.ts';

/** One entry of a take. `amount`: units, a positive safe integer. */
export interface TakeEntry {
  readonly address: Address;
  readonly amount: number;
}

export const defaultTimeoutMs = 2_000;

/** What a grant writes besides its rows. */
export interface GrantTerms {
  readonly options: TakeOptions;
  /** The register that a claim is for; null: this is no claim. */
  readonly once: string | null;
  readonly state: 'claiming' | 'granted';
}

export interface Grant {
  readonly id: string;
  readonly text: string;
  readonly deadline: number | null;
}

/** Named and signed when somebody reads it: most of a plain take's cost, and most takes are only asked whether they are ok. */
class LazyGrant implements Grant {
  readonly deadline: number | null;
  readonly #branch: Branch;
  readonly #payload: string;
  #id: string | null = null;
  #text: string | null = null;

  constructor(branch: Branch, payload: string, deadline: number | null) {
    this.#branch = branch;
    this.#payload = payload;
    this.deadline = deadline;
  }

  get id(): string {
    this.#id ??= this.#branch.host.id();
    return this.#id;
  }

  get text(): string {
    this.#text ??= (this.#branch.authenticator as Authenticator).issue(this.id, this.#payload);
    return this.#text;
  }
}

/** What a take answers when it got its units. The getter stands on the class: an object with one of its own costs as much as the take. */
class GrantedTake implements DecidedTake {
  readonly ok = true;
  readonly reason = null;
  readonly left: number;
  readonly repeated = false;
  readonly confirmed = false;
  readonly expires: number | null;
  readonly windowEnds: number | null;
  readonly commit: number;
  readonly #grant: Grant;

  constructor(grant: Grant, left: number, windowEnds: number | null, commit: number) {
    this.#grant = grant;
    this.left = left;
    this.expires = grant.deadline;
    this.windowEnds = windowEnds;
    this.commit = commit;
  }

  get receipt(): string {
    return this.#grant.text;
  }

  toJSON(): TakeResult {
    return { ...this, receipt: this.receipt };
  }
}

/** The parts of a take, one per counter, in the order of their addresses; null: an account is not in memory. */
export function partsInMemory(branch: Branch, entries: readonly TakeEntry[]): Part[] | null {
  const only = entries[0];
  if (entries.length === 1 && only !== undefined) {
    const account = branch.ledger.peek(only.address);
    return account === undefined ? null : [{ desk: deskAt(branch, account), units: only.amount }];
  }
  const units = new Map<Desk, number>();
  for (const { address, amount } of entries) {
    const account = branch.ledger.peek(address);
    if (account === undefined) return null;
    const desk = deskAt(branch, account);
    units.set(desk, (units.get(desk) ?? 0) + amount);
  }
  return [...units].map(([desk, sum]) => ({ desk, units: sum })).sort((a, b) => (a.desk.address.id < b.desk.address.id ? -1 : 1));
}

/**
 * Accounts in memory and the receipts' secret known: from there on a take may be decided synchronously. `go` is told how long it may wait.
 * Rejects with UNREACHABLE when the secret is not to be had in time.
 */
export function prepared<T>(
  branch: Branch,
  entries: readonly TakeEntry[],
  go: (parts: readonly Part[], leftMs: number) => Later<T>,
  timeoutMs = defaultTimeoutMs,
): Later<T> {
  const parts = branch.authenticator === null ? null : partsInMemory(branch, entries);
  if (parts !== null) return go(parts, timeoutMs);
  const load = async (): Promise<T> => {
    const endMs = branch.host.elapsed() + timeoutMs;
    const untilMs = patienceOf(branch, timeoutMs);
    const { frozen } = branch.ledger;
    if (branch.local === null && frozen !== null) throw errorOf(frozen === 'unreachable' ? frozen : 'recovering');
    for (;;) {
      const known = ensureAuthenticator(branch);
      await (branch.local === null ? inTime(branch, untilMs, known) : known);
      await accountsAt(
        branch,
        entries.map(({ address }) => address),
      );
      const loaded = partsInMemory(branch, entries);
      if (loaded !== null) return go(loaded, Math.max(0, endMs - branch.host.elapsed()));
    }
  };
  return load();
}

/** A take without `once` and `strong`. */
export const takePlain = (branch: Branch, entries: readonly TakeEntry[], options: TakeOptions): Later<DecidedTake> =>
  prepared(
    branch,
    entries,
    (parts, timeoutMs) => {
      const terms: GrantTerms = { options, once: null, state: 'granted' };
      return obtain(branch, {
        parts,
        timeoutMs,
        perform: (accounts) => decided(options, granted(branch, parts, accounts, grant(branch, parts, accounts, terms))),
        refuse: (reason, part) => decided(options, refused(branch, reason, part, entries)),
      } satisfies Request<DecidedTake>);
    },
    options.timeoutMs,
  );

/** Takes the units in the rows and writes the receipt, in this synchronous block. */
export function grant(branch: Branch, parts: readonly Part[], accounts: readonly Account[], terms: GrantTerms): Grant {
  terms.options.deciding?.();
  for (let i = 0; i < parts.length; i += 1) {
    const { desk, units } = parts[i] as Part;
    const account = accounts[i] as Account;
    const row = rowOf(account, desk.who);
    writeRow(branch, desk, account, { ...row, taken: row.taken + units });
  }
  return issue(branch, parts, terms);
}

/** The receipt for units that the rows of this block have taken. */
export function issue(branch: Branch, parts: readonly Part[], { options, once, state }: GrantTerms): Grant {
  const { desk, units } = parts[0] as Part;
  const deadline = options.holdMs === undefined ? null : branch.host.now() + options.holdMs;
  const kept = parts.length > 1 || deadline !== null || once !== null;
  const grant = new LazyGrant(branch, payloadAt(desk, kept ? 0 : units), deadline);
  if (kept) {
    const entries = parts.map((part) => [part.desk.address.id, part.units] as const);
    keep(branch, desk.who, grant.id, { text: grant.text, entries, state, deadline, once });
  }
  return grant;
}

/** In the block that took the units: the commit that it names is theirs. */
export const granted = (branch: Branch, parts: readonly Part[], accounts: readonly Account[], grant: Grant): DecidedTake =>
  new GrantedTake(grant, leftOf(parts, accounts), earliestEnd(parts), branch.ledger.pending);

export function refused(branch: Branch, reason: Reason, { desk }: Part, entries: readonly TakeEntry[] = []): DecidedTake {
  const account = branch.ledger.peek(desk.address);
  const refusal: DecidedTake = {
    ok: false,
    reason,
    left: account === undefined ? 0 : remaining(account),
    receipt: null,
    repeated: false,
    confirmed: false,
    expires: null,
    windowEnds: desk.windowEnds,
    commit: branch.ledger.pending,
  };
  return entries.length > 1 ? { ...refusal, failed: { take: desk.address.variable, key: desk.address.key } } : refusal;
}

export function decided(options: TakeOptions, result: DecidedTake): DecidedTake {
  options.decided?.(result);
  return result;
}

/** For a list: of the counter of which the least is left. */
export function leftOf(parts: readonly Part[], accounts: readonly Account[]): number {
  let left = Number.POSITIVE_INFINITY;
  for (const account of accounts) left = Math.min(left, remaining(account));
  return parts.length === 0 ? 0 : left;
}

export function earliestEnd(parts: readonly Part[]): number | null {
  let earliest: number | null = null;
  for (const { desk } of parts) {
    if (desk.windowEnds !== null && (earliest === null || desk.windowEnds < earliest)) earliest = desk.windowEnds;
  }
  return earliest;
}

/** Throws INVALID_NUMBER, WRONG_OPERATION. */
export function checkTake(entries: readonly TakeEntry[], options: TakeOptions): void {
  if (entries.length === 0) throw new CffbrwError('INVALID_VALUE', 'a take of nothing', { fix: 'Give at least one entry.' });
  if (entries.length > 1 && (options.once !== undefined || options.strong === true)) {
    throw new CffbrwError('WRONG_OPERATION', 'a list of takes can have neither once nor strong', {
      fix: 'Take one by one, or leave it out.',
    });
  }
  for (const { amount } of entries) checkUnits(amount, 'a take');
  if (options.holdMs !== undefined) checkUnits(options.holdMs, 'a hold, in milliseconds,');
}

export function checkUnits(units: number, what: string): void {
  if (Number.isSafeInteger(units) && units > 0) return;
  throw new CffbrwError('INVALID_NUMBER', `${what} is of a positive integer, not of ${units}`, {
    fix: 'Give an integer from 1 to 2^53−1.',
  });
}
