/**
 * Write combining. A flush takes everything that is dirty, commits it in one transaction, tells whoever waits (one promise per flush),
 * then publishes the committed bytes. Cost grows with changed rows, not with operations.
 *
 * It never acknowledges before the store did, and never has two commits in flight.
 *
 * Invariants:
 *   F1  Commit numbers strictly increase; a number that failed is never used again.
 *   F2  `durable(n)` resolves only when commit n, and so every commit before it, is durable.
 *   F3  What is published or shown to watchers is exactly what was committed.
 *   F4  A fenced process commits nothing any more: neither what it was asked nor what it received.
 */
import { CffbrwError, invariant } from '../error.ts';
import type { Host } from '../host.ts';
import type { Store, StoredRow } from '../store/store.ts';
import { canonical } from '../strategy/json.ts';
import { markText } from './identity/incarnation.ts';
import {
  type Batch,
  emptyBatch,
  failureOf,
  isDirty,
  type Memory,
  pendingCommit,
  putRecord,
  revert,
  storedRecords,
} from './memory.ts';
import type { MemorySlot } from './slot.ts';
import { commitRecord, type Witness } from './witness.ts';

export interface FlushOptions {
  readonly memory: Memory;
  readonly store: Store;
  readonly host: Host;
  readonly me: string;
  readonly witness: Witness | null;
  /** Adds what must be in every commit (the clock) just before it is taken. */
  readonly prepare: () => void;
  /** Called with the slots of a flush, before it is committed: what watchers will be told once it is. */
  readonly capture: (slots: readonly MemorySlot[]) => () => void;
  /** Called when a commit is durable, with those of its rows that were written here: the others came from the backbone, which has them. */
  readonly committed: (written: readonly StoredRow[]) => void;
  /** Called when a commit failed: whether the store kept it may be unknown. */
  readonly failed: () => void;
}

export interface Flush {
  /** Resolves when that commit is durable, rejects when it failed; undefined when it already is durable. A rejection that nobody waits for is no event. */
  durable(commit: number): Promise<void> | undefined;
  /** Everything written until now. */
  all(): Promise<void>;
}

interface Waiter {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: CffbrwError) => void;
}

export function createFlush(options: FlushOptions): Flush {
  const { memory, host } = options;
  let waiting: Waiter | null = null;
  let flyingWaiter: Waiter | null = null;
  let scheduled = false;

  memory.wake = () => {
    if (scheduled || memory.flying !== 0) return;
    scheduled = true;
    host.after(0, () => {
      scheduled = false;
      if (memory.flying === 0 && isDirty(memory)) run().catch(breakDown);
    });
  };

  async function run(): Promise<void> {
    while (isDirty(memory)) {
      if (memory.refusal?.code === 'FENCED') return refuse(memory.refusal);
      const mark = markText(options.me, memory.next, memory.committed);
      const batch = begin(mark);
      const { rows, written } = encode(batch, memory.flying, options.me);
      const tellWatchers = options.capture(batch.slots);
      try {
        await options.store.commit(rows, storedRecords(batch));
        await options.witness?.write(mark);
      } catch (error) {
        fail(batch, error);
        continue;
      }
      succeed(written, tellWatchers);
    }
  }

  /** A mistake of ours, not of the disk: nothing more is written, and nobody waits for ever. */
  function breakDown(cause: unknown): void {
    memory.refusal ??=
      cause instanceof CffbrwError ? cause : new CffbrwError('INVARIANT', `a flush broke down: ${String(cause)}`, { cause });
    for (const waiter of [flyingWaiter, waiting]) waiter?.reject(memory.refusal);
  }

  function begin(mark: string): Batch {
    invariant(memory.next > memory.committed, 'F1', 'a commit number would be used twice');
    memory.flying = memory.next;
    options.prepare();
    putRecord(memory, commitRecord, mark);
    const batch = memory.dirty;
    memory.dirty = emptyBatch();
    memory.next += 1;
    flyingWaiter = waiting;
    waiting = null;
    return batch;
  }

  function succeed(written: readonly StoredRow[], tellWatchers: () => void): void {
    memory.committed = memory.flying;
    memory.flying = 0;
    const waiter = flyingWaiter;
    flyingWaiter = null;
    waiter?.resolve();
    options.committed(written);
    tellWatchers();
  }

  function refuse(error: CffbrwError): void {
    memory.flying = memory.next;
    fail(emptyBatch(), error);
  }

  function fail(batch: Batch, cause: unknown): void {
    const error = asCommitError(cause);
    const waiters = [flyingWaiter, waiting];
    flyingWaiter = waiting = null;
    revert(memory, batch, error);
    for (const waiter of waiters) waiter?.reject(error);
    options.failed();
  }

  function durable(commit: number): Promise<void> | undefined {
    if (commit === 0) return undefined;
    if (memory.failed.length > 0) {
      const error = failureOf(memory, commit);
      if (error !== undefined) return refused(error);
    }
    if (commit <= memory.committed) return undefined;
    if (commit === memory.flying) {
      flyingWaiter ??= createWaiter();
      return flyingWaiter.promise;
    }
    if (memory.refusal?.code === 'INVARIANT') return refused(memory.refusal);
    invariant(commit === memory.next, 'F2', `nobody can wait for commit ${commit}: the next is ${memory.next}`);
    waiting ??= createWaiter();
    return waiting.promise;
  }

  return { durable, all: () => durable(pendingCommit(memory)) ?? Promise.resolve() };
}

function encode(batch: Batch, version: number, me: string): { readonly rows: StoredRow[]; readonly written: StoredRow[] } {
  const rows: StoredRow[] = [];
  const written: StoredRow[] = [];
  for (const slot of batch.slots) {
    const address = slot.address.id;
    if (slot.ownCommit === version) collectGarbage(slot, me);
    for (const [replica, received] of slot.changed) {
      const entry = slot.rows.get(replica);
      if (entry === undefined) continue;
      const row = { address, replica, version: entry.version, bytes: received ?? canonical(entry.row) };
      rows.push(row);
      if (received === null) written.push(row);
    }
    slot.changed.clear();
  }
  return { rows, written };
}

/** Garbage rides on the next write: dropping it changes no value. */
function collectGarbage(slot: MemorySlot, me: string): void {
  const row = slot.strategy?.collect?.(slot.rows, me);
  const entry = slot.rows.get(me);
  if (row && entry !== undefined) slot.rows.set(me, { version: entry.version, row });
}

function refused(error: CffbrwError): Promise<void> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}

function createWaiter(): Waiter {
  const { promise, resolve, reject } = withResolvers();
  promise.catch(() => {}); // who gates on it sees the rejection; nobody has to
  return { promise, resolve, reject };
}

function withResolvers(): Waiter {
  let resolve: () => void = () => {};
  let reject: (error: CffbrwError) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function asCommitError(cause: unknown): CffbrwError {
  if (cause instanceof CffbrwError) return cause;
  return new CffbrwError('STORE_FAILED', 'the store could not commit', { cause, fix: 'Look at the cause; the replica goes on.' });
}
