/**
 * `npm run build`: bundles every entry point of package.json, and the store's worker, into dist/, and writes their declarations.
 * Quiet unless it fails. CFFBRW_TYPES=0 leaves the declarations out.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Shared code lies one folder deep, as the entry points of node/ and cli/ do: the worker is at the same relative place for all. */
const chunks = 'chunk';
const worker = './dist/node/store-worker.js';
const commands = Object.values(project.bin ?? {});

const sourceOf = (built) => built.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts');

function entryPoints() {
  const modules = Object.values(project.exports).flatMap((entry) => entry.default ?? []);
  const sources = [...modules, ...commands, worker].map(sourceOf);
  for (const source of sources) if (!existsSync(join(root, source))) console.warn(`build: ${source} is not there yet: skipped`);
  return sources.filter((source) => existsSync(join(root, source)));
}

/** Shared code of earlier builds: its names change with its content. */
function removeStale(outputs) {
  const folder = join(root, 'dist', chunks);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (!(`dist/${chunks}/${name}` in outputs)) rmSync(join(folder, name));
}

function makeExecutable() {
  for (const command of commands) {
    const file = join(root, command);
    if (!existsSync(file)) continue;
    if (!readFileSync(file, 'utf8').startsWith('#!')) throw new Error(`${sourceOf(command)} must start with #!/usr/bin/env node`);
    chmodSync(file, 0o755);
  }
}

async function bundle() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entryPoints(),
    outdir: 'dist',
    outbase: 'src',
    chunkNames: `${chunks}/[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    metafile: true,
    logLevel: 'warning',
  });
  removeStale(metafile.outputs);
  makeExecutable();
}

async function declarations() {
  if (process.env.CFFBRW_TYPES === '0' && process.env.npm_lifecycle_event !== 'prepack') return;
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const compiler = join(typescript, JSON.parse(readFileSync(join(typescript, 'package.json'), 'utf8')).bin.tsc);
  await promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.types.json'], { cwd: root });
}

const results = await Promise.allSettled([bundle(), declarations()]);
for (const { reason } of results.filter(({ status }) => status === 'rejected')) {
  if (reason?.errors === undefined) console.error(`build: ${reason?.stdout || reason?.message || reason}`);
  process.exitCode = 1;
}
