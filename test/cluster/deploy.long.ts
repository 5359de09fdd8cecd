/** examples/many-machines: what compose.yaml, the Dockerfile and the systemd unit start is started here, without Docker and systemd. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { inTemporary, type RunningApp, runCli, startApp } from '../e2e/process.ts';
import { startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import { token } from './cluster.ts';

const folder = join(import.meta.dirname, '../../examples/many-machines');
const app = join(import.meta.dirname, '../../examples/wheel');
const read = (name: string) => readFile(join(folder, name), 'utf8');

interface Service {
  readonly build?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly volumes: readonly string[];
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const wheelPassword = 'of the wheel';
let server: TestServer;
let compose: Compose;
let locations: readonly (readonly [string, Service])[];

beforeAll(async () => {
  server = await startPostgres();
  const owner = server.admin();
  await owner.unsafe(`CREATE ROLE wheel LOGIN PASSWORD '${wheelPassword}'`);
  await owner.unsafe('CREATE DATABASE wheel OWNER wheel');
  compose = parse(await read('compose.yaml'), { merge: true }) as Compose;
  locations = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);
}, 60_000);
afterAll(() => server.close());

/** What `${NAME:?why}` stands for in the files. */
const filled = (value: string): string =>
  value.replace(/\$\{(\w+):\?[^}]*\}/g, (_, name) => (name === 'PGPASSWORD' ? wheelPassword : token));

/** The arguments of a command line of the files, behind the command itself; paths and the port are those of the test. */
const argumentsOf = (words: readonly string[], data: string): string[] => {
  const given = words.slice(words.indexOf('start'));
  const at = given.indexOf('--port');
  return (at === -1 ? given : given.toSpliced(at, 2)).map((word, index, all) => {
    if (word === '.') return app;
    if (all[index - 1] === '--data') return data;
    return word === '0.0.0.0' ? '127.0.0.1' : word;
  });
};

const here = ({ CFFBRW_BACKBONE = '', ...rest }: Readonly<Record<string, string>>) => ({
  ...rest,
  CFFBRW_BACKBONE: CFFBRW_BACKBONE.replace('@backbone/', `@127.0.0.1:${server.port}/`),
});

describe('compose.yaml', () => {
  test('runs locations that answer, whose health checks pass, that share a stock and stop in time', () =>
    inTemporary(async (home) => {
      const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(await read('Dockerfile'))?.[1] ?? '[]') as string[];
      const started: RunningApp[] = [];
      for (const [name, { environment }] of locations) {
        const values = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, filled(value)]));
        started.push(await startApp(argumentsOf(entry, join(home, name)), home, here(values)));
      }
      expect(started).toHaveLength(3);
      for (const [index, [, { healthcheck }]] of locations.entries()) {
        const [kind, command = '', ...args] = healthcheck.test;
        expect([kind, command]).toEqual(['CMD', 'node']);
        const asked = args.map((one) => one.replace('http://127.0.0.1:3000', started[index]?.url ?? ''));
        await promisify(execFile)(process.execPath, asked);
      }
      const vars = (words: readonly string[], { url }: RunningApp) =>
        runCli(['vars', ...words, '--url', url], home, { CFFBRW_TOKEN: token });
      for (const one of started) expect((await vars(['take', 'vouchers', '3'], one)).output).toContain('"ok":true');
      for (const one of started)
        await expect.poll(async () => (await vars(['get', 'vouchers'], one)).output, { timeout: 10_000 }).toBe('1\n');
      const asksMs = Math.min(
        ...locations.map(([, { stop_grace_period = '' }]) => Number.parseInt(stop_grace_period, 10) * 1000),
      );
      const before = performance.now();
      expect(await Promise.all(started.map((one) => one.stop()))).toEqual([0, 0, 0]);
      expect(performance.now() - before).toBeLessThan(asksMs);
    }));

  test('gives each location volumes of its own, one for the data and another for its witness', async () => {
    const all = locations.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')));
    expect(new Set(all.map(([name]) => name)).size).toBe(2 * locations.length);
    expect([...new Set(all.map(([, place]) => place))]).toEqual(
      JSON.parse(/^VOLUME (.*)$/m.exec(await read('Dockerfile'))?.[1] ?? ''),
    );
    expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(all.map(([name]) => name)));
  });

  test('starts nothing without a password and a token', () => {
    const texts = locations.flatMap(([, { environment }]) => [environment.PGPASSWORD, environment.CFFBRW_TOKEN]);
    expect(texts.every((text) => /^\$\{\w+:\?/.test(text ?? ''))).toBe(true);
  });
});

describe('the systemd unit', () => {
  const setting = (unit: string, name: string) =>
    [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value.replaceAll('%i', 'fra')).join(' ');

  test('starts a location that answers and stops in time', () =>
    inTemporary(async (home) => {
      const unit = await read('cffbrw@.service');
      const own = Object.fromEntries(
        setting(unit, 'Environment')
          .split(' ')
          .map((one) => one.split('=')),
      );
      const secret = { CFFBRW_BACKBONE: 'postgres://wheel@backbone/wheel?schema=unit', PGPASSWORD: wheelPassword };
      const environment = { ...own, ...here(secret), XDG_STATE_HOME: join(home, 'witness') };
      const running = await startApp(argumentsOf(setting(unit, 'ExecStart').split(' '), join(home, 'data')), home, environment);
      expect((await fetch(`${running.url}/_cffbrw/health`)).status).toBe(404); // no token, no admin API
      const before = performance.now();
      expect(await running.stop()).toBe(0);
      expect(performance.now() - before).toBeLessThan(Number(setting(unit, 'TimeoutStopSec')) * 1000);
      const places = setting(unit, 'StateDirectory')
        .split(' ')
        .map((place) => `/var/lib/${place}`);
      expect(places).toEqual([/--data (\S+)/.exec(setting(unit, 'ExecStart'))?.[1], own.XDG_STATE_HOME]);
    }));

  test.skipIf(spawnSync('systemd-analyze', ['--version']).error !== undefined)(
    'is one that systemd understands (where it is)',
    () =>
      inTemporary(async (home) => {
        const binary = join(home, 'cffbrw');
        await writeFile(binary, '#!/bin/sh\n', { mode: 0o755 });
        await mkdir(join(home, 'units'));
        const unit = (await read('cffbrw@.service')).replace('/srv/app/node_modules/.bin/cffbrw', binary);
        await writeFile(join(home, 'units/cffbrw@.service'), unit);
        const { stderr } = await promisify(execFile)('systemd-analyze', ['verify', join(home, 'units/cffbrw@.service')]);
        expect(stderr.split('\n').filter((line) => line.includes('cffbrw@'))).toEqual([]);
      }),
  );
});
