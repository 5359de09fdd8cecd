/** Stores for tests: in memory, in SQLite on this thread, in SQLite behind its worker. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openSqliteStore } from '../../src/node/store.ts';
import type { SqliteDriver } from '../../src/store/sqlite.ts';
import { sqliteStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

const made: string[] = [];

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cffbrw-store-'));
  made.push(directory);
  return directory;
}

export function removeDirectories(): void {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export function driverOver(database: Database.Database): SqliteDriver {
  return {
    prepare: (sql) => {
      const statement = database.prepare<unknown[], unknown>(sql);
      return { run: (...values) => statement.run(...values), all: (...values) => statement.all(...values) };
    },
    transaction: (work) => database.transaction(work)(),
  };
}

export async function inThread(): Promise<Store> {
  const database = new Database(':memory:');
  return sqliteStore(driverOver(database), () => database.close());
}

export async function inWorker(directory: string): Promise<Store> {
  return (await openSqliteStore({ directory, witness: null })).store;
}

/** A small disk of our own, where this user may mount one. */
export function smallDisk(): { readonly path: string; readonly unmount: () => void } | null {
  const path = newDirectory();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'cffbrw-test', path], { stdio: 'ignore' });
    return { path, unmount: () => execFileSync('umount', [path]) };
  } catch {
    return null;
  }
}
