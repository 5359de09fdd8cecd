/** A ledger over any store, for tests of the bank: write combining, one commit at a time, and memory that is reverted when one fails. */
import type { Registers } from '../../../src/backbone/backbone.ts';
import { CffbrwError } from '../../../src/error.ts';
import type { Host } from '../../../src/host.ts';
import { readCounters } from '../../../src/replica/account.ts';
import type { Account, Ledger } from '../../../src/replica/ledger.ts';
import type { Store, StoredRow } from '../../../src/store/store.ts';
import type { Address } from '../../../src/strategy/address.ts';
import type { BoundedRow } from '../../../src/strategy/bounded-counter.ts';
import type { Entry } from '../../../src/strategy/strategy.ts';
import type { Variable } from '../../../src/strategy/variable.ts';

export interface TestLedgerOptions {
  readonly me: string;
  readonly host: Host;
  readonly store: Store;
  readonly registers: Registers | null;
  readonly variable: (address: Address) => Variable;
  readonly commit: number;
  /** Called with the rows of each durable commit. */
  readonly committed?: (rows: readonly StoredRow[]) => void;
  /** Called after a failed commit: it may have taken effect. */
  readonly reverted?: () => void;
}

export interface TestLedger extends Ledger {
  frozen: Ledger['frozen'];
  /** Joins a row of another replica. */
  receive(row: StoredRow, address: Address): Promise<boolean>;
  /** Forgets everything clean, as an idle memory would. */
  evict(): void;
}

interface Slot {
  readonly address: Address;
  readonly variable: Variable;
  readonly rows: Map<string, Entry<BoundedRow>>;
  dropped: boolean;
}

interface DirtyRow {
  readonly slot: Slot;
  readonly who: string;
  /** From another machine: not ours to publish. */
  readonly received: boolean;
}

export function createTestLedger(options: TestLedgerOptions): TestLedger {
  const { host, store, me } = options;
  const slots = new Map<string, Slot>();
  const records = new Map<string, string | null>();
  let dirtyRows = new Map<string, DirtyRow>();
  let dirtyRecords = new Set<string>();
  let version = options.commit + 1;
  let generation = 0;
  let scheduled = false;
  let flying: Promise<void> | null = null;

  const touched = () => {
    if (scheduled || flying !== null) return;
    scheduled = true;
    host.after(0, () => {
      scheduled = false;
      flush().catch(() => {});
    });
  };
  const mark = (slot: Slot, who: string, received: boolean) => {
    dirtyRows.set(`${slot.address.id} ${who}`, { slot, who, received });
    touched();
  };
  const isDirty = () => dirtyRows.size > 0 || dirtyRecords.size > 0;
  const asStored = ({ slot, who }: DirtyRow): StoredRow => {
    const entry = slot.rows.get(who) as Entry<BoundedRow>;
    return { address: slot.address.id, replica: who, version: entry.version, bytes: JSON.stringify(entry.row) };
  };
  const revert = (names: Iterable<string>, dropped: Iterable<Slot>) => {
    for (const name of [...names, ...dirtyRecords]) records.delete(name);
    for (const slot of [...dropped, ...[...dirtyRows.values()].map((dirty) => dirty.slot)]) {
      slot.dropped = true;
      slots.delete(slot.address.id);
    }
    dirtyRows = new Map();
    dirtyRecords = new Set();
    generation += 1;
  };
  const commitOnce = async () => {
    const rows = [...dirtyRows.values()];
    const own = new Set(rows.filter(({ received }) => !received).map(({ who }) => who));
    const stored = rows.map(asStored);
    const names = [...dirtyRecords];
    const changed = names.map((name) => ({ name, value: records.get(name) ?? null }));
    dirtyRows = new Map();
    dirtyRecords = new Set();
    version += 1;
    try {
      await store.commit(stored, [...changed, { name: 'commit', value: String(version - 1) }]);
    } catch (error) {
      revert(
        names,
        rows.map(({ slot }) => slot),
      );
      options.reverted?.();
      throw error;
    }
    options.committed?.(stored.filter((row) => own.has(row.replica)));
  };
  async function flush(): Promise<void> {
    while (flying !== null || isDirty()) {
      if (flying !== null) await flying;
      else {
        flying = commitOnce().finally(() => {
          flying = null;
          if (isDirty()) touched();
        });
        await flying;
      }
    }
  }
  const load = async (address: Address): Promise<Slot> => {
    for (;;) {
      const asked = generation;
      const known = slots.get(address.id);
      if (known !== undefined) return known;
      const [rows = []] = await store.load([address.id]);
      if (asked !== generation || slots.has(address.id)) continue;
      const entries = rows.map((row): [string, Entry<BoundedRow>] => [
        row.replica,
        { version: row.version, row: JSON.parse(row.bytes) as BoundedRow },
      ]);
      const slot = { address, variable: options.variable(address), rows: new Map(entries), dropped: false };
      slots.set(address.id, slot);
      return slot;
    }
  };
  return {
    me,
    host,
    registers: options.registers,
    frozen: null,
    get generation() {
      return generation;
    },
    get pending() {
      return isDirty() ? version : flying === null ? 0 : version - 1;
    },
    peek: (address) => slots.get(address.id),
    account: load,
    write(account: Account, row: BoundedRow, who = me) {
      const slot = account as Slot;
      if (slot.dropped) throw new CffbrwError('STORE_FAILED', 'the slot was dropped');
      slot.rows.set(who, { version, row });
      mark(slot, who, false);
    },
    peekRecord: (name) => records.get(name),
    async loadRecord(name) {
      for (;;) {
        const known = records.get(name);
        if (known !== undefined) return known;
        const asked = generation;
        const found = await store.records({ prefix: name });
        if (asked !== generation || records.has(name)) continue;
        return found.find((record) => record.name === name)?.value ?? null;
      }
    },
    async records(prefix) {
      await flush();
      return store.records({ prefix, limit: 100_000 });
    },
    async page(prefix, after) {
      await flush();
      return store.records({ prefix, after });
    },
    async counters(after) {
      await flush();
      return readCounters(store, after);
    },
    putRecord(name, value) {
      records.set(name, value);
      dirtyRecords.add(name);
      touched();
    },
    flush,
    async receive(row, address) {
      const slot = await load(address);
      if (slot.dropped || (slot.rows.get(row.replica)?.version ?? -1) >= row.version) return false;
      slot.rows.set(row.replica, { version: row.version, row: JSON.parse(row.bytes) as BoundedRow });
      mark(slot, row.replica, true);
      return true;
    },
    evict() {
      if (flying !== null || isDirty()) return;
      slots.clear();
      records.clear();
    },
  };
}
