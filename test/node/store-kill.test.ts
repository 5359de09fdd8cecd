import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/node/store-database.ts';
import { openWitness } from '../../src/node/witness.ts';

const kills = 12 * Number(process.env.CFFBRW_RUNS ?? 1);
const root = resolve(import.meta.dirname, '../..');
/** In the project, so that bundles find its packages. */
const place = mkdtempSync(join(root, 'node_modules', '.cffbrw-kill-'));
const program = join(place, 'child', 'store-child.js');

beforeAll(async () => {
  await build({
    entryPoints: { 'child/store-child': 'test/node/store-child.ts', 'node/store-worker': 'src/node/store-worker.ts' },
    absWorkingDir: root,
    outdir: place,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Starts a writer and kills it when it has acknowledged `acknowledgements` commits. Resolves with the last one that it acknowledged. */
function killedAfter(acknowledgements: number, first: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, join(place, 'data'), join(place, 'witness'), String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = first - 1;
    createInterface(child.stdout).on('line', (line) => {
      last = Number(line);
      if (last - first + 1 >= acknowledgements) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_code, signal) =>
      signal === 'SIGKILL' ? resolve(last) : reject(new Error(`it ended by itself after ${last}`)),
    );
  });
}

/** What is on the disk, read by this process. */
function found(): { versions: (number | undefined)[]; record: number; witness: number } {
  const database = openDatabase({ directory: join(place, 'data') });
  const witness = openWitness(join(place, 'witness'));
  database.verify();
  const versions = database.use((tables) => tables.load(['a', 'b', 'c']).map(([row]) => row?.version));
  const record = database.use((tables) => Number(tables.records({ prefix: 'commit' })[0]?.value));
  database.close();
  witness.release();
  return { versions, record, witness: typeof witness.state === 'string' ? Number.NaN : Number(witness.state.text) };
}

test(`after each of ${kills} kills nothing acknowledged is lost, nothing is half there, and the witness is at most one behind`, async () => {
  let first = 1;
  let ahead = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    const acknowledged = await killedAfter(1 + ((kill * 7) % 40), first);
    const { versions, record, witness } = found();
    expect(record).toBeGreaterThanOrEqual(acknowledged);
    expect(versions).toEqual([record, record, record]);
    expect(witness).toBeGreaterThanOrEqual(acknowledged);
    expect([0, 1]).toContain(record - witness);
    ahead += record - witness;
    first = record + 1;
  }
  console.info(`${ahead} of ${kills} kills left the store one commit ahead of its witness`);
}, 120_000);
