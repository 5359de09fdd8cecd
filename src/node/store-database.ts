/**
 * The SQLite file on Node.js: opens it, keeps it safe, opens it again when it failed. It runs in the store's worker and blocks it.
 *
 * Invariants:
 *   D1  No commit returns before its bytes are synced: WAL with synchronous=FULL, asserted after the first write, because a driver's
 *       default can lower it when the journal mode changes.
 *   D2  One process has the file open. The lock is SQLite's own, so the system takes it back when the process is killed.
 *   D3  After a failed sync nothing is acknowledged on top of what may not be on the disk: the file is opened again, and the log is copied
 *       into it, synced and emptied, before the next commit.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { CffbrwError, invariant } from '../error.ts';
import { openTables, type SqliteDriver, type SqliteTables } from '../store/sqlite.ts';
import { storeFailure } from './store-failure.ts';
import { fileName } from './store-protocol.ts';

export interface DatabaseOptions {
  readonly directory: string;
  /** Pages (1 KiB) that the file may have. For tests of a full disk. */
  readonly maxPages?: number | undefined;
  /** Puts something between us and SQLite. For tests of failing disks. */
  readonly wrap?: (driver: SqliteDriver) => SqliteDriver;
}

/** Runs work on the tables; throws CffbrwError alone. */
export interface StoreDatabase {
  use<Result>(work: (tables: SqliteTables) => Result): Result;
  /** As `use`, for work that writes (D1, D3). */
  write(work: (tables: SqliteTables) => void): void;
  /** Checks every page, index entry and checksum. Takes seconds per million rows. */
  verify(): void;
  close(): void;
}

interface Connection {
  readonly database: Database.Database;
  readonly tables: SqliteTables;
  /** The log of an earlier connection is in the file, synced (D3). */
  settled: boolean;
  asserted: boolean;
}

const oldestSqlite = [3, 51, 3] as const;

/**
 * The lock comes first: after anything else was read, SQLite shares the log with other processes (D2), and only a write would find them.
 *
 * Pages are small, because rows are: a flush of a thousand keys that lie far apart writes a thousand pages. For the same reason the log may
 * grow to 16 MiB before it is copied into the file: copying it after every such flush cost more than the flush. 4 MiB of pages are kept in
 * memory, because the system caches the file as well; a log that grew in a burst is cut back.
 */
const pragmas = [
  'locking_mode = EXCLUSIVE',
  'page_size = 1024',
  'journal_mode = WAL',
  'wal_autocheckpoint = 16384',
  'synchronous = FULL',
  'fullfsync = ON',
  'checkpoint_fullfsync = ON',
  'cell_size_check = ON',
  'cache_size = -4096',
  'journal_size_limit = 16777216',
];

function assertVersion(database: Database.Database): void {
  const version = String(database.prepare('SELECT sqlite_version()').pluck().get());
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const [oldMajor, oldMinor, oldPatch] = oldestSqlite;
  const order = major - oldMajor || minor - oldMinor || patch - oldPatch;
  if (order >= 0) return;
  throw new CffbrwError('STORE_FAILED', `this SQLite is ${version}; ${oldestSqlite.join('.')} is the oldest whose log is safe`, {
    fix: 'Install better-sqlite3 12.11 or later.',
  });
}

/** A new directory is durable when its parent is synced; the same holds for each new parent. */
function makeDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined || process.platform === 'win32') return;
  for (let at = directory; at.length >= first.length; at = dirname(at)) {
    const handle = openSync(dirname(at), 'r');
    fsyncSync(handle);
    closeSync(handle);
  }
}

function driverOf(database: Database.Database): SqliteDriver {
  const run = database.transaction((work: () => void) => work());
  return {
    prepare: (sql) => {
      const statement = database.prepare<unknown[], unknown>(sql);
      return { run: (...values) => statement.run(...values), all: (...values) => statement.all(...values) };
    },
    transaction: (work) => run.immediate(work),
  };
}

/** Copies the log into the file, syncs it, empties the log. Throws when the disk refuses. */
function settle(connection: Connection): void {
  if (connection.settled) return;
  connection.database.pragma('wal_checkpoint(TRUNCATE)');
  connection.settled = true;
}

/** A full disk stops no reads: the first commit that finds space settles then. */
function settleIfSpace(connection: Connection): void {
  try {
    settle(connection);
  } catch (error) {
    if ((error as { code?: string }).code !== 'SQLITE_FULL') throw error;
  }
}

function connect(file: string, { maxPages, wrap = (driver) => driver }: DatabaseOptions): Connection {
  const database = new Database(file, { timeout: 250 });
  try {
    for (const pragma of pragmas) database.pragma(pragma);
    assertVersion(database);
    if (maxPages !== undefined) database.pragma(`max_page_count = ${maxPages}`);
    const connection = { database, tables: openTables(wrap(driverOf(database))), settled: false, asserted: false };
    settleIfSpace(connection);
    return connection;
  } catch (error) {
    database.close();
    throw error;
  }
}

function assertSafe(connection: Connection): void {
  if (connection.asserted) return;
  invariant(connection.database.pragma('synchronous', { simple: true }) === 2, 'D1', 'SQLite does not sync each commit');
  invariant(
    connection.database.pragma('journal_mode', { simple: true }) === 'wal',
    'D1',
    'SQLite does not use its write-ahead log',
  );
  connection.asserted = true;
}

function checkPages(database: Database.Database): void {
  const found = database.prepare('PRAGMA integrity_check(1)').pluck().get();
  if (found !== 'ok') throw Object.assign(new Error(String(found)), { code: 'SQLITE_CORRUPT' });
}

export function openDatabase(options: DatabaseOptions): StoreDatabase {
  const file = join(options.directory, fileName);
  let connection: Connection | null = null;

  const drop = (): void => {
    try {
      connection?.database.close();
    } finally {
      connection = null;
    }
  };

  /** Says what went wrong; after a failure that leaves the outcome open, the file has been opened again, or the next call tries to. */
  const refuse = (error: unknown): never => {
    const failure = storeFailure(error, file);
    if (failure.reopen) {
      try {
        drop();
        connection = connect(file, options);
      } catch {
        // The next call tries again, and says what it finds.
      }
    }
    throw failure.error;
  };

  const guard = <Result>(work: (current: Connection) => Result): Result => {
    try {
      connection ??= connect(file, options);
      return work(connection);
    } catch (error) {
      return refuse(error);
    }
  };

  try {
    makeDirectory(options.directory);
  } catch (error) {
    throw new CffbrwError('STORE_FAILED', `${options.directory} cannot be created: ${(error as Error).message}`, {
      fix: 'Make its parent writable for this user, or name another data directory.',
    });
  }
  guard(() => {});

  return {
    use: (work) => guard(({ tables }) => work(tables)),
    write: (work) =>
      guard((current) => {
        settle(current);
        work(current.tables);
        assertSafe(current);
      }),
    verify: () =>
      guard(({ database, tables }) => {
        checkPages(database);
        tables.verify();
      }),
    close: drop,
  };
}
