/** What an author accepts, in a comment or in a step's `ignore`, and what the compiler refuses under a rule's name. */
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { check, checkDocuments } from '../../src/check/index.ts';
import { checked, filesOf, shown } from './app.ts';

const variables = 'n: { strategy: sum-increments }';
const found = (steps: string, declared = variables): readonly string[] =>
  checked({ variables: declared, workflows: { go: steps } }).findings.map(shown);

describe('a finding is silenced at its step', () => {
  const fail = '- fail: { status: 409, type: full, title: Full }';
  const add = '- add: n';

  test('without a word it is there', () => {
    expect(found(`${fail}\n  when: vars.n >= 3\n${add}`)).toEqual(['R3 go steps[0]', 'R2 go steps[1]']);
  });

  test.each([
    ['in `ignore`', `${fail}\n  when: vars.n >= 3\n  ignore: { R3: meant so }\n${add}\n  ignore: { R2: meant so }`],
    [
      'above the step',
      `# cffbrw-ignore R3: meant so\n${fail}\n  when: vars.n >= 3\n\n# cffbrw-ignore R2: meant so\n# and more\n\n${add}`,
    ],
    [
      'behind a line of the step',
      `${fail} # cffbrw-ignore R3: meant so\n  when: vars.n >= 3\n${add} # cffbrw-ignore R2: meant so`,
    ],
    [
      'inside the step',
      `${fail}\n  # cffbrw-ignore R3: meant so\n  when: vars.n >= 3 # cffbrw-ignore R2 has no colon here\n${add} # cffbrw-ignore R2: meant so`,
    ],
  ])('%s', (title, steps) => {
    expect(found(steps)).toEqual(title === 'inside the step' ? ['R0 go steps[0]'] : []);
  });

  test('several rules at once', () => {
    const steps = '# cffbrw-ignore R1, R2: meant so\n- set: n\n  value: ${ vars.n + 1 }\n  when: vars.n < 3';
    expect(found(steps)).toEqual([]);
  });

  test('also where it is about a declaration', () => {
    expect(found('- respond:', '# cffbrw-ignore R10: tried out only\nn:')).toEqual([]);
    expect(found('- respond:', 'n: # cffbrw-ignore R10: tried out only')).toEqual([]);
  });

  test('and at a step inside another one, but not in the one around it', () => {
    const inner = `- if: vars.n < 3\n  then:\n    # cffbrw-ignore R2: meant so\n    ${add}`;
    expect(found(inner)).toEqual([]);
    expect(found(`# cffbrw-ignore R2: meant so\n${inner.replace(/\n *#.*/, '')}`)).toEqual([
      'R0 go steps[0]',
      'R2 go steps[0].then[0]',
    ]);
  });

  test('in an app that a program built', () => {
    const documents = (ignore: object) => [
      { cffbrw: 1, app: 'a', variables: { n: { strategy: 'sum-increments' } } },
      {
        cffbrw: 1,
        workflow: 'go',
        on: { http: { method: 'POST', path: '/go' } },
        steps: [{ add: 'n', when: 'vars.n < 3', ...ignore }],
      },
    ];
    expect(check(createApp(documents({}))).map(shown)).toEqual(['R2 go steps[0]']);
    expect(check(createApp(documents({ ignore: { R2: 'meant so' } })))).toEqual([]);
  });
});

describe('an ignore is a finding itself', () => {
  test.each([
    ['that finds nothing to ignore', '- add: n\n  ignore: { R2: why }', 'finds nothing here'],
    ['of another rule', '- add: n\n  when: vars.n < 3\n  ignore: { R1: why, R2: why }', 'R1 (lost-update)'],
    ['of a rule that does not exist', '- add: n # cffbrw-ignore R42: why', 'no rule R42'],
    ['behind the last step', '- add: n\n\n# cffbrw-ignore R2: why', 'finds nothing here'],
  ])('%s', (_, steps, story) => {
    const { findings } = checked({ variables, workflows: { go: steps } });
    expect(findings.map(shown)).toEqual(['R0 go steps[0]']);
    expect(findings[0]?.story).toContain(story);
  });

  test.each([
    '# cffbrw-ignore R2',
    '# cffbrw-ignore R2:',
    '# cffbrw-ignore R2:  ',
  ])('that says no reason, and it ignores nothing: %s', (comment) => {
    expect(found(`- add: n ${comment}\n  when: vars.n < 3`)).toEqual(['R2 go steps[0]', 'R0 go steps[0]']);
  });

  test('but not one that stands in a text', () => {
    expect(found('- log: { level: info, message: "a # cffbrw-ignore R2: no comment" }')).toEqual([]);
  });
});

describe('what the compiler refuses is a finding where a rule has a name for it', () => {
  const refusedBy = (steps: string) =>
    checkDocuments(filesOf({ variables, settings: 'secrets: [TOKEN]', workflows: { go: steps } }));

  test.each([
    ['- merge: n\n  value: { a: 1 }', 'R7 go steps[0]', 'merge'],
    ['- if: vars.n < 3\n  then:\n    - add: n\n    - raise: n\n      value: 3', 'R7 go steps[0].then[1]', 'raise'],
    ['- let: { x: 1 }\n- take: n\n  as: unit', 'R7 go steps[1]', 'take'],
    ['- respond: { body: { token: "${ secrets.TOKEN }" } }', 'R9 go steps[0]', 'secrets.TOKEN'],
    ['- log: { level: info, message: "${ secrets.TOKEN }" }', 'R9 go steps[0]', 'secrets.TOKEN'],
    ['- let: { x: "${ secrets.TOKEN }" }', 'R9 go steps[0]', 'secrets.TOKEN'],
  ])('%s', (steps, shows, names) => {
    const { findings, problems, app } = refusedBy(steps);
    expect(problems).toEqual([]);
    expect(app).toBe(null);
    expect(findings.map(shown)).toEqual([shows]);
    expect(findings[0]).toMatchObject({ blocks: true, place: { file: 'workflows/go.yaml' } });
    expect(findings[0]?.story).toContain(names);
    expect(findings[0]?.fix.summary).not.toBe('');
  });

  test('all else stays a problem', () => {
    const { findings, problems } = refusedBy('- merge: n\n  value: { a: 1 }\n- add: m');
    expect(findings.map(shown)).toEqual(['R7 go steps[0]']);
    expect(problems.map(({ code }) => code)).toEqual(['UNKNOWN_VARIABLE']);
  });
});
