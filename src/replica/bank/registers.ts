/**
 * The registers that the bank works on: the backbone's, or, without one, records of this replica's own store. The local ones answer at
 * once as soon as they are in memory, and a write is part of the transaction of whatever is written in the same synchronous block.
 *
 * Invariant:
 *   N3  What the local registers answer is what the ledger's memory shows: a failed commit empties this view.
 */
import type { Ledger } from '../ledger.ts';

/** A value that may be known already. */
export type Later<T> = T | Promise<T>;

export const whenKnown = <T, U>(value: Later<T>, next: (value: T) => Later<U>): Later<U> =>
  value instanceof Promise ? value.then(next) : next(value);

export interface LocalRegister {
  /** null: it does not exist. */
  readonly value: string | null;
}

export interface LocalRegisters {
  get(name: string): Later<LocalRegister>;
  /** Writes it in the transaction of this synchronous block. */
  put(name: string, value: string | null): void;
  /** The register if it is in memory, or if all with this prefix are. */
  peek(name: string, prefix?: string): LocalRegister | undefined;
  /** Brings all registers whose names start with this into memory, so that `peek` knows which do not exist. */
  loadAll(prefix: string): Later<void>;
}

export const localPrefix = 'register/';
/** One per settled receipt, and rarely asked for again: not worth keeping in memory. */
export const settlePrefix = 'settle/';

const register = (value: string | null): LocalRegister => ({ value });

/** `keepsView`: a bug that tests switch on. */
export function createLocalRegisters(ledger: Ledger, keepsView: boolean): LocalRegisters {
  let generation = ledger.generation;
  let known = new Map<string, string | null>();
  let complete = new Set<string>();

  const check = () => {
    if (generation === ledger.generation || keepsView) return;
    generation = ledger.generation;
    known = new Map();
    complete = new Set();
  };
  const peek = (name: string, prefix?: string): LocalRegister | undefined => {
    check();
    const value = known.has(name) ? known.get(name) : ledger.peekRecord(localPrefix + name);
    if (value !== undefined) return register(value);
    return prefix !== undefined && complete.has(prefix) ? register(null) : undefined;
  };
  const remember = (name: string, value: string | null) => {
    if (!name.startsWith(settlePrefix)) known.set(name, value);
  };
  const load = async (name: string): Promise<LocalRegister> => {
    for (;;) {
      const asked = ledger.generation;
      const value = await ledger.loadRecord(localPrefix + name);
      const now = peek(name);
      if (now !== undefined) return now;
      if (ledger.generation !== asked) continue;
      remember(name, value);
      return register(value);
    }
  };
  const fill = async (prefix: string): Promise<void> => {
    for (;;) {
      check();
      const asked = generation;
      const found = await ledger.records(localPrefix + prefix);
      check();
      if (generation !== asked) continue;
      for (const { name, value } of found) {
        const short = name.slice(localPrefix.length);
        // What was written while the store was read is newer. And this view must not depend on what the ledger keeps in memory.
        const newer = ledger.peekRecord(name);
        if (!known.has(short)) known.set(short, newer === undefined ? value : newer);
      }
      complete.add(prefix);
      return;
    }
  };
  return {
    peek,
    get: (name) => peek(name) ?? load(name),
    put(name, value) {
      check();
      remember(name, value);
      ledger.putRecord(localPrefix + name, value);
    },
    loadAll(prefix) {
      check();
      return complete.has(prefix) ? undefined : fill(prefix);
    },
  };
}
