/** What of the package is in the Worker of an app: bundled as wrangler does (test/cloudflare/bundle.long.ts asks wrangler itself). */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { inTemporary, runCli } from '../e2e/process.ts';
import { makeWheel } from './project.ts';

/** Of the wheel's Worker, as gzip. */
const limitBytes = 100_000;

interface Bundle {
  readonly text: string;
  readonly bytes: number;
  /** Of packages by name, of ours by folder: the bytes of each before gzip. */
  readonly inside: ReadonlyMap<string, number>;
}

async function bundle(directory: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...{ absWorkingDir: directory, entryPoints: ['worker.js'], bundle: true, write: false, metafile: true },
    ...{ minify: true, format: 'esm', platform: 'browser', target: 'es2024', conditions: ['workerd', 'worker', 'browser'] },
    ...{ external: ['cloudflare:*'], preserveSymlinks: false, logLevel: 'silent' },
  });
  const text = outputFiles[0]?.text ?? '';
  const inside = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs))
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(file)?.[1] ?? 'cffbrw';
      if (bytesInOutput > 100) inside.set(name, (inside.get(name) ?? 0) + bytesInOutput);
    }
  return { text, bytes: gzipSync(text).length, inside };
}

test('The Worker of the wheel is small, and nothing in it parses documents or makes code of text', () =>
  inTemporary(async (home) => {
    await makeWheel(home);
    expect((await runCli(['build', home], home)).code).toBe(0);
    const { text, bytes, inside } = await bundle(home);
    const sizes = [...inside].sort(([, a], [, b]) => b - a).map(([name, size]) => `${name} ${(size / 1000).toFixed(1)}`);
    console.log(`the wheel's Worker: ${(bytes / 1000).toFixed(1)} kB gzip; in kB before gzip: ${sizes.join(', ')}`);
    expect(bytes).toBeLessThanOrEqual(limitBytes);
    // What the page says, as long as it is about that.
    const page = await readFile(join(import.meta.dirname, '../../docs/cloudflare.md'), 'utf8');
    expect(Math.abs(Number(/has (\d+) kB as gzip/.exec(page)?.[1]) - bytes / 1000)).toBeLessThan(3);
    expect([...inside.keys()].sort()).toEqual(['@noble/hashes', 'cffbrw']);
    expect(text).not.toMatch(/\beval\(|\bFunction\(|\bprocess\.|from"node:/);
    // The form of documents and the words of `check` stay at home.
    expect(text).not.toMatch(/is not valid YAML|check-then-act|strictObject\(\{cffbrw/);
  }));

test('The Worker of an app with a schedule has what reads schedules, and one that asks for a verb has that verb', () =>
  inTemporary(async (home) => {
    await makeWheel(home);
    await writeFile(
      join(home, 'workflows/night.yaml'),
      'cffbrw: 1\nworkflow: night\non: { cron: { schedule: "0 3 * * *" } }\nsteps:\n  - wait: 1ms\n',
    );
    expect((await runCli(['build', home], home)).code).toBe(0);
    expect([...(await bundle(home)).inside.keys()]).toContain('croner');
    expect(await readFile(join(home, 'app.js'), 'utf8')).toMatch(/import \{ .*schedules.*waitVerb \}/);
  }));
