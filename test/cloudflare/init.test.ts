/** `cffbrw build` and `cffbrw init --cloudflare`, as processes. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { regionNames } from '../../src/assemble.ts';
import { loadBuilt } from '../../src/built/whole.ts';
import { cloudflareFiles } from '../../src/cli/cloudflare-files.ts';
import { tableIn } from '../docs/page.ts';
import { inTemporary, runCli } from '../e2e/process.ts';

const examples = join(import.meta.dirname, '../../examples');
const read = (...path: string[]) => readFile(join(...path), 'utf8');

/** Comments in lines of their own, and commas behind the last. */
const parseJsonc = (text: string) => JSON.parse(text.replace(/^\s*\/\/.*$/gm, '').replace(/,(\s*[}\]])/g, '$1'));

describe.concurrent('build', () => {
  test('writes the module of an app beside it, the same bytes each time, and leaves nothing else', () =>
    inTemporary(async (home) => {
      const app = join(home, 'quota');
      await cp(join(examples, 'quota'), app, { recursive: true });
      const before = await readdir(app);
      const first = await runCli(['build', app], home);
      expect(first).toEqual({ code: 0, output: expect.stringMatching(/app\.js: quota, 3 workflows, \d+\.\d kB\n$/) });
      const text = await read(app, 'app.js');
      expect(text).toMatch(
        /^\/\/ Made by `cffbrw build` from cffbrw\.yaml: .*\nimport \{ .*loadWith.* \} from 'cffbrw\/built';\n/,
      );
      expect((await runCli(['build', app], home)).code).toBe(0);
      expect(await read(app, 'app.js')).toBe(text);
      expect((await readdir(app)).sort()).toEqual([...before, 'app.js'].sort());
    }));

  test('writes the plan alone, from which an app can be loaded', () =>
    inTemporary(async (home) => {
      const file = join(home, 'wheel.json');
      expect((await runCli(['build', join(examples, 'wheel'), '--out', file], home)).code).toBe(0);
      expect(loadBuilt(JSON.parse(await read(file))).workflows.get('spin')?.http?.path).toBe('/wheel/spin');
    }));

  test('is stopped by a finding of check that blocks, and by a problem, and leaves what was built before', () =>
    inTemporary(async (home) => {
      const file = join(home, 'app.js');
      await writeFile(file, 'before');
      const racing = join(examples, 'wheel/broken/last-write-wins');
      const blocked = await runCli(['build', racing, '--out', file], home);
      expect(blocked).toEqual({ code: 1, output: expect.stringMatching(/R1 lost-update \(blocks\)[\s\S]*was not built: /) });
      await mkdir(join(home, 'wrong'));
      await writeFile(join(home, 'wrong/cffbrw.yaml'), 'cffbrw: 1\napp: a\nregions: [wuer]\n');
      const wrong = await runCli(['build', join(home, 'wrong'), '--out', file], home);
      expect(wrong.code).toBe(1);
      expect(wrong.output).toMatch(/cffbrw\.yaml:3:11: There is no region `wuer`\.\n +Did you mean `weur`\?/);
      expect(await read(file)).toBe('before');
      expect((await runCli(['build', racing, '--out', file, '--allow-races'], home)).output).toContain('BUILT ALL THE SAME');
      expect(await read(file)).toContain('loadWith');
      const nowhere = await runCli(['build', join(examples, 'wheel'), '--out', join(home, 'no/app.js')], home);
      expect(nowhere).toEqual({ code: 2, output: expect.stringContaining("can't be written: its folder is not there.") });
    }));
});

