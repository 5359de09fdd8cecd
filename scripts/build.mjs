/**
 * `npm run build`: bundles every entry point of package.json, and the store's worker, into dist/, and writes their declarations.
 * Quiet unless it fails. CFFBRW_TYPES=0 leaves the declarations out.
 */
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
const outside = ['@opentelemetry/api', 'better-sqlite3', 'esbuild', 'tsx', 'undici'];

const sourceOf = (built) => built.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts');

const modules = () => Object.values(project.exports).flatMap((entry) => entry.default ?? []);

function isThere(source) {
  const there = existsSync(join(root, source));
  if (!there) console.warn(`build: ${source} is not there yet: skipped`);
  return there;
}

/** Shared code of earlier builds: its names change with its content. */
function removeStale(folder, outputs) {
  const place = join(root, folder);
  if (!existsSync(place)) return;
  for (const name of readdirSync(place)) if (!(`${folder}/${name}` in outputs)) rmSync(join(place, name));
}

function makeExecutable() {
  for (const command of commands) {
    const file = join(root, command);
    if (!existsSync(file)) continue;
    if (!readFileSync(file, 'utf8').startsWith('#!')) throw new Error(`${sourceOf(command)} must start with #!/usr/bin/env node`);
    chmodSync(file, 0o755);
  }
}

const common = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  metafile: true,
  logLevel: 'warning',
};

/** For programs that import us: their packages and ours are the same ones. */
async function bundleLibrary() {
  const entryPoints = [...modules(), worker].map(sourceOf).filter(isThere);
  const { metafile } = await build({
    ...common,
    entryPoints,
    outdir: 'dist',
    outbase: 'src',
    chunkNames: `${chunks}/[hash]`,
    packages: 'external',
    sourcemap: true,
  });
  removeStale(`dist/${chunks}`, metafile.outputs);
  cpSync(join(root, 'src/node/vendor'), join(root, 'dist/node/vendor'), { recursive: true });
}

/**
 * The command, with everything that it needs in it: opening some hundred files of packages is most of a start. What is native, or only
 * loaded where it is used, stays outside.
 */
async function bundleCommand() {
  const { metafile } = await build({
    ...common,
    entryPoints: { main: 'src/cli/main.ts', 'node/store-worker': 'src/node/store-worker.ts' },
    outdir: 'dist/cli',
    chunkNames: `${chunks}/[hash]`,
    external: outside,
    minifyWhitespace: true,
    minifySyntax: true,
    // Packages in the older module format ask for Node's own modules by `require`.
    banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
  });
  removeStale(`dist/cli/${chunks}`, metafile.outputs);
  makeExecutable();
}

async function declarations() {
  if (process.env.CFFBRW_TYPES === '0' && process.env.npm_lifecycle_event !== 'prepack') return;
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const compiler = join(typescript, JSON.parse(readFileSync(join(typescript, 'package.json'), 'utf8')).bin.tsc);
  await promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.types.json'], { cwd: root });
}

const results = await Promise.allSettled([bundleLibrary(), bundleCommand(), declarations()]);
for (const { reason } of results.filter(({ status }) => status === 'rejected')) {
  if (reason?.errors === undefined) console.error(`build: ${reason?.stdout || reason?.message || reason}`);
  process.exitCode = 1;
}
