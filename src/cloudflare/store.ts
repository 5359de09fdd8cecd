/**
 * The store in a Durable Object: the shared SQL on the object's own SQLite, behind a log. Rows written are what costs, so a commit writes
 * one: its rows and records as one text, into the next of 64 places. What the log holds lies in memory, too; when it is full, the tables get
 * what changed since, each row once, however often it was written.
 *
 * Rows of other replicas (`keeps` says false) stay in memory: whoever gave them can give them again.
 *
 * Invariants:
 *   T1 to T4 of store/store.ts, for what is kept.
 *   L1  What the tables lack is in the log: a place of it is written again only in or after the transaction that brought the tables up to date.
 *   L2  A commit of nothing that must be kept writes nothing, and its number is not kept either: a start never finds a commit that is ahead of
 *       the rows which it was for.
 */
import { CffbrwError } from '../error.ts';
import { openTables } from '../store/sqlite.ts';
import type { Page, Store, StoredRecord, StoredRow } from '../store/store.ts';
import type { ObjectStorage } from './bindings.ts';
import { asStoreError, objectDriver, type Usage } from './driver.ts';
import { allRows, emptyOverlay, lay, type Overlay, pageOver, rowsOver, sinceOver } from './overlay.ts';
import { hiddenPrefix, type PartedTables, partedTables } from './parts.ts';

export interface ObjectStoreOptions {
  readonly storage: ObjectStorage;
  readonly usage: Usage;
  /** Whether rows of this replica are kept. Default: all are. */
  readonly keeps?: (replica: string) => boolean;
  /** Records that are never kept: they belong to rows that are not. */
  readonly passing?: ReadonlySet<string>;
  /** Records that are kept with the next commit of something else. */
  readonly riding?: ReadonlySet<string>;
  /** Records that are written along with every commit that is kept. */
  readonly along?: () => readonly StoredRecord[];
}

const places = 64;
/** A commit that is longer goes to the tables at once. */
const longestEntry = 250_000;
const logPrefix = `${hiddenPrefix}log/`;
const settledName = `${hiddenPrefix}settled`;

interface Entry {
  readonly number: number;
  readonly rows: readonly StoredRow[];
  readonly records: readonly StoredRecord[];
}

interface Kept {
  readonly tables: PartedTables;
  /** What the log holds and the tables lack. */
  recent: Overlay;
  /** The number of the last entry, and of the last one that is in the tables. */
  last: number;
  settled: number;
}

/** Two over one storage would not see each other's log. */
const inUse = new WeakSet<ObjectStorage>();

/** The store's calls, each done when it returns; durable once `durable` has resolved after it. They throw CffbrwError alone. */
export interface ObjectTables {
  load(addresses: readonly string[]): (readonly StoredRow[])[];
  /** Whether anything was written. */
  commit(rows: readonly StoredRow[], records: readonly StoredRecord[]): boolean;
  forget(addresses: readonly string[]): void;
  scan(page: Page): string[];
  records(page: Page): { readonly name: string; readonly value: string }[];
  record(name: string): string | null;
  since(replica: string, version: number, limit?: number): readonly StoredRow[];
  /** All rows; one that was written since the tables were comes again, later. */
  all(): Iterable<StoredRow>;
  /** How many transactions there ever were. It never repeats, but when the storage is set back. */
  readonly number: number;
  /** Whoever writes while it goes on shares the next one. */
  durable(): Promise<void>;
  close(): void;
}

