/** What YAML would misread is refused with the text that would be right, at its place. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collectProblems, formatProblem } from '../../src/workflow/source.ts';
import { readYaml } from '../../src/workflow/yaml.ts';
import { runs } from './stage.ts';

function read(text: string): unknown {
  const problems = collectProblems();
  const source = readYaml('f.yaml', text, problems);
  expect(source === null).toBe(problems.list.length > 0);
  return source === null ? problems.list.map(formatProblem).join('\n') : source.data;
}

const flowMessage = 'Between { } or [ ], YAML ends unquoted text at a bracket or a comma.';
const colonMessage = 'YAML reads `: ` as the end of a field’s name, and this text has one inside.';
const cutMessage = 'YAML reads everything after ` #` as a comment, and that cuts this value off.';

const traps: readonly (readonly [title: string, text: string, place: string, message: string, fix: string])[] = [
  [
    'a condition that starts with !',
    'if: !vars.open',
    '1:5',
    'YAML reads `!vars.open` as a tag, not as text.',
    'Put it in quotes: "!vars.open"',
  ],
  ['a tag', 'a: !!str x', '1:4', 'YAML reads `!!str` as a tag, not as text.', 'Put it in quotes: "!!str x"'],
  [
    'an alias that is a schedule',
    'schedule: */5 * * * *',
    '1:11',
    'YAML reads `*/5` as an alias, and documents have none.',
    'Put it in quotes: "*/5 * * * *"',
  ],
  ['an anchor', 'a: &x 1', '1:4', 'YAML reads `&x` as an anchor, and documents have none.', 'Put it in quotes: "&x 1"'],
  ['a merge key', '<<: 1', '1:1', 'YAML merge keys (`<<`) are not used here.', 'Write the fields out.'],
  ['a comment that cuts a condition', "when: a === '#1 #2'", '1:7', cutMessage, `Put it in quotes: "a === '#1 #2'"`],
  ['a comment that cuts a template', 'value: ${ a #1 }', '1:8', cutMessage, 'Put it in quotes: "${ a #1 }"'],
  ['a path with a parameter between brackets', '{ path: /lots/{lot} }', '1:9', flowMessage, 'Put it in quotes: "/lots/{lot}"'],
  ['a template between brackets', '- { key: ${ x } }', '1:10', flowMessage, 'Put it in quotes: "${ x }"'],
  ['a call between brackets', 'let: { a: max(1, 2), b: 3 }', '1:11', flowMessage, 'Put it in quotes: "max(1, 2)"'],
  [
    'text that goes on behind a quote',
    "when: 'a' === b",
    '1:7',
    'This value starts with a quote, so YAML ends it at the next one, and more text follows.',
    `Put it in quotes: "'a' === b"`,
  ],
  ['an unquoted ? :', 'value: ${ a ? 1 : 2 }', '1:8', colonMessage, 'Put it in quotes: "${ a ? 1 : 2 }"'],
  ['an unquoted ? : between brackets', '{ a: x ? 1 : 2, b: 1 }', '1:6', colonMessage, 'Put it in quotes: "x ? 1 : 2"'],
  [
    'text with double quotes, which gets single ones',
    'when: a ? "x" : "it\'s"',
    '1:7',
    colonMessage,
    `Put it in quotes: 'a ? "x" : "it''s"'`,
  ],
  [
    'a backtick',
    'a: `x`',
    '1:4',
    'This is not valid YAML: Plain value cannot start with reserved character `.',
    'Put it in quotes: "`x`"',
  ],
  [
    'an integer beyond 2^53',
    'a: 9007199254740993',
    '1:4',
    'The number `9007199254740993` is beyond ±(2^53−1), where YAML would round it to 9007199254740992.',
    'Put it in quotes if it is text: "9007199254740993"',
  ],
  ['a number out of range', 'a: 1e400', '1:4', 'The number `1e400` is out of range.', 'Put it in quotes if it is text: "1e400"'],
  [
    'a fraction with too many digits',
    'a: 0.10000000000000000555',
    '1:4',
    'YAML would round the number `0.10000000000000000555` to 0.1.',
    'Write `0.1`. Put it in quotes if it is text: "0.10000000000000000555"',
  ],
  [
    'an octal look-alike',
    'a: 017',
    '1:4',
    'YAML versions disagree about the number `017`: octal, hexadecimal or decimal.',
    'Write it as a plain decimal number. Put it in quotes if it is text: "017"',
  ],
  [
    'a hexadecimal number',
    'a: 0x1F',
    '1:4',
    'YAML versions disagree about the number `0x1F`: octal, hexadecimal or decimal.',
    'Write it as a plain decimal number. Put it in quotes if it is text: "0x1F"',
  ],
  [
    'a number with _',
    'a: 1_000',
    '1:4',
    'YAML reads `1_000` as text, not as a number.',
    'Write `1000`, or "1_000" for the text.',
  ],
  ['not a number', 'a: .nan', '1:4', 'The number `.nan` is out of range.', 'Put it in quotes if it is text: ".nan"'],
  ['yes', 'a: yes', '1:4', 'YAML versions disagree whether `yes` is text or a boolean.', 'Write `true`, or "yes" for the text.'],
  ['Off', 'a: Off', '1:4', 'YAML versions disagree whether `Off` is text or a boolean.', 'Write `false`, or "Off" for the text.'],
  ['a duplicate key', 'a: 1\nb: 2\na: 3', '3:1', '`a` stands here twice: first in line 1.', 'Remove one of them.'],
  [
    'a key with a meaning in JavaScript',
    '__proto__: 1',
    '1:1',
    '`__proto__` cannot be a field’s name: JavaScript gives it a meaning.',
    'Use another name.',
  ],
  ['a complex key', '? [a]\n: b', '1:1', 'YAML reads `?` here as the start of a complex key.', 'Put it in quotes: "? [a]"'],
  ['a tab', 'a:\n\t- b', '2:1', 'A tab indents this line, and YAML allows only spaces.', 'Replace the tab with two spaces.'],
  ['several documents', 'a: 1\n---\nb: 2', '2:1', 'This file holds several YAML documents.', 'Put each into its own file.'],
  ['a directive', '%YAML 1.1\na: 1', '1:1', 'YAML directives (`%…`) are not used here.', 'Remove the line.'],
  ['a byte order mark', '\uFEFFa: 1', '1:1', 'The file starts with a byte order mark.', 'Save it as UTF-8 without BOM.'],
  ['a control character', 'a: x\u0002', '1:5', 'The file contains the control character U+0002.', 'Remove it.'],
  ['half a surrogate pair', 'a: \uD800', '1:1', 'The file is not valid Unicode.', 'Save it as UTF-8.'],
  ['an empty file', '', '1:1', 'The file is empty.', 'Start with `cffbrw: 1`.'],
  ['a file of comments', '# nothing\n\n', '1:1', 'The file is empty.', 'Start with `cffbrw: 1`.'],
  ['a large file', `a: ${'x'.repeat(65_536)}`, '1:1', 'This document has more than 64 KB.', 'Split it into several workflows.'],
  ['nested brackets', '['.repeat(5_000), '1:65', 'Lists and maps are nested more than 64 deep here.', 'Name parts with `let`.'],
  [
    'nested maps between brackets',
    '{a: '.repeat(2_000),
    '1:257',
    'Lists and maps are nested more than 64 deep here.',
    'Name parts with `let`.',
  ],
  [
    'nested lists in one line',
    '- '.repeat(5_000),
    '1:129',
    'Lists and maps are nested more than 64 deep here.',
    'Name parts with `let`.',
  ],
  [
    'nested complex keys',
    '? '.repeat(5_000),
    '1:129',
    'Lists and maps are nested more than 64 deep here.',
    'Name parts with `let`.',
  ],
  [
    'deep indentation',
    Array.from({ length: 90 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    '64:65',
    'Lists and maps are nested more than 64 deep here.',
    'Name parts with `let`.',
  ],
];

describe('a trap of YAML is refused with the text that would be right', () => {
  test.each(traps)('%s', (_title, text, place, message, fix) => {
    expect(read(text)).toBe(`f.yaml:${place}: ${message}\n    ${fix}`);
  });
});

const fine: readonly (readonly [text: string, data: unknown])[] = [
  ['when: len(a) > 0   # how many', { when: 'len(a) > 0' }],
  ['- take: vouchers      # decide first\n  title: Don’t # do', [{ take: 'vouchers', title: 'Don’t' }]],
  ['key: ${ x }-${ y } # both', { key: '${ x }-${ y }' }],
  [
    '{ key: "${ x }", path: "/lots/{lot}", deep: [a, [b, { c: 1 }]] }',
    { key: '${ x }', path: '/lots/{lot}', deep: ['a', ['b', { c: 1 }]] },
  ],
  ['{"a": {"b": [1, -2.50, 1e3, true, null, "yes"]}}', { a: { b: [1, -2.5, 1000, true, null, 'yes'] } }],
  ['on:\n  off: 1', { on: { off: 1 } }],
  ['a: |\n  one: two # three\n  \tx\nb: >-\n  f\n  g', { a: 'one: two # three\n\tx\n', b: 'f g' }],
  ['a: -0', { a: 0 }],
  ['---\na: 1\r\nb: 2', { a: 1, b: 2 }],
  ['1: x', { 1: 'x' }],
  ['a:\n  - b: c\n    d: e\n  - f', { a: [{ b: 'c', d: 'e' }, 'f'] }],
];

test.each(fine)('%j is read as it stands', (text, data) => {
  expect(read(text)).toEqual(data);
});

test('Every trap in a document is reported, one per line', () => {
  expect(String(read('a: !x\nb: 1\nc: { d: ${ e } }\n')).match(/f\.yaml/g)).toHaveLength(2);
});

test('Ten thousand traps in one line are one, and a hundred lines with one each are enough', () => {
  expect(String(read(`a: [${'[!x],'.repeat(10_000)}]`)).match(/f\.yaml/g)).toHaveLength(1);
  expect(String(read('- !x\n'.repeat(10_000))).match(/f\.yaml/g)).toHaveLength(100);
});

test('The place of a text is behind its quote, and in a block its line', () => {
  const source = readYaml('f.yaml', 'a: "${ x }"\nb: |\n  one\n  ${ y }\nc: { d: [1, z] }');
  const at = source?.textPlaceOf(['b']);
  expect(source?.textPlaceOf(['a'])).toEqual({ file: 'f.yaml', line: 1, column: 5 });
  expect(typeof at === 'function' ? at(6) : at).toEqual({ file: 'f.yaml', line: 4, column: 1 });
  expect(source?.placeOf(['c', 'd', 1])).toEqual({ file: 'f.yaml', line: 5, column: 13 });
  expect(source?.keyPlaceOf(['c', 'd'])).toEqual({ file: 'f.yaml', line: 5, column: 6 });
  expect(source?.placeOf(['c', 'd', 7, 'nowhere'])).toEqual({ file: 'f.yaml', line: 5, column: 9 });
});

test('JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify({ value }, null, 1);
      const unlike = /[\p{Cc}\p{Cs}\u2028\u2029\uFEFF]|__proto__|constructor|prototype|\d{16}|e[+-]?\d/u.test(
        JSON.stringify(value),
      );
      fc.pre(!unlike);
      expect(read(text)).toEqual(JSON.parse(text));
    }),
    { numRuns: runs(300) },
  );
});

test('No text crashes or hangs the reader', () => {
  const piece = fc.constantFrom(
    ...'{}[],:-?!&*#|>\'"%@` \n\t'.split(''),
    'a',
    'b: ',
    '- ',
    '\n  ',
    '${',
    ' #',
    '---\n',
    '...',
    '0',
    '1e9',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      read(pieces.join(''));
    }),
    { numRuns: runs(1_000) },
  );
});
