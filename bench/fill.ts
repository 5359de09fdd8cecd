/** Fills a store with keys, through a replica, so that what is stored is what a replica stores. */
import type { Replica } from '../src/replica/replica.ts';
import type { Operation } from '../src/strategy/strategy.ts';

/** Below what a replica takes before it asks for patience, and above what makes a commit worth its sync. */
const perFlush = 20_000;

export const keyOf = (number: number): string => `key-${String(number).padStart(7, '0')}`;

export interface Filling {
  readonly variable: string;
  readonly keys: number;
  /** As the variable's strategy has parsed it. */
  readonly operation: (number: number) => Operation & Readonly<Record<string, unknown>>;
}

export async function fill(replica: Replica, { variable, keys, operation }: Filling): Promise<void> {
  for (let from = 0; from < keys; from += perFlush) {
    const addresses = Array.from({ length: Math.min(perFlush, keys - from) }, (_, at) =>
      replica.address(variable, keyOf(from + at)),
    );
    await replica.load(addresses);
    addresses.forEach((address, at) => {
      const slot = replica.peek(address);
      if (slot === undefined) throw new Error(`${address.id} left memory before it was written`);
      replica.update(slot, operation(from + at));
    });
    await replica.durable(replica.pending());
  }
}