/** Throws STORE_CORRUPT, STORE_VERSION, STORE_FAILED. */
export function openObjectTables(options: ObjectStoreOptions): ObjectTables {
  const { storage, usage, keeps = () => true, passing, riding, along } = options;
  if (inUse.has(storage)) throw new CffbrwError('STORE_FAILED', 'the storage of this object is open already');
  const kept = guard(() => readLog(partedTables(openTables(objectDriver(storage, usage), { indexed: false }))));
  inUse.add(storage);
  const peers = emptyOverlay();
  /** Records that wait for a commit. */
  const waiting = new Map<string, string | null>();
  const overlays = (): readonly Overlay[] => [kept.recent, peers];

  return {
    get number() {
      return kept.last;
    },
    load: (addresses) => guard(() => addresses.map((address) => rowsOver(kept.tables.load(address), address, overlays()))),
    commit(rows, records) {
      const own = rows.filter(({ replica }) => keeps(replica)).map((row) => ({ ...row }));
      const named = records.filter(({ name }) => passing?.has(name) !== true);
      const isKept = own.length > 0 || named.some(({ name }) => riding?.has(name) !== true);
      if (isKept) {
        const late = [...waiting].map(([name, value]) => ({ name, value }));
        guard(() => write(kept, own, [...late, ...named, ...(along?.() ?? [])]));
        waiting.clear();
      } else for (const { name, value } of named) waiting.set(name, value);
      lay(
        peers,
        rows.filter(({ replica }) => !keeps(replica)),
        records.filter(({ name }) => passing?.has(name) === true),
      );
      return isKept;
    },
    forget(addresses) {
      guard(() => {
        settle(kept);
        kept.tables.forget(addresses);
      });
      for (const address of addresses) peers.rows.delete(address);
    },
    scan(page) {
      const above = new Map(overlays().flatMap(({ rows }) => [...rows.keys()].map((address) => [address, address] as const)));
      return guard(() => pageOver({ stored: kept.tables.scan, nameOf: (name) => name, above }, page));
    },
    records: (page) => guard(() => recordsOver(kept, overlays(), page)),
    record: (name) => guard(() => recordOver(kept, peers, name)),
    since(replica, version, limit = 1000) {
      const above = overlays().flatMap((overlay) => allRows(overlay).filter((row) => row.replica === replica));
      return guard(() => sinceOver((from) => kept.tables.since(replica, from, limit), above, version, limit));
    },
    *all() {
      for (let last: StoredRow | undefined; ; ) {
        const page = guard(() => kept.tables.rowsAfter(last));
        yield* page;
        last = page.at(-1);
        if (last === undefined) break;
      }
      for (const overlay of overlays()) yield* allRows(overlay);
    },
    async durable() {
      try {
        await storage.sync();
      } catch (error) {
        throw asStoreError(error);
      }
    },
    close: () => void inUse.delete(storage),
  };
}

/** As `openObjectTables`, as a store. */
export function openObjectStore(options: ObjectStoreOptions): Store {
  const tables = openObjectTables(options);
  let closed = false;
  const open = (): ObjectTables => {
    if (closed) throw new CffbrwError('CLOSED', 'the store is closed', { fix: 'Open it again, or ask before closing it.' });
    return tables;
  };
  return {
    load: async (addresses) => open().load(addresses),
    async commit(rows, records) {
      if (open().commit(rows, records)) await tables.durable();
    },
    async forget(addresses) {
      open().forget(addresses);
      await tables.durable();
    },
    scan: async (page) => open().scan(page),
    records: async (page) => open().records(page),
    since: async (replica, version, limit) => open().since(replica, version, limit),
    async close() {
      if (!closed) tables.close();
      closed = true;
    },
  };
}

function readLog(tables: PartedTables): Kept {
  const settled = Number(tables.records({ prefix: settledName, limit: 1 })[0]?.value ?? 0);
  const entries = tables.records({ prefix: logPrefix }).map(({ value }) => JSON.parse(value) as Entry);
  const recent = emptyOverlay();
  const later = entries.filter(({ number }) => number > settled).sort((a, b) => a.number - b.number);
  for (const { rows, records } of later) lay(recent, rows, records);
  return { tables, recent, settled, last: later.at(-1)?.number ?? settled };
}

/** One transaction: into the log, or with all that is in the log into the tables (L1). */
function write(kept: Kept, rows: readonly StoredRow[], records: readonly StoredRecord[]): void {
  const number = kept.last + 1;
  const text = JSON.stringify({ number, rows, records } satisfies Entry);
  if (number - kept.settled > places || text.length > longestEntry) {
    settle(kept, rows, records);
    return;
  }
  kept.tables.commit([], [{ name: `${logPrefix}${number % places}`, value: text }]);
  lay(kept.recent, rows, records);
  kept.last = number;
}

function settle(kept: Kept, rows: readonly StoredRow[] = [], records: readonly StoredRecord[] = []): void {
  const number = kept.last + 1;
  const all = emptyOverlay();
  lay(
    all,
    allRows(kept.recent),
    [...kept.recent.records].map(([name, value]) => ({ name, value })),
  );
  lay(all, rows, [...records, { name: settledName, value: String(number) }]);
  kept.tables.commit(
    allRows(all),
    [...all.records].map(([name, value]) => ({ name, value })),
  );
  kept.recent = emptyOverlay();
  kept.last = kept.settled = number;
}

function recordsOver(kept: Kept, overlays: readonly Overlay[], page: Page): { readonly name: string; readonly value: string }[] {
  const above = new Map<string, { readonly name: string; readonly value: string } | undefined>();
  for (const { records } of overlays) {
    for (const [name, value] of records) above.set(name, value === null ? undefined : { name, value });
  }
  return pageOver({ stored: kept.tables.records, nameOf: ({ name }) => name, above }, page);
}

function recordOver({ tables, recent }: Kept, peers: Overlay, name: string): string | null {
  const above = peers.records.get(name) ?? recent.records.get(name);
  if (above !== undefined) return above;
  const [found] = tables.records({ prefix: name, limit: 1 });
  return found?.name === name ? found.value : null;
}

function guard<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw asStoreError(error);
  }
}
