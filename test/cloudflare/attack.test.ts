/** What a hostile or unlucky user does to an app at the edge. */
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Edge, openEdge } from './stage.ts';

const workflow = (name: string, on: string, steps: string): [string, string] => [
  `workflows/${name}.yaml`,
  `cffbrw: 1\nworkflow: ${name}\non: { http: { ${on} } }\nsteps:\n${steps}`,
];

const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: attack
variables:
  flag: { strategy: last-write-wins, keyed: true }
  banner: { strategy: last-write-wins }
  stock: { strategy: bounded-counter, initial: 10 }
events: { path: /events, variables: [banner] }
`,
  ...Object.fromEntries([
    workflow(
      'put',
      'method: POST, path: /put, body: { type: object, required: [key, value], properties: { key: {}, value: {} } }',
      '  - { set: flag, key: "${ request.body.key }", value: "${ request.body.value }" }\n  - respond: { body: done }\n',
    ),
    workflow(
      'show',
      'method: POST, path: /show, body: { type: object, required: [key], properties: { key: {} } }',
      '  - respond: { body: "${ len(vars.flag[request.body.key] ?? []) }" }\n',
    ),
    workflow(
      'banner',
      'method: POST, path: /banner, body: { type: object, required: [text], properties: { text: { type: string } } }',
      '  - { set: banner, value: "${ request.body.text }" }\n  - respond: { body: done }\n',
    ),
    workflow(
      'take',
      'method: POST, path: /take',
      '  - { take: stock, as: taken, timeout: 1s }\n  - respond: { body: "${ taken.ok }" }\n',
    ),
  ]),
};

const regions = ['weur', 'enam'];
const patienceMs = 20_000;
let edge: Edge;
beforeAll(async () => {
  edge = await openEdge({ app: documents, regions });
});
afterAll(() => edge.close());

const post = (path: string, body: unknown, region = 'weur') => edge.ask({ path, method: 'POST', body }, region);

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const start = performance.now();
  while (!(await holds())) if (performance.now() - start > patienceMs) throw new Error(`still not: ${what}`);
}

test('keys that are too long, or none, are refused; the longest is kept', async () => {
  const statuses = [];
  for (const key of [
    'k'.repeat(512),
    'k'.repeat(513),
    'é'.repeat(257),
    'k'.repeat(100_000),
    '',
    null,
    1.5,
    ['a', ['b']],
    '__proto__',
    '\ud800',
  ])
    statuses.push((await post('/put', { key, value: [1] })).status);
  expect(statuses.slice(0, 4)).toEqual([200, 422, 422, 422]);
  for (const status of statuses) expect([200, 400, 422]).toContain(status);
  expect((await post('/show', { key: 'k'.repeat(512) })).body).toBe(1);
});

test('a body at the limit is stored, and known in the other region; one byte more is refused', async () => {
  const empty = JSON.stringify({ key: 'long', value: [''] }).length;
  const body = (bytes: number) => JSON.stringify({ key: 'long', value: ['x'.repeat(bytes - empty)] });
  expect((await edge.ask({ path: '/put', method: 'POST', text: body(1_048_577) }, 'weur')).status).toBe(413);
  const put = await edge.ask({ path: '/put', method: 'POST', text: body(1_048_576) }, 'weur');
  expect([put.status, put.body]).toEqual([200, 'done']);
  await until(async () => (await post('/show', { key: 'long' }, 'enam')).body === 1, 'known elsewhere');
});

test('a region that nobody declared, and headers of objects, are not for clients', async () => {
  const headers = [{ 'cffbrw-object': 'events' }, { 'CFFBRW-Object': 'wake' }, { 'cffbrw-object': 'usage' }];
  for (const one of headers) expect((await edge.ask({ path: '/events', headers: one })).status).toBe(403);
  // Only for operators does a header choose the region: an undeclared one is none, and makes no object.
  for (const region of ['apac', 'main', '../hub', 'hub', ' '.repeat(3), 'x'.repeat(5_000)])
    expect([404, 400]).toContain((await edge.ask({ path: '/_cffbrw/health', headers: { 'cffbrw-region': region } })).status);
  expect(
    (await edge.ask({ path: '/show', method: 'POST', body: { key: 'none' }, headers: { 'cffbrw-region': 'apac' } })).status,
  ).toBe(200);
});

test('a client that reads no event holds up nobody, and gets the last value when it reads', async () => {
  // Straight over HTTP: what lies between in tests would read for the client.
  const stream = await new Promise<IncomingMessage>((done, failed) => {
    edge.miniflare.ready.then((url) => get(new URL('/events', url), done).on('error', failed), failed);
  });
  stream.pause();
  for (let index = 0; index < 30; index += 1) {
    const { status } = await post('/banner', { text: `${index}${'x'.repeat(500_000)}` });
    expect(status).toBe(200);
  }
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (chunk.includes('"29x')) break;
  }
  // What it was behind with was left out.
  expect(bytes).toBeLessThan(12_000_000);
  expect((await post('/take', undefined)).body).toBe(true);
});

test('a body that nobody reads holds up no later request', async () => {
  for (let round = 0; round < 3; round += 1) {
    for (const path of ['/_cffbrw/v1/variables/stock/mint', '/nothing', '/take', '/_cffbrw/v1/variables/banner/set'])
      await post(path, { amount: 1, why: 'x'.repeat(round * 100_000) });
    const answer = await edge.ask({ path: '/_cffbrw/v1/variables/banner', method: 'GET' });
    expect(answer.status).toBe(404);
  }
}, 20_000);
