/** The ledger over this replica's memory: what the bank and the identity write becomes durable with everything else. */
import type { Registers } from '../backbone/backbone.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Store } from '../store/store.ts';
import { boundedCounter } from '../strategy/bounded-counter.ts';
import type { Flush } from './flush.ts';
import type { Account, CounterPage, Ledger } from './ledger.ts';
import type { Loading } from './loading.ts';
import { checkWritable, type Memory, markChanged, pendingCommit, putRecord } from './memory.ts';
import type { MemorySlot } from './slot.ts';

export interface LedgerOptions {
  readonly me: string;
  readonly host: Host;
  readonly registers: Registers | null;
  readonly memory: Memory;
  readonly store: Store;
  readonly flush: Flush;
  readonly loading: Loading;
  readonly frozen: () => Ledger['frozen'];
}

export function createLedger(options: LedgerOptions): Ledger {
  const { me, memory, loading, store } = options;
  const slotAt = (id: string) => memory.slots.get(id);

  return {
    me,
    host: options.host,
    registers: options.registers,
    get frozen() {
      return memory.refusal === null ? options.frozen() : 'fenced';
    },
    get generation() {
      return memory.generation;
    },
    get pending() {
      return pendingCommit(memory);
    },
    peek(address) {
      const slot = slotAt(address.id);
      if (slot === undefined) return undefined;
      slot.used = true;
      return asAccount(slot);
    },
    async account(address) {
      for (;;) {
        const slot = slotAt(address.id);
        if (slot !== undefined) return asAccount(slot);
        await loading.load([address]);
      }
    },
    write(account, row, who = me) {
      const slot = account as unknown as MemorySlot;
      checkWritable(memory, slot);
      slot.rows.set(who, { version: memory.next, row });
      slot.value = undefined;
      if (who === me) slot.ownCommit = memory.next;
      markChanged(memory, slot, who, null);
    },
    peekRecord: (name) => memory.records.get(name)?.value,
    loadRecord: loading.loadRecord,
    async records(prefix) {
      await options.flush.all();
      return readAll(store, prefix);
    },
    putRecord(name, value) {
      if (memory.refusal !== null) throw memory.refusal;
      putRecord(memory, name, value);
    },
    async page(prefix, after) {
      await options.flush.all();
      return store.records({ prefix, after, limit: pageSize });
    },
    async counters(after) {
      await options.flush.all();
      return readCounters(store, after);
    },
    flush: () => options.flush.all(),
  };
}

function asAccount(slot: MemorySlot): Account {
  if (slot.strategy?.name !== 'bounded-counter') {
    throw new CffbrwError('WRONG_OPERATION', `${slot.address.id} is not a bounded-counter of this app`, {
      fix: 'Declare the variable with strategy: bounded-counter.',
    });
  }
  return slot as unknown as Account;
}

const pageSize = 200;

/** The next bounded counters in a store, with all their rows. */
export async function readCounters(store: Store, after: string): Promise<CounterPage> {
  const ids = await store.scan({ prefix: '', after, limit: pageSize });
  const bounded = ids.filter((id) => id.split(':', 2)[1] === boundedCounter.name);
  const stored = await store.load(bounded);
  const counters = bounded.map((id, index) => ({
    id,
    rows: new Map((stored[index] ?? []).map(({ replica, bytes }) => [replica, boundedCounter.parseRow(JSON.parse(bytes))])),
  }));
  return { counters, next: ids.at(-1) ?? null };
}

/** Every record whose name starts with `prefix`, straight from the store. */
export async function readAll(store: Store, prefix: string): Promise<{ name: string; value: string }[]> {
  const all: { name: string; value: string }[] = [];
  for (;;) {
    const after = all.at(-1)?.name;
    const page = await store.records(after === undefined ? { prefix } : { prefix, after });
    if (page.length === 0) return all;
    all.push(...page);
  }
}
