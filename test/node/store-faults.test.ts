import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { openSqliteStore } from '../../src/node/store.ts';
import { type DatabaseOptions, openDatabase } from '../../src/node/store-database.ts';
import { fileName } from '../../src/node/store-protocol.ts';
import type { SqliteDriver } from '../../src/store/sqlite.ts';
import type { StoredRow } from '../../src/store/store.ts';
import { newDirectory, removeDirectories, smallDisk } from '../store/places.ts';

afterAll(removeDirectories);

const runs = 100 * Number(process.env.CFFBRW_RUNS ?? 1);

const row = (address: string, version: number, bytes = `{"v":${version}}`): StoredRow => ({
  address,
  replica: 'x',
  version,
  bytes,
});

function refusal(work: () => unknown): CffbrwError {
  try {
    work();
  } catch (error) {
    if (error instanceof CffbrwError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const versionOf = (options: DatabaseOptions, address: string): number | undefined => {
  const database = openDatabase(options);
  const found = database.use((tables) => tables.load([address])[0]?.[0]?.version);
  database.close();
  return found;
};

/** Commits larger and larger values until one is refused; says what it was refused with and what the last kept version is. */
async function fill(store: Awaited<ReturnType<typeof openSqliteStore>>['store']): Promise<{ kept: number; code: string }> {
  for (let version = 1; version < 10_000; version += 1) {
    try {
      await store.commit([row('a', version, 'x'.repeat(version * 1000)), row(`b${version}`, version, 'x'.repeat(50_000))], []);
    } catch (error) {
      return { kept: version - 1, code: (error as CffbrwError).code };
    }
  }
  throw new Error('the disk never filled up');
}

describe('a full disk', () => {
  test('a file that may not grow refuses the commit with DISK_FULL, keeps none of it, and goes on reading', async () => {
    const { store } = await openSqliteStore({ directory: newDirectory(), witness: null, maxPages: 800 });
    const { kept, code } = await fill(store);
    expect(code).toBe('DISK_FULL');
    expect((await store.load(['a']))[0]?.[0]?.version).toBe(kept);
    expect((await store.load([`b${kept + 1}`]))[0]).toEqual([]);
    await store.forget(Array.from({ length: kept }, (_, at) => `b${at + 1}`));
    await store.commit([row('a', kept + 2)], []);
    expect((await store.load(['a']))[0]?.[0]?.version).toBe(kept + 2);
    await store.close();
  });

  test('a disk without space refuses with DISK_FULL, and commits succeed again by themselves when there is some', async (context) => {
    const disk = smallDisk();
    if (disk === null) return context.skip('this user may not mount a disk');
    try {
      const ballast = join(disk.path, 'ballast');
      writeFileSync(ballast, Buffer.alloc(2_000_000));
      const directory = join(disk.path, 'data');
      const { store } = await openSqliteStore({ directory, witness: null });
      const { kept, code } = await fill(store);
      expect(code).toBe('DISK_FULL');
      expect((await store.load(['a']))[0]?.[0]?.version).toBe(kept);
      truncateSync(ballast);
      await store.commit([row('a', kept + 2)], []);
      await store.close();
      expect(versionOf({ directory }, 'a')).toBe(kept + 2);
    } finally {
      disk.unmount();
    }
  });

  test('a store whose disk is full opens, and reads', async (context) => {
    const disk = smallDisk();
    if (disk === null) return context.skip('this user may not mount a disk');
    try {
      const directory = join(disk.path, 'data');
      const first = await openSqliteStore({ directory, witness: null });
      const { kept } = await fill(first.store);
      await first.store.close();
      expect(() => writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(4_000_000))).toThrow(/ENOSPC/);
      const again = await openSqliteStore({ directory, witness: null });
      expect((await again.store.load(['a']))[0]?.[0]?.version).toBe(kept);
      await expect(again.store.commit([row('c', 1, 'x'.repeat(1_000_000))], [])).rejects.toMatchObject({ code: 'DISK_FULL' });
      await again.store.close();
    } finally {
      disk.unmount();
    }
  });
});

describe('a failing disk', () => {
  /** The commit happens, and then its sync is said to have failed: the outcome is open. */
  const failing =
    (code: string, when: () => boolean) =>
    (driver: SqliteDriver): SqliteDriver => ({
      ...driver,
      transaction(work) {
        driver.transaction(work);
        if (when()) throw Object.assign(new Error('disk I/O error'), { code });
      },
    });

  test('a failed sync is STORE_FAILED with a retry under the same key, and the store was opened again before it says so', () => {
    let fail = false;
    let connections = 0;
    const wrap = (driver: SqliteDriver): SqliteDriver => {
      connections += 1;
      return failing('SQLITE_IOERR_FSYNC', () => fail)(driver);
    };
    const database = openDatabase({ directory: newDirectory(), wrap });
    database.write((tables) => tables.commit([row('a', 1)], []));
    fail = true;
    const error = refusal(() => database.write((tables) => tables.commit([row('a', 2)], [])));
    expect(error).toMatchObject({ code: 'STORE_FAILED' });
    expect(connections).toBe(2);
    fail = false;
    expect([1, 2]).toContain(database.use((tables) => tables.load(['a'])[0]?.[0]?.version));
    database.write((tables) => tables.commit([row('a', 3)], []));
    expect(database.use((tables) => tables.load(['a'])[0]?.[0]?.version)).toBe(3);
    database.close();
  });

  test('what a process left in its log is in the file, synced, and the log empty, before anything is served', () => {
    const [running, left] = [newDirectory(), newDirectory()];
    const first = openDatabase({ directory: running });
    first.write((tables) => tables.commit([row('a', 1)], []));
    for (const name of [fileName, `${fileName}-wal`]) copyFileSync(join(running, name), join(left, name));
    first.close();
    expect(statSync(join(left, `${fileName}-wal`)).size).toBeGreaterThan(0);
    const second = openDatabase({ directory: left });
    expect(statSync(join(left, `${fileName}-wal`)).size).toBe(0);
    expect(second.use((tables) => tables.load(['a'])[0]?.[0]?.version)).toBe(1);
    second.close();
  });

  test('what SQLite says has one meaning each', () => {
    const codes = {
      SQLITE_FULL: 'DISK_FULL',
      SQLITE_IOERR_READ: 'STORE_FAILED',
      SQLITE_CORRUPT_INDEX: 'STORE_CORRUPT',
      ANYTHING: 'STORE_FAILED',
    };
    for (const [said, meant] of Object.entries(codes)) {
      let fail = false;
      const database = openDatabase({ directory: newDirectory(), wrap: failing(said, () => fail) });
      fail = true;
      const error = refusal(() => database.write((tables) => tables.commit([row('a', 1)], [])));
      expect(error.code).toBe(meant);
      expect(error.message).toContain(said);
      expect(error.fix).toBeTruthy();
      database.close();
    }
  });
});

describe('a store that cannot be opened', () => {
  test('names the directory when its place cannot be made', async () => {
    const directory = join(newDirectory(), 'file', 'data');
    writeFileSync(join(directory, '..'), '');
    await expect(openSqliteStore({ directory, witness: null })).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining(directory),
      fix: expect.stringContaining('writable'),
    });
  });

  test('says that a disk is read-only', async (context) => {
    const disk = smallDisk();
    if (disk === null) return context.skip('this user may not mount a disk');
    try {
      const directory = join(disk.path, 'data');
      const { store } = await openSqliteStore({ directory, witness: null });
      await store.commit([row('a', 1)], []);
      await store.close();
      execFileSync('mount', ['-o', 'remount,ro', disk.path]);
      await expect(openSqliteStore({ directory, witness: null })).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining(directory),
        fix: expect.stringContaining('writable'),
      });
    } finally {
      disk.unmount();
    }
  });

  test('refuses a later format and leaves it as it is', () => {
    const directory = newDirectory();
    openDatabase({ directory }).close();
    const other = new Database(join(directory, fileName));
    other.exec('UPDATE format SET version = 2');
    other.close();
    const before = readFileSync(join(directory, fileName));
    expect(refusal(() => openDatabase({ directory })).code).toBe('STORE_VERSION');
    expect(readFileSync(join(directory, fileName)).equals(before)).toBe(true);
  });

  test('refuses a file that is no database', () => {
    const directory = newDirectory();
    writeFileSync(
      join(directory, fileName),
      'not a database at all, and longer than a header of one hundred bytes is, so that it is read'.repeat(20),
    );
    expect(refusal(() => openDatabase({ directory })).code).toBe('STORE_CORRUPT');
  });
});

