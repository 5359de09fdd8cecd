/**
 * What is measured is what is shipped: bundles, made with the settings of `npm run build`. tsx adds a call to every function that it
 * translates, so nothing under measurement, alternatives included, runs through it.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

/** The project: npm runs its scripts there. */
export const root = process.cwd();
export const cli = join(root, 'dist/cli/main.js');

/** `npm run build`, without the declarations. */
export async function buildProject(): Promise<void> {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root, env: { ...process.env, CFFBRW_TYPES: '0' } });
}

const entryPoints = [
  { in: 'bench/part.ts', out: 'bench/part' },
  { in: 'bench/client.ts', out: 'bench/client' },
  ...['node-http', 'hono', 'hono-redis', 'hono-postgres'].map((name) => ({
    in: `bench/servers/${name}.ts`,
    out: `bench/${name}`,
  })),
  // The store looks for its worker beside its own folder.
  { in: 'src/node/store-worker.ts', out: 'node/store-worker' },
];

/** Bundles the benchmark for as long as `work` takes: inside node_modules, where its packages are found. */
export async function bundled<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const cache = join(root, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const outdir = await mkdtemp(join(cache, 'cffbrw-bench-'));
  try {
    await build({
      absWorkingDir: root,
      entryPoints,
      outdir,
      bundle: true,
      splitting: true,
      chunkNames: 'chunk/[name]-[hash]',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: true,
      logLevel: 'warning',
    });
    return await work(join(outdir, 'bench'));
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

/** The bundle of a server or the client, beside the part that runs. */
export const bundleOf = (name: string): string => resolve(process.argv[1] ?? '', '..', `${name}.js`);

/** A directory of the system's temporary ones, removed when the work is over. */
export async function inTemporary<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'cffbrw-bench-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
