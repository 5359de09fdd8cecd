/** The model of max-value and min-value without resets: never less extreme than what was acknowledged or shown. */
import { lose, mayCount, mustCount, type Write } from './writes.ts';

interface Offer extends Write {
  readonly value: number;
}

export interface ExtremeModel {
  offer(write: Write, value: number): Write;
  shown(write: Write, value: number | null): void;
  lose(machine: string, fromMs: number): void;
  judge(value: number | null): string | null;
}

export function createExtremeModel(direction: 'max' | 'min'): ExtremeModel {
  const offers: Offer[] = [];
  const reads: Offer[] = [];
  const exceeds = (a: number, b: number) => (direction === 'max' ? a > b : a < b);
  return {
    offer(write, value) {
      const offer = Object.assign(write, { value });
      offers.push(offer);
      return offer;
    },
    shown(write, value) {
      if (value !== null) reads.push({ ...write, value, fate: 'acknowledged' });
    },
    lose(machine, fromMs) {
      lose(offers, machine, fromMs);
      lose(reads, machine, fromMs);
    },
    judge(value) {
      const better = [...offers, ...reads].find((one) => mustCount(one) && (value === null || exceeds(one.value, value)));
      if (better !== undefined) return `it is ${value}, and ${better.machine} had acknowledged or shown ${better.value}`;
      const made = value === null || offers.some((offer) => mayCount(offer) && offer.value === value);
      return made ? null : `it is ${value}, which nobody offered`;
    },
  };
}
