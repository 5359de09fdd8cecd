/** What of the package is in the Worker of an app: bundled as wrangler does (test/cloudflare/bundle.long.ts asks wrangler itself). */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { expect, test } from 'vitest';
import { verbs } from '../../src/workflow/steps/verbs.ts';
import { inTemporary, runCli } from '../e2e/process.ts';
import { everything } from './everything.ts';
import { makeWheel } from './project.ts';

/** Of the wheel's Worker, as gzip. */
const limitBytes = 98_000;

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

const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(1);

/** What the page says is about that. */
async function expectOnPage(said: RegExp, bytes: number): Promise<void> {
  const page = await readFile(join(import.meta.dirname, '../../docs/cloudflare.md'), 'utf8');
  expect(Math.abs(Number(said.exec(page)?.[1]) - bytes / 1000)).toBeLessThan(1.5);
}

test('The Worker of the wheel is small, and nothing in it parses documents or makes code of text', () =>
  inTemporary(async (home) => {
    await makeWheel(home);
    expect((await runCli(['build', home], home)).code).toBe(0);
    const { text, bytes, inside } = await bundle(home);
    const sizes = [...inside].sort(([, a], [, b]) => b - a).map(([name, size]) => `${name} ${kilobytes(size)}`);
    console.log(`the wheel's Worker: ${kilobytes(bytes)} kB gzip; in kB before gzip: ${sizes.join(', ')}`);
    expect(bytes).toBeLessThanOrEqual(limitBytes);
    await expectOnPage(/the wheel's has (\d+) kB as gzip/, bytes);
    expect([...inside.keys()].sort()).toEqual(['@noble/hashes', 'cffbrw']);
    expect(text).not.toMatch(/\beval\(|\bFunction\(|\bprocess\.|from"node:/);
    // The form of documents and the words of `check` stay at home, and what the wheel does not use.
    expect(text).not.toMatch(
      /is not valid YAML|check-then-act|strictObject\(\{cffbrw|there is no such name here|max-value",offer|home\\\.arpa/,
    );

    const entry = join(home, 'worker.js');
    await writeFile(entry, (await readFile(entry, 'utf8')).replace('admin, ', '').replace(', { admin }', ''));
    const without = await bundle(home);
    console.log(`without the admin API: ${kilobytes(without.bytes)} kB gzip`);
    expect(without.text).not.toContain('retirement');
    await expectOnPage(/and without the admin API\s(\d+) kB/, without.bytes);
  }));

test('The Worker of an app that uses everything has everything, and answers', () =>
  inTemporary(async (home) => {
    await makeWheel(home);
    await rm(join(home, 'workflows'), { recursive: true });
    await mkdir(join(home, 'workflows'));
    for (const [path, text] of Object.entries(everything)) await writeFile(join(home, path), text);
    expect(await runCli(['build', home, '--allow-races'], home)).toEqual({ code: 0, output: expect.anything() });
    const { text, bytes } = await bundle(home);
    console.log(`the Worker of an app that uses everything: ${kilobytes(bytes)} kB gzip`);
    await expectOnPage(/one that uses everything has (\d+) kB/, bytes);
    const app = await readFile(join(home, 'app.js'), 'utf8');
    for (const name of [...verbs.keys()].map((verb) => `${verb}Verb`)) expect(app).toContain(name);

    const miniflare = new Miniflare({
      ...{ modules: true, script: text, compatibilityDate: '2026-04-01', cf: false, bindings: { KEY: 'the-key-of-this-test' } },
      durableObjects: { REGION: { className: 'Region', useSQLite: true }, HUB: { className: 'Hub', useSQLite: true } },
    });
    try {
      const asked = {
        method: 'POST',
        headers: { authorization: 'Bearer the-key-of-this-test', 'content-type': 'application/json' },
      };
      const answer = await miniflare.dispatchFetch('http://localhost/all/ann', { ...asked, body: '{"a":1}' });
      expect(await answer.json()).toEqual({ user: 'ann', each: [4, 6], sum: 1, highest: 3 });
      expect((await miniflare.dispatchFetch('http://localhost/all/ann', { ...asked, body: '{"a":null}' })).status).toBe(400);
    } finally {
      await miniflare.dispose();
    }
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
