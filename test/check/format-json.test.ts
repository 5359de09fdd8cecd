import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Schema, Validator } from '@cfworker/json-schema';
import { expect, test } from 'vitest';
import { type Checked, formatJson } from '../../src/check/index.ts';
import { CffbrwError } from '../../src/error.ts';
import { app, both, race, warning } from './format-findings.ts';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schemas/check.schema.json'), 'utf8')) as Schema;
const validator = new Validator(schema, '7', false);
const broken: Checked = {
  app: null,
  findings: [race],
  problems: [
    new CffbrwError('INVALID_DOCUMENT', 'There is no variable `x`.', { place: race.place, fix: 'Name one.' }),
    new CffbrwError('INVALID_APP', 'No document says `app: <name>`.'),
  ],
};

test('Findings as JSON are the findings, and say whether a deploy is refused', () => {
  const printed = JSON.parse(formatJson(both));
  expect(printed).toEqual({ version: 1, app: 'wheel', blocks: true, findings: [warning, race], problems: [] });
  expect(JSON.parse(formatJson({ app, findings: [warning], problems: [] }))).toMatchObject({ blocks: false });
  expect(JSON.parse(formatJson({ app, findings: [], problems: [] }))).toMatchObject({ blocks: false, findings: [] });
});

test('What is wrong with the documents stands beside the findings', () => {
  expect(JSON.parse(formatJson(broken))).toMatchObject({
    app: null,
    blocks: true,
    problems: [
      { code: 'INVALID_DOCUMENT', message: 'There is no variable `x`.', fix: 'Name one.', place: race.place },
      { code: 'INVALID_APP', message: 'No document says `app: <name>`.', fix: null, place: null },
    ],
  });
});

test('What findings have beyond the promised fields is not printed', () => {
  const more = { ...race, internal: 1, place: { ...race.place, offset: 7 } };
  expect(formatJson({ app, findings: [more], problems: [] })).toBe(formatJson({ app, findings: [race], problems: [] }));
});

test.each([
  ['findings', both],
  ['none', { app, findings: [], problems: [] }],
  ['problems', broken],
])('The published schema accepts it: %s', (_, checked) => {
  expect(validator.validate(JSON.parse(formatJson(checked))).errors).toEqual([]);
});

test.each(['version', 'blocks', 'findings', 'problems', 'app'])('The published schema refuses it without %s', (field) => {
  const { [field]: _, ...rest } = JSON.parse(formatJson(both)) as Record<string, unknown>;
  expect(validator.validate(rest).valid).toBe(false);
});
