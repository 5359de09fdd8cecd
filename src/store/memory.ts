/**
 * The reference store: the contract in memory, for tests, for the simulator, and for apps that may forget everything.
 *
 * It never survives its process. Each call takes effect when it is made; its promise resolves in a later turn.
 *
 * Invariants: T1, T3 and T4 of store.ts hold because a commit is one synchronous block that cannot fail half way.
 */
import { CffbrwError } from '../error.ts';
import type { Page, Store, StoredRow } from './store.ts';

/** By code unit, as `<` on strings compares. */
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A map whose names can be paged in order. The order is made when it is asked for, not on each write. */
interface Sorted<Value> {
  readonly entries: Map<string, Value>;
  names: readonly string[] | null;
}

const put = <Value>(into: Sorted<Value>, name: string, value: Value): void => {
  if (!into.entries.has(name)) into.names = null;
  into.entries.set(name, value);
};

const remove = <Value>(from: Sorted<Value>, name: string): void => {
  if (from.entries.delete(name)) from.names = null;
};

/** The index of the first name that is not before `bound`. */
function lowerBound(names: readonly string[], bound: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? '') < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function pageOf<Value>(sorted: Sorted<Value>, { prefix, after, limit = 1000 }: Page): string[] {
  sorted.names ??= [...sorted.entries.keys()].sort();
  const found: string[] = [];
  const from = after !== undefined && after > prefix ? after : prefix;
  for (let at = lowerBound(sorted.names, from); at < sorted.names.length && found.length < limit; at += 1) {
    const name = sorted.names[at] ?? '';
    if (!name.startsWith(prefix)) break;
    if (after === undefined || name > after) found.push(name);
  }
  return found;
}

/** At most `limit`, and then the rest of the last version: what was committed together is never separated. */
function wholeVersions(sorted: readonly StoredRow[], limit: number): readonly StoredRow[] {
  const last = sorted[limit - 1];
  if (last === undefined) return limit < 1 ? [] : sorted;
  const next = sorted.findIndex((row) => row.version > last.version);
  return next < 0 ? sorted : sorted.slice(0, next);
}

const copyRow = ({ address, replica, version, bytes }: StoredRow): StoredRow => ({ address, replica, version, bytes });

const closedError = (): CffbrwError =>
  new CffbrwError('CLOSED', 'the store is closed', { fix: 'Open it again, or ask before closing it.' });

export function memoryStore(): Store {
  const addresses: Sorted<Map<string, StoredRow>> = { entries: new Map(), names: null };
  const records: Sorted<string> = { entries: new Map(), names: null };
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw closedError();
  };

  const putRow = (row: StoredRow): void => {
    const rows = addresses.entries.get(row.address) ?? new Map<string, StoredRow>();
    rows.set(row.replica, copyRow(row));
    put(addresses, row.address, rows);
  };

  return {
    async load(wanted) {
      checkOpen();
      return wanted.map((address) =>
        [...(addresses.entries.get(address)?.values() ?? [])].sort((a, b) => compareText(a.replica, b.replica)),
      );
    },
    async commit(rows, changed) {
      checkOpen();
      for (const row of rows) putRow(row);
      for (const { name, value } of changed) {
        if (value === null) remove(records, name);
        else put(records, name, value);
      }
    },
    async forget(gone) {
      checkOpen();
      for (const address of gone) remove(addresses, address);
    },
    async scan(page) {
      checkOpen();
      return pageOf(addresses, page);
    },
    async records(page) {
      checkOpen();
      return pageOf(records, page).map((name) => ({ name, value: records.entries.get(name) ?? '' }));
    },
    async since(replica, version, limit = 1000) {
      checkOpen();
      const rows = [...addresses.entries.values()].flatMap((byReplica) => byReplica.get(replica) ?? []);
      const later = rows.filter((row) => row.version > version);
      later.sort((a, b) => a.version - b.version || compareText(a.address, b.address));
      return wholeVersions(later, limit);
    },
    async close() {
      closed = true;
    },
  };
}