describe('a damaged file', () => {
  const original = newDirectory();
  const addresses = Array.from({ length: 200 }, (_, at) => `variable-${at}`);
  const bytesOf = (address: string): string => JSON.stringify({ address, filler: 'y'.repeat(100) });

  beforeAll(() => {
    const database = openDatabase({ directory: original });
    const rows = addresses.map((address) => row(address, 7, bytesOf(address)));
    database.write((tables) => tables.commit(rows, [{ name: 'commit', value: '7' }]));
    database.close();
  });

  /** Reads everything there is: each answer is what was written, is absent, or is refused with a typed error. */
  function readAll(directory: string, verifies: boolean): { absent: number; refused: number } {
    const outcome = { absent: 0, refused: 0 };
    const database = openDatabase({ directory });
    for (const address of addresses) {
      try {
        const [rows = []] = database.use((tables) => tables.load([address]));
        if (rows.length === 0) outcome.absent += 1;
        else expect(rows).toEqual([row(address, 7, bytesOf(address))]);
      } catch (error) {
        if (!(error instanceof CffbrwError)) throw error;
        expect(['STORE_CORRUPT', 'STORE_FAILED']).toContain(error.code);
        outcome.refused += 1;
      }
    }
    if (verifies) database.verify();
    else if (outcome.absent > 0) expect(refusal(() => database.verify()).code).toBe('STORE_CORRUPT');
    database.close();
    return outcome;
  }

  function damaged(damage: (bytes: Buffer) => Buffer, { verifies = false } = {}): { absent: number; refused: number } {
    const directory = newDirectory();
    mkdirSync(directory, { recursive: true });
    copyFileSync(join(original, fileName), join(directory, fileName));
    writeFileSync(join(directory, fileName), damage(readFileSync(join(original, fileName))));
    try {
      return readAll(directory, verifies);
    } catch (error) {
      if (!(error instanceof CffbrwError)) throw error;
      expect(['STORE_CORRUPT', 'STORE_FAILED', 'STORE_VERSION']).toContain(error.code);
      return { absent: 0, refused: addresses.length };
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  test('a flipped bit in a row’s bytes is refused at that address, and the others are served', () => {
    const outcome = damaged((bytes) => {
      const at = bytes.indexOf('"address":"variable-42"');
      bytes.writeUInt8(bytes.readUInt8(at + 3) ^ 1, at + 3);
      return bytes;
    });
    expect(outcome).toEqual({ absent: 0, refused: 1 });
  });

  test('a flipped bit anywhere gives what was written or a typed error, and verify finds what went missing', async () => {
    const length = readFileSync(join(original, fileName)).length;
    await fc.assert(
      fc.property(fc.integer({ min: 0, max: length * 8 - 1 }), (bit) => {
        damaged((bytes) => {
          bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
          return bytes;
        });
      }),
      { numRuns: runs },
    );
  });

  /** SQLite takes a file of one byte for an empty one: it writes that byte itself on some file systems. */
  test('a torn file, or one with an emptied page, gives what was written or a typed error', async () => {
    const pageBytes = 1024;
    const pages = readFileSync(join(original, fileName)).length / pageBytes;
    await fc.assert(
      fc.property(
        fc.integer({ min: 0, max: pages - 1 }),
        fc.integer({ min: 0, max: pageBytes }),
        fc.boolean(),
        (page, within, cut) => {
          damaged((bytes) =>
            cut
              ? bytes.subarray(0, Math.max(2, page * pageBytes + within))
              : bytes.fill(0, page * pageBytes, page * pageBytes + within),
          );
        },
      ),
      { numRuns: Math.ceil(runs / 4) },
    );
  });

  test('a file cut to nothing is a new store, as after a crash while it was made: only the witness can tell', () => {
    expect(damaged(() => Buffer.alloc(0), { verifies: true })).toEqual({ absent: addresses.length, refused: 0 });
  });
});
