/** Places of findings in the TypeScript that an app was written in. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkDocuments } from '../../src/check/index.ts';
import { readDocuments } from '../../src/node/index.ts';
import { programSource } from '../../src/workflow/literal.ts';

const folder = mkdtempSync(join(tmpdir(), 'cffbrw-program-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const front = join(import.meta.dirname, '../../src/index.ts');

test('A finding has its place in the file that calls defineWorkflow, and is silenced there', async () => {
  const spin = (ignore: string) => `import { defineWorkflow } from '${front}';
import { variables } from '../variables.ts';

/** A comment with { brackets [ and 'quotes. */
export const spin = defineWorkflow(variables, {
  workflow: 'spin',
  on: { http: { method: 'POST', path: '/spin' } },
  steps: [
    { let: { limit: 10, half: \`\${1 + 1}\` } }, // { not a step }
    { respond: { body: { won: false } }, when: 'vars.wins >= limit'${ignore} },
    {
      if: 'random() < 0.5',
      then: [{ add: 'wins' }],
    },
  ],
});
`;
  mkdirSync(join(folder, 'workflows'), { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write('package.json', '{"type":"module"}');
  write(
    'variables.ts',
    `import { defineVariables } from '${front}';\nexport const variables = defineVariables({ wins: { strategy: 'sum-increments' } });\n`,
  );
  write(
    'cffbrw.config.ts',
    `import { defineApp } from '${front}';\nimport { variables } from './variables.ts';\nimport { spin } from './workflows/spin.ts';\nexport default defineApp({ app: 'small', variables, workflows: [spin] });\n`,
  );
  write('workflows/spin.ts', spin(''));

  const placed = async () =>
    checkDocuments(await readDocuments(folder)).findings.map(
      ({ rule, place: { file, line, column } }) => `${rule} ${file}:${line}:${column}`,
    );
  expect(await placed()).toEqual(['R3 workflows/spin.ts:10:5', 'R2 workflows/spin.ts:13:14']);
  write('workflows/spin.ts', spin(", ignore: { R3: 'meant so' }"));
  expect(await placed()).toEqual(['R2 workflows/spin.ts:13:14']);
});

describe('a part of a literal', () => {
  const placesIn = (text: string) => programSource('a.ts workflow w', { workflow: 'w' }, { file: 'a.ts', text });
  const at = (text: string, ...path: (string | number)[]): string => {
    const { line, column } = placesIn(text).placeOf(path);
    return text.split('\n')[line - 1]?.slice(column - 1, column + 3) ?? '';
  };

  test.each([
    [
      'behind strings with brackets in them',
      "f({ a: '}]', b: `${ x[0] }{`, workflow: 'w', steps: [{ add: 'n' }, 1234] })",
      '1234',
    ],
    ['behind comments', "({ /* workflow: 'x', { */ workflow: 'w', // [\n steps: [0, /* , */ 1234] })", '1234'],
    [
      'behind what is no literal',
      "({ workflow: 'w', on: on(1, [2]), ...more, short, steps: [a ? [1, 2] : {}, 1234] as const })",
      '1234',
    ],
    [
      'in the workflow of that name, not in another',
      "[{ workflow: 'v', steps: [1, 2] }, { workflow: 'w', steps: [1, 1234] }]",
      '1234',
    ],
    ['with names in quotes', "({ 'workflow': 'w', \"steps\": [1, 1234] })", '1234'],
  ])('is found %s', (_, text, wanted) => {
    expect(at(text, 'steps', 1)).toBe(wanted);
  });

  test.each([
    ['behind a spread', "({ workflow: 'w', steps: [...first, 1234] })", '[...'],
    ['in what a function gives', "({ workflow: 'w', steps: stepsOf(3) })", 'step'],
  ])('%s has the place of what is around it', (_, text, wanted) => {
    expect(at(text, 'steps', 1)).toBe(wanted);
  });

  test('in a program that has no such literal has its path as its place', () => {
    expect(placesIn('export default build();').placeOf(['steps', 0])).toEqual({
      file: 'a.ts workflow w steps[0]',
      line: 1,
      column: 1,
    });
  });

  test('ends also where the text does not', () => {
    const text = "({ workflow: 'w', steps: [{ add: 'n' }, `${ [";
    for (let end = 0; end <= text.length; end++) expect(placesIn(text.slice(0, end)).placeOf(['steps', 0]).line).toBe(1);
  });
});
