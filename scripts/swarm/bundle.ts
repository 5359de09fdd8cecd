/** The swarm as one file, with or without a known bug in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

export const root = join(import.meta.dirname, '../..');

/** A mistake in one place: `find` occurs there exactly once, and `replace` stands in its place. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export function patched(source: string, { file, find, replace }: Patch): string {
  const found = source.split(find).length - 1;
  if (found !== 1) throw new Error(`${file} holds ${JSON.stringify(find)} ${found} times, not once`);
  return source.replace(find, () => replace);
}

/** Makes the mistakes while sources are read. */
export const patchPlugin = (patches: readonly Patch[]): Plugin => ({
  name: 'known bug',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const mine = patches.filter(({ file }) => path === join(root, file));
      if (mine.length === 0) return null;
      return { contents: mine.reduce(patched, readFileSync(path, 'utf8')), loader: 'ts' };
    });
  },
});

/** Writes the program of a worker to `outfile`. */
export async function bundleSwarm(outfile: string, patches: readonly Patch[] = []): Promise<void> {
  await build({
    entryPoints: [join(root, 'scripts/swarm/worker.ts')],
    ...{ outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning' },
    banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
    plugins: [patchPlugin(patches)],
  });
}
