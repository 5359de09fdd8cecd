/** Documents and texts with pieces replaced, missing, doubled or swapped: what nobody writes, and somebody will. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';

const texts = readdirSync('examples', { recursive: true, encoding: 'utf8' })
  .filter((path) => /^[\w-]+\/(?:cffbrw|workflows\/[^/]+)\.yaml$/.test(path))
  .sort()
  .map((path) => readFileSync(`examples/${path}`, 'utf8'));

const pieces = [
  ...[
    ' ',
    '\n',
    '\n  ',
    '\n- ',
    '- ',
    ': ',
    ':',
    ', ',
    ',',
    '{',
    '}',
    '[',
    ']',
    '{ ',
    ' }',
    '#',
    ' #',
    '"',
    "'",
    '\\',
    '(',
    ')',
    '${',
    '`',
    '|',
    '>',
  ],
  ...[
    '!',
    '&a',
    '*a',
    '?',
    '%',
    '@',
    '~',
    'null',
    'true',
    'yes',
    '0',
    '1',
    '-1',
    '1e3',
    '0x1',
    '.5',
    'a',
    'a: 1',
    '---\n',
    '...\n',
    '\t',
    '\r\n',
    '<<',
    'é',
    '\u2028',
  ],
  ...['__proto__: 1', 'a b', '"a": 1', "'it''s'", '[a: 1]', '{a: 1}', '\n\n', '      ', ' # c\n', '${ x }'],
];

interface Cut {
  readonly at: number;
  readonly length: number;
  readonly piece: string;
}

const cut = fc.record<Cut>({
  at: fc.nat({ max: 2_000 }),
  length: fc.oneof(fc.constant(0), fc.nat({ max: 4 }), fc.nat({ max: 40 })),
  piece: fc.oneof(fc.constantFrom(...pieces), fc.constant(''), fc.string({ maxLength: 3 })),
});

const change = (text: string, { at, length, piece }: Cut): string => {
  const from = at % (text.length + 1);
  return text.slice(0, from) + piece + text.slice(from + length);
};

/** A document of an example with a few cuts, or a short text made of pieces. */
export const yamlText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...texts), fc.array(cut, { minLength: 1, maxLength: 3 }))
      .map(([text, cuts]) => cuts.reduce(change, text)),
  },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => `a: ${parts.join('')}`) },
);
