/**
 * A replica: one location's copy of the variables. (Contract; the implementation follows in this file.)
 */
import type { Address, Key } from '../strategy/address.ts';
import type { Json } from '../strategy/json.ts';
import type { Operation, Rows, Strategy } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';
import type { ConflictLog } from './conflicts.ts';
import type { Handle } from './handle.ts';

export type WindowChoice = 'current' | 'previous';

/** An address in memory. Opaque outside the replica; valid until it leaves memory, so look it up per use. */
export interface Slot {
  readonly address: Address;
}

export interface Change {
  readonly variable: string;
  readonly key: Key | null;
  readonly window: string;
  readonly value: Json;
}

export interface TakeRequest {
  readonly variable: string;
  readonly key?: Key;
  /** Units, a positive safe integer. Default 1. */
  readonly amount?: number;
}

export interface TakeOptions {
  readonly once?: Key;
  readonly strong?: boolean;
  /** Hold the units for so long, milliseconds; they go back unless confirmed. */
  readonly holdMs?: number;
  /** How long to wait for rights, milliseconds. Default 2,000. */
  readonly timeoutMs?: number;
  /** Called in the same synchronous block, and so in the same transaction, as the decision to grant or refuse. */
  readonly decided?: (result: TakeResult) => void;
  /** Called in the synchronous block that takes, before anything is written: if it throws, nothing is taken. Not with `strong`. */
  readonly deciding?: () => void;
}

export interface TakeResult {
  readonly ok: boolean;
  readonly reason: 'exhausted' | 'held-elsewhere' | 'unreachable' | 'recovering' | null;
  /** An estimate of the units left, as known here. */
  readonly left: number;
  readonly receipt: string | null;
  /** True when `once` found a live grant: this is that grant's receipt. */
  readonly repeated: boolean;
  readonly confirmed: boolean;
  /** When the hold runs out, milliseconds since 1970; null without a hold. */
  readonly expires: number | null;
  readonly windowEnds: number | null;
  /** For a list: the entry that could not be had. */
  readonly failed?: { readonly take: string; readonly key: Key | null };
}

/** A take that is decided: told to nobody before `durable(commit)` resolves. */
export interface DecidedTake extends TakeResult {
  readonly commit: number;
}

export interface SettleResult {
  readonly ok: boolean;
  readonly reason: 'given' | 'confirmed' | 'expired' | 'unknown' | 'unreachable' | 'recovering' | null;
  readonly repeated: boolean;
}

export interface ReplicaStatus {
  readonly id: string;
  /** The highest durable commit. */
  readonly commit: number;
  /** Addresses changed in memory and not durable yet. */
  readonly dirty: number;
  /** Rows that the backbone does not have yet. */
  readonly unpublished: number;
  readonly quarantined: number;
  /** Addresses in memory. */
  readonly loaded: number;
  /** Takes that wait for rights. */
  readonly waiting: number;
  /** Somebody waits for rights, here or elsewhere: rows are published at once. */
  readonly urgent: boolean;
  /** Why bounded counters can't be spent here at the moment: what, why and what to do; null when they can. */
  readonly frozen: string | null;
  /** Why nothing can be written here any more, or null. */
  readonly refused: string | null;
  /** Milliseconds since the backbone last answered; null: there is none. */
  readonly lagMs: number | null;
  /** Takes that were refused since the start, by reason. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Variables of which nothing is given out here, and why. */
  readonly withheld: Readonly<Record<string, string>>;
}

/** Rights to spend of one bounded counter, without asking anybody. */
export interface Lease {
  readonly address: Address;
  readonly units: number;
}

export interface Replica {
  readonly id: string;
  readonly variables: ReadonlyMap<string, Variable>;
  strategyOf(variable: Variable): Strategy;

  /** The address of a variable's value now. Throws UNKNOWN_VARIABLE, INVALID_KEY. */
  address(variable: string, key?: Key, window?: WindowChoice): Address;
  /** The slot if its address is in memory. Synchronous. */
  peek(address: Address): Slot | undefined;
  /** Brings addresses into memory. */
  load(addresses: readonly Address[]): Promise<void>;
  /** The value as known here. Throws OUT_OF_RANGE. */
  read(slot: Slot): Json;
  /** Each replica's row, as known here. For those who look into it; what it means only the strategy knows. */
  rows(slot: Slot): Rows<object>;
  /** Milliseconds since all that other replicas had published was known here; 0 without a backbone. */
  age(slot: Slot): number;
  /** Applies an operation in memory and marks it dirty. The commit that makes it durable; 0: it changed nothing. */
  update(slot: Slot, operation: Operation): number;

  /** The commit that makes durable what this slot shows: 0 when it already is. A run keeps the maximum of what it touched. */
  commitOf(slot: Slot): number;
  /** Resolves when that commit is durable; rejects when it failed (DISK_FULL, STORE_FAILED). undefined: it already is. */
  durable(commit: number): Promise<void> | undefined;

  /** A record in memory, written with the next flush, in the same transaction as every row changed since the last. */
  putRecord(name: string, value: string | null): number;
  getRecord(name: string): Promise<string | null>;

  /** The commit that makes durable everything written here until now. */
  pending(): number;

  /** Decides at once (and synchronously) where this replica holds the rights. */
  take(requests: readonly TakeRequest[], options?: TakeOptions): DecidedTake | Promise<DecidedTake>;
  give(receipt: string): Promise<SettleResult>;
  confirm(receipt: string): Promise<SettleResult>;
  /** Gives out nothing of a variable here, for this reason: takes answer `held-elsewhere`. null: gives out again. */
  withhold(variable: string, why: string | null): void;
  /** Takes wait for it. */
  holdTakes(until: Promise<void>): void;
  /** Rights that this replica holds. */
  leases(): readonly Lease[];
  /** An operator says: join the backbone that answers, although it is not the one that this store knows. At the next contact. */
  adoptBackbone(): void;
  /** `decided` is called in the synchronous block that decides: what it writes is durable with it, and if it throws, nothing is done. */
  mint(address: Address, units: number, decided?: () => void): Promise<void>;
  burn(address: Address, units: number, decided?: () => void): Promise<void>;

  /** The variable in the hands of a library user. Throws UNKNOWN_VARIABLE. */
  variable(name: string): Handle;

  /** Called with every durable change of a variable's value, own or received. Returns what stops it. */
  watch(variable: string, listener: (change: Change) => void): () => void;
  /** The keys of a variable that have a value, sorted, at most `limit`. */
  keys(variable: string, page: { prefix?: string; after?: Key; limit?: number; window?: WindowChoice }): Promise<readonly Key[]>;
  /** Writes that were lost to one that had not seen them. */
  readonly conflicts: Pick<ConflictLog, 'list' | 'watch'>;
  readonly status: ReplicaStatus;
  /** Flushes, and publishes everything that is committed. Rejects with UNREACHABLE. */
  sync(): Promise<void>;
  /** Flushes, returns rights, closes what it opened. */
  close(): Promise<void>;
}
