/** `cffbrw vars` over the data of a stopped app, and over the admin API of one that runs. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { exportLines, importLines, type Line, parseLines } from '../../src/cli/commands/vars-lines.ts';
import {
  createAsk,
  localVariables,
  remoteVariables,
  type VariableFacts,
  type VariableSource,
} from '../../src/cli/commands/vars-source.ts';
import { createAdmin } from '../../src/http/admin/router.ts';
import { factsOf } from '../../src/http/admin/variables.ts';
import { nodeHost } from '../../src/node/host.ts';
import { openReplica } from '../../src/node/replica.ts';
import type { Json } from '../../src/strategy/json.ts';
import { strategies } from '../../src/strategy/strategies.ts';
import type { Variable } from '../../src/strategy/variable.ts';
import { inTemporary, runCli } from '../e2e/process.ts';

const document = `cffbrw: 1
app: everything
variables:
  banner: { strategy: last-write-wins, initial: { open: true } }
  flag: { strategy: last-write-wins, keyed: true, schema: { type: [boolean, 'null'] } }
  visits: { strategy: sum-increments, initial: 5 }
  spins: { strategy: sum-increments, keyed: true, window: { every: month } }
  profile: { strategy: merge-objects, keyed: true }
  bid: { strategy: max-value, keyed: true }
  lap: { strategy: min-value }
  stock: { strategy: bounded-counter, initial: 10 }
`;

let state = process.env.XDG_STATE_HOME;
beforeAll(() => {
  state = process.env.XDG_STATE_HOME;
});
afterAll(() => {
  if (state === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = state;
});

/** An app's directory, and sources over data directories in it. */
async function inApp(use: (open: (data: string) => Promise<VariableSource>, home: string) => Promise<void>): Promise<void> {
  await inTemporary(async (home) => {
    process.env.XDG_STATE_HOME = join(home, 'state');
    await writeFile(join(home, 'cffbrw.yaml'), document);
    const sources: VariableSource[] = [];
    const open = async (data: string) => {
      const source = await localVariables({ directory: home, data: join(home, data), create: true });
      sources.push(source);
      return source;
    };
    await use(open, home).finally(() => Promise.all(sources.map((source) => source.close())));
  });
}

async function fill(source: VariableSource): Promise<void> {
  const write = (name: string, operation: string, input: Readonly<Record<string, Json>>) =>
    source.operate(name, operation, input);
  await write('banner', 'set', { value: { title: 'Xin chào\n', open: false } });
  await write('flag', 'set', { key: 'dark', value: null });
  await write('visits', 'add', { amount: -20 });
  await write('spins', 'add', { key: ['ann', 7], amount: 3 });
  await write('profile', 'merge', { key: 'ann', value: { name: 'Ann', tags: [1], deep: { x: null } } });
  await write('profile', 'merge', { key: 42, value: {} });
  await write('bid', 'raise', { key: 'lot', value: 120.5, with: { user: 'ann' } });
  await write('lap', 'lower', { value: -3 });
  await write('stock', 'take', { amount: 4 });
}

async function linesOf(source: VariableSource, ...names: string[]): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of exportLines(source, names)) lines.push(line);
  return lines;
}

