/**
 * The latest row per (address, replica), in the order in which they came: what subscribers read on from where they were.
 *
 * A replaced row leaves its place, so that catching up is bounded by what exists and not by what happened: at once, or with a lag once
 * what replaced it has arrived everywhere, or a row that changes all the time would never arrive. A forgotten row leaves its place at once.
 */
import type { StoredRow } from '../store/store.ts';

export interface Feed {
  /** The place of the newest row; 0 when nothing ever came. */
  readonly end: number;
  /** Those that would replace what is kept (B2), at most one per address and replica. */
  better(rows: readonly StoredRow[]): StoredRow[];
  put(row: StoredRow, atMs: number): void;
  /** Removes the rows of these addresses; `latest` stays as it is. */
  forget(addresses: readonly string[]): void;
  after(place: number, page: FeedPage): FeedRows;
  rows(): StoredRow[];
  /** The highest version among this replica's rows, those that were forgotten included; 0 when there never were any. */
  latest(replica: string): number;
  /** The highest version of each replica, for `createFeed`. */
  versions(): ReadonlyMap<string, number>;
}

export interface FeedPage {
  readonly limit: number;
  /** Only rows that came until then. */
  readonly untilMs: number;
}

/** Oldest first. */
export interface FeedRows {
  readonly rows: StoredRow[];
  /** The place after the last of them. */
  readonly end: number;
  /** When the next row came, if there is one; it was too late for this page, or one too many. */
  readonly nextMs: number | null;
}

interface Entry {
  readonly place: number;
  readonly atMs: number;
  readonly row: StoredRow;
  /** When a newer row came; null: this is the latest. */
  replacedMs: number | null;
}

/** `lagMs`: how long after it came a row may still be asked for with `untilMs`. `known`: versions of rows that were forgotten before. */
export function createFeed(lagMs: () => number = () => 0, known: ReadonlyMap<string, number> = new Map()): Feed {
  const latest = new Map<string, Entry>();
  const versions = new Map(known);
  let entries: Entry[] = [];
  let end = 0;
  let compactAt = 100;

  return {
    get end() {
      return end;
    },
    better(rows) {
      const best = new Map<string, StoredRow>();
      for (const row of rows) {
        const name = nameOf(row);
        if (outranks(row, latest.get(name)?.row) && outranks(row, best.get(name))) best.set(name, row);
      }
      return [...best.values()];
    },
    put(row, atMs) {
      const name = nameOf(row);
      const replaced = latest.get(name);
      if (replaced !== undefined) replaced.replacedMs = atMs;
      end += 1;
      const entry = { place: end, atMs, row, replacedMs: null };
      latest.set(name, entry);
      entries.push(entry);
      versions.set(row.replica, Math.max(row.version, versions.get(row.replica) ?? 0));
      if (entries.length < compactAt) return;
      entries = entries.filter((each) => !isReplaced(each, atMs - lagMs()));
      compactAt = Math.max(100, 2 * entries.length);
    },
    forget(addresses) {
      const gone = new Set(addresses);
      for (const { row } of entries) if (gone.has(row.address)) latest.delete(nameOf(row));
      entries = entries.filter(({ row }) => !gone.has(row.address));
    },
    after(place, { limit, untilMs }) {
      const rows: StoredRow[] = [];
      let last = place;
      for (let index = firstAfter(entries, place); index < entries.length; index++) {
        const entry = entries[index];
        if (entry === undefined) break;
        if (!isReplaced(entry, untilMs)) {
          if (entry.atMs > untilMs || rows.length === limit) return { rows, end: last, nextMs: entry.atMs };
          rows.push(entry.row);
        }
        last = entry.place;
      }
      return { rows, end: last, nextMs: null };
    },
    rows: () => [...latest.values()].sort((a, b) => a.place - b.place).map(({ row }) => row),
    latest: (replica) => versions.get(replica) ?? 0,
    versions: () => versions,
  };
}

/** A higher version; at one version the larger bytes, so that every copy agrees on a forked identity. */
const outranks = (row: StoredRow, kept: StoredRow | null | undefined): boolean =>
  kept === undefined || kept === null || row.version > kept.version || (row.version === kept.version && row.bytes > kept.bytes);

const isReplaced = ({ replacedMs }: Entry, untilMs: number): boolean => replacedMs !== null && replacedMs <= untilMs;

/** Neither addresses nor replica ids contain a NUL. */
const nameOf = (row: StoredRow) => `${row.address}\0${row.replica}`;

function firstAfter(entries: readonly Entry[], place: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.place ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
