export { memoryStore } from './memory.ts';
export type { SqliteDriver, SqliteStatement, SqliteTables, SqliteValue } from './sqlite.ts';
export { openTables, sqliteFormat, sqliteStore } from './sqlite.ts';
export type { Page, Store, StoredRecord, StoredRow } from './store.ts';
