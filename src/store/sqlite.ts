/**
 * The store in SQLite: the schema, the SQL, and what guards the stored bytes, for any synchronous SQLite driver (better-sqlite3 in a
 * worker, a Durable Object's own). It never opens a file, never sets a pragma, and never decides what a driver's error means.
 *
 * Invariants:
 *   Q1  Each row and record carries a checksum over everything in it. What fails it is refused (STORE_CORRUPT), never served.
 *   Q2  Every JavaScript string comes back as it went in, and SQLite's byte order of names is JavaScript's code unit order.
 *   Q3  A store written by a later format is refused (STORE_VERSION) before anything is read from it or written to it.
 */
import { CffbrwError } from '../error.ts';
import type { Page, Store, StoredRecord, StoredRow } from './store.ts';

export type SqliteValue = string | number | null;

export interface SqliteStatement {
  run(...values: SqliteValue[]): unknown;
  /** Result rows as objects by column name. */
  all(...values: SqliteValue[]): readonly unknown[];
}

export interface SqliteDriver {
  prepare(sql: string): SqliteStatement;
  /** Runs `work` in one transaction: all of it is durable when this returns, or nothing remains and this throws. */
  transaction(work: () => void): void;
}

/** The store's calls, each done when it returns. Errors of the driver pass through as they are. */
export interface SqliteTables {
  load(addresses: readonly string[]): StoredRow[][];
  commit(rows: readonly StoredRow[], records: readonly StoredRecord[]): void;
  forget(addresses: readonly string[]): void;
  scan(page: Page): string[];
  records(page: Page): { name: string; value: string }[];
  since(replica: string, version: number, limit?: number): StoredRow[];
  /** Rows of all addresses, a thousand at a time: those behind this one, by address and replica. */
  rowsAfter(last: StoredRow | undefined): StoredRow[];
  /** Reads everything and checks every checksum. Throws STORE_CORRUPT. */
  verify(): void;
}

export const sqliteFormat = 1;

/** Rows are clustered by address: a load reads neighbours. The index serves `since`, and is the second opinion of an integrity check. */
const indexSql = 'CREATE INDEX rows_by_version ON rows (replica, version, address)';
const schema = [
  `CREATE TABLE rows (address TEXT NOT NULL, replica TEXT NOT NULL, version INTEGER NOT NULL, checksum INTEGER NOT NULL, bytes TEXT NOT NULL,
    PRIMARY KEY (address, replica)) WITHOUT ROWID`,
  'CREATE TABLE records (name TEXT NOT NULL PRIMARY KEY, checksum INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID',
  'CREATE TABLE format (version INTEGER NOT NULL)',
];

const firstSurrogate = 0xd800;
const firstAstral = 0x10000;

/**
 * A name as it is stored (Q2). UTF-8 has no lone surrogates, and orders astral characters behind U+E000–U+FFFF, where code units do not. So
 * each code unit from U+D800 on is stored as the astral character U+10000 + (unit − U+D800): one to one, in order, and rare.
 */
export const encodeName = (text: string): string =>
  /[\ud800-\uffff]/.test(text)
    ? text.replace(/[\ud800-\uffff]/g, (unit) => String.fromCodePoint(firstAstral + unit.charCodeAt(0) - firstSurrogate))
    : text;

export const decodeName = (stored: string): string =>
  /[\ud800-\udfff]/.test(stored)
    ? stored.replace(/[\u{10000}-\u{127ff}]/gu, (astral) =>
        String.fromCharCode((astral.codePointAt(0) ?? 0) - firstAstral + firstSurrogate),
      )
    : stored;

const encodedMark = '\u0001';

/** A row's bytes or a record's value as it is stored (Q2): as it is, unless UTF-8 cannot hold it. */
const encodeValue = (text: string): string =>
  /[\ud800-\udfff]/u.test(text) || text.startsWith(encodedMark) ? encodedMark + encodeName(text) : text;

const decodeValue = (stored: string): string => (stored.startsWith(encodedMark) ? decodeName(stored.slice(1)) : stored);

