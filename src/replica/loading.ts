/**
 * Lazy loading: addresses come into memory on first use. A million keys are not a million objects, nor a slow start.
 *
 * Invariant:
 *   G1  There is at most one slot in memory per address.
 */
import { type Clock, isAhead } from '../clock.ts';
import type { Host } from '../host.ts';
import type { Store, StoredRow } from '../store/store.ts';
import { type Address, addressRule, parseAddress } from '../strategy/address.ts';
import { type Entry, type Strategies, strategyIn } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';
import type { Memory } from './memory.ts';
import type { Quarantine } from './quarantine.ts';
import { createSlot, type MemorySlot } from './slot.ts';

export interface LoadingOptions {
  readonly memory: Memory;
  readonly store: Store;
  readonly clock: Clock;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly strategies: Strategies;
  readonly quarantine: Quarantine;
  readonly host: Host;
  /** True for the rows of this store's own incarnations: they are in force, whatever the clock said when they were written. */
  readonly isOwn: (replica: string) => boolean;
}

export interface Loading {
  /** Brings addresses into memory. Rejects with STORE_FAILED, STORE_CORRUPT. */
  load(addresses: readonly Address[]): Promise<void>;
  /** Like load, and in memory when the caller goes on: an address that was there may leave while the others are loaded. */
  hold(addresses: readonly Address[]): Promise<void>;
  loadRecord(name: string): Promise<string | null>;
}

export function createLoading(options: LoadingOptions): Loading {
  const { memory, store } = options;
  const loading = new Map<string, Promise<void>>();

  async function fetch(addresses: readonly Address[]): Promise<void> {
    const generation = memory.generation;
    const stored = await store.load(addresses.map((address) => address.id));
    // What was read beside a commit that failed may be from before it or after it: read again.
    if (generation !== memory.generation) return fetch(addresses);
    addresses.forEach((address, index) => {
      if (!memory.slots.has(address.id)) memory.slots.set(address.id, slotOf(options, address, stored[index] ?? []));
    });
  }

  function load(addresses: readonly Address[]): Promise<void> {
    const missing = addresses.filter((address) => !memory.slots.has(address.id));
    const waits = new Set<Promise<void>>();
    const fresh: Address[] = [];
    for (const address of missing) {
      const running = loading.get(address.id);
      if (running === undefined) fresh.push(address);
      else waits.add(running);
    }
    if (fresh.length > 0) waits.add(start(fresh));
    return Promise.all(waits).then(() => {});
  }

  function start(addresses: readonly Address[]): Promise<void> {
    const promise = fetch(addresses).finally(() => {
      for (const address of addresses) loading.delete(address.id);
    });
    for (const address of addresses) loading.set(address.id, promise);
    return promise;
  }

  async function hold(addresses: readonly Address[]): Promise<void> {
    while (addresses.some((address) => !memory.slots.has(address.id))) await load(addresses);
  }

  async function loadRecord(name: string): Promise<string | null> {
    const known = memory.records.get(name);
    if (known !== undefined) return known.value;
    const generation = memory.generation;
    const value = await readRecord(store, name);
    const now = memory.records.get(name);
    if (now !== undefined) return now.value;
    if (generation !== memory.generation) return loadRecord(name);
    memory.records.set(name, { value, commit: 0 });
    return value;
  }

  return { load, hold, loadRecord };
}

/** One record straight from the store. */
export async function readRecord(store: Store, name: string): Promise<string | null> {
  const found = await store.records({ prefix: name, limit: 1 });
  return found[0]?.name === name ? found[0].value : null;
}

function slotOf(options: LoadingOptions, address: Address, stored: readonly StoredRow[]): MemorySlot {
  const variable = declaredAt(options.variables, address);
  const strategy = variable === null ? null : strategyIn(options.strategies, variable.strategy);
  const rows = new Map<string, Entry<object>>();
  for (const received of stored) {
    const row = JSON.parse(received.bytes) as object;
    const stamp = strategy?.latestStamp(row) ?? null;
    // It came while nobody could tell what it is: its variable was not declared then.
    if (stamp !== null && !options.isOwn(received.replica) && isAhead(stamp, options.host.now())) {
      options.quarantine.hold(received, stamp[0]);
      continue;
    }
    if (stamp !== null) options.clock.observe(stamp);
    rows.set(received.replica, { version: received.version, row });
  }
  return createSlot(address, variable, strategy, rows);
}

/** The declaration of this very address: null where the name, the strategy, the window rule or the keying differ. */
function declaredAt(variables: ReadonlyMap<string, Variable>, address: Address): Variable | null {
  const variable = variables.get(address.variable);
  if (variable === undefined || variable.strategy !== address.strategy) return null;
  if (addressRule(variable) !== address.rule || variable.keyed !== (address.key !== null)) return null;
  return variable;
}

/** The addresses of received rows; what cannot be an address is left out. */
export function addressesOf(rows: readonly StoredRow[]): Address[] {
  const ids = new Set(rows.map((row) => row.address));
  return [...ids].map(parseAddress).filter((address) => address !== null);
}
