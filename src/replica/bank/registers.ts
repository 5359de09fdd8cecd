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
  /**
   * Brings into memory what `peek` has to know about the register: all with this prefix, so that those that do not exist are known, too; or
   * it alone, where they are too many.
   */
  prepare(name: string, prefix: string): Later<void>;
}

export const localPrefix = 'register/';
/** One per settled receipt, and rarely asked for again: not worth keeping in memory. */
export const settlePrefix = 'settle/';
export const onceStem = 'once/';

/** Registers in this view: a bank for each counter in use, and keys of `once`. */
export const keptInMemory = 100_000;

const register = (value: string | null): LocalRegister => ({ value });

/** `keepsView`: a bug that tests switch on. */
export function createLocalRegisters(ledger: Ledger, keepsView: boolean): LocalRegisters {
  let generation = ledger.generation;
  let known = new Map<string, string | null>();
  /** Prefixes of which all are known; and those that have more than fit, of which each is loaded alone. */
  let complete = new Set<string>();
  let large = new Set<string>();

  const check = () => {
    if (generation === ledger.generation || keepsView) return;
    generation = ledger.generation;
    known = new Map();
    complete = new Set();
    large = new Set();
  };
  const peek = (name: string, prefix?: string): LocalRegister | undefined => {
    check();
    // What this view has forgotten and is not durable, the ledger has in memory.
    const value = known.has(name) ? known.get(name) : ledger.peekRecord(localPrefix + name);
    if (value !== undefined) return register(value);
    return prefix !== undefined && complete.has(prefix) ? register(null) : undefined;
  };
  /** The oldest leave: iteration order is age. */
  const remember = (name: string, value: string | null) => {
    if (name.startsWith(settlePrefix)) return;
    known.delete(name);
    known.set(name, value);
    for (const oldest of known.keys()) {
      if (known.size <= keptInMemory) return;
      known.delete(oldest);
      for (const prefix of complete) if (oldest.startsWith(prefix)) giveUp(prefix);
    }
  };
  const giveUp = (prefix: string) => {
    complete.delete(prefix);
    large.add(prefix);
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
    for (let after = ''; ; ) {
      check();
      const asked = generation;
      const page = await ledger.page(localPrefix + prefix, after);
      check();
      if (generation !== asked) {
        after = '';
        continue;
      }
      const last = page.at(-1);
      if (last === undefined) return void complete.add(prefix);
      if (known.size + page.length > keptInMemory) return giveUp(prefix);
      for (const { name, value } of page) {
        const short = name.slice(localPrefix.length);
        // What was written while the store was read is newer. And this view must not depend on what the ledger keeps in memory.
        const newer = ledger.peekRecord(name);
        if (!known.has(short)) remember(short, newer === undefined ? value : newer);
      }
      after = last.name;
    }
  };
  const prepare = async (name: string, prefix: string): Promise<void> => {
    if (!large.has(prefix)) await fill(prefix);
    if (peek(name, prefix) === undefined) await load(name);
  };
  return {
    peek,
    prepare: (name, prefix) => (peek(name, prefix) === undefined ? prepare(name, prefix) : undefined),
    get: (name) => peek(name) ?? load(name),
    put(name, value) {
      check();
      remember(name, value);
      ledger.putRecord(localPrefix + name, value);
    },
  };
}
