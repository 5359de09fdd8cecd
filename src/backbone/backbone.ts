/**
 * What connects replicas. It keeps the latest row per (address, replica) and a set of registers; it never looks into a row.
 *
 * Invariants:
 *   B1  Rows are kept when `publish` resolves, and every subscriber gets them, at least once, in any order.
 *   B2  A row with a lower version never replaces one with a higher version.
 *   B3  Registers are linearizable: compareAndSet succeeds only on the revision that the register has.
 *   B4  Revisions are unguessable and never reused, also after a restore. That a register does not exist has a revision, too: the same for
 *       as long as the identity is the same.
 *   B5  An implementation that lost or rolled back anything shows another identity afterwards.
 *   B6  To forget is not to lose: the identity stays, and so does what `latest` says.
 */
import type { StoredRow } from '../store/store.ts';

export interface Register {
  /** null: it does not exist. */
  readonly value: string | null;
  /** Names this state of it, also that it does not exist. */
  readonly revision: string;
  /** The backbone's identity in which this was so. */
  readonly identity: string;
}

export interface Registers {
  /** Rejects with UNREACHABLE. */
  get(name: string): Promise<Register>;
  /**
   * Writes `value` (null: deletes it) if the register's revision is still `revision` (null: if it does not exist, whatever the identity).
   * Resolves with what the register holds afterwards and whether this call wrote it. Rejects with UNREACHABLE when the outcome is
   * unknown: it may still happen later.
   */
  compareAndSet(
    name: string,
    value: string | null,
    revision: string | null,
  ): Promise<{ readonly done: boolean; readonly register: Register }>;
}

/** What a subscriber gets. `cursor` resumes after these rows; it is opaque. */
export interface Delivery {
  readonly rows: readonly StoredRow[];
  /** The backbone's identity in which they were kept. */
  readonly identity: string;
  readonly cursor: string;
}

export interface Subscription {
  /** Resolves once every row that was kept when it was asked has been received: late while the backbone is out of reach, never once closed. */
  caughtUp(): Promise<void>;
  close(): void;
}

export interface Backbone {
  readonly registers: Registers;
  /** Identity of what is kept: it changes when the backbone was restored, rolled back or emptied. Rejects with UNREACHABLE. */
  identity(): Promise<string>;
  /** The backbone's clock, milliseconds since 1970. Rejects with UNREACHABLE. */
  now(): Promise<number>;
  /** What is asked in one turn of the event loop is done in its order. Absent: who needs an order waits for each answer. */
  readonly inOrder?: true;
  /**
   * Decides a claim of an incarnation (JSON, of replica/identity/claim.ts) where register and rows are, in one step that nothing comes between:
   * one question instead of four. Absent: it is asked step by step. Rejects with UNREACHABLE: it may have been decided; asking again is harmless.
   */
  readonly decide?: (claim: string) => Promise<string>;
  /** The highest version among the rows of this replica that are kept or were forgotten; 0 when there are none. Rejects with UNREACHABLE. */
  latest(replica: string): Promise<number>;
  /** Resolves when the rows are kept. Rejects with UNREACHABLE: they may be kept or not; publishing again is harmless. */
  publish(rows: readonly StoredRow[]): Promise<void>;
  /**
   * Removes every kept row of these addresses (closed windows past their keep). A row of theirs that is published later is kept like any
   * other. Rejects with UNREACHABLE: they may be forgotten or not, or later; asking again is harmless.
   */
  forget(addresses: readonly string[]): Promise<void>;
  /**
   * Delivers every row kept after `cursor` (null: everything), then each new one, until closed; it reconnects by itself.
   * `receive` is awaited before the next delivery; when it rejects, the same rows are delivered again.
   */
  subscribe(cursor: string | null, receive: (delivery: Delivery) => Promise<void>): Subscription;
  close(): Promise<void>;
}
