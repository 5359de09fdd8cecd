/** What SQLite and the disk say, in CFFBRW's words: what happened, to which file, and what to do. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { CffbrwError, type ErrorCode } from '../error.ts';

export interface StoreFailure {
  readonly error: CffbrwError;
  /** The connection may no longer know what is on the disk: it has to be opened again. */
  readonly reopen: boolean;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  readonly fix: string;
  readonly reopen?: boolean;
}

const full: Meaning = {
  code: 'DISK_FULL',
  what: 'the disk is full (or its quota is used up)',
  fix: 'Free some space. Reads go on meanwhile, and writes succeed again by themselves.',
};

const readOnly: Meaning = {
  code: 'STORE_FAILED',
  what: 'the file or its disk is read-only',
  fix: 'Make the data directory writable for this user, or name another one.',
  reopen: true,
};

/** By the start of SQLite's code: the first that fits. */
const meanings: readonly (readonly [start: string, meaning: Meaning])[] = [
  ['SQLITE_FULL', full],
  [
    'SQLITE_BUSY',
    {
      code: 'STORE_FAILED',
      what: 'another process has it open',
      fix: 'Stop that process, or give this one a data directory of its own: two may never share one.',
    },
  ],
  ['SQLITE_READONLY', readOnly],
  ['SQLITE_CANTOPEN', { ...readOnly, what: 'it cannot be opened or created' }],
  [
    'SQLITE_NOTADB',
    {
      code: 'STORE_CORRUPT',
      what: 'this is not a store of CFFBRW, or its beginning was destroyed',
      fix: 'Name another data directory, or restore the latest backup of this one.',
    },
  ],
  [
    'SQLITE_CORRUPT',
    {
      code: 'STORE_CORRUPT',
      what: 'its pages contradict each other',
      fix: 'Stop, check the disk, keep a copy of the directory, then restore its latest backup, or start with an empty directory: it gets from the backbone what was published.',
    },
  ],
  ['SQLITE_TOOBIG', { code: 'TOO_LARGE', what: 'a value is larger than SQLite keeps (1 GB)', fix: 'Store a smaller value.' }],
  [
    'SQLITE_IOERR',
    {
      code: 'STORE_FAILED',
      what: 'the disk refused to read, write or sync',
      fix: 'Whether the write was kept is unknown: repeat it with the same idempotency key. Then check the disk.',
      reopen: true,
    },
  ],
];

const other: Meaning = {
  code: 'STORE_FAILED',
  what: 'SQLite failed',
  fix: 'Repeat the request with the same idempotency key; restart when it stays so.',
  reopen: true,
};

/**
 * What a small write beside the store says. SQLite tells a used-up quota, and a disk that turned read-only, like any failed write. Full can
 * only be said of a write: it failed before the commit's last frame, so nothing was kept; after a failed sync the outcome is open.
 */
function probe(file: string, code: string): Meaning | undefined {
  const path = `${file}.probe`;
  try {
    const handle = openSync(path, 'w');
    try {
      writeSync(handle, Buffer.alloc(65_536));
      fdatasyncSync(handle);
    } finally {
      closeSync(handle);
      rmSync(path, { force: true });
    }
  } catch (error) {
    const refused = (error as NodeJS.ErrnoException).code;
    if (refused === 'EROFS') return readOnly;
    if (code === 'SQLITE_IOERR_WRITE' && (refused === 'ENOSPC' || refused === 'EDQUOT')) return { ...full, reopen: true };
  }
  return undefined;
}

export function storeFailure(error: unknown, file: string): StoreFailure {
  if (error instanceof CffbrwError) return { error, reopen: false };
  const code = String((error as { code?: unknown }).code ?? '');
  const known = meanings.find(([start]) => code.startsWith(start))?.[1] ?? other;
  const meaning = code.startsWith('SQLITE_IOERR') ? (probe(file, code) ?? known) : known;
  const detail = error instanceof Error ? ` (${code === '' ? '' : `${code}: `}${error.message})` : '';
  return {
    error: new CffbrwError(meaning.code, `${file}: ${meaning.what}${detail}`, { fix: meaning.fix }),
    reopen: meaning.reopen ?? false,
  };
}
