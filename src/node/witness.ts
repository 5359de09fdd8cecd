/**
 * The witness in files: `<path>` holds the text, `<path>.lock` the lock. It lives in the store's worker: a text is written after the commit
 * that it speaks of and before that commit is answered.
 *
 * The text is one small block, written in place: a write needs no free space, and the checksum tells a torn one (W3). The lock is SQLite's
 * own on an empty database, because Node.js has no other that the system takes back when the process is killed (W2).
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fdatasyncSync, mkdirSync, openSync, readSync, realpathSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { Witness } from '../replica/witness.ts';

const blockBytes = 512;

export interface WitnessFile {
  readonly state: ReturnType<Witness['state']>;
  /** Why nothing can be written (no such directory, no permission), or null. */
  readonly problem: string | null;
  /** Synchronous. Does nothing when it is locked or has a problem. Throws what the disk says. */
  write(text: string): void;
  release(): void;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Where the witness of a data directory is by default: under the user's state directory, outside any backup of the data. */
export function witnessPath(directory: string, environment: NodeJS.ProcessEnv = process.env): string {
  const state = environment.XDG_STATE_HOME || join(homedir(), '.local', 'state');
  return join(state, 'cffbrw', 'witness', sha256(realpathSync(directory)).slice(0, 32));
}

function blockOf(text: string): Buffer {
  const line = `${JSON.stringify(text)}\n`;
  const block = Buffer.alloc(Math.ceil((Buffer.byteLength(line) + 65) / blockBytes) * blockBytes);
  block.write(`${sha256(line)}\n${line}`);
  return block;
}

function textOf(block: string): string | null {
  const [checksum, line] = block.split('\n');
  if (line === undefined || checksum !== sha256(`${line}\n`)) return null;
  return JSON.parse(line) as string;
}

/** Undefined: another process has it. */
function lock(path: string): Database.Database | undefined {
  const database = new Database(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined;
    throw error;
  }
}

function readBlock(file: number): string {
  const block = Buffer.alloc(64 * blockBytes);
  return block.toString('utf8', 0, readSync(file, block, 0, block.length, 0));
}

const idle = (state: 'missing' | 'locked', problem: string | null): WitnessFile => ({
  state,
  problem,
  write: () => {},
  release: () => {},
});

/**
 * `syncWitness: false` leaves a power cut the texts of the last seconds: the store is then found far ahead of its witness, which proves
 * nothing (W4), and the rights of its bounded counters stay locked. It saves the smaller of a commit's two syncs.
 */
export function openWitness(path: string, { syncWitness = true }: { readonly syncWitness?: boolean } = {}): WitnessFile {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const held = lock(`${path}.lock`);
    if (held !== undefined) return heldWitness(held, file, syncWitness);
    closeSync(file);
    return idle('locked', `another process holds ${path}`);
  } catch (error) {
    return idle('missing', `${path} cannot be used: ${(error as Error).message}`);
  }
}

function heldWitness(held: Database.Database, file: number, sync: boolean): WitnessFile {
  const text = textOf(readBlock(file));
  let released = false;
  return {
    state: text === null ? 'missing' : { text },
    problem: null,
    write(next) {
      if (released) return;
      const block = blockOf(next);
      writeSync(file, block, 0, block.length, 0);
      if (sync) fdatasyncSync(file);
    },
    release() {
      if (released) return;
      released = true;
      closeSync(file);
      held.close();
    },
  };
}
