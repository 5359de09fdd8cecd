/** The worker thread of the store on Node.js: syncing to a disk blocks it, and never a request. Answers calls one by one, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { CffbrwError, invariant } from '../error.ts';
import { commitRecord } from '../replica/witness.ts';
import type { StoredRecord, StoredRow } from '../store/store.ts';
import { openDatabase, type StoreDatabase } from './store-database.ts';
import type { Answer, Call, FlatRecords, FlatRows, Opened, SqliteStoreOptions } from './store-protocol.ts';
import { refusalOf } from './store-protocol.ts';
import { openWitness, type WitnessFile, witnessPath } from './witness.ts';

interface Worker {
  readonly database: StoreDatabase;
  readonly witness: WitnessFile | null;
}

function rowsOf(flat: FlatRows): StoredRow[] {
  const rows: StoredRow[] = [];
  for (let at = 0; at < flat.length; at += 4) {
    const [address, replica, version, bytes] = flat.slice(at, at + 4) as [string, string, number, string];
    rows.push({ address, replica, version, bytes });
  }
  return rows;
}

function recordsOf(flat: FlatRecords): StoredRecord[] {
  const records: StoredRecord[] = [];
  for (let at = 0; at < flat.length; at += 2) records.push({ name: flat[at] ?? '', value: flat[at + 1] ?? null });
  return records;
}

function writeWitness(witness: WitnessFile | null, text: string): void {
  try {
    witness?.write(text);
  } catch (error) {
    throw new CffbrwError('STORE_FAILED', `the commit is kept, but its witness is not: ${(error as Error).message}`, {
      fix: 'Make the witness’s directory writable again, then repeat the request with the same idempotency key.',
    });
  }
}

function commit({ database, witness }: Worker, rows: FlatRows, flatRecords: FlatRecords): void {
  const records = recordsOf(flatRecords);
  database.write((tables) => tables.commit(rowsOf(rows), records));
  const text = records.find(({ name }) => name === commitRecord)?.value;
  if (typeof text === 'string') writeWitness(witness, text);
}

function close({ database, witness }: Worker): void {
  try {
    database.close();
  } finally {
    witness?.release();
  }
}

function perform(worker: Worker, call: Call): unknown {
  const { database, witness } = worker;
  switch (call[0]) {
    case 'load':
      return database.use((tables) => tables.load(call[1]));
    case 'commit':
      return commit(worker, call[1], call[2]);
    case 'forget':
      return database.write((tables) => tables.forget(call[1]));
    case 'scan':
      return database.use((tables) => tables.scan(call[1]));
    case 'records':
      return database.use((tables) => tables.records(call[1]));
    case 'since':
      return database.use((tables) => tables.since(call[1], call[2], call[3]));
    case 'witness':
      return writeWitness(witness, call[1]);
    case 'release':
      return witness?.release();
    case 'verify':
      return database.verify();
    case 'close':
      return close(worker);
  }
}

function answerTo(work: () => unknown): Answer {
  try {
    return [true, work()];
  } catch (error) {
    const known = error instanceof CffbrwError ? error : new CffbrwError('STORE_FAILED', `the store failed: ${String(error)}`);
    return [false, refusalOf(known)];
  }
}

function open(options: SqliteStoreOptions): Worker {
  const database = openDatabase(options);
  if (options.witness === null) return { database, witness: null };
  return { database, witness: openWitness(options.witness ?? witnessPath(options.directory), options) };
}

function start(): void {
  invariant(parentPort !== null, 'D2', 'the store’s worker was started as a program');
  const port = parentPort;
  let worker: Worker | undefined;
  const opened = answerTo((): Opened => {
    worker = open(workerData as SqliteStoreOptions);
    return { witness: worker.witness?.state ?? 'missing', witnessProblem: worker.witness?.problem ?? null };
  });
  port.postMessage(opened);
  if (worker === undefined) return;
  const ready = worker;
  port.on('message', (call: Call) => {
    port.postMessage(answerTo(() => perform(ready, call)));
    if (call[0] === 'close') port.close();
  });
}

start();
