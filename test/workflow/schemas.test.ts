/** The published JSON Schemas: they are those of the types, accept every document of the repository, and refuse what is wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Schema, Validator } from '@cfworker/json-schema';
import { describe, expect, test } from 'vitest';
import { schemaFiles } from '../../scripts/schemas.ts';
import { declareVariable } from '../../src/strategy/variable.ts';
import { checkDocument } from '../../src/workflow/document.ts';
import { collectProblems, dataSource } from '../../src/workflow/source.ts';
import { readYaml } from '../../src/workflow/yaml.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const validatorOf = (name: string) => new Validator(JSON.parse(read(`schemas/${name}`)) as Schema, '7');
const validators = { app: validatorOf('cffbrw.schema.json'), workflow: validatorOf('workflow.schema.json') };

test('The files are what `npm run schemas` writes', () => {
  const wanted = JSON.parse(JSON.stringify(schemaFiles()));
  expect(readdirSync(join(root, 'schemas')).sort()).toEqual(Object.keys(wanted).sort());
  for (const name of Object.keys(wanted))
    expect(JSON.parse(read(`schemas/${name}`)), `run npm run schemas: ${name}`).toEqual(wanted[name]);
});

test('The package brings them', () => {
  expect((JSON.parse(read('package.json')) as { files: string[] }).files).toContain('schemas');
});

const dataOf = (text: string): Record<string, unknown> => {
  const problems = collectProblems();
  const [source] = [readYaml('document.yaml', text, problems)].flat();
  expect(problems.list).toEqual([]);
  return source?.data as Record<string, unknown>;
};

const errorsOf = (data: Record<string, unknown>): string[] =>
  validators['workflow' in data ? 'workflow' : 'app']
    .validate(data)
    .errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`);

describe('accept', () => {
  const files = ['examples', 'bench/apps', 'test/e2e/apps'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(^|\/)(cffbrw|workflows\/[^/]+)\.yaml$/.test(name) && !name.includes('node_modules'))
      .map((name) => join(folder, name)),
  );

  test('enough files', () => expect(files.length).toBeGreaterThan(40));

  test.each(files)('%s', (file) => expect(errorsOf(dataOf(read(file)))).toEqual([]));

  const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const blocks = pages.flatMap((name) =>
    [...read(join('docs', name)).matchAll(/^```yaml\n(# (?:cffbrw|workflows\/\S+)\.yaml\n[\s\S]*?)^```/gm)].map(
      ([, text = ''], index) => [`${name} ${index + 1}`, text] as const,
    ),
  );

  test('enough blocks', () => expect(blocks.length).toBeGreaterThan(7));

  test.each(blocks)('the document of %s', (_, text) => expect(errorsOf(dataOf(text))).toEqual([]));

  const verbSteps = [...read('docs/workflows.md').matchAll(/^```yaml steps\n([\s\S]*?)^```/gm)].map(([, text = '']) => text);

  test.each(verbSteps)('steps of the page of workflows: %#', (text) => {
    expect(errorsOf(dataOf(`cffbrw: 1\nworkflow: page\non: { call: }\nsteps:\n${text.replace(/^(?=.)/gm, '  ')}`))).toEqual([]);
  });
});

describe('refuse', () => {
  const http = { http: { method: 'GET', path: '/x' } };
  const workflow = (fields: object) => ({ cffbrw: 1, workflow: 'w', on: http, steps: [{ return: 1 }], ...fields });
  const app = (fields: object) => ({ cffbrw: 1, app: 'a', ...fields });
  const variable = (declaration: unknown) => app({ variables: { x: declaration } });
  const step = (one: object) => workflow({ steps: [one] });

  test.each<[string, Record<string, unknown>]>([
    ['another version', workflow({ cffbrw: 2 })],
    ['no steps', { cffbrw: 1, workflow: 'w', on: http }],
    ['an empty list of steps', workflow({ steps: [] })],
    ['an unknown field', workflow({ step: [] })],
    ['an unknown trigger', workflow({ on: { timer: {} } })],
    ['an unknown method', workflow({ on: { http: { method: 'FETCH', path: '/' } } })],
    ['a trigger without its path', workflow({ on: { http: { method: 'GET' } } })],
    ['a schedule that is a number', workflow({ on: { cron: { schedule: 5 } } })],
    ['cors with an unknown field', workflow({ on: { http: { ...http.http, cors: { origin: [] } } } })],
    ['another signature', workflow({ on: { http: { ...http.http, verify: { scheme: 'md5', header: 'h', secret: 'S' } } } })],
    ['a step without a verb', step({ when: true })],
    ['an unknown verb', step({ ad: 'x' })],
    ['two verbs', step({ add: 'x', reset: 'x' })],
    ['a step that is text', workflow({ steps: ['add'] })],
    ['an unknown field of a step', step({ add: 'x', ammount: 2 })],
    ['as where nothing is yielded', step({ add: 'x', as: 'y' })],
    ['a verb without what it needs', step({ set: 'x' })],
    ['a wrong step inside another', step({ try: [{ ad: 'x' }] })],
    ['a wrong step in a branch', step({ parallel: { one: [{ add: 1 }] } })],
    ['an unknown choice', step({ get: 'x', window: 'next', as: 'y' })],
    ['a log level that is none', step({ log: { level: 'loud', message: 'm' } })],
    ['too many attempts', step({ try: [{ add: 'x' }], retry: { attempts: 1_000 } })],
    ['an app with an unknown field', app({ variable: {} })],
    ['an app without a name', app({ app: '' })],
    ['a durability that is none', app({ durability: 'eventual' })],
    ['a secret that no environment has', app({ secrets: ['A-B'] })],
    ['events without variables', app({ events: { path: '/e' } })],
  ])('%s', (_, data) => {
    expect(errorsOf(data)).not.toEqual([]);
  });

  test.each<[string, unknown]>([
    ['an unknown strategy', { strategy: 'sum' }],
    ['an unknown field', { keyd: true }],
    ['a period that is none', { window: { every: 'minute' } }],
    ['a fraction of a window', { window: { every: 'day', keep: 1.5 } }],
    ['a list', []],
    ['keyed with text', { keyed: 'yes' }],
  ])('a variable: %s', (_, declaration) => {
    expect(errorsOf(variable(declaration))).not.toEqual([]);
    expect(() => declareVariable('x', declaration as never)).toThrow();
  });

  test('and accept these when they are right', () => {
    const right = [workflow({}), app({ variables: { x: null } }), step({ try: [{ add: 'x' }] })];
    for (const data of right) {
      expect(errorsOf(data)).toEqual([]);
      const problems = collectProblems();
      checkDocument(dataSource('d', data), problems);
      expect(problems.list).toEqual([]);
    }
  });
});