const textOf = (lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

async function importInto(source: VariableSource, text: string, dryRun = false) {
  const { lines, problems } = parseLines(text, await source.list());
  expect(problems).toEqual([]);
  return importLines(source, lines, dryRun);
}

describe('export and import', () => {
  test('bring every value of every strategy into an empty app, and again change nothing', () =>
    inApp(async (open) => {
      const [from, to] = [await open('from'), await open('to')];
      await fill(from);
      const lines = await linesOf(from);
      expect(lines.map(({ variable, key, value }) => [variable, key, value])).toEqual([
        ['banner', undefined, { title: 'Xin chào\n', open: false }],
        ['flag', 'dark', null],
        ['visits', undefined, -15],
        ['spins', ['ann', 7], 3],
        ['profile', 'ann', { name: 'Ann', tags: [1], deep: { x: null } }],
        ['profile', 42, {}],
        ['bid', 'lot', { value: 120.5, with: { user: 'ann' } }],
        ['lap', undefined, { value: -3, with: null }],
        ['stock', undefined, 6],
      ]);
      expect(await importInto(to, textOf(lines), true)).toMatchObject({ lines: 9, written: 9, failed: [] });
      expect(await linesOf(to)).toEqual([]);
      expect(await importInto(to, textOf(lines))).toMatchObject({ lines: 9, written: 9, unchanged: 0, skipped: [], failed: [] });
      expect(await linesOf(to)).toEqual(lines);
      expect(await importInto(to, textOf(lines))).toMatchObject({ written: 0, unchanged: 9 });
      expect((await linesOf(from, 'stock', 'lap')).map(({ variable }) => variable)).toEqual(['lap', 'stock']);
    }));

  test('bring any values, also over others', () => {
    const integer = fc.integer({ min: -1e12, max: 1e12 });
    const scalar = fc.oneof(fc.string(), fc.boolean(), fc.constant(null), integer);
    const names = fc.stringMatching(/^[a-z]{1,3}$/);
    const json = fc.oneof(scalar, fc.array(scalar), fc.dictionary(names, fc.oneof(scalar, fc.dictionary(names, scalar))));
    const object = fc.dictionary(names, json);
    const values = fc.record({
      banner: json,
      visits: integer,
      profile: object,
      stock: fc.nat(1_000),
      before: fc.nat(50),
    });
    return inApp(async (open) => {
      let number = 0;
      await fc.assert(
        fc.asyncProperty(values, async ({ banner, visits, profile, stock, before }) => {
          number += 1;
          const source = await open(`run${number}`);
          await source.operate('visits', 'add', { amount: before });
          await source.operate('stock', 'mint', { amount: before + 1 });
          const lines = [
            { variable: 'banner', strategy: 'last-write-wins', value: banner },
            { variable: 'visits', strategy: 'sum-increments', value: visits },
            { variable: 'profile', strategy: 'merge-objects', key: 'k', value: profile },
            { variable: 'stock', strategy: 'bounded-counter', value: stock },
          ];
          expect((await importInto(source, textOf(lines))).failed).toEqual([]);
          const written = new Map((await linesOf(source)).map((line) => [line.variable, line.value]));
          for (const { variable, value } of lines) expect(written.get(variable) ?? null, variable).toEqual(normal(value));
        }),
        { numRuns: 6 * Number(process.env.CFFBRW_RUNS ?? 1), endOnFailure: true },
      );
    });
  });

  /** −0 is 0. */
  const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  test('keep what is there and more: a higher bid, another field', () =>
    inApp(async (open) => {
      const source = await open('data');
      await fill(source);
      const lines = await linesOf(source, 'bid', 'profile');
      await source.operate('bid', 'raise', { key: 'lot', value: 200 });
      await source.operate('profile', 'merge', { key: 'ann', value: { city: 'Hue' } });
      await importInto(source, textOf(lines));
      const values = (await linesOf(source, 'bid', 'profile')).map(({ value }) => value);
      expect(values).toEqual([{ name: 'Ann', tags: [1], deep: { x: null }, city: 'Hue' }, {}, { value: 200, with: null }]);
    }));

  test('leave out the values of windows that are over, and say so', () =>
    inApp(async (open) => {
      const source = await open('data');
      const line = { variable: 'spins', strategy: 'sum-increments', key: 'ann', window: '2020-01', value: 3 };
      expect(await importInto(source, textOf([line]))).toMatchObject({
        written: 0,
        skipped: [{ line: 1, message: expect.stringContaining('the window 2020-01 is not the current one') }],
      });
      expect(await linesOf(source)).toEqual([]);
    }));

  test('say per line what could not be written, and write the rest', () =>
    inApp(async (open) => {
      const source = await open('data');
      await fill(source);
      const operate = source.operate.bind(source);
      const failing = {
        ...source,
        operate: (name: string, ...rest: [string, Readonly<Record<string, unknown>>]) =>
          name === 'stock' ? operate('nothing', ...rest) : operate(name, ...rest),
      };
      const lines = [
        { variable: 'stock', strategy: 'bounded-counter', value: 1 },
        { variable: 'visits', strategy: 'sum-increments', value: 1 },
      ];
      const parsed = parseLines(textOf(lines), await source.list());
      expect(await importLines(failing, parsed.lines, false)).toMatchObject({
        written: 1,
        failed: [{ line: 1, message: expect.stringContaining('NOT_FOUND') }],
      });
      expect((await source.get('visits', {})).value).toBe(1);
    }));
});

describe('a line is refused', () => {
  const { variables } = loadApp([{ path: 'cffbrw.yaml', text: document }]);
  const known = { strategyOf: ({ strategy }: Variable) => strategies[strategy] };
  const declared = [...variables.values()].map((variable) => factsOf(known, variable) as unknown as VariableFacts);
  const sum = { variable: 'visits', strategy: 'sum-increments', value: 1 };
  const flag = { variable: 'flag', strategy: 'last-write-wins', key: 'a', value: true };
  test.each<[string, string, RegExp]>([
    ['that is no JSON', '{', /not JSON/],
    ['that is no object', '3', /not an object/],
    ['with an unknown field', JSON.stringify({ ...sum, rows: [] }), /no field rows/],
    ['of an unknown variable', JSON.stringify({ ...sum, variable: 'visit' }), /no variable "visit"/],
    ['of another strategy', JSON.stringify({ ...sum, strategy: 'max-value' }), /visits is sum-increments here/],
    ['without a key', JSON.stringify({ ...flag, key: undefined }), /flag needs a key/],
    ['with a key too many', JSON.stringify({ ...sum, key: 'a' }), /visits has no keys/],
    ['with a key that is none', JSON.stringify({ ...flag, key: '' }), /key/],
    ['with a window too many', JSON.stringify({ ...sum, window: '2026-11' }), /visits has no windows/],
    ['without a value', JSON.stringify({ ...sum, value: undefined }), /no value/],
    ['with a fraction of a sum', JSON.stringify({ ...sum, value: 1.5 }), /1.5 is no value of it/],
    [
      'with fewer units than none',
      JSON.stringify({ variable: 'stock', strategy: 'bounded-counter', value: -1 }),
      /no value of it/,
    ],
    ['with a value that breaks the schema', JSON.stringify({ ...flag, value: 3 }), /flag/],
    [
      'with an object that is none',
      JSON.stringify({ variable: 'profile', strategy: 'merge-objects', key: 'a', value: 3 }),
      /object/,
    ],
    [
      'with a bid that is text',
      JSON.stringify({ variable: 'lap', strategy: 'min-value', value: { value: 'x', with: null } }),
      /number/,
    ],
    ['that says one value twice', `${JSON.stringify(flag)}\n${JSON.stringify({ ...flag, value: false })}`, /line 2 again/],
  ])('%s, and with it the whole file', (_, text, message) => {
    const { problems } = parseLines(`${JSON.stringify(flag).replace('"a"', '"first"')}\n${text}`, declared);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.line).toBeGreaterThan(1);
  });
});

