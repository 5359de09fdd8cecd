/**
 * The store on Node.js: SQLite in a worker thread, and its witness. This side only passes calls on; an idle store does not keep the process
 * alive, one with calls in flight does.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CffbrwError } from '../error.ts';
import { commitRecord, type Witness } from '../replica/witness.ts';
import type { Store, StoredRecord, StoredRow } from '../store/store.ts';
import { type Line, lineTo } from './store-line.ts';
import type { Call, FlatRecords, FlatRows, Opened, SqliteStoreOptions } from './store-protocol.ts';

export type { SqliteStoreOptions } from './store-protocol.ts';

export interface SqliteStore {
  readonly store: Store;
  /** Written by the store itself with each commit that has a record `commitRecord`. Released by `store.close()` too. */
  readonly witness: Witness;
  /** Why there is no usable witness, or null. */
  readonly witnessProblem: string | null;
  /** Resolves with why, when its worker has died: every call is refused from then on, and only a new process opens it again. */
  readonly lost: Promise<CffbrwError>;
  /** Reads the whole store and checks it. Seconds per million rows, during which other calls wait. Throws STORE_CORRUPT. */
  verify(): Promise<void>;
}

/** In `dist` the worker is a bundle like this one, one folder deep. Under tsx and vitest both are TypeScript, and the worker loads tsx first. */
function startWorker(options: SqliteStoreOptions): Worker {
  const settings = { workerData: options, name: 'cffbrw store', execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: 4 } };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('../node/store-worker.js', import.meta.url), settings);
  const tsx = new URL('dist/esm/api/index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))).href;
  const file = new URL('./store-worker.ts', import.meta.url).href;
  const start = `import('${tsx}').then(({ register }) => { register(); return import('${file}'); })`;
  return new Worker(start, { ...settings, eval: true });
}

/** Objects would be copied with the names of their fields, one by one: flat lists cost half. */
const flatRows = (rows: readonly StoredRow[]): FlatRows => {
  const flat: (string | number)[] = [];
  for (const { address, replica, version, bytes } of rows) flat.push(address, replica, version, bytes);
  return flat;
};

const flatRecords = (records: readonly StoredRecord[]): FlatRecords => {
  const flat: (string | null)[] = [];
  for (const { name, value } of records) flat.push(name, value);
  return flat;
};

/** The worker as its two users see it, the store and the witness. */
interface Client {
  ask<Result>(call: Call): Promise<Result>;
  close(): Promise<void>;
  readonly closed: boolean;
  /** The last text that the worker wrote to the witness. */
  witnessed: string | null;
}

function clientOf(line: Line): Client {
  let closing: Promise<void> | null = null;
  const end = async (): Promise<void> => {
    await line.call(['close']);
    await line.ended;
  };
  return {
    witnessed: null,
    get closed() {
      return closing !== null;
    },
    async ask<Result>(call: Call) {
      if (closing !== null)
        throw new CffbrwError('CLOSED', 'the store is closed', { fix: 'Open it again, or ask before closing it.' });
      return (await line.call(call)) as Result;
    },
    close() {
      closing ??= end();
      return closing;
    },
  };
}

function storeOver(client: Client): Store {
  return {
    load: (addresses) => client.ask(['load', addresses]),
    async commit(rows, records) {
      const text = records.find(({ name }) => name === commitRecord)?.value;
      await client.ask(['commit', flatRows(rows), flatRecords(records)]);
      if (typeof text === 'string') client.witnessed = text;
    },
    forget: (addresses) => client.ask(['forget', addresses]),
    scan: (page) => client.ask(['scan', page]),
    records: (page) => client.ask(['records', page]),
    since: (replica, version, limit) => client.ask(['since', replica, version, limit]),
    close: () => client.close(),
  };
}

const witnessOver = (client: Client, opened: Opened): Witness => ({
  state: () => opened.witness,
  async write(text) {
    if (opened.witness === 'locked' || client.witnessed === text) return;
    await client.ask(['witness', text]);
    client.witnessed = text;
  },
  async release() {
    if (!client.closed) await client.ask(['release']);
  },
});

/**
 * Opens (or makes) the store in a directory. Rejects with STORE_FAILED (another process has it, no permission), STORE_CORRUPT,
 * STORE_VERSION or DISK_FULL (a new store on a full disk).
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const line = lineTo(startWorker(options));
  const opened = (await line.opened) as Opened;
  const client = clientOf(line);
  return {
    store: storeOver(client),
    witness: witnessOver(client, opened),
    witnessProblem: opened.witnessProblem,
    lost: line.lost,
    verify: () => client.ask(['verify']),
  };
}
