// biome-ignore-all lint/suspicious/noThenProperty: the field of a document, which nobody awaits
/** Documents built in TypeScript: the same data as in YAML, compiled by the same compiler, run by the same code. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createApp, defineApp, defineVariables, defineWorkflow, loadApp, type Step } from '../../src/index.ts';
import { readDocuments } from '../../src/node/index.ts';
import { formOf } from '../../src/workflow/form.ts';
import { collectProblems } from '../../src/workflow/source.ts';
import { verbs } from '../../src/workflow/steps/verbs.ts';
import { readYaml } from '../../src/workflow/yaml.ts';
import { createStage, refusal } from '../workflow/stage.ts';

const root = resolve(import.meta.dirname, '../..');
const yamlWheel = join(root, 'examples/wheel');
const typedWheel = join(root, 'examples/library/wheel');

function yamlDocuments(): unknown[] {
  const paths = ['cffbrw.yaml', ...readdirSync(join(yamlWheel, 'workflows')).map((name) => `workflows/${name}`)];
  return paths.map((path) => readYaml(path, readFileSync(join(yamlWheel, path), 'utf8'), collectProblems())?.data);
}

const typedDocuments = await readDocuments(typedWheel);

describe('the wheel in TypeScript', () => {
  test('is the same documents as the wheel in YAML, but for where its page is', () => {
    const [settings, ...workflows] = yamlDocuments();
    expect(typedDocuments.map(({ data }) => data)).toEqual([
      { ...(settings as object), static: '../../wheel/public' },
      ...workflows,
    ]);
  });

  test('answers every request as the wheel in YAML does', async () => {
    const apps = [loadApp(await readDocuments(yamlWheel)), loadApp(typedDocuments)];
    const answers = await Promise.all(
      apps.map(async (app) => {
        const stage = await createStage(app, 'two wheels');
        const found = [];
        for (let i = 0; i < 30; i += 1) found.push(await stage.ask('spin', { body: { user: `u${i % 25}` } }));
        return [found, await stage.value('spins'), await stage.value('vouchers')];
      }),
    );
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]?.[1]).toBe(30);
    expect(JSON.stringify(answers[0])).toContain('W-');
  });
});

describe('what is wrong inside an expression', () => {
  const variables = defineVariables({ hits: { strategy: 'sum-increments' }, best: { initial: 0 } });
  const appOf = (...steps: Step<typeof variables>[]) =>
    defineApp({
      app: 'a',
      variables,
      workflows: [defineWorkflow(variables, { workflow: 'hit', on: { http: { method: 'POST', path: '/hit' } }, steps })],
    });

  test('is told with the path of the step, and the place within the expression', () => {
    const documents = appOf({ add: 'hits' }, { if: 'true', then: [{ set: 'best', value: '${ vars.hits + vars.bst }' }] });
    const message = refusal(() => createApp(documents));
    expect(message).toContain('workflow hit steps[1].then[0].value:1:');
    expect(message).toContain('bst');
    expect(message).toContain('best');
  });

  test('is told of conditions and of names that nothing bound', () => {
    const message = refusal(() => createApp(appOf({ add: 'hits', when: 'vars.hits' }, { respond: { body: '${ nothing.ok }' } })));
    expect(message).toMatch(/workflow hit steps\[1\]\.respond\.body:1:\d+: .*nothing/);
    expect(refusal(() => createApp(appOf({ call: 'nobody' })))).toContain(
      'workflow hit steps[0].call:1:1: There is no workflow `nobody`',
    );
  });
});

test('Every verb that there is has a type, and a document of each compiles', () => {
  const source = readFileSync(join(root, 'src/define/steps.ts'), 'utf8');
  const typed = /export type VerbName =([^;]*);/.exec(source)?.[1] ?? '';
  const names = [...typed.matchAll(/'(\w+)'/g)].map((found) => found[1] ?? '');
  expect(names.sort()).toEqual([...verbs.keys()].sort());
});

test('Every field of every verb has a type', () => {
  const allowed = readFileSync(join(root, 'test/define/types.test-d.ts'), 'utf8').split('What is refused')[0] ?? '';
  for (const verb of verbs.values()) {
    for (const field of Object.keys(formOf(verb).shape))
      expect(allowed, `${verb.verb}: ${field}`).toMatch(new RegExp(`\\b${field}:`));
  }
});

test('What comes out is plain data of its own shape: the version first, and the steps', () => {
  const variables = defineVariables({ hits: { strategy: 'sum-increments' } });
  const workflow = defineWorkflow(variables, { workflow: 'hit', on: { call: {} }, steps: [{ add: 'hits' }] });
  expect(workflow).toEqual({ cffbrw: 1, workflow: 'hit', on: { call: {} }, steps: [{ add: 'hits' }] });
  expect(defineApp({ app: 'a', variables, workflows: [workflow], secrets: ['KEY'] })).toEqual([
    { cffbrw: 1, app: 'a', variables: { hits: { strategy: 'sum-increments' } }, secrets: ['KEY'] },
    workflow,
  ]);
});