/** Above every stored name that starts with the prefix. */
const endOf = (prefix: string): string => `${encodeName(prefix)}\u{10ffff}`;

/** FNV-1a (Fowler, Noll, Vo) over code units; each step is a bijection, so one changed unit is always seen. */
function addText(hash: number, text: string): number {
  let next = hash;
  for (let at = 0; at < text.length; at += 1) next = Math.imul(next ^ text.charCodeAt(at), 0x01000193);
  return Math.imul(next ^ text.length, 0x01000193);
}

const checksumOf = (first: string, ...texts: readonly string[]): number => texts.reduce(addText, addText(0x811c9dc5 | 0, first));

const rowChecksum = (row: StoredRow): number => checksumOf(row.bytes, row.address, row.replica, String(row.version));

function corrupt(what: string): CffbrwError {
  return new CffbrwError('STORE_CORRUPT', `${what} was changed after it was written: its checksum does not match`, {
    fix: 'Check this disk and its memory. Keep a copy of the store, then restore its latest backup, or start with an empty one: it gets from the backbone what was published.',
  });
}

type Columns = Readonly<Record<string, unknown>>;

const textIn = (columns: Columns, name: string): string => {
  const value = columns[name];
  if (typeof value !== 'string') throw corrupt(`a stored ${name}`);
  return value;
};

const nameIn = (columns: Columns, name: string): string => decodeName(textIn(columns, name));
const valueIn = (columns: Columns, name: string): string => decodeValue(textIn(columns, name));

function rowFrom(found: unknown): StoredRow {
  const columns = found as Columns;
  const row: StoredRow = {
    address: nameIn(columns, 'address'),
    replica: nameIn(columns, 'replica'),
    version: Number(columns.version),
    bytes: valueIn(columns, 'bytes'),
  };
  if (rowChecksum(row) !== columns.checksum) throw corrupt(`the row of ${row.replica} at ${row.address}`);
  return row;
}

function recordFrom(found: unknown): { name: string; value: string } {
  const columns = found as Columns;
  const record = { name: nameIn(columns, 'name'), value: valueIn(columns, 'value') };
  if (checksumOf(record.value, record.name) !== columns.checksum) throw corrupt(`the record ${record.name}`);
  return record;
}

