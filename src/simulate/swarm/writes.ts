/**
 * What users were told of their writes. All that the models of the claims know of a replica is when it was asked and what it answered.
 *
 * `acknowledged`: it must count. `refused`: it must not (the answer said that nothing was done). `unknown`: it may count, once.
 */
export type Fate = 'waiting' | 'acknowledged' | 'refused' | 'unknown';

export interface Write {
  readonly machine: string;
  readonly id: number;
  readonly startMs: number;
  /** When it was answered, or its process died; infinite while it waits. */
  endMs: number;
  fate: Fate;
}

/** A write that takes away what it has seen of others. */
export interface Removal extends Write {
  /** When it took effect in memory, at the latest. */
  appliedMs: number;
}

export const newWrite = (machine: string, id: number, startMs: number): Write => ({
  ...{ machine, id, startMs, endMs: Number.POSITIVE_INFINITY, fate: 'waiting' },
});

/** The machine whose disk it is. */
export const diskOf = (machine: string): string => machine.replace(/-twin$/, '');

/** True when no message can have brought this write to where the removal was made. `travelMs`: the shortest way between two machines. */
export function wasUnseen(write: Write, removal: Removal, travelMs: number): boolean {
  const elsewhere = diskOf(write.machine) !== diskOf(removal.machine);
  return write.startMs + (elsewhere ? travelMs : 0) > removal.appliedMs;
}

export const mayCount = ({ fate }: Write): boolean => fate !== 'refused';
export const mustCount = ({ fate }: Write): boolean => fate === 'acknowledged';

/** This machine's disk was set back to what it was at `fromMs`, or is gone: what it acknowledged since may be lost. */
export function lose(writes: Iterable<Write>, machine: string, fromMs: number): void {
  for (const write of writes) {
    if (diskOf(write.machine) !== machine || write.endMs < fromMs) continue;
    if (write.fate === 'acknowledged') write.fate = 'unknown';
  }
}
