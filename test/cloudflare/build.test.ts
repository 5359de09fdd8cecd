/** The app that is loaded from what `cffbrw build` wrote is the app of the texts (src/built/built.ts, P1 and P2). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type App, createApp, loadApp } from '../../src/app.ts';
import { buildApp } from '../../src/built/build.ts';
import { builtFormat } from '../../src/built/built.ts';
import { loadBuilt } from '../../src/built/whole.ts';
import { CffbrwError } from '../../src/error.ts';
import { createCompiler, type ExpressionCompiler, type Parser } from '../../src/expression/compiler.ts';
import { functions } from '../../src/expression/functions.ts';
import { compileMethod } from '../../src/expression/methods.ts';
import { acornParser } from '../../src/expression/parse.ts';
import { refuse } from '../../src/expression/refuse.ts';
import { readDocuments } from '../../src/node/directory.ts';
import type { Json } from '../../src/strategy/json.ts';
import type { Plan, PlannedStep } from '../../src/workflow/plan.ts';
import { type Path, pathText } from '../../src/workflow/source.ts';
import { bound, expression } from '../expression/arbitrary.ts';
import { frame } from '../expression/example.ts';
import { mutatedSource } from '../expression/mutants.ts';
import { app as mutantsApp, mutatedDocument, mutatedSteps } from '../workflow/mutants.ts';
import { createStage, type RequestOptions, runs } from '../workflow/stage.ts';

const again = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));
const built = (app: App): App => loadBuilt(again(buildApp(app)));

const examples = join(import.meta.dirname, '../../examples');
const folders = readdirSync(examples, { recursive: true, encoding: 'utf8' })
  .filter((path) => /(^|\/)cffbrw\.(yaml|config\.ts)$/.test(path))
  .map((path) => join(path, '..'))
  .sort();

/** All that a step is, but its functions. */
const stepFacts = ({ execute: _, when, compiled, inside, ...step }: PlannedStep): unknown => ({
  ...step,
  when: when === null ? null : when.compiled.trees,
  compiled: compiled.map(({ evaluate: _, reads, ...one }) => ({
    ...one,
    reads: reads.map(({ key, variable, age, place, text }) => ({ variable, age, place, text, key: key?.tree ?? null })),
  })),
  inside: inside.map(stepFacts),
});
const planFacts = ({ steps, cron, ...plan }: Plan): unknown => ({
  ...plan,
  cron: cron && { schedule: cron.schedule, timezone: cron.timezone, next: cron.next(1_700_000_000_000) },
  steps: steps.map(stepFacts),
});
const factsOf = ({ documents: _, workflows, ...app }: App): unknown => ({
  ...app,
  workflows: [...workflows.values()].map(planFacts),
});

/** Where everything stands: each value, each name of a field, the characters of each text; and what is not there. */
function placesOf(app: App): unknown[] {
  const places: unknown[][] = [];
  for (const { source, document } of app.documents) {
    const visit = (value: unknown, path: Path): void => {
      const text = source.textPlaceOf(path);
      const characters = typeof text === 'function' ? [0, 7, 40, 200].map(text) : text;
      places.push([pathText(path), source.placeOf(path), source.keyPlaceOf(path), characters]);
      if (typeof value !== 'object' || value === null) return;
      for (const [name, inside] of Object.entries(value)) visit(inside, [...path, Array.isArray(value) ? Number(name) : name]);
      places.push([`${pathText(path)}?`, source.placeOf([...path, 'nothing', 3]), source.textPlaceOf([...path, 'nothing'])]);
    };
    visit(document, []);
  }
  // The form gives fields an order of its own.
  return places.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

describe('an app of the examples', () => {
  test('is there', () => {
    expect(folders).toEqual(expect.arrayContaining(['auction', 'flags', 'quota', 'shop', 'webhooks', 'wheel', 'library/wheel']));
  });

  test.each(
    folders,
  )('is the same app after it was built, down to each place, and the same bytes each time: %s', async (folder) => {
    const files = await readDocuments(join(examples, folder));
    const app = loadApp(files);
    const loaded = built(app);
    expect(factsOf(loaded)).toEqual(factsOf(app));
    expect(placesOf(loaded)).toEqual(placesOf(app));
    expect(placesOf(app).length).toBeGreaterThan(20);
    const text = JSON.stringify(buildApp(app));
    expect(JSON.stringify(buildApp(loadApp(files)))).toBe(text);
    expect(JSON.stringify(buildApp(loaded))).toBe(text);
  });
});

interface Outcomes {
  readonly results: readonly unknown[];
  readonly logs: readonly unknown[];
}

/** What a run of an app's only workflow gives, three times, and what it logged. */
async function outcomes(app: App): Promise<Outcomes> {
  const [name = ''] = app.workflows.keys();
  const stage = await createStage(app, 'built');
  const results: unknown[] = [];
  for (const more of [{}, { key: 'one' }, { key: 'one' }] satisfies RequestOptions[])
    results.push(await stage.ask(name, { body: 5, ...more }));
  return { results, logs: stage.logs };
}

const textOf = (data: Json): string => JSON.stringify(data, null, 2);
const texts = (workflow: string) => [
  { path: 'cffbrw.yaml', text: textOf(mutantsApp) },
  { path: 'w.yaml', text: workflow },
];

describe('a document', () => {
  test('that is random runs to the same results and the same errors', async () => {
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutatedSteps, mutatedDocument), fc.boolean(), async (changed, asData) => {
        let app: App;
        try {
          app = asData ? createApp([mutantsApp, changed]) : loadApp(texts(textOf(changed)));
        } catch (error) {
          if (error instanceof CffbrwError) return;
          throw error;
        }
        const loaded = built(app);
        expect(factsOf(loaded)).toEqual(factsOf(app));
        expect(await outcomes(loaded)).toEqual(await outcomes(app));
        ran += 1;
      }),
      { numRuns: runs(60) },
    );
    expect(ran).toBeGreaterThan(5);
  });

  const head = 'cffbrw: 1\nworkflow: w\non: { http: { method: POST, path: /w } }\nsteps:\n';
  test.each([
    ['  - let: { a: "${ 1 / 0 }" }', 5, 19],
    ["  - let: { a: '${ 1 / 0 }' }", 5, 19],
    ['  - let:\n      a: see ${ 1 / 0 }', 6, 17],
    ['  - let:\n      a: |\n        one\n        two ${ 1 / 0 }', 8, 1],
    ['  - let:\n      a: >\n        one\n        two ${ 1 / 0 }', 6, 22],
    ['  - { wait: 1ms, when: request.body }', 5, 5],
    ['  - try:\n      - add: k\n        key: ${ 1 / 0 }', 7, 17],
    ['  - { add: k, key: "${ null }" }', 5, 5],
  ])('that fails does so at the same place: %j', async (steps, line, column) => {
    const app = loadApp(texts(`${head}${steps}\n`));
    const expected = await outcomes(app);
    expect(expected.results[0]).toMatchObject({ title: expect.any(String), place: { file: 'w.yaml', line, column } });
    expect(await outcomes(built(app))).toEqual(expected);
  });

  test('has its fields evaluated in the order of the form, however they are written', async () => {
    const steps = [
      '  - log: { data: "${ random() }", message: "${ string(random()) }", level: info }',
      '  - respond: { body: "${ random() }", status: "${ 200 + floor(random() * 90) }" }',
    ];
    const app = loadApp(texts(`${head}${steps.join('\n')}\n`));
    expect(await outcomes(built(app))).toEqual(await outcomes(app));
  });
});

