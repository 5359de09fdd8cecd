/** docs/check.md: what is bad has exactly the finding of its section, what is good has none, and the table is that of the rules. */
import { describe, expect, it } from 'vitest';
import { ruleTexts } from '../../src/check/format-rules.ts';
import { checkDocuments, rules } from '../../src/check/index.ts';
import { blocksIn, filesOf, readPage, tableIn } from './page.ts';

const page = 'docs/check.md';
const blocks = blocksIn(page);
const judged = blocks.filter(({ info }) => info === 'bad' || info === 'good');
const shared = filesOf(blocks, { page, section: 'The app of the examples' });

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

/** Steps are those of a workflow; a block of documents may have several, each behind its name. */
function filesIn(code: string): { path: string; text: string }[] {
  if (!/^# \S+\.yaml$/m.test(code)) {
    const text = `cffbrw: 1\nworkflow: page\non: { http: { method: POST, path: /page } }\nsteps:\n${indented(code)}`;
    return [...shared, { path: 'workflows/page.yaml', text }];
  }
  const parts = code.split(/^(?=# \S+\.yaml$)/m);
  const own = parts.map((text) => ({ path: /^# (\S+)/.exec(text)?.[1] ?? '', text }));
  return [...shared.filter(({ path }) => own.every((other) => other.path !== path)), ...own];
}

describe('docs/check.md', () => {
  it('has a section for every rule, with something bad and something good', () => {
    for (const [rule, { name }] of Object.entries(rules)) {
      const infos = judged.filter(({ section }) => section === `${rule} ${name}`).map(({ info }) => info);
      expect([...new Set(infos)].sort(), rule).toEqual(['bad', 'good']);
    }
    expect(judged.filter(({ section }) => !/^R\d+ /.test(section))).toEqual([]);
  });

  it.each(
    judged.map((block) => [block.info, block.section, block.line, block] as const),
  )('is right about what is %s: %s, in line %i', (info, section, _line, { code }) => {
    const { findings, problems } = checkDocuments(filesIn(code));
    expect(problems.map(({ message }) => message)).toEqual([]);
    expect(findings.map(({ rule, name, story }) => `${rule} ${name}` || story)).toEqual(info === 'bad' ? [section] : []);
  });

  it('lists the rules as they are', () => {
    const rows = tableIn(readPage(page), 'rules').map(([link = '', text, blocks]) => [/\[(.*)\]/.exec(link)?.[1], text, blocks]);
    const wanted = Object.entries(rules).map(([rule, { name, blocks }]) => [
      `${rule} ${name}`,
      ruleTexts[rule as keyof typeof rules],
      blocks ? 'blocks' : 'warns',
    ]);
    expect(rows.sort()).toEqual(wanted.sort());
  });
});
