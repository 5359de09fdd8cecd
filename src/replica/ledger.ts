/**
 * What the bank and the identity ask of the replica that they live in: rows and records whose writes become durable together, in the
 * order in which they were made.
 *
 * Invariants:
 *   L1  Writes between two awaits are one transaction, or part of one.
 *   L2  Writes become durable in order: when a later one is durable, so is every earlier one.
 *   L3  After a commit failed, memory shows the last durable state again and `generation` has changed. Whoever awaited anything compares it
 *       before writing: what was read before the await may be gone.
 */
import type { Registers } from '../backbone/backbone.ts';
import type { Host } from '../host.ts';
import type { Address } from '../strategy/address.ts';
import type { BoundedRow } from '../strategy/bounded-counter.ts';
import type { Rows } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';

/** One bounded counter in memory. It stays in memory while a take, a lease or a hold refers to it. */
export interface Account {
  readonly address: Address;
  readonly variable: Variable;
  readonly rows: Rows<BoundedRow>;
}

export interface Counter {
  readonly id: string;
  readonly rows: ReadonlyMap<string, BoundedRow>;
}

export interface CounterPage {
  readonly counters: readonly Counter[];
  readonly next: string | null;
}

export interface Ledger {
  readonly me: string;
  readonly host: Host;
  /** null: this replica has no backbone, and the bank lives in its own records. */
  readonly registers: Registers | null;
  /** Why bounded counters may not be spent here at the moment, or null. */
  readonly frozen: 'unreachable' | 'recovering' | 'frozen' | 'fenced' | null;
  readonly generation: number;

  /** The account if it is in memory. */
  peek(address: Address): Account | undefined;
  account(address: Address): Promise<Account>;
  /** Writes the row of `who` (me, or an old incarnation of mine that has been proven). */
  write(account: Account, row: BoundedRow, who?: string): void;

  /** Records in memory are seen at once; undefined: not in memory, ask `loadRecord`. */
  peekRecord(name: string): string | null | undefined;
  loadRecord(name: string): Promise<string | null>;
  records(prefix: string): Promise<readonly { readonly name: string; readonly value: string }[]>;
  /** Some records of that prefix after that name, as they are durable; empty: there are no more. */
  page(prefix: string, after: string): Promise<readonly { readonly name: string; readonly value: string }[]>;
  /** Some bounded counters after that address id, with their durable rows, whether this app declares them or not; `next` null: no more. */
  counters(after: string): Promise<CounterPage>;
  putRecord(name: string, value: string | null): void;

  /** The commit that makes durable everything written until now; 0: it is. */
  readonly pending: number;
  /** Resolves when everything written until now is durable. Rejects with DISK_FULL or STORE_FAILED after memory was reverted. */
  flush(): Promise<void>;
}
