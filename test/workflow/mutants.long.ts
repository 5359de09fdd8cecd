/**
 * Mutated documents and expressions by the hundred thousand, in a process of their own: none crashes it, and none holds it up.
 * `CFFBRW_RUNS=50 npm run test:long -- test/workflow` runs a million of each; `CFFBRW_SEED` repeats a run.
 */
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Batch } from './mutants-child.ts';

const count = 20_000 * Number(process.env.CFFBRW_RUNS ?? 1);
const seed = Number(process.env.CFFBRW_SEED ?? Math.floor(Math.random() * 1_000_000_000));
/** A batch takes a second or two. */
const hangMs = 60_000;

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(resolve('node_modules/.cache-mutants-'));
  await build({
    ...{ entryPoints: ['test/workflow/mutants-child.ts'], outfile: join(directory, 'child.mjs'), bundle: true },
    ...{ format: 'esm', platform: 'node', target: 'node20', packages: 'external', logLevel: 'warning' },
  });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Outcome {
  readonly done: number;
  readonly good: number;
  readonly worstMs: number;
  readonly slow: Batch['slow'];
  /** How the process ended. */
  readonly end: string;
}

function runAll(kind: 'documents' | 'expressions'): Promise<Outcome> {
  const child = fork(join(directory, 'child.mjs'), [kind, String(seed), String(count)]);
  let outcome: Outcome = { done: 0, good: 0, worstMs: 0, slow: [], end: '' };
  return new Promise((settle) => {
    let last = seed - 1;
    const hang = () => {
      outcome = { ...outcome, end: `it hangs in the batch of seed ${last + 1}` };
      child.kill('SIGKILL');
    };
    let timer = setTimeout(hang, hangMs);
    child.on('message', (batch: Batch) => {
      clearTimeout(timer);
      timer = setTimeout(hang, hangMs);
      last = batch.seed;
      outcome = {
        ...outcome,
        done: outcome.done + batch.done,
        good: outcome.good + batch.good,
        worstMs: Math.max(outcome.worstMs, batch.worstMs),
        slow: [...outcome.slow, ...batch.slow],
      };
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      settle({ ...outcome, end: outcome.end || (code === 0 ? 'well' : `code ${code}, signal ${signal}, seed ${last + 1}`) });
    });
  });
}

test.each(['documents', 'expressions'] as const)('No mutated %s crash or hold up the process that compiles them', {
  timeout: 3 * 3_600_000,
}, async (kind) => {
  const { done, good, worstMs, slow, end } = await runAll(kind);
  console.log(`${kind}: ${done} with seed ${seed}, ${good} compiled, the slowest took ${worstMs.toFixed(0)} ms`);
  expect({ done, slow, end }).toEqual({ done: count, slow: [], end: 'well' });
  // A mutant that never compiles tests little.
  expect(good).toBeGreaterThan(count / 50);
});
