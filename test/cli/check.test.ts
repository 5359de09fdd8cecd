import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, inTemporary, type RunningApp, runCli, startApp } from '../e2e/process.ts';

const examples = join(import.meta.dirname, '../../examples');
const racing = join(examples, 'wheel/broken/last-write-wins');

/** Resolves when the process has printed this. */
const printed = (app: RunningApp, text: string | RegExp) => expect.poll(() => app.output(), { timeout: 15_000 }).toMatch(text);

/** Standard output alone, of a command that runs in `directory`. */
function outputIn(directory: string, args: readonly string[]): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(process.execPath, [cli, ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout })));
}

const small = (steps: string, variables = 'stock: { strategy: last-write-wins, initial: 10 }') => ({
  'cffbrw.yaml': `cffbrw: 1\napp: small\nvariables:\n  ${variables}\n`,
  'workflows/buy.yaml': `cffbrw: 1\nworkflow: buy\non: { http: { method: POST, path: /buy } }\nsteps:\n${steps}`,
});
const race = '  - set: stock\n    value: ${ vars.stock - 1 }\n';
const warns = '  - add: views\n  - respond: { body: { many: true } }\n    when: vars.views > 10\n';

async function write(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(join(directory, 'workflows'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

describe.concurrent('check', () => {
  test('a sound app: nothing found, exit code 0', () =>
    inTemporary(async (home) => {
      expect(await runCli(['check', join(examples, 'wheel')], home)).toEqual({ code: 0, output: 'wheel: nothing found\n' });
    }));

  test('a race: exit code 1, the line, the story and the text to paste; without colours where it is no terminal', () =>
    inTemporary(async (home) => {
      const { code, output } = await runCli(['check', racing], home);
      expect(code).toBe(1);
      expect(output).toMatch(
        /workflows\/spin.yaml:13:5 {2}R1 lost-update \(blocks\) {2}spin steps\[2\]\n {2}13 \| {3}- set: stock/,
      );
      expect(output).toMatch(/in place of line 5:\n {2}stock: \{ strategy: bounded-counter, initial: 10/);
      expect(output).toMatch(/wheel-last-write-wins: \d+ findings \(\d+ of them blocking\)\n$/);
      expect(output).not.toContain('\u001b');
    }));

  test('what only warns is shown, exit code 0', () =>
    inTemporary(async (home) => {
      const app = await write(join(home, 'app'), small(warns, 'views: { strategy: sum-increments }'));
      const { code, output } = await runCli(['check', app], home);
      expect([code, output]).toEqual([0, expect.stringContaining('R3 stale-decision (warns)')]);
    }));

  test('files are named from where the command runs, in every format', () =>
    inTemporary(async (home) => {
      await write(join(home, 'apps/one'), small(race));
      const args = ['check', 'apps/one'];
      expect((await outputIn(home, args)).stdout).toMatch(/^apps\/one\/workflows\/buy.yaml:5:5 {2}R1/m);
      const json = JSON.parse((await outputIn(home, [...args, '--format', 'json'])).stdout);
      const [finding] = json.findings.filter(({ rule }: { rule: string }) => rule === 'R1');
      expect([json.blocks, finding.place.file]).toEqual([true, 'apps/one/workflows/buy.yaml']);
      expect(finding.fix.edits[0].place.file).toMatch(/^apps\/one\//);
      const sarif = await outputIn(join(home, 'apps/one'), ['check', '--format', 'sarif']);
      const [run] = JSON.parse(sarif.stdout).runs;
      const uris = run.results.map((one: { locations: { physicalLocation: { artifactLocation: { uri: string } } }[] }) => {
        return one.locations[0]?.physicalLocation.artifactLocation.uri;
      });
      expect([sarif.code, uris]).toEqual([1, expect.arrayContaining(['workflows/buy.yaml'])]);
    }));

  test.each([
    ['text', /workflows\/buy.yaml:5:\d+: [\s\S]*frobnicate[\s\S]*1 problem, not everything could be checked\n$/],
    ['json', /"blocks": true,\n {2}"findings": \[\],\n {2}"problems": \[\n[\s\S]*frobnicate/],
  ])('documents that make no app are problems, exit code 2: %s', (format, message) =>
    inTemporary(async (home) => {
      const app = await write(join(home, 'app'), small('  - frobnicate: stock\n'));
      const { code, output } = await runCli(['check', app, '--format', format], home);
      expect([code, output]).toEqual([2, expect.stringMatching(message)]);
    }));

  test('a directory that is no app’s, and a format that there is none of: exit code 2, and what is right', () =>
    inTemporary(async (home) => {
      expect(await runCli(['check', home], home)).toEqual({
        code: 2,
        output: expect.stringMatching(/no cffbrw.yaml[\s\S]*npx cffbrw init/),
      });
      expect(await runCli(['check', home, '--format', 'xml'], home)).toEqual({
        code: 2,
        output: '--format is text, json or sarif, not “xml”.\n',
      });
    }));

  test('helps with examples', () =>
    inTemporary(async (home) => {
      const { output } = await runCli(['check', '--help'], home);
      for (const part of ['Examples:', '--format sarif', 'Exit code 0']) expect(output).toContain(part);
    }));
});

describe('start', () => {
  test('refuses a race with its text, exit code 1, before it opens anything', () =>
    inTemporary(async (home) => {
      const data = join(home, 'data');
      const { code, output } = await runCli(['start', racing, '--port', '0', '--data', data], home);
      expect(code).toBe(1);
      expect(output).toMatch(
        /R2 check-then-act \(blocks\)[\s\S]*in place of line 5:[\s\S]*was not started: 2 findings[\s\S]*--allow-races/,
      );
      expect(output).not.toMatch(/answers at|\n\s+at /);
      await expect(readFile(join(data, 'cffbrw.db'))).rejects.toThrow();
    }));

  test('--allow-races starts it, and its log says so for each', () =>
    inTemporary(async (home) => {
      const app = await startApp(['start', racing, '--data', join(home, 'data'), '--allow-races'], home);
      const lines = app
        .output()
        .split('\n')
        .filter((line) => line.includes('STARTED ALL THE SAME (--allow-races)'));
      expect(await app.stop()).toBe(0);
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { level: 'error', msg: expect.stringContaining('R1 lost-update (blocks)') },
        { level: 'error', msg: expect.stringContaining('R2 check-then-act (blocks)') },
      ]);
    }));

  test('what only warns is a line each in the log', () =>
    inTemporary(async (home) => {
      const directory = await write(join(home, 'app'), small(warns, 'views: { strategy: sum-increments }'));
      const app = await startApp(['start', directory], home);
      const lines = app
        .output()
        .split('\n')
        .filter((line) => line.includes('"level":"warn"'));
      expect(await app.stop()).toBe(0);
      expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
        expect.stringContaining('workflows/buy.yaml:6:5  R3 stale-decision (warns)  buy steps[1]: '),
      ]);
    }));
});

describe('dev', () => {
  test('shows findings as they come and go, and only those, and refuses nothing', () =>
    inTemporary(async (home) => {
      const directory = join(home, 'app');
      await cp(racing, directory, { recursive: true });
      const app = await startApp(['dev', directory], home);
      await printed(app, /R2 check-then-act \(blocks\)/);
      const file = join(directory, 'workflows/spin.yaml');
      const before = await readFile(file, 'utf8');
      const since = async (change: (text: string) => string) => {
        const start = app.output().length;
        await writeFile(file, change(await readFile(file, 'utf8')));
        await expect.poll(() => app.output().slice(start), { timeout: 15_000 }).toMatch(/reloaded/);
        return () => app.output().slice(start);
      };
      // Moved by a line: nothing is new.
      const moved = await since((text) => text.replace('steps:\n', 'steps:\n  - log: { level: info, message: hello }\n'));
      const mended = await since((text) => text.replace('value: ${ vars.stock - 1 }', 'value: 9'));
      await expect.poll(mended, { timeout: 15_000 }).toMatch(/no longer found: \S+workflows\/spin.yaml:14:5 {2}R1 lost-update/);
      expect(moved().split('reloaded')[1]).not.toMatch(/R\d/);
      expect(mended()).not.toMatch(/found: .*R2/);
      const again = await since(() => before);
      await expect.poll(again, { timeout: 15_000 }).toMatch(/R1 lost-update \(blocks\)[\s\S]*Fix: /);
      expect(again()).not.toMatch(/R2/);
      expect(await app.stop()).toBe(0);
    }));
});
