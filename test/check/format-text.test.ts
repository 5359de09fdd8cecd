import { describe, expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { applyEdits, type Edit, formatFinding, formatLine, formatText, rules } from '../../src/check/index.ts';
import { CffbrwError } from '../../src/error.ts';
import { app, both, files, race, texts, warning } from './format-findings.ts';

describe('findings as text', () => {
  test('show rule and place, the line with a mark, the story, what they race with, and the fix', () => {
    expect(formatText(both, { texts })).toBe(`cffbrw.yaml:5:3  R10 implicit-default (warns)  variables.note
  5 |   note: { initial: x }
    |   ^
  Ann and Bob both write \`note\`, and the last one wins.
  Fix: Say which strategy it has.

workflows/spin.yaml:7:5  R2 check-then-act (blocks)  spin steps[1]
  7 |   - set: stock
    |     ^
  Ann and Bob both get past \`vars.stock <= 0\`, and both win.
  workflows/spin.yaml:6:11: decides here, on what is known at this location
  Fix: Decide first, promise afterwards.
  In cffbrw.yaml, in place of line 4:
  stock: { strategy: bounded-counter, initial: 10 }
  In workflows/spin.yaml, above line 5:
  - take: stock
    as: taken
  In workflows/spin.yaml, in place of line 6:
    when: "!taken.ok"
  In workflows/spin.yaml, remove lines 7 to 8.

wheel: 2 findings (1 of them blocking)
`);
  });

  test('pasted as it says, the documents are those of the edits', () => {
    const [, spin = ''] = files.map(({ text }) => text);
    const lines = spin.split('\n');
    const pasted = [
      ...lines.slice(0, 4),
      '  - take: stock',
      '    as: taken',
      lines[4],
      '    when: "!taken.ok"',
      ...lines.slice(8),
    ];
    expect(applyEdits('workflows/spin.yaml', spin, race.fix.edits)).toBe(pasted.join('\n'));
    expect(() => loadApp(files.map(({ path, text }) => ({ path, text: applyEdits(path, text, race.fix.edits) })))).not.toThrow();
  });

  test('have prose in lines that a terminal shows whole', () => {
    const words = 'one two three four five six seven eight nine ten '.repeat(5).trim();
    const prose = formatFinding({ ...race, story: words }, { texts })
      .split('\n')
      .slice(3);
    const end = prose.findIndex((line) => line.startsWith('  workflows/spin.yaml:6:11'));
    expect(end).toBe(3);
    expect(prose.slice(0, end).every((line) => line.startsWith('  ') && line.length <= 100)).toBe(true);
    expect(
      prose
        .slice(0, end)
        .map((line) => line.trim())
        .join(' '),
    ).toBe(words);
  });

  test('with the same text to paste show it once', () => {
    const twin = { ...race, rule: 'R1', ...rules.R1 } as const;
    const [, text = ''] = formatText({ app, findings: [race, twin], problems: [] }, { texts }).split('R1 lost-update');
    expect(text).toContain('  Fix: Decide first, promise afterwards.\n  The text is that of R2 above.\n');
    expect(text).not.toContain('take: stock');
    expect(formatText({ app, findings: [warning, warning], problems: [] }, { texts })).not.toContain('The text is that of');
  });

  test('are one line each where only a line is wanted', () => {
    expect(formatLine(warning)).toBe(
      'cffbrw.yaml:5:3  R10 implicit-default (warns)  variables.note: Ann and Bob both write `note`, and the last one wins.',
    );
  });

  test('have colours only where they are asked for', () => {
    const code = '\u001b[';
    expect(formatText(both, { texts })).not.toContain(code);
    expect(formatText(both, { texts, colour: true })).toContain(`${code}31mR2 check-then-act (blocks)${code}0m`);
    expect(formatText(both, { texts, colour: true })).toContain(`${code}33mR10 implicit-default (warns)${code}0m`);
  });

  test('of a text that is not there show no line and no paste', () => {
    expect(formatFinding(race, { texts: new Map() })).toBe(`workflows/spin.yaml:7:5  R2 check-then-act (blocks)  spin steps[1]
  Ann and Bob both get past \`vars.stock <= 0\`, and both win.
  workflows/spin.yaml:6:11: decides here, on what is known at this location
  Fix: Decide first, promise afterwards.`);
  });

  test('keep tabs in front of the mark', () => {
    const tabbed = new Map([['workflows/spin.yaml', `${'\n'.repeat(6)}\t- set: stock\r\n`]]);
    expect(formatFinding({ ...race, place: { ...race.place, column: 4 } }, { texts: tabbed })).toContain(
      '\n  7 | \t- set: stock\n    | \t  ^\n',
    );
  });

  test('are counted, as are the problems of documents that make no app', () => {
    const last = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);
    expect(formatText({ app, findings: [], problems: [] }, { texts })).toBe('wheel: nothing found\n');
    expect(last(formatText({ app, findings: [warning], problems: [] }, { texts }))).toBe('wheel: 1 finding (0 of them blocking)');
    const problem = new CffbrwError('INVALID_DOCUMENT', 'There is no variable `x`.', { place: race.place, fix: 'Name one.' });
    expect(formatText({ app: null, findings: [], problems: [problem] }, { texts })).toBe(
      'workflows/spin.yaml:7:5: There is no variable `x`.\n    Name one.\n\n1 problem, not everything could be checked\n',
    );
  });
});

describe('a fix as text', () => {
  const file = 'a.yaml';
  const text = 'one\ntwo\nthree\n';
  const edit = (from: readonly [number, number], to: readonly [number, number], paste: string): Edit => {
    const [place, end] = [from, to].map(([line, column]) => ({ file, line, column }));
    if (place === undefined || end === undefined) throw new Error('an edit has two places');
    return { place, end, paste };
  };
  const shown = (...edits: Edit[]): string => {
    const finding = { ...race, fix: { summary: 'Do it.', edits } };
    return formatFinding(finding, { texts: new Map([[file, text]]) }).split('Fix: Do it.\n')[1] ?? '';
  };

  test.each([
    ['at the end', [edit([4, 1], [4, 1], 'four\n')], '  In a.yaml, at the end:\nfour'],
    ['two in one line', [edit([2, 1], [2, 2], 'T'), edit([2, 3], [2, 4], 'O')], '  In a.yaml, in place of line 2:\nTwO'],
    ['the end of a line', [edit([1, 4], [1, 4], '!\nmore')], '  In a.yaml, in place of line 1:\none!\nmore'],
    ['over a line’s end', [edit([1, 2], [2, 2], '')], '  In a.yaml, in place of lines 1 to 2:\nowo'],
    ['the last line', [edit([3, 1], [3, 6], '3')], '  In a.yaml, in place of line 3:\n3'],
    [
      'far apart',
      [edit([3, 1], [3, 2], 'T'), edit([1, 1], [1, 2], 'O')],
      '  In a.yaml, in place of line 1:\nOne\n  In a.yaml, in place of line 3:\nThree',
    ],
  ] as const)('%s', (_, edits, expected) => {
    expect(shown(...edits)).toBe(expected);
  });
});
