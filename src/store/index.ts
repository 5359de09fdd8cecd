export { memoryStore } from './memory.ts';
export type { Page, Store, StoredRecord, StoredRow } from './store.ts';