describe.concurrent('init --cloudflare', () => {
  test('makes the wheel with a Worker around it', () =>
    inTemporary(async (home) => {
      const directory = join(home, 'mine');
      const { code, output } = await runCli(['init', directory, '--cloudflare'], home);
      expect([code, output]).toEqual([0, expect.stringContaining('npx wrangler dev')]);
      expect(await read(directory, 'worker.js')).toBe(
        [
          "import { admin, hub, region, worker } from 'cffbrw/cloudflare';",
          "import app from './app.js';",
          '',
          'export default worker(app);',
          'export const Region = region(app, { admin });',
          'export const Hub = hub(app);',
          '',
        ].join('\n'),
      );
      const config = parseJsonc(await read(directory, 'wrangler.jsonc'));
      expect(config).toMatchObject({
        ...{ name: 'wheel', main: 'worker.js', minify: true, observability: { enabled: false } },
        assets: { directory: 'public', binding: 'ASSETS' },
        build: { command: 'npx cffbrw build', watch_dir: ['cffbrw.yaml', 'workflows'] },
        migrations: [{ new_sqlite_classes: ['Region', 'Hub'] }],
      });
      expect(config.compatibility_date).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect((await read(directory, '.gitignore')).split('\n')).toEqual([
        'data/',
        'node_modules/',
        'app.js',
        '.wrangler/',
        '.dev.vars',
        '',
      ]);
      expect((await read(directory, 'cffbrw.yaml')).split('\n')[0]).toContain('yaml-language-server');
    }));

  test('adds to an app that is there, names its secrets, and changes nothing of it', () =>
    inTemporary(async (home) => {
      await cp(join(examples, 'webhooks'), home, { recursive: true });
      await writeFile(join(home, '.gitignore'), 'app.js\nmine');
      const before = await read(home, 'cffbrw.yaml');
      expect((await runCli(['init', home, '--cloudflare'], home)).code).toBe(0);
      expect(await read(home, 'cffbrw.yaml')).toBe(before);
      expect(await read(home, '.gitignore')).toBe('app.js\nmine\n.wrangler/\n.dev.vars\n');
      expect(parseJsonc(await read(home, 'wrangler.jsonc')).assets).toBeUndefined();
      const secrets = /^secrets: \[(.*)\]$/m.exec(before)?.[1]?.split(', ') ?? [];
      expect(secrets.length).toBeGreaterThan(0);
      const text = await read(home, 'README.cloudflare.md');
      for (const secret of secrets) expect(text).toContain(`npx wrangler secret put ${secret}\n`);
    }));

  test('overwrites nothing, unless it is told to', () =>
    inTemporary(async (home) => {
      await cp(join(examples, 'flags'), home, { recursive: true });
      await writeFile(join(home, 'worker.js'), 'mine');
      const refused = await runCli(['init', home, '--cloudflare'], home);
      expect(refused).toEqual({ code: 1, output: expect.stringContaining('already has worker.js; nothing was changed') });
      expect([await read(home, 'worker.js'), existsSync(join(home, 'wrangler.jsonc'))]).toEqual(['mine', false]);
      expect((await runCli(['init', home, '--cloudflare', '--force'], home)).code).toBe(0);
      expect(await read(home, 'worker.js')).toContain('export const Hub');
      expect((await runCli(['init', home, '--force'], home)).code).toBe(2);
    }));
});

test('A Worker has a name that Cloudflare takes, and its regions are told', () => {
  const files = (name: string, regions?: string[]) =>
    cloudflareFiles(createApp([{ cffbrw: 1, app: name, ...(regions && { regions }) }]), 'cffbrw.yaml');
  const nameOf = (name: string) => parseJsonc(files(name)['wrangler.jsonc']).name;
  expect(['My Shop №1', '-', 'a'.repeat(100), 'Rad & Tat!'].map(nameOf)).toEqual([
    'my-shop-1',
    'cffbrw-app',
    'a'.repeat(54),
    'rad-tat',
  ]);
  expect(files('a', ['weur', 'oc'])['README.cloudflare.md']).toContain('says where replicas are: weur, oc.');
  expect(files('a')['README.cloudflare.md']).toContain('there is one replica, near whoever asks first');
});

test('A schedule is woken by a cron trigger, and the entry is the one of the page', async () => {
  const night = {
    cffbrw: 1,
    workflow: 'night',
    on: { cron: { schedule: '0 3 * * *' } },
    steps: [{ log: { level: 'info', message: 'a' } }],
  };
  const files = cloudflareFiles(createApp([{ cffbrw: 1, app: 'a' }, night]), 'cffbrw.yaml');
  expect(parseJsonc(files['wrangler.jsonc']).triggers).toEqual({ crons: ['0 * * * *'] });
  const page = await read(import.meta.dirname, '../../docs/cloudflare.md');
  expect(/^```js entry\n(.*?)^```$/ms.exec(page)?.[1]).toBe(files['worker.js']);
  expect(tableIn(page, 'regions').map(([name]) => name)).toEqual(regionNames.map((name) => `\`${name}\``));
});
