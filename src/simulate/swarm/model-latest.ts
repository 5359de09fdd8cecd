/** The model of last-write-wins, whose every value is written once: a value that an acknowledged write had seen never shows again. */
import type { Json } from '../../strategy/index.ts';
import { lose, mayCount, mustCount, type Write } from './writes.ts';

interface Set extends Write {
  readonly value: number;
  /** What its replica showed right before it. */
  readonly seen: number;
}

export interface LatestModel {
  set(write: Write, value: number, seen: number): Write;
  lose(machine: string, fromMs: number): void;
  judge(value: Json): string | null;
}

export function createLatestModel(initial: number): LatestModel {
  const sets = new Map<number, Set>();
  return {
    set(write, value, seen) {
      const set = Object.assign(write, { value, seen });
      sets.set(value, set);
      return set;
    },
    lose: (machine, fromMs) => lose(sets.values(), machine, fromMs),
    judge(value) {
      const shown = sets.get(value as number);
      if (shown === undefined && value !== initial) return `it is ${JSON.stringify(value)}, which nobody wrote`;
      if (shown !== undefined && !mayCount(shown)) return `it is ${shown.value}, which was refused`;
      const after = [...sets.values()].find((set) => mustCount(set) && set.seen === value && set.value !== value);
      if (after !== undefined)
        return `it is ${JSON.stringify(value)}, and ${after.machine} had seen that before it wrote ${after.value}`;
      const any = value === initial && [...sets.values()].find(mustCount);
      return any ? `it is the initial value, and ${any.value} was acknowledged` : null;
    },
  };
}
