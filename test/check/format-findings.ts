/** Findings made by hand, for the formats: an app, a race with its fix, and a warning about a declaration. */
import { type App, loadApp } from '../../src/app.ts';
import { type Finding, rules } from '../../src/check/finding.ts';
import type { Checked } from '../../src/check/index.ts';

export const files = [
  {
    path: 'cffbrw.yaml',
    text: `cffbrw: 1
app: wheel
variables:
  stock: { strategy: last-write-wins, initial: 10 }
  note: { initial: x }
`,
  },
  {
    path: 'workflows/spin.yaml',
    text: `cffbrw: 1
workflow: spin
on: { http: { method: POST, path: /spin } }
steps:
  - respond: { body: { won: false } }
    when: vars.stock <= 0
  - set: stock
    value: \${ vars.stock - 1 }
  - respond: { body: { won: true } }
`,
  },
];

export const texts = new Map(files.map(({ path, text }) => [path, text]));
export const app: App = loadApp(files);

const spin = 'workflows/spin.yaml';
const at = (line: number, column: number, file = spin) => ({ file, line, column });

export const race: Finding = {
  rule: 'R2',
  ...rules.R2,
  workflow: 'spin',
  place: at(7, 5),
  path: 'steps[1]',
  story: 'Ann and Bob both get past `vars.stock <= 0`, and both win.',
  fix: {
    summary: 'Decide first, promise afterwards.',
    edits: [
      {
        place: at(4, 10, 'cffbrw.yaml'),
        end: at(4, 52, 'cffbrw.yaml'),
        paste: '{ strategy: bounded-counter, initial: 10 }',
      },
      { place: at(5, 1), end: at(5, 1), paste: '  - take: stock\n    as: taken\n' },
      { place: at(6, 11), end: at(6, 26), paste: '"!taken.ok"' },
      { place: at(7, 1), end: at(9, 1), paste: '' },
    ],
  },
  related: [{ place: at(6, 11), message: 'decides here, on what is known at this location' }],
};

export const warning: Finding = {
  rule: 'R10',
  ...rules.R10,
  workflow: null,
  place: at(5, 3, 'cffbrw.yaml'),
  path: 'variables.note',
  story: 'Ann and Bob both write `note`, and the last one wins.',
  fix: { summary: 'Say which strategy it has.', edits: [] },
  related: [],
};

export const both: Checked = { app, findings: [warning, race], problems: [] };
