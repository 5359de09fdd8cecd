/** The synchronous SQLite of an object as a driver of the shared SQL, and a meter of what is billed. */
import { CffbrwError } from '../error.ts';
import type { SqliteDriver, SqliteValue } from '../store/sqlite.ts';
import type { ObjectStorage } from './bindings.ts';

/** Counted since the object began. */
export interface Usage {
  requests: number;
  rowsRead: number;
  rowsWritten: number;
  /** Each is a row written, too. */
  alarmsSet: number;
  /** Each is a request, too. */
  alarms: number;
}

export const emptyUsage = (): Usage => ({ requests: 0, rowsRead: 0, rowsWritten: 0, alarmsSet: 0, alarms: 0 });

export const objectDriver = (storage: ObjectStorage, usage: Usage): SqliteDriver => ({
  prepare(text) {
    const all = (...values: SqliteValue[]) => {
      const cursor = storage.sql.exec(text, ...values);
      const rows = cursor.toArray();
      usage.rowsRead += cursor.rowsRead;
      usage.rowsWritten += cursor.rowsWritten;
      return rows;
    };
    return { all, run: all };
  },
  transaction: (work) => storage.transactionSync(work),
});

/** What the platform says has no codes, only texts. */
export function asStoreError(error: unknown): CffbrwError {
  if (error instanceof CffbrwError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/SQLITE_FULL|storage limit/i.test(text)) {
    return new CffbrwError('DISK_FULL', 'the storage of this object is full: nothing was written', {
      cause: error,
      fix: 'An object holds 10 GB. Remove keys, or shorten `keep` of windowed variables.',
    });
  }
  return new CffbrwError('STORE_FAILED', `the storage of this object failed: ${text}`, {
    cause: error,
    fix: 'Whether the write is there is unknown. The object starts again by itself.',
  });
}
