/** docs/simulate.md: its scenarios run, and its tables have every field. */
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadApp } from '../../src/app.ts';
import { simulate as command } from '../../src/cli/commands/simulate.ts';
import { drain } from '../../src/node/drain.ts';
import { loadScenario, scenarioSchema, simulate } from '../../src/simulate/index.ts';
import { faultForms } from '../../src/simulate/scenario.ts';
import { appsIn, blocksIn, filesOf, readPage, tableIn } from './page.ts';

const name = 'docs/simulate.md';
const page = readPage(name);
const blocks = blocksIn(name);
const files = filesOf(blocks, { page: name, section: 'A scenario to begin with' });
const base = files.find(({ path }) => path === 'scenarios/launch.yaml')?.text ?? '';
const app = loadApp(appsIn(files).get('') ?? []);

describe('the scenarios of docs/simulate.md', () => {
  const parts = blocks.filter(({ info }) => info === 'scenario');

  it('are there', () => {
    expect(parts.length).toBeGreaterThan(2);
  });

  it.each(parts.map(({ line, code }) => [line, code] as const))('hold, with the part in line %i', async (_line, code) => {
    const text = stringify({ ...parse(base), ...parse(code) });
    const scenario = loadScenario({ path: 'scenarios/page.yaml', text }, app);
    const { violations, responses } = await simulate({ app, scenario, seed: 1, drain, trace: false });
    expect(violations).toEqual([]);
    expect(responses.length).toBeGreaterThan(20);
  });
});

describe('the tables of docs/simulate.md', () => {
  const first = (table: string) => tableIn(page, table).flatMap(([cell = '']) => /`(?:--)?([\w-]+)`/.exec(cell)?.[1] ?? []);
  const shape = scenarioSchema.shape;

  it('have every field of a scenario', () => {
    expect(first('scenario')).toEqual(Object.keys(shape));
    expect(first('network')).toEqual(Object.keys(shape.network.unwrap().shape));
    expect(first('load')).toEqual(Object.keys(shape.load.options[0].shape));
    expect(first('faults')).toEqual(Object.keys(faultForms));
  });

  it('have everything that a response has', async () => {
    const { responses } = await simulate({ app, scenario: loadScenario({ path: 's.yaml', text: base }, app), seed: 1, drain });
    expect(first('responses')).toEqual(Object.keys(responses[0] ?? {}));
  });

  it('have every option', () => {
    const options = Object.entries(command.args ?? {}).filter(([, { type }]) => type !== 'positional');
    expect(first('options').sort()).toEqual(options.map(([option]) => option).sort());
  });
});
