import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/node/store.ts';
import { openWitness, witnessPath } from '../../src/node/witness.ts';
import { commitRecord } from '../../src/replica/witness.ts';
import type { StoredRow } from '../../src/store/store.ts';
import { newDirectory, removeDirectories, smallDisk } from '../store/places.ts';

afterAll(removeDirectories);

const runs = 200 * Number(process.env.CFFBRW_RUNS ?? 1);
const row: StoredRow = { address: 'a', replica: 'x', version: 1, bytes: '{}' };

function stateOf(path: string): ReturnType<typeof openWitness>['state'] {
  const witness = openWitness(path);
  witness.release();
  return witness.state;
}

test('a witness that nobody wrote is missing; a written one is found with its text', () => {
  const path = join(newDirectory(), 'deep', 'witness');
  const witness = openWitness(path);
  expect(witness.state).toBe('missing');
  witness.write('a long text '.repeat(100));
  witness.write('short é😀\n"');
  expect(witness.state).toBe('missing');
  witness.release();
  expect(stateOf(path)).toEqual({ text: 'short é😀\n"' });
});

test('a witness that is held is locked for everyone else, who cannot write it', () => {
  const path = join(newDirectory(), 'witness');
  const holder = openWitness(path);
  holder.write('1');
  const other = openWitness(path);
  expect(other.state).toBe('locked');
  other.write('2');
  other.release();
  expect(openWitness(path).state).toBe('locked');
  holder.release();
  expect(stateOf(path)).toEqual({ text: '1' });
});

test('a witness with any byte changed, or cut short, is missing', async () => {
  const path = join(newDirectory(), 'witness');
  const witness = openWitness(path);
  witness.write('{"store":"abc","commit":41}');
  witness.release();
  const whole = readFileSync(path);
  const used = whole.indexOf('\n', whole.indexOf('\n') + 1) + 1;
  await fc.assert(
    fc.property(fc.integer({ min: 0, max: used - 2 }), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ change, at);
      writeFileSync(path, cut ? whole.subarray(0, at) : damaged);
      expect(stateOf(path)).toBe('missing');
    }),
    { numRuns: runs },
  );
});

test('where no witness can be kept the store works without one, and says why', async () => {
  const directory = newDirectory();
  writeFileSync(join(directory, 'file'), '');
  const opened = await openSqliteStore({ directory: join(directory, 'data'), witness: join(directory, 'file', 'witness') });
  expect(opened.witness.state()).toBe('missing');
  expect(opened.witnessProblem).toContain('witness');
  await opened.store.commit([row], [{ name: commitRecord, value: '1' }]);
  await opened.witness.write('1');
  await opened.store.close();
});

test('the store witnesses each commit with the value of its commit record, before it acknowledges', async () => {
  const directory = newDirectory();
  const path = join(directory, 'witness');
  const first = await openSqliteStore({ directory: join(directory, 'data'), witness: path });
  expect(first.witness.state()).toBe('missing');
  await first.store.commit([row], [{ name: commitRecord, value: '1' }]);
  expect(readFileSync(path, 'utf8')).toContain('"1"');
  await first.store.commit([], [{ name: 'other', value: '9' }]);
  expect(readFileSync(path, 'utf8')).toContain('"1"');
  await first.witness.write('by hand');
  expect(readFileSync(path, 'utf8')).toContain('by hand');
  await first.store.commit([], [{ name: commitRecord, value: 'by hand' }]);
  await first.store.close();
  const second = await openSqliteStore({ directory: join(directory, 'data'), witness: path });
  expect(second.witness.state()).toEqual({ text: 'by hand' });
  await second.store.close();
});

test('writing what the last commit has witnessed already costs no second write', async () => {
  const directory = newDirectory();
  const path = join(directory, 'witness');
  const { store, witness } = await openSqliteStore({ directory: join(directory, 'data'), witness: path });
  await store.commit([], [{ name: commitRecord, value: '1' }]);
  writeFileSync(path, 'untouched');
  await witness.write('1');
  expect(readFileSync(path, 'utf8')).toBe('untouched');
  await store.close();
});

test('a second copy of the data finds the witness locked, and leaves it alone', async () => {
  const directory = newDirectory();
  const path = join(directory, 'witness');
  const one = await openSqliteStore({ directory: join(directory, 'one'), witness: path });
  await one.store.commit([], [{ name: commitRecord, value: '1' }]);
  const two = await openSqliteStore({ directory: join(directory, 'two'), witness: path });
  expect(two.witness.state()).toBe('locked');
  await two.store.commit([], [{ name: commitRecord, value: '2' }]);
  await two.witness.write('3');
  expect(readFileSync(path, 'utf8')).toContain('"1"');
  await two.store.close();
  await one.witness.release();
  const three = await openSqliteStore({ directory: join(directory, 'two'), witness: path });
  expect(three.witness.state()).toEqual({ text: '1' });
  await three.store.close();
  await one.store.close();
});

test('a commit whose witness cannot be written is refused as of unknown outcome, and kept', async (context) => {
  const disk = smallDisk();
  if (disk === null) return context.skip('this user may not mount a disk');
  try {
    const directory = newDirectory();
    const { store } = await openSqliteStore({ directory, witness: join(disk.path, 'witness') });
    expect(() => writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(5_000_000))).toThrow(/ENOSPC/);
    const refused = expect(store.commit([row], [{ name: commitRecord, value: '1' }])).rejects;
    await refused.toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('witness') });
    expect(await store.load(['a'])).toEqual([[row]]);
    rmSync(join(disk.path, 'ballast'));
    await store.commit([row], [{ name: commitRecord, value: '2' }]);
    await store.close();
  } finally {
    disk.unmount();
  }
});

test('a released witness is written no more', () => {
  const path = join(newDirectory(), 'witness');
  const witness = openWitness(path);
  witness.release();
  witness.release();
  witness.write('1');
  expect(stateOf(path)).toBe('missing');
});

test('by default the witness is in the user’s state directory, one for each data directory', () => {
  const [one, two] = [newDirectory(), newDirectory()];
  mkdirSync(join(one, 'data'));
  expect(witnessPath(one, { XDG_STATE_HOME: '/state' })).toMatch(/^\/state\/cffbrw\/witness\/[0-9a-f]{32}$/);
  expect(witnessPath(one, {}).startsWith(join(homedir(), '.local', 'state', 'cffbrw', 'witness'))).toBe(true);
  expect(witnessPath(join(one, 'data', '..'))).toBe(witnessPath(one));
  expect(witnessPath(one)).not.toBe(witnessPath(two));
  expect(existsSync(witnessPath(two))).toBe(false);
  rmSync(join(one, 'data'), { recursive: true });
});
