/** The reader of plain YAML and the library's: what the one reads, the other reads the same. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPlain } from '../../src/workflow/plain.ts';
import { collectProblems } from '../../src/workflow/source.ts';
import { type Found, placesOf } from '../../src/workflow/spots.ts';
import { checkText } from '../../src/workflow/tokens.ts';
import { readAll } from '../../src/workflow/yaml.ts';
import { yamlText } from './mutants.ts';

const runs = 400 * Number(process.env.CFFBRW_RUNS ?? 1);

function readByLibrary(text: string): { found: Found | null; problems: readonly string[] } {
  const problems = collectProblems();
  const found = checkText(text) === undefined ? readAll(text, placesOf('f', text), problems) : null;
  return { found, problems: problems.list.map(({ message }) => message) };
}

/** P1; true when the plain reader read it. */
function agree(text: string): boolean {
  const plain = checkText(text) === undefined ? readPlain(text) : null;
  if (plain !== null) expect({ found: plain, problems: [] }, text).toEqual(readByLibrary(text));
  return plain !== null;
}

const files = readdirSync('examples', { recursive: true, encoding: 'utf8' })
  .filter((path) => /^[\w-]+\/(?:cffbrw|workflows\/[^/]+)\.yaml$/.test(path))
  .map((path) => `examples/${path}`);

test.each(files)('%s is plain, and read as the library reads it', (path) => {
  expect(agree(readFileSync(path, 'utf8'))).toBe(true);
});

describe('A value', () => {
  const values = [
    ...[
      '1',
      '-1',
      '0',
      '-0',
      '1.5',
      '0.50',
      '01',
      '0x1',
      '1e3',
      '.5',
      '5.',
      '+1',
      '1_000',
      '.inf',
      '-.INF',
      '.nan',
      '9007199254740993',
    ],
    ...[
      'true',
      'True',
      'no',
      'on',
      'null',
      '~',
      'Null',
      'undefined',
      '10ms',
      '7d',
      '2026-01-02',
      '12:30',
      'a:b',
      'a: b',
      'a:',
      '1.2.3',
    ],
    ...[
      'x',
      'x y',
      '${ x }',
      '$x',
      'a #b',
      'a#b',
      '#b',
      '"a"',
      "'a'",
      '"a\\n"',
      '"a\\u0041"',
      "'it''s'",
      '"a" b',
      '"a"b',
      "''",
      '""',
    ],
    ...[
      '!x',
      '&x',
      '*x',
      '|',
      '>',
      '%x',
      '@x',
      '`x`',
      '?x',
      '- x',
      '-x',
      '-',
      '--',
      '---',
      ',x',
      ']',
      '}',
      '=',
      '<<',
      '^x',
      '(x)',
      'é',
      '…x',
    ],
    ...[
      '[]',
      '{}',
      '[ ]',
      '{ }',
      '[a]',
      '[a, b]',
      '[a, b, ]',
      '[,]',
      '[a b]',
      '[a: 1]',
      '[a: 1, b]',
      '[{ a: 1 }]',
      '[[]]',
      '[a:1]',
      '[-1, - 1]',
    ],
    ...[
      '{ a: 1 }',
      '{a: 1}',
      '{ a: 1, a: 2 }',
      '{ a }',
      '{ a: }',
      '{ a: b: c }',
      '{ "a": 1 }',
      '{"a":1}',
      "{ 'a': x y, b: [c] }",
      '{ a : 1 }',
    ],
    ...[
      '{ a: /x/{y} }',
      '{ a: ${ x } }',
      '{ a: f(x, y) }',
      '{ a: f(x) }',
      '{ a: x # y\n  }',
      '{ a:\n    1 }',
      '{ __proto__: 1 }',
      '{ null: 1 }',
    ],
    ...[
      '\n  b: 1',
      '\n  - 1\n  - 2',
      '\n- 1\n- b: 2\n  c: 3',
      '\n  b: 1\n c: 2',
      '\n  b: 1\n   c: 2',
      '\n  x\n  y',
      'x\n  y',
      '\n',
      ' # c',
      ' # c\n  b: 1',
    ],
    ...[
      '\n  - - 1',
      '\n  -\n    b: 1',
      '\n  -   b: 1\n      c: 2',
      '\n  -   b: 1\n    c: 2',
      '\n  # c\n\n  - 1 # c\n  # d\n  - 2',
      '\r\n  b: 1',
      '\tx',
      'x\t',
    ],
    ...[
      '\n  ? b',
      '\n  "b": 1',
      '\n  b : 1',
      '\n  b:1',
      '\n  null: 1',
      '\n  constructor: 1',
      '\n  true: 1',
      '\n  b: 1\n  b: 2',
      '\n  b-c_1: 1',
      ` ${'x'.repeat(2_000)}`,
    ],
  ];
  test.each(values)('%j is read as the library reads it, or left to it', (value) => {
    for (const text of [
      `a: ${value}`,
      `a:${value}\n`,
      `a: ${value}\nz: 1\n`,
      `- ${value}\n- 2`,
      `{ a: ${value}, z: 1 }`,
      `x: [${value}, 1]`,
      value,
    ])
      agree(text);
    agree(`when: ${value} # c`);
  });
});

test('Any text is read as the library reads it, or left to it', () => {
  let read = 0;
  fc.assert(
    fc.property(yamlText, (text) => {
      if (agree(text)) read += 1;
    }),
    { numRuns: runs },
  );
  expect(read).toBeGreaterThan(20);
});

test('What nests deeper than it goes is left to the library', () => {
  for (const depth of [10, 20, 30, 60, 5_000]) {
    const brackets = `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;
    const lines = Array.from({ length: Math.min(depth, 200) }, (_, level) => `${' '.repeat(level)}a:`).join('\n');
    expect([agree(brackets), agree(`${lines} 1`)]).toEqual([depth < 24, depth < 24]);
  }
});
