/** `cffbrw runs` and `cffbrw init`, as processes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { version } from '../../src/version.ts';
import { inTemporary, runCli, startApp } from '../e2e/process.ts';

const wheel = join(import.meta.dirname, '../../examples/wheel');

test('runs lists the last runs of a running app, and shows one of them step by step', () =>
  inTemporary(async (home) => {
    const app = await startApp(['dev', wheel, '--data', join(home, 'data')], home);
    for (const body of [{ user: 'ann' }, { user: 'ben' }]) {
      const headers = { 'content-type': 'application/json' };
      expect((await fetch(`${app.url}/wheel/spin`, { method: 'POST', headers, body: JSON.stringify(body) })).status).toBe(200);
    }
    const runs = (...args: string[]) => runCli(['runs', ...args, '--url', app.url], home);
    const list = await runs('--workflow', 'spin');
    expect(list.code).toBe(0);
    expect(list.output.trim().split('\n')).toHaveLength(2);
    expect(list.output).toMatch(/^\d{4}-\S+Z {2}200 .* ms {2}spin {2}\S+\n/);
    const [{ id = '' } = {}] = JSON.parse((await runs('--json', '--limit', '1')).output) as { id?: string }[];
    const one = await runs(id);
    expect([one.code, one.output]).toEqual([0, expect.stringMatching(/steps\[1\]\s+add\s.*writes /)]);
    expect((await runs('--failed')).output).toBe('');
    expect((await runs('nothing')).code).toBe(1);
    expect(await app.stop()).toBe(0);
  }));

test('init names the schemas in the first line of each document', () =>
  inTemporary(async (home) => {
    expect((await runCli(['init', join(home, 'mine')], home)).code).toBe(0);
    for (const [file, schema] of [
      ['cffbrw.yaml', 'cffbrw'],
      ['workflows/spin.yaml', 'workflow'],
      ['scenarios/launch-day.yaml', 'scenario'],
    ] as const) {
      const [first] = (await readFile(join(home, 'mine', file), 'utf8')).split('\n');
      expect(first).toBe(`# yaml-language-server: $schema=https://unpkg.com/cffbrw@${version}/schemas/${schema}.schema.json`);
    }
  }));
