/**
 * Builds the command with a known bug in it, for what runs over real processes; somewhere in this project, so that it finds its packages.
 *
 *   npx tsx scripts/swarm/command.ts "a lease counted twice" node_modules/.cache/bug
 *   CFFBRW_CLI=node_modules/.cache/bug/main.js npx vitest run --config vitest.long.config.ts test/cluster/rounds.long.ts
 */
import process from 'node:process';
import { build } from 'esbuild';
import { knownBugs } from './bugs.ts';
import { patchPlugin, root } from './bundle.ts';

const [name, outdir = ''] = process.argv.slice(2);
const bug = knownBugs.find((one) => one.name === name);
if (bug === undefined || outdir === '') {
  process.stderr.write(`usage: command.ts <bug> <folder>; bugs are:\n${knownBugs.map((one) => `  ${one.name}\n`).join('')}`);
  process.exit(2);
}
await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/cli/main.ts', 'node/store-worker': 'src/node/store-worker.ts' },
  ...{
    outdir,
    chunkNames: 'chunk/[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  },
  external: ['@opentelemetry/api', 'better-sqlite3', 'esbuild', 'tsx', 'undici'],
  banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
  plugins: [patchPlugin(bug.patches)],
});
