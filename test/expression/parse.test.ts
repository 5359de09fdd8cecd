// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is tested
/** Short expressions are parsed without a scan; longer ones, and what is wrong, with it. Both ways lead to the same. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { parseExpression, parseTemplate } from '../../src/expression/parse.ts';
import { createSource } from '../../src/expression/source.ts';
import { mutatedSource } from './mutants.ts';

const runs = 1_000 * Number(process.env.CFFBRW_RUNS ?? 1);
const start = { file: 'f', line: 1, column: 1 };
/** So long that it is scanned, whatever it says. */
const padding = ' '.repeat(200);

/** What is found, with places as if nothing stood before: `moved` characters do. */
function outcome(parse: () => unknown, moved: number): unknown {
  try {
    return unmoved(parse(), moved);
  } catch (error) {
    if (!(error instanceof CffbrwError)) throw error;
    const { line, column } = error.place ?? { line: 0, column: 0 };
    // What is shown of the source is cut before its spaces are.
    return {
      why: error.message.split('`: ').at(-1),
      fix: error.fix,
      line,
      column: line === 1 && column > moved ? column - moved : column,
    };
  }
}

const unmoved = (found: unknown, moved: number): unknown =>
  JSON.parse(JSON.stringify(found), (key, value) => (key === 'start' || key === 'end' ? value - moved : value));

/** Alone, and in a text that goes on behind it. */
const both = (source: string, before: string): unknown => [
  outcome(() => parseExpression(createSource(`${before} ${source}`, () => start)), before.length),
  outcome(() => parseTemplate(createSource(`\${${before} ${source}}z}`, () => start)), before.length),
];
function agree(source: string): void {
  expect(both(source, ''), source).toEqual(both(source, padding));
}

const sources = [
  ...[
    'a',
    ' a ',
    'a.b',
    'a.b.c',
    'a .b',
    'a?.b',
    'a.1',
    'a.',
    '.a',
    'a..b',
    'null',
    'true',
    'this',
    'new',
    'let',
    'yield',
    'await',
    'async',
    'of',
  ],
  ...[
    'null.a',
    'this.a',
    'a.null',
    'a.this',
    'a.class',
    'vars.x',
    "'a'",
    '"}"',
    "'}' + '{'",
    '`a`',
    '`${a}`',
    '{}',
    '{ a: 1 }',
    '[1, 2]',
    '(a)',
    '((a))',
  ],
  ...[
    'a)(b',
    '(a',
    'a)',
    'a]',
    '[a',
    'a, b',
    'a b',
    'a; b',
    '/a/',
    '/}/',
    'a / b',
    'a // b',
    'a /* b */',
    'a <!-- b',
    'a --> b',
    'a--',
    '--a',
    '#a',
    'a#b',
  ],
  ...[
    'é',
    'é.à',
    '\\u0061',
    'a\u2028b',
    '"\\u007d"',
    '1',
    '01',
    '1n',
    '1e3',
    '0x1',
    'x => x',
    'a.map(x => x)',
    'f(a)',
    'f(a)(b)',
    '!a',
    '- a',
    'typeof a',
    '',
  ],
];

it.each(sources)('%j is the same with and without a scan', agree);

it('Whatever is changed in an expression, it is the same with and without a scan', () => {
  fc.assert(fc.property(mutatedSource, agree), { numRuns: runs });
});
