/** `cffbrw simulate`, as a process. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, inTemporary, runCli } from '../e2e/process.ts';
import { scenario, writeApp } from './simulated-app.ts';

const simulate = (app: string, ...args: string[]) => runCli(['simulate', app, ...args], app);

describe('simulate', () => {
  test('says PASSED where the app holds and its baseline breaks, and writes the report', () =>
    inTemporary(async (home) => {
      const app = await writeApp(home);
      const page = join(home, 'report.html');
      const { code, output } = await simulate(app, '--runs', '6', '--html', page);
      expect(output).toMatch(/document +runs +broken +winners: min +median +p95 +max/);
      expect(output).toMatch(/shop +6 +0 +1 +1 +1 +1\n/);
      expect(output).toMatch(/racing +6 +[1-6] +[12] /);
      expect(output).toContain('PASSED  shop held in 6 runs; racing broke, as it should');
      expect(code).toBe(0);
      expect(await readFile(page, 'utf8')).toContain('How racing broke, as it should');
    }));

  test('says in one line that a report cannot be written, after what it found', () =>
    inTemporary(async (home) => {
      const { code, output } = await simulate(await writeApp(home), '--runs', '6', '--html', join(home, 'nowhere/report.html'));
      expect(output).toContain('PASSED  shop held in 6 runs');
      expect(output).toMatch(/--html: the report was not written: ENOENT/);
      expect(output).not.toMatch(/^ +at /m);
      expect(code).toBe(2);
    }));

  test('says FAILED with the seed, the shortest schedule, and a command that shows the same again', () =>
    inTemporary(async (home) => {
      const app = await writeApp(home);
      const { code, output } = await simulate(app, 'rush', '--runs', '6', '--only', 'racing');
      expect(code).toBe(1);
      expect(output).toMatch(/^FAILED {2}racing broke “one winner” in [1-6] of 6 runs$/m);
      expect(output).toMatch(/^scenarios\/rush\.yaml:8:\d+: one winner$/m);
      expect(output).toMatch(/The shortest schedule found has 2 requests, 2 regions, 0 faults/);
      expect(output).toMatch(/s {2}\w+ +take \d+ {2}steps\[1\] set × +stock = 1 +set stock → 0/);
      expect(output).toMatch(/The race \(×\): at /);
      const replay = /Replay it:\n {2}cffbrw (.*)\n/.exec(output)?.[1]?.split(' ') ?? [];
      const again = await runCli(replay, home);
      const fromSeed = (text: string) => text.slice(text.indexOf('Replay it:'));
      expect([again.code, fromSeed(again.output)]).toEqual([1, fromSeed(output)]);
    }));

  test('passes in an app that init has made', () =>
    inTemporary(async (home) => {
      expect((await runCli(['init', join(home, 'mine')], home)).code).toBe(0);
      const { code, output } = await simulate(join(home, 'mine'), 'launch-day', '--seed', '1');
      expect([code, output]).toEqual([0, expect.stringContaining('PASSED  wheel held in 1 run\n')]);
    }));

  test('shows all that happened under one seed', () =>
    inTemporary(async (home) => {
      const app = await writeApp(home);
      const { code, output } = await simulate(app, '--seed', '3', '--trace');
      expect([code, output]).toEqual([0, expect.stringContaining('All that happened to shop under seed 3:')]);
      expect(output.match(/→ request \d of user \d: POST \/take/g)).toHaveLength(4);
      expect(output).toContain('· everything has come to rest');
    }));

  test('gives the same as JSON, and the same for the same seeds', () =>
    inTemporary(async (home) => {
      const app = await writeApp(home);
      const [one, two] = await Promise.all([1, 2].map(() => simulate(app, '--runs', '3', '--format', 'json')));
      expect(one?.output).toBe(two?.output);
      const data = JSON.parse(one?.output ?? '');
      expect(data.scenarios[0].seeds).toEqual(['1', '2', '3']);
      expect(data.scenarios[0].documents.map(({ name, runs }: { name: string; runs: number }) => [name, runs])).toEqual([
        ['shop', 3],
        ['racing', 3],
      ]);
    }));

  test('stops at Ctrl-C, and shows what it has found', () =>
    inTemporary(async (home) => {
      const app = await writeApp(home);
      // The signal comes right after there is somebody who listens to it.
      const interrupt =
        "process.on('newListener', (name) => name === 'SIGINT' && setImmediate(() => process.kill(process.pid, name)))";
      const preload = `data:text/javascript,${encodeURIComponent(interrupt)}`;
      const child = spawn(process.execPath, ['--import', preload, cli, 'simulate', app, '--runs', '1000000'], {
        env: { ...process.env, NO_COLOR: '1' },
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const code = await new Promise<number | null>((done) => child.on('close', done));
      expect(output).toMatch(/STOPPED {2}after \d+ runs?; nothing wrong until then/);
      expect(code).toBe(1);
    }));
});

describe('what is wrong is said, with what to do', () => {
  const saying = async (files: Readonly<Record<string, string>>, ...args: string[]) =>
    inTemporary(async (home) => simulate(await writeApp(home, files), ...args));
  const changed = (from: string, to: string) => ({ 'scenarios/rush.yaml': scenario.replace(from, to) });

  test('a scenario that is not there: exit code 2, and those that are', async () => {
    const { code, output } = await saying({}, 'nope');
    expect([code, output]).toEqual([2, expect.stringContaining('no scenario “nope”. It has: rush.')]);
  });

  test('no scenarios at all', () =>
    inTemporary(async (home) => {
      await writeApp(home);
      const { code, output } = await simulate(join(home, 'racing'));
      expect([code, output]).toEqual([1, expect.stringContaining('racing/scenarios is not there: there is nothing to simulate')]);
    }));

  test('a directory that is not there', () =>
    inTemporary(async (home) => {
      const { code, output } = await runCli(['simulate', 'rush'], home);
      expect([code, output]).toEqual([
        2,
        expect.stringContaining('There is no directory rush. For a scenario of this one: cffbrw simulate . rush'),
      ]);
    }));

  test('an invariant that reads a name that is none, with its place', async () => {
    const { code, output } = await saying(
      changed('watch: { name: winners, value: "responses', 'watch: { name: winners, value: "answers'),
    );
    expect([code, output]).toEqual([1, expect.stringMatching(/scenarios\/rush\.yaml:9:\d+.*answers/s)]);
  });

  test('a scenario without load', async () => {
    const { code, output } = await saying(changed(/^load: .*\n/m.exec(scenario)?.[0] ?? '', ''));
    expect([code, output]).toEqual([1, expect.stringMatching(/scenarios\/rush\.yaml.*load/s)]);
  });

  test('a baseline that does not break, and one that is no app', async () => {
    const holds = await saying(changed('load: { users: 4', 'load: { users: 1'), '--runs', '2');
    expect([holds.code, holds.output]).toEqual([1, expect.stringContaining('the baseline racing breaks no invariant of rush')]);
    const none = await saying(changed('baseline: racing', 'baseline: elsewhere'));
    expect([none.code, none.output]).toEqual([
      1,
      expect.stringMatching(/scenarios\/rush\.yaml, baseline: .*elsewhere is not the directory of an app/),
    ]);
  });

  test.each([
    [['--runs', '0'], '--runs is a whole number from 1'],
    [['--seed', 'x'], '--seed is a whole number'],
    [['--format', 'yaml'], '--format is text or json'],
    [['--trace'], '--trace shows one run: name its --seed'],
    [['--only', 'other'], 'There are: shop, racing.'],
    [['--faults'], 'has no option --faults'],
  ])('wrong use: %j', async (args, said) => {
    const { code, output } = await saying({}, ...args);
    expect([code, output]).toEqual([2, expect.stringContaining(said)]);
  });
});
