/**
 * A value that can be read without waiting. It shows what this replica knows now, writes that are not durable yet included: after a
 * crash it may have shown more than there is. `get()` waits until what it shows is durable.
 *
 * Invariant:
 *   O1  It never shows less than what became durable while it was open, although its address may leave memory at any time: whatever
 *       changes an address outside memory loads it first, and is told to watchers.
 */
import type { Address, Key } from '../strategy/address.ts';
import type { Json } from '../strategy/json.ts';

export interface OpenedValue {
  /** As known here, now. Throws OUT_OF_RANGE. */
  readonly value: Json;
  /** Stops following. `value` stays readable, and may be old. */
  close(): void;
}

export interface OpenedOptions {
  /** The address now: a windowed variable changes it. */
  readonly address: () => Address;
  /** The value, if the address is in memory. */
  readonly read: (address: Address) => { readonly value: Json } | undefined;
  readonly load: (addresses: readonly Address[]) => Promise<void>;
  readonly watch: (listener: (change: Seen) => void) => () => void;
  /** Resolves when all that was written here until now is durable. */
  readonly settled: () => Promise<void>;
  /** What an address that nobody wrote reads as. */
  readonly untouched: Json;
}

interface Seen {
  readonly key: Key | null;
  readonly window: string;
  readonly value: Json;
}

export async function openValue(options: OpenedOptions): Promise<OpenedValue> {
  const { address, read, load, settled, untouched } = options;
  /** What is shown while the address is not in memory: durable values alone, for what is not may be taken back. */
  let last: Json = untouched;
  let window = '';
  const close = options.watch((change) => {
    if (change.window !== address().window) return;
    window = change.window;
    last = change.value;
  });
  function enter(now: Address): void {
    window = now.window;
    last = read(now)?.value ?? untouched;
  }
  const begin = address();
  try {
    await load([begin]);
    enter(begin);
    await settled();
  } catch (error) {
    close();
    throw error;
  }
  return {
    close,
    get value() {
      const now = address();
      const known = read(now);
      if (now.window !== window) {
        enter(now);
        // A window that nobody has touched here: it is looked up, so that it is right from the next turn on.
        if (known === undefined) load([now]).catch(() => {});
      }
      return known === undefined ? last : known.value;
    },
  };
}
