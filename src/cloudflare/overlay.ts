/**
 * What lies in memory over the tables of an object: rows and records that are newer than the tables, or that the tables never hold. Reading
 * sees both as one.
 */
import type { Page, StoredRecord, StoredRow } from '../store/store.ts';

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export interface Overlay {
  /** By address, then by replica. */
  readonly rows: Map<string, Map<string, StoredRow>>;
  /** null: deleted. */
  readonly records: Map<string, string | null>;
}

export const emptyOverlay = (): Overlay => ({ rows: new Map(), records: new Map() });

export function lay(
  { rows: known, records: named }: Overlay,
  rows: readonly StoredRow[],
  records: readonly StoredRecord[],
): void {
  for (const { address, replica, version, bytes } of rows) {
    const at = known.get(address) ?? new Map<string, StoredRow>();
    at.set(replica, { address, replica, version, bytes });
    known.set(address, at);
  }
  for (const { name, value } of records) named.set(name, value);
}

export const allRows = ({ rows }: Overlay): StoredRow[] => [...rows.values()].flatMap((at) => [...at.values()]);

/** The rows of one address, by replica. */
export function rowsOver(stored: readonly StoredRow[], address: string, overlays: readonly Overlay[]): readonly StoredRow[] {
  const above = overlays.flatMap(({ rows }) => rows.get(address) ?? []);
  if (above.length === 0) return stored;
  const merged = new Map(stored.map((row) => [row.replica, row]));
  for (const at of above) for (const [replica, row] of at) merged.set(replica, row);
  return [...merged.values()].sort((a, b) => compareText(a.replica, b.replica));
}

export interface PageOver<Found> {
  /** A page of the tables, sorted by name. */
  readonly stored: (page: Page) => readonly Found[];
  readonly nameOf: (found: Found) => string;
  /** What lies above: undefined where it was deleted. */
  readonly above: ReadonlyMap<string, Found | undefined>;
}

/** A page of both, sorted by name. It is short only at the end. */
export function pageOver<Found>({ stored, nameOf, above }: PageOver<Found>, page: Page): Found[] {
  const { prefix, limit = 1000 } = page;
  const found: Found[] = [];
  const names = [...above.keys()].filter((name) => name.startsWith(prefix)).sort();
  let after = page.after;
  for (;;) {
    const below = limit > 0 ? stored({ prefix, limit, ...(after !== undefined && { after }) }) : [];
    const last = below.length === limit ? below.at(-1) : undefined;
    const end = last === undefined ? undefined : nameOf(last);
    const merged = new Map(below.map((each) => [nameOf(each), each] as const));
    for (const name of names) {
      if ((after !== undefined && name <= after) || (end !== undefined && name > end)) continue;
      const each = above.get(name);
      if (each === undefined) merged.delete(name);
      else merged.set(name, each);
    }
    found.push(...[...merged].sort(([a], [b]) => compareText(a, b)).map(([, each]) => each));
    if (found.length >= limit || end === undefined) return found.slice(0, limit);
    after = end;
  }
}

/** Rows of one replica, lowest version first; at most `limit`, and then the rest of the last version. */
export function sinceOver(
  stored: (version: number) => readonly StoredRow[],
  above: readonly StoredRow[],
  version: number,
  limit: number,
): readonly StoredRow[] {
  const below = stored(version);
  // A page of the tables that was cut ends with a whole version; what lies above and is later comes with the next.
  const end = below.length >= limit ? (below.at(-1)?.version ?? 0) : Number.POSITIVE_INFINITY;
  const merged = new Map(below.map((row) => [row.address, row]));
  for (const row of above) merged.delete(row.address);
  for (const row of above) if (row.version > version && row.version <= end) merged.set(row.address, row);
  const sorted = [...merged.values()].sort((a, b) => a.version - b.version || compareText(a.address, b.address));
  if (sorted.length === 0 && end < Number.POSITIVE_INFINITY) return sinceOver(stored, above, end, limit);
  const last = sorted[limit - 1];
  return last === undefined || limit < 1
    ? sorted.slice(0, Math.max(0, limit))
    : sorted.filter((row) => row.version <= last.version);
}