describe('a random expression', () => {
  const names = Object.keys(bound);
  const scope = { names: new Map(names.map((name, slot) => [name, slot])), variables: new Map() };
  const plainly = createCompiler({ parser: acornParser, functions, compileMethod, refuse });
  const parser: Parser = {
    expression: (source) => again(acornParser.expression(source)),
    template: (source) => again(acornParser.template(source)),
  };
  const fromJson = createCompiler({ parser, functions, compileMethod, refuse });
  const place = { file: 'f', line: 3, column: 5 };

  const outcome = (compile: ExpressionCompiler, source: string): unknown => {
    try {
      const { evaluate, trees, shape, constant } = compile.compileExpression(source, scope, () => place);
      return [JSON.stringify(trees), shape, constant, evaluate({ ...frame(), values: Object.values(bound) })];
    } catch (error) {
      if (!(error instanceof CffbrwError)) throw error;
      return [error.code, error.message, error.place, error.fix];
    }
  };
  const inText = (source: string) => `a ${'$'}{ ${source} } b`;
  const outcomeInText = (compile: ExpressionCompiler, source: string): unknown => {
    try {
      return compile.compileTemplate(inText(source), scope).evaluate({ ...frame(), values: Object.values(bound) });
    } catch (error) {
      return error instanceof CffbrwError ? [error.code, error.message] : error;
    }
  };

  test('gives the same from the tree that was stored', () => {
    const some = fc.oneof(
      expression.map(([source]) => source),
      mutatedSource,
    );
    fc.assert(
      fc.property(some, (source) => {
        expect(outcome(fromJson, source)).toEqual(outcome(plainly, source));
        expect(outcomeInText(fromJson, source)).toEqual(outcomeInText(plainly, source));
      }),
      { numRuns: runs(500) },
    );
  });
});

describe('what was built', () => {
  const steps = [
    { let: { list: [1, 'two', null], a: 1 } },
    { let: { all: "${ [...list, { a, ['b']: `x${a}`, ...list[0] }, list?.[1], a ? 1 : list.map(x => x).length, len('z')] }" } },
    { add: 'n', when: '!(a === 1) || vars.n > -2 && true' },
  ];
  const document = { cffbrw: 1, workflow: 'w', on: { http: { method: 'POST', path: '/w' } }, steps };

  test('has this digest: if what is built of the same documents changes, builtFormat must rise', () => {
    const { digest, format } = buildApp(loadApp(texts(textOf(document))));
    expect([format, digest]).toEqual([2, '1a53ed8615205d7aa4f7c963aa276c28c74f4cc6f49f9e9e18fa3bfd11223854']);
  });

  const refusal = (data: unknown): string => {
    try {
      loadBuilt(data);
    } catch (error) {
      if (error instanceof CffbrwError) return `${error.code}: ${error.message} ${error.fix}`;
      throw error;
    }
    throw new Error('it was not refused');
  };
  const good = () => again(buildApp(loadApp(texts(textOf(document)))));

  test('is refused in another format, changed, cut off, or when it is something else', () => {
    expect(loadBuilt(good()).name).toBe('a');
    expect(refusal({ ...good(), format: 99 })).toBe(
      `INVALID_APP: This app was built in format 99, and this is cffbrw of format ${builtFormat}. Run \`npx cffbrw build\` again, with the version of cffbrw that reads it here.`,
    );
    expect(refusal({ ...good(), expressions: [] })).toMatch(/^INVALID_APP: This app was changed after it was built/);
    const longer = good();
    const [first] = longer.documents;
    expect(refusal({ ...longer, documents: [first, first, ...longer.documents.slice(1)] })).toMatch(/changed after it was built/);
    for (const other of [null, undefined, 1, 'built', [], {}, { cffbrw: 1, app: 'a' }])
      expect(refusal(other)).toMatch(/^INVALID_APP: This is no app that `cffbrw build` made\./);
  });
});
