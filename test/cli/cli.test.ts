import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { version } from '../../src/version.ts';
import { createClient, inParallel } from '../e2e/load.ts';
import { inTemporary, type RunningApp, runCli, startApp } from '../e2e/process.ts';

const root = join(import.meta.dirname, '../..');
const ledger = join(root, 'test/e2e/apps/ledger');

const post = async (app: RunningApp, path: string, body: unknown) => {
  const response = await fetch(app.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** Resolves when the process has printed this. */
const printed = async (app: RunningApp, text: string | RegExp) => {
  await expect.poll(() => app.output(), { timeout: 15_000 }).toMatch(text);
};

describe('the command line', () => {
  test('helps: without a command, with --help, and per command with examples', () =>
    inTemporary(async (home) => {
      expect((await runCli([], home)).code).toBe(2);
      const help = await runCli(['--help'], home);
      expect([help.code, ['dev', 'start', 'init', 'recover'].every((name) => help.output.includes(name))]).toEqual([0, true]);
      for (const name of ['dev', 'start', 'init', 'recover']) {
        const { code, output } = await runCli([name, '--help'], home);
        expect(code).toBe(0);
        expect(output).toContain(`cffbrw ${name}`);
        expect(output).toContain('Examples:');
      }
    }));

  test('prints no colours where nobody sees them, and one line for each command', () =>
    inTemporary(async (home) => {
      // The library of the command line prints none in a pipeline of CI, by itself.
      const environment = { CI: '', TEST: '', NO_COLOR: '', TERM: 'xterm-256color' };
      for (const args of [['--help'], ['vars', '--help'], ['vars', 'set', '--help'], ['simulate', '--help']]) {
        const { output } = await runCli(args, home, environment);
        expect(output, args.join(' ')).toMatch(/^USAGE /m);
        expect(output, args.join(' ')).not.toContain('\u001b');
        expect(output, args.join(' ')).not.toMatch(/ $/m);
      }
      const { output } = await runCli(['--help'], home, environment);
      expect(output.split('\n').filter((line) => /^ +(?:dev|start|simulate|vars) {2}/.test(line))).toHaveLength(4);
      expect(output).not.toContain('Examples:');
      expect(output).toMatch(/Exit codes: 0 .* 1 .* 2 /);
    }));

  test('says its version, that of the package', () =>
    inTemporary(async (home) => {
      const project = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
      expect(version).toBe(project.version);
      expect((await runCli(['--version'], home)).output.trim()).toBe(version);
    }));

  test.each([
    [['strat'], /no command “strat”/],
    [['start', '.', '--prot', '1'], /no option --prot/],
    [['replicas', 'lst'], /no command “replicas lst”. There are: replicas list, replicas retire/],
    [['backbone'], /There are: backbone sql, backbone adopt/],
    [['replicas', 'retire'], /NAME\. See/],
    [['recover', '--write-off', '--trust-store'], /Choose one/],
    [['recover', '--alone'], /goes with --write-off/],
    [['start', 'a', 'b'], /at most 1 argument/],
    [['start', '.', '--port', 'many'], /whole number from 0 to 65535/],
    [['dev', '.', '--lag', '2'], /duration such as 250ms/],
    [['dev', '.', '--lag', '2s'], /add --replicas/],
    [['dev', '.', '--replicas', '0'], /from 1 to 64/],
  ])('%j is wrong use: exit code 2 and what is right', (args, message) =>
    inTemporary(async (home) => {
      const { code, output } = await runCli(args, home);
      expect(code).toBe(2);
      expect(output).toMatch(message);
      expect(output).not.toMatch(/\n\s+at /);
      expect(output).not.toContain('\u001b');
    }));

  test.each([
    ['recover', []],
    ['backbone adopt', ['--name', 'fra', '--backbone', 'postgres://127.0.0.1:1/wheel']],
  ])('%s makes no data directory where it finds none: a clear error, exit code 1', (name, options) =>
    inTemporary(async (home) => {
      const data = join(home, 'typo');
      const { code, output } = await runCli([...name.split(' '), ledger, '--data', data, ...options], home);
      expect([code, output]).toEqual([1, expect.stringMatching(/no data directory of an app at .*typo[\s\S]*→/)]);
      expect(existsSync(data)).toBe(false);
    }));

  test('a directory that is no app is a clear error with what to do, exit code 1', () =>
    inTemporary(async (home) => {
      const { code, output } = await runCli(['start', home], home);
      expect(code).toBe(1);
      expect(output).toMatch(/no cffbrw.yaml[\s\S]*npx cffbrw init/);
    }));

  test('a port that is taken is a clear error', () =>
    inTemporary(async (home) => {
      const app = await startApp(['start', ledger, '--data', join(home, 'one')], home);
      const { code, output } = await runCli(
        ['start', ledger, '--data', join(home, 'two'), '--port', new URL(app.url).port],
        home,
      );
      expect(await app.stop()).toBe(0);
      expect(code).toBe(1);
      expect(output).toMatch(/port|in use/i);
    }));

  test('a data directory that another process has is a clear error', () =>
    inTemporary(async (home) => {
      const data = join(home, 'data');
      const app = await startApp(['start', ledger, '--data', data], home);
      const { code, output } = await runCli(['start', ledger, '--data', data, '--port', '0'], home);
      expect(await app.stop()).toBe(0);
      expect(code).toBe(1);
      expect(output).toContain(data);
    }));
});

describe('init', () => {
  test('makes the wheel, which dev then runs and answers', () =>
    inTemporary(async (home) => {
      const made = await runCli(['init', join(home, 'mine')], home);
      expect([made.code, made.output]).toEqual([0, expect.stringContaining('npx cffbrw dev')]);
      const app = await startApp(['dev', join(home, 'mine')], home);
      expect((await post(app, '/wheel/spin', { user: 'ann' })).status).toBe(200);
      expect(await (await fetch(app.url)).text()).toContain('<title>');
      expect(await app.stop()).toBe(0);
    }));

  test('never overwrites what is there', () =>
    inTemporary(async (home) => {
      await writeFile(join(home, 'cffbrw.yaml'), 'mine');
      const { code, output } = await runCli(['init', home], home);
      expect(code).toBe(1);
      expect(output).toContain('nothing was changed');
      expect(await readFile(join(home, 'cffbrw.yaml'), 'utf8')).toBe('mine');
    }));
});

describe('dev', () => {
  const withCopy = (use: (directory: string, home: string) => Promise<void>) =>
    inTemporary(async (home) => {
      const directory = join(home, 'app');
      await cp(ledger, directory, { recursive: true });
      await use(directory, home);
    });
  const edit = async (directory: string, file: string, change: (text: string) => string) => {
    const path = join(directory, file);
    await writeFile(path, change(await readFile(path, 'utf8')));
  };

  test('reloads a workflow on save, keeps what was written, and prints one line per request', () =>
    withCopy(async (directory, home) => {
      const app = await startApp(['dev', directory], home);
      await post(app, '/write', { user: 'ann', number: 1 });
      await printed(app, /POST\s+200\s+\d+\.\d ms\s+\/write\s+write/);
      await edit(directory, 'workflows/read.yaml', (text) => text.replace('body: { count:', 'body: { edited: true, count:'));
      await printed(app, /reloaded ledger/);
      expect((await post(app, '/read', { user: 'ann' })).body).toMatchObject({ edited: true, count: 1 });
      expect(await app.stop()).toBe(0);
    }));

  test('reloads a changed variable under load: no request is refused, nothing is lost', () =>
    withCopy(async (directory, home) => {
      const app = await startApp(['dev', directory], home);
      const client = createClient(app.url, 20);
      const load = inParallel(1_500, 20, (index) => client.post({ path: '/write', body: { user: 'ann', number: index } }));
      await edit(directory, 'cffbrw.yaml', (text) => `${text}  more: { strategy: sum-increments }\n`);
      await printed(app, /reloaded ledger/);
      const answers = await load;
      client.close();
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect((await post(app, '/read', { user: 'ann' })).body.count).toBe(1_500);
      expect(await app.stop()).toBe(0);
    }));

  test('a document that is wrong is shown with file, line and column, and the app goes on as before', () =>
    withCopy(async (directory, home) => {
      const app = await startApp(['dev', directory], home);
      await edit(directory, 'workflows/read.yaml', (text) => text.replace('vars.count', 'vars.cuont'));
      await printed(app, /workflows\/read.yaml:\d+:\d+[\s\S]*cuont[\s\S]*goes on as it was/);
      expect((await post(app, '/read', { user: 'ann' })).status).toBe(200);
      await edit(directory, 'workflows/read.yaml', (text) => text.replace('vars.cuont', 'vars.count'));
      await printed(app, /reloaded ledger/);
      expect(await app.stop()).toBe(0);
    }));

  test('five replicas: the header chooses one, rows take their lag, and each is named in its line', () =>
    withCopy(async (directory, home) => {
      const app = await startApp(['dev', directory, '--replicas', '5', '--lag', '300ms', '--rtt', '5ms'], home);
      const at = async (replica: string, path: string, body: unknown) => {
        const response = await fetch(app.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-cffbrw-replica': replica },
          body: JSON.stringify(body),
        });
        return (await response.json()) as Record<string, unknown>;
      };
      await at('r2', '/write', { user: 'ann', number: 5 });
      expect((await at('r2', '/read', { user: 'ann' })).count).toBe(1);
      expect((await at('r4', '/read', { user: 'ann' })).count).toBe(0);
      await expect.poll(async () => (await at('r4', '/read', { user: 'ann' })).count, { timeout: 10_000 }).toBe(1);
      await printed(app, /write\s+r2\./);
      expect(await app.stop()).toBe(0);
    }));
});

describe('start', () => {
  test('a process whose store has died answers what it still can, says why, and ends with 1, so that it is started again', () =>
    inTemporary(async (home) => {
      const preload = join(home, 'preload.mjs');
      await writeFile(preload, "process.on('worker', (worker) => process.on('SIGUSR2', () => worker.terminate()));");
      const data = join(home, 'data');
      const app = await startApp(['start', ledger, '--data', data], home, { NODE_OPTIONS: `--import ${preload}` });
      expect((await post(app, '/grab', {})).status).toBe(200);
      expect(await app.stop('SIGUSR2')).toBe(1);
      expect(app.output()).toMatch(/nothing can be written any more, so this process ends[\s\S]*supervisor/);
      const again = await startApp(['start', ledger, '--data', data], home);
      expect(await again.stop()).toBe(0);
    }));

  test('SIGTERM finishes what runs, closes, and exits with 0; what was answered is there afterwards', () =>
    inTemporary(async (home) => {
      const args = ['start', ledger, '--data', join(home, 'data')];
      const app = await startApp(args, home);
      const client = createClient(app.url, 30);
      let answered = 0;
      let stopping = false;
      const load = inParallel(30, 30, async () => {
        while (!stopping) {
          const { status } = await client.post({ path: '/write', body: { user: 'ann', number: 1 } });
          if (status === 200) answered += 1;
          else stopping = true;
        }
      });
      await expect.poll(() => answered, { timeout: 15_000 }).toBeGreaterThan(100);
      expect(await app.stop('SIGTERM')).toBe(0);
      stopping = true;
      await load;
      client.close();
      const again = await startApp(args, home);
      expect((await post(again, '/read', { user: 'ann' })).body.count).toBe(answered);
      expect(await again.stop('SIGINT')).toBe(0);
    }));

  test.each([
    ['malformed YAML', 'workflows/bad.yaml', 'cffbrw: 1\nworkflow: [', /workflows\/bad.yaml:2:\d+/],
    [
      'an unknown verb',
      'workflows/bad.yaml',
      'cffbrw: 1\nworkflow: bad\non: { call: {} }\nsteps:\n  - frobnicate: count\n',
      /bad.yaml:5:\d+[\s\S]*frobnicate/,
    ],
    [
      'an unknown variable',
      'workflows/bad.yaml',
      'cffbrw: 1\nworkflow: bad\non: { call: {} }\nsteps:\n  - add: cuont\n',
      /bad.yaml:5:\d+[\s\S]*count/,
    ],
    [
      'a wrong operation',
      'workflows/bad.yaml',
      'cffbrw: 1\nworkflow: bad\non: { call: {} }\nsteps:\n  - set: stock\n    value: 3\n',
      /bad.yaml:5:\d+[\s\S]*bounded-counter/,
    ],
    [
      'a duplicate name',
      'workflows/bad.yaml',
      'cffbrw: 1\nworkflow: write\non: { call: {} }\nsteps:\n  - add: count\n',
      /\w+.yaml:2:\d+: Two workflows are called `write`[\s\S]*bad.yaml/,
    ],
    ['nested brackets', 'workflows/bad.yaml', `cffbrw: 1\nworkflow: ${'['.repeat(5_000)}`, /bad.yaml:2:\d+[\s\S]*nest/],
  ])('%s is a clear error with its place, exit code 1', (_, file, text, message) =>
    inTemporary(async (home) => {
      const directory = join(home, 'app');
      await cp(ledger, directory, { recursive: true });
      await mkdir(join(directory, 'workflows'), { recursive: true });
      await writeFile(join(directory, file), text);
      const { code, output } = await runCli(['start', directory, '--port', '0'], home);
      expect(code).toBe(1);
      expect(output).toMatch(message);
      expect(output).toMatch(/\n {4}\w/); // what to do
      expect(output).not.toMatch(/\n\s+at /);
    }));
});
