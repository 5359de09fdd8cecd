/** The keys of a keyed variable that have a value: from the store, page by page, and from what is not durable yet. */
import type { Store } from '../store/store.ts';
import { type Address, addressPrefix, type Key, parseAddress } from '../strategy/address.ts';
import type { Variable } from '../strategy/variable.ts';
import type { Memory } from './memory.ts';
import type { MemorySlot } from './slot.ts';

export interface KeysRequest {
  readonly variable: Variable;
  /** The window's id, or ''. */
  readonly window: string;
  readonly prefix: string;
  /** The address of the key after which to go on. */
  readonly after: Address | null;
  readonly limit: number;
}

export interface KeysOptions {
  readonly memory: Memory;
  readonly store: Store;
  readonly hold: (addresses: readonly Address[]) => Promise<void>;
}

const pageSize = 500;

export async function listKeys(options: KeysOptions, request: KeysRequest): Promise<readonly Key[]> {
  const prefix = addressPrefix(request.variable, request.window, request.prefix);
  const keys: Key[] = [];
  let after = request.after?.id ?? '';
  while (keys.length < request.limit) {
    const page = await nextPage(options, prefix, after);
    const addresses = page.map(parseAddress).filter((address) => address !== null);
    await options.hold(addresses);
    for (const { id, key } of addresses) {
      const slot = options.memory.slots.get(id);
      if (key !== null && slot !== undefined && isPresent(slot) && keys.length < request.limit) keys.push(key);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
    after = last;
  }
  return keys;
}

async function nextPage({ memory, store }: KeysOptions, prefix: string, after: string): Promise<string[]> {
  const stored = await store.scan({ prefix, after, limit: pageSize });
  const end = stored.length === pageSize ? stored.at(-1) : undefined;
  const ids = new Set(stored);
  for (const slot of memory.slots.values()) {
    const { id } = slot.address;
    const here = id.startsWith(prefix) && id > after && (end === undefined || id <= end);
    if (here && slot.commit > memory.committed) ids.add(id);
  }
  return [...ids].sort((a, b) => (a < b ? -1 : 1));
}

const isPresent = (slot: MemorySlot): boolean =>
  slot.rows.size > 0 && slot.strategy !== null && slot.strategy.absent?.(slot.rows) !== true;
