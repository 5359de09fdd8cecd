/** An app from its documents: what is filled in, and what is refused. */
import { expect, test } from 'vitest';
import { createApp, loadApp } from '../src/app.ts';
import { CffbrwError } from '../src/error.ts';

const documents = [
  {
    cffbrw: 1,
    app: 'shop',
    durability: 'relaxed',
    secrets: ['KEY'],
    events: { path: '/events', variables: ['hits'] },
    variables: {
      hits: { strategy: 'sum-increments' },
      stock: { strategy: 'bounded-counter', initial: 3 },
      prefs: null,
      sure: { durability: 'durable' },
    },
  },
  {
    cffbrw: 1,
    workflow: 'hit',
    on: {
      http: { method: 'POST', path: '/hit', auth: { bearer: 'KEY' }, cors: { origins: ['https://a.example'], maxAge: '1h' } },
    },
    steps: [{ add: 'hits' }, { respond: { body: '${ vars.hits }' } }],
  },
];

function refused(task: () => unknown): CffbrwError {
  try {
    task();
  } catch (error) {
    if (error instanceof CffbrwError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('An app has its variables, workflows and settings, with defaults filled in', () => {
  const app = createApp(documents);
  expect([app.name, app.settings.durability, app.settings.secrets, app.settings.events]).toEqual([
    'shop',
    'relaxed',
    ['KEY'],
    { path: '/events', variables: ['hits'] },
  ]);
  expect(Object.fromEntries([...app.variables].map(([name, one]) => [name, [one.strategy, one.durability]]))).toEqual({
    hits: ['sum-increments', 'relaxed'],
    stock: ['bounded-counter', 'durable'],
    prefs: ['last-write-wins', 'relaxed'],
    sure: ['last-write-wins', 'durable'],
  });
  expect([...app.implicit]).toEqual(['prefs', 'sure']);
  const { http } = app.workflows.get('hit') ?? {};
  expect(http).toMatchObject({
    method: 'POST',
    path: '/hit',
    auth: { bearer: 'KEY' },
    cors: { origins: ['https://a.example'], maxAgeSeconds: 3600 },
    idempotency: { header: 'idempotency-key', keepMs: 86_400_000 },
  });
  expect(Object.isFrozen(app)).toBe(true);
});

test('A document as data and as text makes the same plan', () => {
  const texts = documents.map((document, index) => ({ path: `${index}.json`, text: JSON.stringify(document, null, 2) }));
  expect(loadApp(texts).workflows.get('hit')?.fingerprint).toBe(createApp(documents).workflows.get('hit')?.fingerprint);
});

test('All problems of all documents come in one error, each with its place', () => {
  const app =
    'cffbrw: 1\napp: shop\nvariables:\n  stock: { strategy: bounded-counter, initial: -5 }\n  hits: { strategy: sum-increment }\nevents: { path: e, variables: [hist] }\n';
  const error = refused(() =>
    loadApp([
      { path: 'cffbrw.yaml', text: app },
      { path: 'a.yaml', text: 'cffbrw: 1\nworkflow: a\non: {}\nsteps: [{ ad: x }]' },
      { path: 'b.yaml', text: 'if: !x' },
    ]),
  );
  expect(error.code).toBe('INVALID_APP');
  const places = [
    'b.yaml:1:5',
    'cffbrw.yaml:4:3',
    'cffbrw.yaml:5:3',
    'a.yaml:3:5',
    'a.yaml:4:11',
    'cffbrw.yaml:6:17',
    'cffbrw.yaml:6:32',
  ];
  expect(error.message.split('\n').filter((line) => line.startsWith(' ') === false)).toHaveLength(places.length + 1);
  for (const place of places) expect(error.message).toContain(`\n${place}: `);
  expect(error.message).toMatch(/^This app has 7 problems:/);
  expect((error.cause as CffbrwError[]).every((one) => one.place !== undefined)).toBe(true);
});

test('An app is needed, and only one', () => {
  expect(refused(() => loadApp([])).message).toBe(
    'This app has a problem:\ncffbrw.yaml:1:1: No document says `app: <name>`.\n    Add a cffbrw.yaml with `cffbrw: 1` and `app: <name>`.',
  );
  expect(
    refused(() =>
      createApp([
        { cffbrw: 1, app: 'a' },
        { cffbrw: 1, app: 'b' },
      ]),
    ).message,
  ).toContain('There are two apps: this one and app a.');
});

test('A step is not blamed for a variable whose declaration is wrong', () => {
  const wrong = { cffbrw: 1, app: 'a', variables: { stock: { strategy: 'bounded-counter', initial: -1 } } };
  const message = refused(() =>
    createApp([wrong, { cffbrw: 1, workflow: 'w', on: { http: { method: 'POST', path: '/w' } }, steps: [{ take: 'stock' }] }]),
  ).message;
  expect(message).toMatch(/^This app has a problem:\napp a variables\.stock:1:1: /);
});

test.each([
  ['a function', { cffbrw: 1, workflow: 'w', on: () => {}, steps: [] }],
  [
    'a cycle',
    (() => {
      const loop: { me?: unknown } = {};
      loop.me = loop;
      return loop;
    })(),
  ],
  ['NaN', { cffbrw: 1, workflow: 'w', on: {}, steps: [Number.NaN] }],
  ['a prototype', JSON.parse('{"cffbrw": 1, "app": "a", "__proto__": {}}')],
  ['nothing', undefined],
])('A document that holds %s is refused', (_what, document) => {
  expect(refused(() => createApp([document])).code).toBe('INVALID_APP');
});

test('Regions are those that there are, each once; without any there is one, near whoever asks first', () => {
  const [app, ...others] = documents;
  const withRegions = (regions: readonly string[]) => createApp([{ ...app, regions }, ...others]).settings.regions;
  expect(createApp(documents).settings.regions).toEqual([]);
  expect(withRegions(['weur'])).toEqual(['weur']);
  const all = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'afr', 'me', 'apac', 'oc'];
  expect(withRegions(all)).toEqual(all);
  expect(refused(() => withRegions(['weur', 'wuer', 'europe', 'weur'])).message).toBe(
    [
      'This app has 3 problems:',
      'app shop regions[1]:1:1: There is no region `wuer`.',
      '    Did you mean `weur`?',
      'app shop regions[2]:1:1: There is no region `europe`.',
      '    There is `wnam`, `enam`, `sam`, `weur`, `eeur`, `afr`, `me`, `apac`, `oc`.',
      'app shop regions[3]:1:1: The region `weur` stands here twice.',
      '    Remove one of them.',
    ].join('\n'),
  );
});
