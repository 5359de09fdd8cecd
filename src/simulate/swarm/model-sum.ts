/** The model of a sum: what was acknowledged and by no reset seen is in it, and nothing that nobody asked for. */
import { lose, mayCount, mustCount, type Removal, type Write, wasUnseen } from './writes.ts';

interface Add extends Write {
  readonly amount: number;
}

export interface SumModel {
  add(write: Write, amount: number): Write;
  wipe(removal: Removal): Removal;
  /** Somebody was shown this value: it was durable then, and nothing takes away from it but a reset. */
  shown(write: Write, value: number): void;
  lose(machine: string, fromMs: number): void;
  /** Why `value` can't be, at rest; null: it can. `least` only: other windows may hold what this one lacks. */
  judge(value: number): string | null;
  /** The most that can have been added. */
  most(): number;
}

export function createSumModel(travelMs: number): SumModel {
  const adds: Add[] = [];
  const wipes: Removal[] = [];
  const reads: Add[] = [];

  const least = (): number =>
    sum(adds.filter((add) => mustCount(add) && wipes.every((wipe) => !mayCount(wipe) || wasUnseen(add, wipe, travelMs))));
  const isWiped = (add: Add): boolean =>
    wipes.some((wipe) => mustCount(wipe) && mustCount(add) && wipe.machine === add.machine && wipe.startMs > add.endMs);
  const most = (): number => sum(adds.filter((add) => mayCount(add) && !isWiped(add)));
  return {
    add(write, amount) {
      const add = Object.assign(write, { amount });
      adds.push(add);
      return add;
    },
    wipe(removal) {
      wipes.push(removal);
      return removal;
    },
    shown: (write, amount) => void reads.push({ ...write, amount, fate: 'acknowledged' }),
    lose(machine, fromMs) {
      for (const writes of [adds, wipes, reads]) lose(writes, machine, fromMs);
    },
    judge(value) {
      if (value < least()) return `it is ${value}, and increments of ${least()} were acknowledged that no reset had seen`;
      if (value > most()) return `it is ${value}, and only ${most()} can have been added`;
      if (wipes.length > 0) return null;
      const lost = reads.find((read) => mustCount(read) && read.amount > value);
      return lost === undefined ? null : `it is ${value}, and ${lost.machine} had shown ${lost.amount}`;
    },
    most,
  };
}

const sum = (adds: readonly Add[]): number => adds.reduce((all, { amount }) => all + amount, 0);
