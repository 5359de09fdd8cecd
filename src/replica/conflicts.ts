/** The conflict log: writes that were lost to one that had not seen them. Bounded: the oldest leave first. */
import type { Key } from '../strategy/address.ts';
import type { Conflict } from '../strategy/strategy.ts';

export interface LoggedConflict extends Conflict {
  /** When this replica learnt of it, milliseconds since 1970. */
  readonly at: number;
  readonly variable: string;
  readonly key: Key | null;
  readonly window: string;
}

export interface ConflictLog {
  add(conflict: LoggedConflict): void;
  /** Oldest first. */
  list(): readonly LoggedConflict[];
  watch(listener: (conflict: LoggedConflict) => void): () => void;
}

/** `failed` is told what a listener threw. */
export function createConflictLog(failed: (error: unknown) => void, limit = 1_000): ConflictLog {
  const log: LoggedConflict[] = [];
  const listeners = new Set<(conflict: LoggedConflict) => void>();
  return {
    add(conflict) {
      log.push(conflict);
      if (log.length > limit) log.shift();
      for (const listener of listeners) {
        try {
          listener(conflict);
        } catch (error) {
          failed(error);
        }
      }
    },
    list: () => [...log],
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
