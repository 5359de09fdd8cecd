/** What an author may get wrong in a workflow: each with its place, what and why, and what to do. */
import { describe, expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { appOf, refusal } from './stage.ts';

const app = `cffbrw: 1
app: shop
variables:
  hits: { strategy: sum-increments }
  prefs: { strategy: last-write-wins }
  carts: { strategy: merge-objects, keyed: true }
  stock: { strategy: bounded-counter, initial: 5 }
  bid: { strategy: max-value }
`;

const user =
  'http: { method: POST, path: /x, body: { type: object, properties: { user: { type: string }, tags: { type: array, items: { type: object, properties: { id: {} } } } } } }';
const workflow = (steps: string, on = user): string =>
  `cffbrw: 1\nworkflow: w\non: { ${on} }\nsteps:\n${steps
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\n`;

const load = (...texts: string[]) =>
  loadApp([
    { path: 'cffbrw.yaml', text: app },
    ...texts.map((text, index) => ({ path: index === 0 ? 'w.yaml' : `w${index}.yaml`, text })),
  ]);
const problems = (...texts: string[]): string =>
  refusal(() => load(...texts))
    .split('\n')
    .slice(1)
    .join('\n');

const wrongSteps: readonly (readonly [title: string, steps: string, ...messages: string[]])[] = [
  ['an unknown verb', '- ad: hits', '5:5: There is no verb `ad`.', 'Did you mean `add`?'],
  [
    'two verbs',
    '- add: hits\n  set: prefs\n  value: 1',
    '6:5: This step has 2 verbs: `add` and `set`.',
    'Make it one step per verb.',
  ],
  ['no verb', '- when: "true"', '5:5: This step has no verb.', 'Write `- add: visits`, say.'],
  ['a step that is text', '- add', '5:5: A step is a map with one verb, not text.', 'Write `- add: visits`, say.'],
  [
    'an operation that the strategy does not have',
    '- add: prefs',
    '5:10: `prefs` is last-write-wins, which has no `add`.',
    'Use `set`, `unset`; or declare it as sum-increments.',
  ],
  [
    'a take from a sum',
    '- take: hits',
    '5:11: `hits` is sum-increments, which has no `take`.',
    'Use `add`, `set`, `reset`; or declare it as bounded-counter.',
  ],
  [
    'an unknown variable',
    '- add: hist',
    '5:10: There is no variable `hist`.',
    'Did you mean `hits`? Variables are declared in cffbrw.yaml.',
  ],
  ['an unknown field', '- add: hits\n  amuont: 2', '6:5: The step `add` has no field `amuont`.', 'Did you mean `amount`?'],
  ['a missing field', '- set: prefs', '5:5: The step `set` needs `value`, and it is missing.', 'Add `value: …`.'],
  [
    'a missing key',
    '- merge: carts\n  value: { a: 1 }',
    '5:5: `carts` is keyed: it has one value per key, and this step names no key.',
    'Add `key: …`.',
  ],
  [
    'a null key',
    '- merge: carts\n  key: null\n  value: { a: 1 }',
    '6:10: The key is null.',
    'Write a text, an integer, or a list of them.',
  ],
  [
    'a key too many',
    '- add: hits\n  key: x',
    '6:10: `hits` is not keyed: it has one value for all.',
    'Remove `key`, or declare it with `keyed: true`.',
  ],
  [
    'a fractional amount',
    '- add: hits\n  amount: 1.5',
    '6:13: `amount` must be an integer, and `1.5` is none.',
    'Write a number, or a template that gives one.',
  ],
  [
    'a null once',
    '- take: stock\n  once: null',
    '6:11: `once` is null.',
    'Write who may have it once: a text, an integer, or a list of them.',
  ],
  [
    'once beside a list',
    '- take: [{ take: stock }]\n  once: x',
    '6:11: `once` cannot stand beside a list of takes.',
    'Take one variable, or leave it out.',
  ],
  [
    'as where nothing is yielded',
    '- set: prefs\n  value: 1\n  as: x',
    '7:5: The step `set` has no field `as`.',
    'There is `set`, `key`, `value`, `id`, `when`, `ignore`.',
  ],
  [
    'a property that the schema does not list',
    '- add: hits\n  when: request.body.usr === "a"',
    '6:11: `request.body.usr`: there is no property `usr` here',
    'Did you mean `user`?',
  ],
  [
    'a property of an item that the schema does not list',
    '- each: ${ request.body.tags }\n  item: tag\n  do: [{ log: { level: info, message: "${ tag.di }" } }]',
    '7:45: `tag.di`: there is no property `di` here',
    'Did you mean `id`?',
  ],
  [
    'a condition that is a number',
    '- add: hits\n  when: 1 + 1',
    '6:11: `1 + 1` must be true or false, and it is the number 2',
    "Compare it with something: `=== null`, `> 0`, `!== ''`.",
  ],
  [
    'an unset without a path',
    '- unset: carts\n  key: a',
    '5:12: `unset` of merge-objects needs a `path`.',
    'Add `path: field`, or use `reset` to remove all.',
  ],
  [
    'a window of what has none',
    '- get: prefs\n  window: previous\n  as: x',
    '6:13: `prefs` has no windows.',
    'Remove `window`, or declare the variable with one.',
  ],
  [
    'keys of what has none',
    '- keys: prefs\n  as: x',
    '5:11: `prefs` is not keyed, so it has no keys.',
    'Declare it with `keyed: true`.',
  ],
  [
    'an id twice',
    '- add: hits\n  id: a\n- add: hits\n  id: a',
    '8:9: The id `a` is taken: by the step in line 5.',
    'Choose another id.',
  ],
  ['a workflow that is not there', '- call: other', '5:11: There is no workflow `other`.', 'There is `w`.'],
  ['a workflow that cannot be called', '- call: w', '5:11: The workflow `w` cannot be called.', 'Add `call: {}` to its `on`.'],
  ['a long wait', '- wait: 40s', '5:11: `40s` is too long: at most 30s.', 'Write a shorter one.'],
  [
    'a duration that is none',
    '- wait: soon',
    '5:11: `soon` is no duration.',
    'Write an integer and ms, s, m, h or d: `200ms`, `10s`.',
  ],
  [
    'a failure that is none',
    '- fail: { status: 200, type: x, title: y }',
    '5:21: The status of a `fail` is 400 to 599, not 200.',
    'Use 409 for a conflict, say.',
  ],
  [
    'a status that is none',
    '- respond: { status: 99 }',
    '5:24: The status 99 is none: statuses are 200 to 599.',
    'Use 200, say.',
  ],
  [
    'a retry on nothing known',
    '- try: [{ add: hits }]\n  retry: { on: [foo] }',
    '6:19: `foo` is nothing to retry on.',
    'Write statuses, `5xx`, or error codes such as UNREACHABLE.',
  ],
  [
    'a keyed variable without its key',
    '- respond: { body: "${ vars.carts }" }',
    '5:26: `vars.carts`: `carts` is keyed, so it is read with a key',
    'Write `vars.carts[key]`.',
  ],
  [
    'a second respond',
    '- respond: { body: 1 }\n- respond: { body: 2 }',
    '6:5: This step is never reached: the one before it always ends the run here.',
    'Remove it, or give the one before it a `when`.',
  ],
  [
    'a respond behind one that goes on',
    '- respond: { body: 1, continue: true }\n- if: request.body.user === null\n  then: [{ respond: { body: 2 } }]',
    '7:23: A run answers once, and it may have answered before it comes here.',
    'Remove one of the two `respond` steps.',
  ],
  [
    'a respond that goes on in an iteration',
    '- each: [1, 2]\n  item: i\n  do: [{ respond: { continue: true } }]',
    '7:21: A run answers once, and it may have answered before it comes here.',
    'Remove one of the two `respond` steps.',
  ],
  [
    'a respond in an iteration beside others',
    '- each: [1]\n  item: i\n  concurrency: 2\n  do: [{ respond: { body: 1 } }]',
    '8:21: `respond` cannot stand in an iteration that runs beside others.',
    'Use `return` here, and respond after it.',
  ],
  [
    'a respond in a branch',
    '- parallel: { a: [{ respond: { body: 1 } }] }',
    '5:32: `respond` cannot stand in a branch of `parallel`.',
    'Use `return` here, and respond after it.',
  ],
  [
    'a step behind both arms that end',
    '- if: request.body.user === null\n  then: [{ respond: {} }]\n  else: [{ return: 1 }]\n- add: hits',
    '8:5: This step is never reached: the one before it always ends the run here.',
    'Remove it, or give the one before it a `when`.',
  ],
  [
    'a name twice',
    '- let: { a: 1 }\n- get: prefs\n  as: a',
    '7:9: The name `a` is bound already in line 5; names are bound once.',
    'Choose another name.',
  ],
  [
    'an item that shadows',
    '- let: { a: 1 }\n- each: [1]\n  item: a\n  do: [{ add: hits }]',
    '7:11: The name `a` is bound already in line 5; names are bound once.',
    'Choose another name.',
  ],
  [
    'a name that is a keyword',
    '- let: { class: 1 }',
    '5:19: `class` cannot be a name: it has a meaning of its own.',
    'Choose another name.',
  ],
  [
    'a name that starts with a digit',
    '- let: { 1x: 1 }',
    '5:16: `1x` cannot be a name: names are letters, digits, _ and $, at most 64, and start with no digit.',
    'Choose another name.',
  ],
  [
    'a name of an iteration, used behind it',
    '- each: [1]\n  item: i\n  do: [{ let: { q: 1 } }]\n- log: { level: info, message: "${ q }" }',
    '8:38: `q`: there is no such name here',
    'There is `request`, `vars`.',
  ],
  [
    'a name of a catch, used behind it',
    '- try: [{ add: hits }]\n  catch: { as: e, do: [{ add: hits }] }\n- log: { level: info, message: "${ e.code }" }',
    '7:38: `e`: there is no such name here',
    'There is `request`, `vars`.',
  ],
  [
    'a name of one arm, used in the other',
    '- if: request.body.user === null\n  then: [{ let: { a: 1 } }]\n  else: [{ log: { level: info, message: "${ a }" } }]',
    '7:47: `a`: there is no such name here',
    'There is `request`, `vars`.',
  ],
];

describe('a step that is wrong is refused at its place', () => {
  test.each(wrongSteps)('%s', (_title, steps, message, fix) => {
    expect(problems(workflow(steps))).toBe(`w.yaml:${message}\n    ${fix}`);
  });
});

const wrongTriggers: readonly (readonly [title: string, on: string, ...messages: string[]])[] = [
  ['no trigger', '', '3:5: `on` names no trigger.', 'Add `http: { method: POST, path: /… }`.'],
  ['an unknown trigger', 'htp: {}', '3:7: `on` has no field `htp`.', 'Did you mean `http`?'],
  [
    'an unknown method',
    'http: { method: FETCH, path: /a }',
    '3:23: `on.http.method` must be `GET` or `POST` or `PUT` or `PATCH` or `DELETE`.',
    '',
  ],
  ['a path without its slash', 'http: { method: GET, path: x }', '3:34: The path `x` does not start with `/`.', 'Write `/x`.'],
  [
    'an empty part',
    'http: { method: GET, path: /a//b }',
    '3:34: The path `/a//b` has an empty part.',
    'Write single slashes, and none at the end.',
  ],
  [
    'a part that is half a parameter',
    'http: { method: GET, path: "/a-{b}" }',
    '3:34: The part `a-{b}` of the path cannot be.',
    'A part is letters, digits, - . _ ~, or one `{name}`.',
  ],
  [
    'a parameter twice',
    'http: { method: GET, path: "/{a}/{a}" }',
    '3:34: The path names `{a}` twice.',
    'Give each part its own name.',
  ],
  [
    'a body of a GET',
    'http: { method: GET, path: /a, body: true }',
    '3:44: A GET request has no body.',
    'Use `query`, or another method.',
  ],
  [
    'a secret that the app does not have',
    'http: { method: POST, path: /a, auth: { bearer: KEY } }',
    '3:55: The app has no secret `KEY`.',
    'Add it to cffbrw.yaml: `secrets: [KEY]`.',
  ],
  [
    'a schema of a parameter that the path does not have',
    'http: { method: GET, path: "/{a}", params: { type: object, properties: { b: {} } } }',
    '3:80: The path has no `{b}`.',
    'Add it to the path, or remove it here.',
  ],
  [
    'a duration of idempotency that is none',
    'http: { method: POST, path: /a, idempotency: { keep: long } }',
    '3:60: `keep: long` is no duration of a second or more.',
    'Write `24h`, say.',
  ],
];

describe('a trigger that is wrong is refused at its place', () => {
  test.each(wrongTriggers)('%s', (_title, on, message, fix) => {
    expect(problems(workflow('- add: hits', on))).toBe(`w.yaml:${message}${fix === '' ? '' : `\n    ${fix}`}`);
  });
});

test('A schema that is none is refused at its place', () => {
  const text = problems(workflow('- add: hits', 'http: { method: POST, path: /a, body: { type: objekt } }'));
  expect(text).toMatch(/^w\.yaml:3:45: .*"objekt" is no type/);
});

test('All that is wrong with a document is reported, and no later step is blamed for it', () => {
  const found = problems(
    workflow(
      '- ad: hits\n  as: x\n- let: { a: "${ x }", b: "${ nothing }" }\n- set: prefs\n- log: { level: loud, message: "${ b }" }',
    ),
  );
  expect(found.match(/^w\.yaml:\d+/gm)).toEqual(['w.yaml:5', 'w.yaml:7', 'w.yaml:8', 'w.yaml:9']);
});

test('Names of exclusive arms may be the same, and are there afterwards', () => {
  const arms =
    '- if: request.body.user === null\n  then: [{ let: { a: 1 } }]\n  else: [{ let: { a: 2 } }]\n- switch: [{ when: a === 1, do: [{ let: { b: 1 } }] }, { when: a === 2, do: [{ let: { b: 2, c: 1 } }] }]\n- respond: { body: "${ [a, b, c] }" }';
  expect(load(workflow(arms)).workflows.get('w')?.slots).toBe(4);
});

test('Two iterations may use one name for their items', () => {
  const loops = '- each: [1]\n  item: i\n  do: [{ add: hits }]\n- each: [2]\n  item: i\n  do: [{ add: hits }]';
  expect(load(workflow(loops)).workflows.size).toBe(1);
});

test('A schema with additional properties, or without properties, is open', () => {
  const body = (schema: string) => `http: { method: POST, path: /x, body: ${schema} }`;
  for (const schema of [
    '{ type: object }',
    '{ type: object, properties: { a: {} }, additionalProperties: true }',
    'true',
    '{ anyOf: [{ type: object }] }',
  ]) {
    expect(load(workflow('- respond: { body: "${ request.body.other }" }', body(schema))).workflows.size).toBe(1);
  }
});

test('Two workflows of one name, and of one method and path, are refused', () => {
  const lots = (name: string, path: string) =>
    workflow('- add: hits', `http: { method: GET, path: "${path}" }`).replace('workflow: w', `workflow: ${name}`);
  expect(problems(lots('one', '/lots/{a}'), lots('two', '/lots/{b}'))).toBe(
    'w1.yaml:3:34: GET /lots/{b} is taken: w.yaml has it, too.\n    Give one of them another path or method.',
  );
  expect(problems(lots('one', '/a'), lots('one', '/b'))).toBe(
    'w1.yaml:2:11: Two workflows are called `one`: this one and w.yaml.\n    Rename one of them.',
  );
  expect(load(lots('one', '/lots/{a}'), lots('two', '/lots/new')).workflows.size).toBe(2);
});

test('A document that is neither an app nor a workflow says so', () => {
  const message = 'This document has neither `workflow: <name>` nor `app: <name>`, so it is neither a workflow nor an app.';
  expect(problems('cffbrw: 1\nfoo: 1')).toBe(`w.yaml:1:1: ${message}\n    Say which of the two it is, in its second line.`);
  expect(problems('- 1')).toBe('w.yaml:1:1: A document is a map of fields, not a list.\n    Start with `cffbrw: 1`.');
  expect(problems('cffbrw: 2\nworkflow: w\non: {}\nsteps: []\nfoo: 1')).toBe(
    'w.yaml:1:9: `cffbrw` must be `1`.\nw.yaml:4:8: `steps` must not be empty.\nw.yaml:5:1: A workflow has no field `foo`.\n    Did you mean `on`?',
  );
});

test('A workflow has at most 1,000 steps, at every depth', () => {
  const steps = (count: number) => '- add: hits\n'.repeat(count);
  expect(load(workflow(steps(1_000))).workflows.size).toBe(1);
  expect(problems(workflow(steps(1_001)))).toBe(
    'w.yaml:1005:5: This workflow has more than 1000 steps.\n    Move some of them into a workflow that this one calls.',
  );
  const nested = `- if: vars.hits > 1\n  then:\n${'    - add: hits\n'.repeat(500)}`;
  expect(problems(workflow(nested + nested))).toContain('more than 1000 steps');
});

test('Arms bind the same name to one slot, and what a scope bound is gone behind it', () => {
  const arms = '- if: vars.hits > 1\n  then: [let: { a: 1 }]\n  else: [let: { a: 2 }]\n- let: { b: "${ a }" }';
  expect(load(workflow(arms)).workflows.get('w')?.slots).toBe(3);
  const inner = '- each: "${ [1] }"\n  item: i\n  do: [let: { a: "${ i }" }]\n- let: { a: 1 }\n- let: { b: "${ i }" }';
  expect(problems(workflow(inner))).toContain('`i`: there is no such name here');
});

test('A plan tells which parts of the request its expressions read', () => {
  const reads = (steps: string) => [...(load(workflow(steps)).workflows.get('w')?.http?.reads ?? [])].sort();
  expect(reads('- add: hits')).toEqual([]);
  expect(reads('- respond: { body: "${ request.body.user }" }\n  when: request.query.a === 1')).toEqual(['body', 'query']);
  expect(reads('- respond: { body: "${ vars.carts[request.params.x ?? 1] }" }'.replace('.x', ''))).toEqual(['params']);
  expect(reads('- respond: { body: "${ keys(request) }" }')).toEqual(['body', 'headers', 'params', 'query']);
});

test('An app is frozen', () => {
  expect(Object.isFrozen(appOf(app))).toBe(true);
});
