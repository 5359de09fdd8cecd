/**
 * A variable in the hands of a library user: `await replica.variable('profile').key('ann').merge({ … })`.
 *
 * Writes are applied at once, in memory, and the promise resolves when they are durable; writes of one flush share one promise.
 */
import { CffbrwError } from '../error.ts';
import type { Address, Key } from '../strategy/address.ts';
import type { Json, JsonObject } from '../strategy/json.ts';
import type { OperationInput } from '../strategy/parsing.ts';
import type { Operation } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';
import { type OpenedValue, openValue } from './opened.ts';
import type { Change, Replica, SettleResult, TakeOptions, TakeResult } from './replica.ts';
import type { MemorySlot } from './slot.ts';

export interface Handle {
  /** The value as known here; what it shows is durable when the promise resolves. */
  get(): Promise<Json>;
  /** The same variable at a key. What uses it rejects with INVALID_KEY when it is none. */
  key(key: Key): Handle;
  set(value: Json): Promise<void>;
  unset(path?: string): Promise<void>;
  reset(): Promise<void>;
  /** `amount` is a safe integer; default 1. */
  add(amount?: number): Promise<void>;
  merge(patch: JsonObject): Promise<void>;
  replace(value: JsonObject): Promise<void>;
  raise(value: number, companion?: Json): Promise<void>;
  lower(value: number, companion?: Json): Promise<void>;
  take(amount?: number, options?: TakeOptions): Promise<TakeResult>;
  give(receipt: string): Promise<SettleResult>;
  confirm(receipt: string): Promise<SettleResult>;
  mint(units: number): Promise<void>;
  burn(units: number): Promise<void>;
  /** Called with every durable change of the value, own or received. Returns what stops it. */
  watch(listener: (change: Change) => void): () => void;
  /** The handle with the value at hand, synchronously: `(await handle.open()).value`. */
  open(): Promise<OpenHandle>;
}

/** `value` shows also what is not durable yet; `get()` waits for that. */
export interface OpenHandle extends Handle, OpenedValue {}

/** What a handle needs beyond the public replica: its own address in memory, without a look-up per write. */
export interface HandleOwner {
  readonly replica: Replica;
  slot(address: Address): MemorySlot | undefined;
}

const resolved = Promise.resolve();

export function createHandle(owner: HandleOwner, variable: Variable, key?: Key): Handle {
  const { replica } = owner;
  const strategy = replica.strategyOf(variable);
  const timeless = variable.window === undefined && (!variable.keyed || key !== undefined);
  let address: Address | null = null;
  let slot: MemorySlot | undefined;

  function here(): Address {
    if (address !== null) return address;
    const now = replica.address(variable.name, key);
    if (timeless) address = now;
    return now;
  }

  /** The slot, when it is in memory. One that memory forgot must not be written any more (G1). */
  function peek(): MemorySlot | undefined {
    if (slot === undefined || !timeless || slot.dropped) slot = owner.slot(here());
    return slot;
  }

  function write(operation: Operation): Promise<void> {
    const memory = peek();
    if (memory === undefined) return replica.load([here()]).then(() => write(operation));
    replica.update(memory, operation);
    return replica.durable(replica.commitOf(memory)) ?? resolved;
  }

  function parsed(operation: OperationInput): Promise<void> {
    try {
      return write(strategy.parse(operation, variable));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async function get(): Promise<Json> {
    const memory = peek();
    if (memory === undefined) {
      await replica.load([here()]);
      return get();
    }
    const value = replica.read(memory);
    await replica.durable(replica.commitOf(memory));
    return value;
  }

  const onlyBounded = () => {
    if (variable.strategy === 'bounded-counter') return;
    throw new CffbrwError('WRONG_OPERATION', `${variable.name} is ${variable.strategy}: only a bounded-counter hands out units`, {
      fix: 'Declare it with strategy: bounded-counter.',
    });
  };

  const watch: Handle['watch'] = (listener) =>
    replica.watch(variable.name, (change) => {
      if (key === undefined || JSON.stringify(change.key) === JSON.stringify(key)) listener(change);
    });

  const handle: Handle = {
    get,
    key: (inner) => createHandle(owner, variable, inner),
    set: (value) => parsed({ operation: 'set', value }),
    unset: (path) => parsed(path === undefined ? { operation: 'unset' } : { operation: 'unset', path }),
    reset: () => parsed({ operation: 'reset' }),
    add: (amount = 1) => parsed({ operation: 'add', amount }),
    merge: (value) => parsed({ operation: 'merge', value }),
    replace: (value) => parsed({ operation: 'replace', value }),
    raise: (value, companion) =>
      parsed(companion === undefined ? { operation: 'raise', value } : { operation: 'raise', value, with: companion }),
    lower: (value, companion) =>
      parsed(companion === undefined ? { operation: 'lower', value } : { operation: 'lower', value, with: companion }),
    async take(amount = 1, options) {
      onlyBounded();
      const result = await replica.take([{ variable: variable.name, amount, ...(key === undefined ? {} : { key }) }], options);
      await replica.durable(result.commit);
      const { commit: _, ...told } = result;
      return { ...told, receipt: result.receipt }; // a plain object, which may be copied and printed
    },
    async give(receipt) {
      onlyBounded();
      return replica.give(receipt);
    },
    async confirm(receipt) {
      onlyBounded();
      return replica.confirm(receipt);
    },
    async mint(units) {
      onlyBounded();
      await replica.mint(here(), units);
    },
    async burn(units) {
      onlyBounded();
      await replica.burn(here(), units);
    },
    watch,
    async open() {
      const opened = await openValue({
        address: here,
        read: (at) => valueIn(replica, owner.slot(at)),
        load: (addresses) => replica.load(addresses),
        watch,
        settled: async () => replica.durable(replica.pending()),
        untouched: strategy.read(new Map(), variable),
      });
      return Object.defineProperties({ ...handle }, Object.getOwnPropertyDescriptors(opened)) as OpenHandle;
    },
  };
  return handle;
}

const valueIn = (replica: Replica, slot: MemorySlot | undefined): { readonly value: Json } | undefined =>
  slot === undefined ? undefined : { value: replica.read(slot) };
