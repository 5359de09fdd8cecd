/**
 * Getting rights for something that is decided all at once or not at all: a take, a list of takes, a claim, a burn.
 *
 * It never decides on what it read before an await: whatever waits tries again, in one synchronous block, when something changed.
 */
import type { CffbrwError } from '../../error.ts';
import type { Account } from '../ledger.ts';
import { accountsAt, after, type Branch, closedError } from './branch.ts';
import type { Desk, Part, Reason, Waiter } from './desk.ts';
import { wake } from './lease.ts';
import { leaseLocally } from './local.ts';
import { type Later, whenKnown } from './registers.ts';
import { knownInitial, remaining, rightsOf, rowOf } from './rights.ts';
import { setWants } from './wants.ts';

export interface Request<T> {
  /** One per counter, in the order of their addresses. */
  readonly parts: readonly Part[];
  readonly timeoutMs: number;
  /** Called once there are rights for all parts, with the accounts of the parts: writes the rows. Synchronous. */
  perform(accounts: readonly Account[]): T;
  /** Called instead when there are none. Synchronous. */
  refuse(reason: Reason, part: Part): T;
}

const unreachableRefusalMs = 1_000;
const heldRefusalMs = 2_000;
/** A bank that has said nothing for so long is out of reach for who gives up. */
const silentMs = 1_000;

export function obtain<T>(branch: Branch, request: Request<T>): Later<T> {
  const accounts = accountsInMemory(branch, request.parts);
  if (accounts === null) return load(branch, request);
  const first = request.parts[0] as Part;
  const { frozen } = branch.ledger;
  if (frozen !== null) return request.refuse(frozen === 'unreachable' ? 'unreachable' : 'recovering', first);
  const blocked = blockedPart(branch, request.parts, accounts);
  if (blocked === null) return perform(branch, request, accounts);
  const reason = knownRefusal(branch, blocked);
  if (reason !== null) return request.refuse(reason, blocked);
  if (branch.local !== null) return whenKnown(leaseLocally(branch, request.parts), () => decideLocally(branch, request));
  return wait(branch, request);
}

async function load<T>(branch: Branch, request: Request<T>): Promise<T> {
  await accountsAt(
    branch,
    request.parts.map(({ desk }) => desk.address),
  );
  return obtain(branch, request);
}

function decideLocally<T>(branch: Branch, request: Request<T>): Later<T> {
  const accounts = accountsInMemory(branch, request.parts);
  if (accounts === null) return load(branch, request);
  const blocked = blockedPart(branch, request.parts, accounts);
  if (blocked === null) return perform(branch, request, accounts);
  return request.refuse(isExhausted(branch, blocked) ? 'exhausted' : 'held-elsewhere', blocked);
}

function perform<T>(branch: Branch, request: Request<T>, accounts: readonly Account[]): T {
  const now = branch.host.elapsed();
  for (const { desk } of request.parts) desk.lastUsedMs = now;
  const result = request.perform(accounts);
  if (branch.local === null)
    for (let i = 0; i < accounts.length; i += 1) topUp(branch, request.parts[i] as Part, accounts[i] as Account);
  return result;
}

/** A take from a large stock does not wait: more is fetched before it runs dry. */
function topUp(branch: Branch, { desk }: Part, account: Account): void {
  if (desk.lowWater > 0 && desk.turn === null && rightsOf(rowOf(account, desk.who)) < desk.lowWater) wake(branch, desk);
}

function accountsInMemory(branch: Branch, parts: readonly Part[]): Account[] | null {
  const accounts: Account[] = [];
  for (const { desk } of parts) {
    const account = branch.ledger.peek(desk.address);
    if (account === undefined) return null;
    accounts.push(account);
  }
  return accounts;
}

/** The first part for which there are not enough rights here. */
function blockedPart(branch: Branch, parts: readonly Part[], accounts: readonly Account[]): Part | null {
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i] as Part;
    if (rightsOf(rowOf(accounts[i] as Account, branch.me)) < part.units) return part;
  }
  return null;
}

/** The rows show that so many units do not exist any more, anywhere. */
function isExhausted(branch: Branch, { desk, units }: Part): boolean {
  const account = branch.ledger.peek(desk.address);
  return account !== undefined && knownInitial(account) !== null && remaining(account) < units;
}

/** Why not, when it is known without asking the bank. */
function knownRefusal(branch: Branch, part: Part): Reason | null {
  if (isExhausted(branch, part)) return 'exhausted';
  const { refusal } = part.desk;
  if (refusal === null || part.units < refusal.units || branch.host.elapsed() >= refusal.untilMs) return null;
  return refusal.reason;
}

function wait<T>(branch: Branch, request: Request<T>): Promise<T> {
  if (branch.closed) return Promise.reject(closedError());
  return new Promise<T>((resolve, reject) => {
    let decided = false;
    const finish = (settle: () => void) => {
      if (decided) return;
      decided = true;
      cancel();
      for (const { desk } of request.parts) desk.waiting.delete(waiter);
      try {
        settle();
      } catch (error) {
        reject(error as CffbrwError);
      }
      for (const { desk } of request.parts) lowerWants(branch, desk);
    };
    const waiter: Waiter = {
      parts: request.parts,
      attempt() {
        const accounts = accountsInMemory(branch, request.parts);
        if (accounts === null) return false;
        const blocked = blockedPart(branch, request.parts, accounts);
        if (blocked === null) finish(() => resolve(perform(branch, request, accounts)));
        else if (isExhausted(branch, blocked)) waiter.refuse('exhausted', blocked);
        else return false;
        return true;
      },
      refuse: (reason, part) => finish(() => resolve(request.refuse(reason, part))),
      fail: (error) => finish(() => reject(error as CffbrwError)),
    };
    const cancel = after(branch, request.timeoutMs, () => giveUp(branch, waiter));
    for (const { desk } of request.parts) desk.waiting.add(waiter);
    for (const { desk } of request.parts) wake(branch, desk);
  });
}

/** The time is over. Others that ask for as much are answered the same until something shows otherwise. */
function giveUp(branch: Branch, waiter: Waiter): void {
  if (waiter.attempt()) return;
  const accounts = accountsInMemory(branch, waiter.parts);
  const part = (accounts === null ? null : blockedPart(branch, waiter.parts, accounts)) ?? (waiter.parts[0] as Part);
  const { frozen } = branch.ledger;
  const trouble = frozen === null ? troubleAt(branch, part.desk) : frozen === 'unreachable' ? frozen : 'recovering';
  const reason = trouble ?? 'held-elsewhere';
  const untilMs = branch.host.elapsed() + (reason === 'unreachable' ? unreachableRefusalMs : heldRefusalMs);
  if (accounts !== null) part.desk.refusal = { reason, units: part.units, untilMs };
  waiter.refuse(reason, part);
}

function troubleAt({ host }: Branch, { trouble, askedMs }: Desk): Reason | null {
  const silent = askedMs !== null && host.elapsed() - askedMs >= silentMs;
  return trouble ?? (silent ? 'unreachable' : null);
}

function lowerWants(branch: Branch, desk: Desk): void {
  if (branch.ledger.frozen === 'fenced') return; // closed, or another process is this one: nothing may be written any more
  const account = branch.local === null ? branch.ledger.peek(desk.address) : undefined;
  if (account !== undefined && rowOf(account, desk.who).wants > 0) setWants(branch, desk, account);
}
