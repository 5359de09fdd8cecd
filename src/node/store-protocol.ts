/**
 * What the store and its worker say to each other. One message each way per call; calls are answered in the order in which they came, so a
 * message needs no number.
 */
import type { CffbrwError, ErrorCode } from '../error.ts';
import type { Witness } from '../replica/witness.ts';
import type { Page } from '../store/store.ts';

export interface SqliteStoreOptions {
  /** Where the data is. Made if it is not there. One process at a time. */
  readonly directory: string;
  /** Where the witness is: outside the data directory. Default: `witnessPath(directory)`. null: none, and so never a proof. */
  readonly witness?: string | null;
  /** Whether each witness is synced to its disk. Default true. */
  readonly syncWitness?: boolean;
  /** Pages (1 KiB) that the file may have. For tests of a full disk. */
  readonly maxPages?: number;
}

/** The database in that directory. */
export const fileName = 'cffbrw.db';

/** Rows as one flat list, four entries each, and records, two each: objects would carry the names of their fields along. */
export type FlatRows = readonly (string | number)[];
export type FlatRecords = readonly (string | null)[];

export type Call =
  | readonly [name: 'load', addresses: readonly string[]]
  | readonly [name: 'commit', rows: FlatRows, records: FlatRecords]
  | readonly [name: 'forget', addresses: readonly string[]]
  | readonly [name: 'scan', page: Page]
  | readonly [name: 'records', page: Page]
  | readonly [name: 'since', replica: string, version: number, limit: number | undefined]
  | readonly [name: 'witness', text: string]
  | readonly [name: 'release']
  | readonly [name: 'verify']
  | readonly [name: 'close'];

/** The first answer, which nobody asked for: the store is open. */
export interface Opened {
  readonly witness: ReturnType<Witness['state']>;
  readonly witnessProblem: string | null;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string | undefined;
}

export type Answer = readonly [ok: true, result: unknown] | readonly [ok: false, refusal: Refusal];

export const refusalOf = ({ code, message, fix }: CffbrwError): Refusal => ({ code, message, fix });
