/**
 * What a replica has in memory: slots and records, the commit number that their changes wait for, and nothing that could not be
 * loaded again from the store.
 *
 * Invariants:
 *   M1  A change is marked with the commit number of the flush that will write it, and that flush writes it.
 *   M2  What is not durable stays in memory; only what the store holds may leave.
 *   M3  After a failed commit nothing that it carried, and nothing built on it, is in memory; whoever gated on it is refused.
 */
import { CffbrwError } from '../error.ts';
import type { StoredRecord } from '../store/store.ts';
import type { MemorySlot } from './slot.ts';

export interface MemoryRecord {
  value: string | null;
  commit: number;
}

/** Changes that wait for one flush. */
export interface Batch {
  readonly slots: MemorySlot[];
  readonly records: Map<string, MemoryRecord>;
}

export interface Memory {
  readonly slots: Map<string, MemorySlot>;
  readonly records: Map<string, MemoryRecord>;
  /** What the next flush takes. */
  dirty: Batch;
  /** The commit number of the next flush. */
  next: number;
  /** The highest durable commit. */
  committed: number;
  /** The commit in flight, or 0. */
  flying: number;
  /** Changes whenever a failed commit made memory forget something. */
  generation: number;
  /** Ranges of commits that failed, oldest first. */
  readonly failed: { from: number; to: number; error: CffbrwError }[];
  /** Ranges up to this commit are no longer kept: whoever still gates on one is refused. */
  failedBefore: number;
  /** Set once nothing may be written any more: closed, or fenced by a second start. */
  refusal: CffbrwError | null;
  /** Called when something became dirty. */
  wake: () => void;
}

const failedRangesKept = 64;

export const emptyBatch = (): Batch => ({ slots: [], records: new Map() });

export function createMemory(committed: number): Memory {
  return {
    slots: new Map(),
    records: new Map(),
    dirty: emptyBatch(),
    next: committed + 1,
    committed,
    flying: 0,
    generation: 0,
    failed: [],
    failedBefore: 0,
    refusal: null,
    wake: () => {},
  };
}

/** Marks a replica's row in a slot for the next flush; `bytes` as received, or null to encode it then. */
export function markChanged(memory: Memory, slot: MemorySlot, replica: string, bytes: string | null): void {
  if (slot.commit !== memory.next) {
    slot.commit = memory.next;
    memory.dirty.slots.push(slot);
    memory.wake();
  }
  slot.changed.set(replica, bytes);
}

export function putRecord(memory: Memory, name: string, value: string | null): number {
  const record = { value, commit: memory.next };
  // Deleted first, so that iteration order is age and the oldest can leave memory.
  memory.records.delete(name);
  memory.records.set(name, record);
  memory.dirty.records.set(name, record);
  memory.wake();
  return memory.next;
}

export const isDirty = (memory: Memory): boolean => memory.dirty.slots.length > 0 || memory.dirty.records.size > 0;

/** The commit that makes durable everything written until now; 0 when it already is. */
export const pendingCommit = (memory: Memory): number => (isDirty(memory) ? memory.next : memory.flying);

export function checkWritable(memory: Memory, slot: MemorySlot): void {
  if (memory.refusal !== null) throw memory.refusal;
  if (slot.dropped) throw failureOf(memory, slot.commit) ?? forgottenError();
}

export const failureOf = (memory: Memory, commit: number): CffbrwError | undefined =>
  commit <= memory.failedBefore
    ? (memory.failed[0]?.error ?? forgottenError())
    : memory.failed.find((range) => commit >= range.from && commit <= range.to)?.error;

const forgottenError = () =>
  new CffbrwError('STORE_FAILED', 'what had been read before is no longer in memory', { fix: 'Retry the request.' });

/** Forgets what commit `flying` carried and everything written since (M3). */
export function revert(memory: Memory, flying: Batch, error: CffbrwError): void {
  const from = memory.flying;
  for (const batch of [flying, memory.dirty]) {
    for (const slot of batch.slots) {
      slot.dropped = true;
      memory.slots.delete(slot.address.id);
    }
    for (const name of batch.records.keys()) memory.records.delete(name);
  }
  const last = memory.failed.at(-1);
  if (last?.to === from - 1 && last.error.code === error.code) last.to = memory.next;
  else memory.failed.push({ from, to: memory.next, error });
  if (memory.failed.length > failedRangesKept) memory.failedBefore = memory.failed.shift()?.to ?? memory.failedBefore;
  memory.dirty = emptyBatch();
  memory.next += 1;
  memory.flying = 0;
  memory.generation += 1;
}

/** Records of a batch as the store takes them. */
export const storedRecords = (batch: Batch): StoredRecord[] =>
  [...batch.records].map(([name, record]) => ({ name, value: record.value }));

/** Lets clean slots and records that nobody used since the last sweep leave memory, until at most `limit` of each are left (M2). */
export function sweep(memory: Memory, limit: number, keep: (slot: MemorySlot) => boolean): void {
  sweepMap(memory.slots, limit, (slot) => {
    const stays = slot.used || slot.commit > memory.committed || keep(slot);
    slot.used = false;
    slot.dropped = !stays;
    return stays;
  });
  sweepMap(memory.records, limit, (record) => record.commit > memory.committed);
}

function sweepMap<Value>(map: Map<string, Value>, limit: number, stays: (value: Value) => boolean): void {
  if (map.size <= limit) return;
  for (const [name, value] of map) {
    if (map.size <= limit) return;
    if (!stays(value)) map.delete(name);
  }
}