/** Creates the tables where there are none. Writes nothing otherwise. */
function checkFormat(driver: SqliteDriver, indexed: boolean): void {
  const tables = driver
    .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('rows', 'records', 'format')`)
    .all();
  if (tables.length === 0) {
    driver.transaction(() => {
      for (const sql of indexed ? [...schema, indexSql] : schema) driver.prepare(sql).run();
      driver.prepare('INSERT INTO format (version) VALUES (?)').run(sqliteFormat);
    });
    return;
  }
  const [format] = tables.length === schema.length ? driver.prepare('SELECT version FROM format').all() : [];
  const version = (format as Columns | undefined)?.version;
  if (typeof version !== 'number' || version < 1) throw corrupt('the description of the store’s format');
  if (version > sqliteFormat) {
    throw new CffbrwError(
      'STORE_VERSION',
      `the store was written in format ${version}; this CFFBRW reads up to format ${sqliteFormat}`,
      {
        fix: 'Start the CFFBRW that wrote it, or a later one.',
      },
    );
  }
}

/** What bounds a page in SQL: from (inclusive), to (exclusive), and the one name to leave out. */
function bounds({ prefix, after, limit = 1000 }: Page): [from: string, to: string, except: string | null, limit: number] {
  const from = after !== undefined && after > prefix ? after : prefix;
  return [encodeName(from), endOf(prefix), after === undefined ? null : encodeName(after), Math.max(0, limit)];
}

export interface TablesOptions {
  /** Default true. Without the index `since` reads every row, and a row that changes costs one write instead of two. */
  readonly indexed?: boolean;
}

export function openTables(driver: SqliteDriver, { indexed = true }: TablesOptions = {}): SqliteTables {
  checkFormat(driver, indexed);
  const columns = 'address, replica, version, checksum, bytes';
  const page = (name: string): string => `${name} >= ? AND ${name} < ? AND ${name} IS NOT ? ORDER BY ${name} LIMIT ?`;
  const loadRows = driver.prepare(`SELECT ${columns} FROM rows WHERE address = ? ORDER BY replica`);
  const putRow = driver.prepare(`INSERT INTO rows (${columns}) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version, checksum = excluded.checksum, bytes = excluded.bytes`);
  const putRecord = driver.prepare(`INSERT INTO records (name, checksum, value) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET checksum = excluded.checksum, value = excluded.value`);
  const dropRecord = driver.prepare('DELETE FROM records WHERE name = ?');
  const dropRows = driver.prepare('DELETE FROM rows WHERE address = ?');
  const scanRows = driver.prepare(`SELECT DISTINCT address FROM rows WHERE ${page('address')}`);
  const scanRecords = driver.prepare(`SELECT name, checksum, value FROM records WHERE ${page('name')}`);
  const rowsSince = driver.prepare(
    `SELECT ${columns} FROM rows WHERE replica = ? AND version > ? ORDER BY version, address LIMIT ?`,
  );
  const rowsBehind = driver.prepare(
    `SELECT ${columns} FROM rows WHERE (address, replica) > (?, ?) ORDER BY address, replica LIMIT 1000`,
  );
  const rowsAt = driver.prepare(`SELECT ${columns} FROM rows WHERE replica = ? AND version = ? ORDER BY address`);

  const writeRecord = ({ name, value }: StoredRecord): void => {
    if (value === null) dropRecord.run(encodeName(name));
    else putRecord.run(encodeName(name), checksumOf(value, name), encodeValue(value));
  };

  return {
    load: (addresses) => addresses.map((address) => loadRows.all(encodeName(address)).map(rowFrom)),
    commit(rows, records) {
      driver.transaction(() => {
        for (const row of rows) {
          putRow.run(encodeName(row.address), encodeName(row.replica), row.version, rowChecksum(row), encodeValue(row.bytes));
        }
        for (const record of records) writeRecord(record);
      });
    },
    forget(addresses) {
      driver.transaction(() => {
        for (const address of addresses) dropRows.run(encodeName(address));
      });
    },
    scan: (wanted) => scanRows.all(...bounds(wanted)).map((found) => nameIn(found as Columns, 'address')),
    records: (wanted) => scanRecords.all(...bounds(wanted)).map(recordFrom),
    since(replica, version, limit = 1000) {
      const rows = rowsSince.all(encodeName(replica), version, Math.max(0, limit)).map(rowFrom);
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit) return rows;
      return [...rows.filter((row) => row.version < last.version), ...rowsAt.all(encodeName(replica), last.version).map(rowFrom)];
    },
    rowsAfter: (last) => rowsBehind.all(encodeName(last?.address ?? ''), encodeName(last?.replica ?? '')).map(rowFrom),
    verify() {
      let last: StoredRow | undefined;
      do {
        last = this.rowsAfter(last).at(-1);
      } while (last !== undefined);
      verifyRecords(driver);
    },
  };
}

function verifyRecords(driver: SqliteDriver): void {
  const records = driver.prepare('SELECT name, checksum, value FROM records WHERE name > ? LIMIT 1000');
  let name: string | undefined = '';
  while (name !== undefined) name = records.all(encodeName(name)).map(recordFrom).at(-1)?.name;
}

/** A store on a driver of this very thread: for Durable Objects, and for tests. `release` is called once, when it closes. */
export function sqliteStore(driver: SqliteDriver, release: () => void = () => {}): Store {
  const tables = openTables(driver);
  let closed = false;
  const open = (): SqliteTables => {
    if (closed) throw new CffbrwError('CLOSED', 'the store is closed', { fix: 'Open it again, or ask before closing it.' });
    return tables;
  };
  return {
    load: async (addresses) => open().load(addresses),
    commit: async (rows, records) => open().commit(rows, records),
    forget: async (addresses) => open().forget(addresses),
    scan: async (page) => open().scan(page),
    records: async (page) => open().records(page),
    since: async (replica, version, limit) => open().since(replica, version, limit),
    async close() {
      if (closed) return;
      closed = true;
      release();
    },
  };
}
