/**
 * What survives a restart. One contract, one suite (`cffbrw/testing`) over every implementation.
 *
 * A store keeps the latest entry per (address, replica), and records: named texts for everything that is not a row (identity, cursor,
 * receipts, intents, answers of keyed runs).
 *
 * Invariants:
 *   T1  A commit is atomic: after a crash all of it is there or nothing.
 *   T2  A commit is durable when its promise resolves, also through a power cut.
 *   T3  Commits take effect in the order in which they were called.
 *   T4  After a commit that was refused the store reads as before it, and later commits may succeed.
 */

/** A row as it is stored and sent: `bytes` is the canonical JSON of the row. */
export interface StoredRow {
  readonly address: string;
  readonly replica: string;
  readonly version: number;
  readonly bytes: string;
}

/** `value: null` deletes the record. */
export interface StoredRecord {
  readonly name: string;
  readonly value: string | null;
}

export interface Page {
  /** Only names that start with this; '' for all. */
  readonly prefix: string;
  /** Only names greater than this (by code unit), to page on. */
  readonly after?: string;
  /** At most so many. Default 1,000. */
  readonly limit?: number;
}

export interface Store {
  /** The stored rows of each address, in the order asked for, its rows by replica (by code unit); an address without rows gives an empty list. */
  load(addresses: readonly string[]): Promise<readonly (readonly StoredRow[])[]>;
  /**
   * Upserts rows (by address and replica) and records, in one durable transaction.
   * Refused with DISK_FULL (nothing was written, reads go on, a later commit may succeed) or STORE_FAILED (outcome unknown; the store
   * has reopened itself before the promise rejects, or fails every call until it can).
   */
  commit(rows: readonly StoredRow[], records: readonly StoredRecord[]): Promise<void>;
  /** Removes all rows of these addresses (closed windows past their keep), durably. */
  forget(addresses: readonly string[]): Promise<void>;
  /** The ids of addresses that have rows, sorted by code unit. */
  scan(page: Page): Promise<readonly string[]>;
  /** Records, sorted by name (by code unit). */
  records(page: Page): Promise<readonly { readonly name: string; readonly value: string }[]>;
  /**
   * Rows of one replica whose version is greater than `version`, lowest version first (then by address), at most `limit` (default 1,000),
   * but rows of one version are never separated: asking again from the last row's version misses nothing.
   */
  since(replica: string, version: number, limit?: number): Promise<readonly StoredRow[]>;
  /** Finishes what was asked before, then releases everything. Later calls are refused with CLOSED. */
  close(): Promise<void>;
}