describe('a running app', () => {
  const token = 'a-token-of-many-characters';

  test('is exported and imported through its admin API', () =>
    inApp(async (open, home) => {
      const app = loadApp([{ path: 'cffbrw.yaml', text: document }]);
      const replica = await openReplica({ variables: app.variables, directory: join(home, 'running') });
      const admin = createAdmin({ app, replica, host: nodeHost, guard: { token, loopback: false } });
      const remote = (given: string) =>
        remoteVariables(createAsk({ url: 'http://127.0.0.1:1', token: given, fetch: (request) => admin.answer(request) }));
      const local = await open('local');
      await fill(local);
      const lines = await linesOf(local);
      expect(await importInto(remote(token), textOf(lines))).toMatchObject({ written: 9, failed: [] });
      expect(await linesOf(remote(token))).toEqual(lines);
      await expect(remote('wrong').list()).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        fix: expect.stringContaining('CFFBRW_TOKEN'),
      });
      await expect(remote(token).get('nothing', {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
      admin.close();
      await replica.close();
    }));

  test('that is none is told so, with what to do', async () => {
    const ask = (fetch: () => Promise<Response>) => createAsk({ url: 'http://127.0.0.1:1', fetch })('/runs');
    await expect(ask(() => Promise.reject(new TypeError('fetch failed')))).rejects.toThrow(/nothing answers at/);
    await expect(ask(async () => new Response('<html>'))).rejects.toThrow(/no admin API/);
    await expect(ask(async () => Response.json({ ok: true }, { status: 500 }))).rejects.toThrow(/no admin API/);
  });
});

describe('the commands', () => {
  const vars = (home: string, ...args: string[]) => runCli(['vars', ...args, '--data', join(home, 'data'), '--dir', home], home);

  test('write, read, list, and say with the exit code whether it worked', () =>
    inApp(async (_, home) => {
      await mkdir(join(home, 'data'));
      const results = [
        await vars(home, 'set', 'banner', '{"open":false}'),
        await vars(home, 'get', 'banner'),
        await vars(home, 'add', 'visits', '--value=-2', '--json'),
        await vars(home, 'raise', 'bid', '7', '--with', '"ann"', '--key-json', '["lot",1]'),
        await vars(home, 'keys', 'bid'),
        await vars(home, 'take', 'stock', '11'),
        await vars(home, 'get', 'banner', '--key', 'x'),
      ];
      expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 1, 1]);
      const [, banner, visits, , keys, none] = results.map(({ output }) => output.trim());
      expect([banner, keys]).toEqual(['{"open":false}', '["lot",1]']);
      expect(JSON.parse(visits ?? '')).toMatchObject({ variable: 'visits', operation: 'add', value: 3 });
      expect(JSON.parse(none ?? '')).toMatchObject({ ok: false, reason: 'exhausted' });
      expect((await vars(home, 'list')).output).toMatch(/spins\s+sum-increments\s+keyed\s+every month, UTC/);
    }));

  test('export to a file and import it; a wrong line changes nothing', () =>
    inApp(async (open, home) => {
      const source = await open('data');
      await fill(source);
      await source.close();
      const file = join(home, 'values.ndjson');
      expect((await vars(home, 'export', file)).code).toBe(0);
      const into = (...args: string[]) => runCli(['vars', 'import', ...args, '--data', join(home, 'other'), '--dir', home], home);
      const text = await readFile(file, 'utf8');
      await writeFile(join(home, 'bad.ndjson'), `${text}{"variable":"visits"}\n`);
      const bad = await into(join(home, 'bad.ndjson'));
      expect([bad.code, bad.output]).toEqual([1, expect.stringMatching(/line 10: .*\n10 line\(s\): 0 written/)]);
      expect((await into(file, '--json')).output).toContain('"written":9');
      expect((await into(file)).output).toContain('9 line(s): 0 written, 9 unchanged');
    }));

  test.each<[string[], number, RegExp]>([
    [['vars'], 2, /No command specified|command/],
    [['vars', 'lst'], 2, /lst/],
    [['vars', 'get'], 2, /NAME|name/],
    [['vars', 'set', 'banner', 'open'], 2, /is JSON, and “open” is not/],
    [['vars', 'set', 'banner'], 2, /is missing/],
    [['vars', 'get', 'x', '--key', 'a', '--key-json', '1'], 2, /one is enough/],
    [['vars', 'get', 'x', '--window', 'next'], 2, /current or previous/],
    [['vars', 'get', 'x', '--url', 'nowhere'], 2, /--url is an address/],
    [['vars', 'get', 'x', '--url', 'http://127.0.0.1:9'], 1, /nothing answers at http:\/\/127.0.0.1:9/],
    [['runs', '--url', 'http://127.0.0.1:9'], 1, /nothing answers/],
    [['runs', '--limit', '0'], 2, /from 1 to 200/],
    [['openapi', 'nowhere'], 1, /no such directory/],
  ])('%j ends with %i', (args, code, message) =>
    inTemporary(async (home) => {
      const result = await runCli(args, home);
      expect([result.code, result.output]).toEqual([code, expect.stringMatching(message)]);
      expect(result.output).not.toMatch(/\n\s+at /);
    }));

  test('a data directory that is none is not made by looking at it', () =>
    inApp(async (_, home) => {
      const result = await vars(home, 'list');
      expect([result.code, result.output]).toEqual([1, expect.stringContaining('there is no data directory')]);
    }));

  test('help shows one line per command of vars, and examples of each', () =>
    inTemporary(async (home) => {
      const group = (await runCli(['vars', '--help'], home)).output;
      expect(group).toContain('export');
      expect(group).not.toContain('Examples:');
      for (const name of ['list', 'get', 'keys', 'set', 'take', 'export', 'import']) {
        const { code, output } = await runCli(['vars', name, '--help'], home);
        expect([code, output]).toEqual([0, expect.stringContaining(`cffbrw vars ${name}`)]);
        expect(output).toContain('Examples:');
      }
    }));

  test('openapi prints the document of an app that does not run', () =>
    inTemporary(async (home) => {
      const { code, output } = await runCli(['openapi', join(import.meta.dirname, '../../examples/wheel')], home);
      expect(code).toBe(0);
      expect(Object.keys((JSON.parse(output) as { paths: object }).paths)).toContain('/wheel/spin');
    }));
});
