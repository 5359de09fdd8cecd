import { describe, expect, it } from 'vitest';
import { loadApp } from '../../src/app.ts';
import type { CffbrwError } from '../../src/error.ts';
import { appSchema, workflowSchema } from '../../src/workflow/fields.ts';
import { formOf } from '../../src/workflow/form.ts';
import { verbs } from '../../src/workflow/steps/verbs.ts';
import { allBlocks, appsIn, fileNameOf, filesOf, grouped, matches, readPage, tableIn } from './page.ts';
import { answerOf, appOf, promiseOf } from './steps.ts';

const blocks = allBlocks();
const yaml = blocks.filter((block) => block.language === 'yaml');
const page = readPage('docs/workflows.md');

describe('the documents of the pages', () => {
  it('say which file they are, or are steps with an answer', () => {
    expect(yaml.length).toBeGreaterThan(10);
    for (const block of yaml) {
      const known =
        block.info === 'steps'
          ? promiseOf(block.code)
          : (fileNameOf(block) ?? block.info.match(/^(?:part|bad|good|scenario)$/)?.[0]);
      expect(known ?? null, `${block.page}:${block.line}`).not.toBeNull();
    }
  });

  const apps = grouped(
    yaml.filter((block) => fileNameOf(block) !== null),
    (block) => `${block.page}: ${block.section}`,
  );
  it.each([...apps])('of one section are an app that loads: %s', (_title, inSection) => {
    const [first] = inSection;
    if (first === undefined) throw new Error('an empty section');
    for (const files of appsIn(filesOf(blocks, first)).values()) expect(loadApp(files).variables.size).toBeGreaterThan(0);
  });
});

// The app of docs/workflows.md, which its steps use, with the workflows of the same section.
const files = filesOf(blocks, { page: 'docs/workflows.md', section: 'The app of the examples' });
const app = files.find(({ path }) => path === 'cffbrw.yaml')?.text ?? '';
const others = files.filter(({ path }) => path !== 'cffbrw.yaml');
const body = JSON.parse(/`request\.body` is\s*`(\{.*?\})`/s.exec(page)?.[1] ?? 'null');

describe('the steps of docs/workflows.md', () => {
  const steps = yaml.filter((block) => block.info === 'steps');

  it.each(steps.map(({ line, code }) => [line, code] as const))('answer what the page says, in line %i', async (_line, code) => {
    const expected = promiseOf(code) ?? '';
    const actual = await answerOf({ app, steps: code, body, others });
    expect(matches(actual, expected) ? expected : actual).toBe(expected);
  });

  it('show every verb', () => {
    const shown = steps.map(({ code }) => code).join('');
    for (const verb of verbs.keys()) expect(shown, verb).toMatch(new RegExp(`(^|[ \\[{])- ${verb}:|[[{ ]${verb}: `, 'm'));
  });
});

describe('the table of verbs', () => {
  const rows = tableIn(page, 'verbs');
  const named = rows.flatMap(([operand = '']) => [...operand.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''));

  it('has every verb that there is, and no other', () => {
    expect([...named].sort()).toEqual([...verbs.keys()].sort());
  });

  it.each(rows.map((row) => [row[0] ?? '', row] as const))('names the fields of %s, and no others', (operand, [
    ,
    fields = '',
    yields = '',
  ]) => {
    for (const [, name = ''] of operand.matchAll(/`(\w+)`/g)) {
      const verb = verbs.get(name);
      const all = verb === undefined ? [] : Object.keys(formOf(verb).shape);
      const own = all.filter((field) => ![name, 'id', 'when', 'ignore', 'as'].includes(field));
      expect([...fields.matchAll(/`(\w+)[?]?`/g)].map((match) => match[1] ?? '').sort(), name).toEqual([...own].sort());
      expect(yields !== '', `${name} yields`).toBe(all.includes('as'));
    }
  });
});

describe('the tables of fields', () => {
  const named = (table: string) =>
    tableIn(page, table)
      .flatMap(([fields = '']) => [...fields.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''))
      .sort();

  it('have every field of cffbrw.yaml', () => {
    expect(named('settings')).toEqual(Object.keys(appSchema.shape).sort());
  });

  it('have every field of on.http', () => {
    expect(named('http')).toEqual(Object.keys(workflowSchema.shape.on.shape.http.unwrap().shape).sort());
  });

  it('have every trigger', () => {
    for (const trigger of Object.keys(workflowSchema.shape.on.shape)) expect(page).toContain(`\`on.${trigger}\``);
  });
});

describe('YAML’s traps on the page', () => {
  const rows = tableIn(page, 'traps');

  it('are there', () => {
    expect(rows.length).toBeGreaterThan(5);
  });

  const unquoted = (cell: string) => cell.replace(/^`+ ?| ?`+$/g, '');
  it.each(
    rows.map(([wrong = '', right = '']) => [unquoted(wrong), unquoted(right)] as const),
  )('%s is refused, and %s is not', (wrong, right) => {
    const step = (field: string) => `- respond: { body: 1 }\n  ${field}\n`;
    const load = (field: string) => () => appOf({ app, others: [], steps: field.startsWith('- ') ? `${field}\n` : step(field) });
    expect(load(wrong)).toThrow();
    try {
      load(wrong)();
    } catch (error) {
      expect((error as CffbrwError).message).toContain('workflows/page.yaml:');
    }
    expect(load(right)).not.toThrow();
  });
});
