/**
 * Values that are longer than a value of an object may be (2 MB): they are kept in parts, as records that nobody else sees. In the place of
 * the value stands how many there are.
 */
import type { SqliteTables } from '../store/sqlite.ts';
import type { Page, StoredRecord, StoredRow } from '../store/store.ts';

/** At most three bytes each: well below the limit. */
const partLength = 500_000;
const mark = '\u0002';

/** Names below it are ours: no record of a caller begins so. */
export const hiddenPrefix = '\u0000\u0000cffbrw/';
const partPrefix = `${hiddenPrefix}part/`;

export interface PartedTables {
  load(address: string): readonly StoredRow[];
  commit(rows: readonly StoredRow[], records: readonly StoredRecord[]): void;
  forget(addresses: readonly string[]): void;
  scan(page: Page): readonly string[];
  records(page: Page): readonly { readonly name: string; readonly value: string }[];
  since(replica: string, version: number, limit?: number): readonly StoredRow[];
  rowsAfter(last: StoredRow | undefined): readonly StoredRow[];
}

export function partedTables(tables: SqliteTables): PartedTables {
  /** How many parts each long value has. */
  const parts = new Map<string, number>();
  for (let after = ''; ; ) {
    const page = tables.records({ prefix: partPrefix, after });
    for (const { name } of page) {
      const owner = name.slice(partPrefix.length, name.lastIndexOf('/'));
      parts.set(owner, (parts.get(owner) ?? 0) + 1);
    }
    after = page.at(-1)?.name ?? '';
    if (page.length === 0) break;
  }

  const whole = (owner: string, value: string): string => {
    if (!value.startsWith(mark)) return value;
    const texts = Array.from({ length: Number(value.slice(1)) }, (_, index) => {
      const name = partName(owner, index);
      return tables.records({ prefix: name, limit: 1 })[0]?.value ?? '';
    });
    return texts.join('');
  };
  /** What stands in the place of the value, and what else has to be written. */
  const split = (owner: string, value: string | null, out: StoredRecord[]): string | null => {
    const count =
      value !== null && (value.length > partLength || value.startsWith(mark)) ? Math.ceil(value.length / partLength) : 0;
    const before = parts.get(owner) ?? 0;
    for (let index = 0; index < Math.max(count, before); index += 1) {
      const text = index < count ? (value ?? '').slice(index * partLength, (index + 1) * partLength) : null;
      out.push({ name: partName(owner, index), value: text });
    }
    return count === 0 ? value : `${mark}${count}`;
  };
  const note = (owner: string, value: string | null): void => {
    if (value?.startsWith(mark)) parts.set(owner, Number(value.slice(1)));
    else parts.delete(owner);
  };
  const wholeRow = (row: StoredRow): StoredRow =>
    row.bytes.startsWith(mark) ? { ...row, bytes: whole(rowOwner(row), row.bytes) } : row;

  return {
    load: (address) => (tables.load([address])[0] ?? []).map(wholeRow),
    commit(rows, records) {
      const more: StoredRecord[] = [];
      const keptRows = rows.map((row) => ({ ...row, bytes: split(rowOwner(row), row.bytes, more) ?? '' }));
      const keptRecords = records.map(({ name, value }) => ({ name, value: split(recordOwner(name), value, more) }));
      tables.commit(keptRows, [...keptRecords, ...more]);
      for (const row of keptRows) note(rowOwner(row), row.bytes);
      for (const { name, value } of keptRecords) note(recordOwner(name), value);
    },
    forget(addresses) {
      const long = addresses.flatMap((address) => tables.load([address])[0] ?? []).filter(({ bytes }) => bytes.startsWith(mark));
      tables.forget(addresses);
      const more: StoredRecord[] = [];
      for (const row of long) split(rowOwner(row), null, more);
      if (more.length > 0) tables.commit([], more);
      for (const row of long) parts.delete(rowOwner(row));
    },
    scan: tables.scan,
    records(page) {
      const found: { readonly name: string; readonly value: string }[] = [];
      const { limit = 1000 } = page;
      for (let next = page; ; ) {
        const stored = tables.records(next);
        for (const { name, value } of stored) {
          if (name.startsWith(hiddenPrefix) && !page.prefix.startsWith(hiddenPrefix)) continue;
          found.push({ name, value: whole(recordOwner(name), value) });
        }
        if (stored.length < limit || found.length >= limit) return found.slice(0, limit);
        next = { ...page, after: stored.at(-1)?.name ?? '' };
      }
    },
    rowsAfter: (last) => tables.rowsAfter(last).map(wholeRow),
    since: (replica, version, limit) => tables.since(replica, version, limit).map(wholeRow),
  };
}

const rowOwner = ({ address, replica }: StoredRow): string => `row/${JSON.stringify([address, replica])}`;
const recordOwner = (name: string): string => `record/${JSON.stringify(name)}`;
const partName = (owner: string, index: number): string => `${partPrefix}${owner}/${String(index).padStart(6, '0')}`;
