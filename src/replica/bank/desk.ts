/**
 * A desk: one bounded counter from the side of one incarnation. What it knows are hints and work in progress; rows and records in the ledger
 * are the truth, and a desk can be thrown away and made again from them.
 */
import type { Cancel, Host } from '../../host.ts';
import type { Address } from '../../strategy/address.ts';
import { windowOf } from '../../strategy/window.ts';
import type { Account } from '../ledger.ts';
import type { TakeResult } from '../replica.ts';
import { receiptPayload } from './receipt.ts';
import type { BankRecord } from './record.ts';

export type Reason = NonNullable<TakeResult['reason']>;

export interface SeenBank {
  readonly bank: BankRecord | null;
  readonly revision: string | null;
}

/** One bounded counter, from the side of one incarnation. */
export interface Desk {
  readonly who: string;
  readonly address: Address;
  readonly bankName: string;
  readonly intentName: string;
  /** What the intent record says: the highest lease that any compare-and-set of mine may write; null: there is no record. */
  intent: number | null;
  /** The ledger's generation in which `intent` was read; −1: not yet. */
  intentGeneration: number;
  /** True when no compare-and-set of mine can still land. */
  clean: boolean;
  seen: SeenBank | null;
  readonly waiting: Set<Waiter>;
  /** Units that strong takes wait for. */
  strongWants: number;
  turn: Promise<void> | null;
  again: boolean;
  retry: Cancel | null;
  trouble: 'unreachable' | 'recovering' | null;
  /** Since when the bank owes an answer, by the elapsed clock; null: it owes none. */
  askedMs: number | null;
  /** The last refusal: good until something shows otherwise. */
  refusal: { readonly reason: Reason; readonly units: number; readonly untilMs: number } | null;
  /** By a take, or by something given back. */
  lastUsedMs: number;
  /** Looked up at all: who did may still work with it. */
  touchedMs: number;
  yieldedUntilMs: number;
  /** When a want of another replica last made this one look at the bank. */
  calledMs: number;
  /** Below so many rights more are fetched in the background. */
  lowWater: number;
  /** Wants of others: which version of their row said so, and when it was first heard. */
  readonly heard: Map<string, { readonly version: number; readonly atMs: number }>;
  readonly windowEnds: number | null;
  readonly payloads: Map<number, string>;
}

/** A take (or a burn) that waits for rights. */
export interface Waiter {
  readonly parts: readonly Part[];
  /** Tries again: true when it was decided, this way or the other. */
  attempt(): boolean;
  refuse(reason: Reason, part: Part): void;
  fail(error: unknown): void;
}

export interface Part {
  readonly desk: Desk;
  readonly units: number;
}

export const intentPrefix = 'intent/';

export const createDesk = (host: Host, { address, variable }: Pick<Account, 'address' | 'variable'>, who: string): Desk => ({
  who,
  address,
  bankName: `bank/${address.id}`,
  intentName: `${intentPrefix}${who}/${address.id}`,
  intent: null,
  intentGeneration: -1,
  clean: false,
  seen: null,
  waiting: new Set(),
  strongWants: 0,
  turn: null,
  again: false,
  retry: null,
  trouble: null,
  askedMs: null,
  refusal: null,
  lastUsedMs: host.elapsed(),
  touchedMs: host.elapsed(),
  yieldedUntilMs: 0,
  calledMs: Number.NEGATIVE_INFINITY,
  lowWater: 0,
  heard: new Map(),
  windowEnds: variable.window === undefined ? null : (windowOf(variable.window, address.window)?.endsMs ?? null),
  payloads: new Map(),
});

/** True when nothing would be lost with this desk but time. */
export const isQuiet = (desk: Desk): boolean =>
  desk.waiting.size === 0 && desk.turn === null && desk.retry === null && desk.strongWants === 0 && desk.intent === null;

/** The part of a receipt that names the issuer, the address and the units. */
export function payloadAt(desk: Desk, units: number): string {
  let payload = desk.payloads.get(units);
  if (payload === undefined) {
    payload = receiptPayload(desk.who, desk.address.id, units);
    if (desk.payloads.size < 16) desk.payloads.set(units, payload);
  }
  return payload;
}
