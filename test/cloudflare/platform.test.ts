/** What works on Node.js works in objects: once, strong, holds, idempotency, events; and what needs no object asks none. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ask, type Edge, openEdge } from './stage.ts';

const workflow = (name: string, on: string, steps: string): [string, string] => [
  `workflows/${name}.yaml`,
  `cffbrw: 1\nworkflow: ${name}\non: ${on}\nsteps:\n${steps}`,
];
const post = (path: string, more = ''): string => `{ http: { method: POST, path: "${path}"${more} } }`;
const taken = (options: string): string => `  - take: stock
    ${options}
    as: taken
  - respond: { body: { ok: "\${ taken.ok }", receipt: "\${ taken.receipt }", again: "\${ taken.repeated }", reason: "\${ taken.reason }" } }
`;

const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: platform
variables:
  stock: { strategy: bounded-counter, initial: 50 }
  held: { strategy: bounded-counter, initial: 1 }
  count: { strategy: sum-increments }
events: { path: /events, variables: [count] }
`,
  ...Object.fromEntries([
    workflow('once', post('/once/{user}'), taken('once: ${ request.params.user }')),
    workflow('strong', post('/strong'), taken('strong: true')),
    workflow(
      'hold',
      post('/hold'),
      '  - take: held\n    hold: 300ms\n    timeout: 1s\n    as: taken\n  - respond: { body: { ok: "${ taken.ok }", receipt: "${ taken.receipt }" } }\n',
    ),
    workflow(
      'count',
      post(
        '/count',
        ', body: { type: object, properties: { by: { type: integer } } }, idempotency: { header: Idempotency-Key, keep: 1h }',
      ),
      '  - add: count\n    amount: ${ request.body.by }\n  - respond: { body: { id: "${ uuid() }", count: "${ vars.count }" } }\n',
    ),
    workflow('read', '{ http: { method: GET, path: /count } }', '  - respond: { body: { count: "${ vars.count }" } }\n'),
    workflow(
      'late',
      post('/late'),
      '  - respond: { status: 202, continue: true, body: later }\n  - wait: 50ms\n  - add: count\n',
    ),
  ]),
};

const regions = ['weur', 'enam'] as const;
const token = 'a-token-of-these-tests';
let edge: Edge;
beforeAll(async () => {
  edge = await openEdge({ app: documents, regions, secrets: { CFFBRW_TOKEN: token } });
});
afterAll(() => edge.close());

const asked = (path: string, region: string, more: object = {}) => edge.ask({ path, method: 'POST', ...more }, region);

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const start = performance.now();
  while (!(await holds())) if (performance.now() - start > 15_000) throw new Error(`still not: ${what}`);
}

describe('in objects', () => {
  test('once gives one user one unit, whatever region is asked, also at the same time', async () => {
    const answers = await Promise.all([...regions, ...regions].map((region) => asked('/once/ann', region)));
    expect(new Set(answers.map(({ body }) => body.receipt)).size).toBe(1);
    expect(answers.map(({ body }) => body.again).sort()).toEqual([false, true, true, true]);
  });

  test('strong takes are decided by the bank', async () => {
    const answers = await Promise.all(regions.map((region) => asked('/strong', region)));
    expect(answers.map(({ body }) => body.ok)).toEqual([true, true]);
    expect(answers[0]?.body.receipt).not.toBe(answers[1]?.body.receipt);
  });

  test('a hold ends by itself, and its unit can be taken elsewhere', async () => {
    expect((await asked('/hold', 'weur')).body.ok).toBe(true);
    await until(async () => (await asked('/hold', 'enam')).body.ok, 'the hold is over');
  });

  test('a request that is repeated with its key is answered as before, and another body under it is refused', async () => {
    const headers = { 'idempotency-key': 'k1' };
    const first = await asked('/count', 'weur', { headers, body: { by: 5 } });
    expect(first.status).toBe(200);
    expect((await asked('/count', 'weur', { headers, body: { by: 5 } })).body).toEqual(first.body);
    expect((await asked('/count', 'weur', { headers, body: { by: 6 } })).status).toBe(422);
    await edge.restart();
    expect((await asked('/count', 'weur', { headers, body: { by: 5 } })).body).toEqual(first.body);
  });

  test('a run goes on after its answer', async () => {
    const { count } = (await edge.ask({ path: '/count' }, 'weur')).body;
    expect((await asked('/late', 'weur')).status).toBe(202);
    await until(async () => (await edge.ask({ path: '/count' }, 'weur')).body.count === count + 1, 'it went on');
  });

  test('an event stream begins with what there is, and tells what changes elsewhere', async () => {
    const { count } = (await edge.ask({ path: '/count' }, 'weur')).body;
    const response = await edge.miniflare.dispatchFetch('http://localhost/events', {
      cf: { continent: 'NA', longitude: '-74', latitude: '40' },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const reader = response.body?.getReader();
    let text = '';
    const told = async (value: number) => {
      while (!text.includes(`data: {"key":null,"value":${value}}`))
        text += new TextDecoder().decode((await reader?.read())?.value);
    };
    await told(count);
    await asked('/count', 'weur', { body: { by: 100 } });
    await told(count + 100);
    await reader?.cancel();
  });

  test('a stream that the app refuses is refused with a status, not sent as a stream', async () => {
    const refused = await edge.ask({ path: '/events?prefix=%ff' });
    expect([refused.status, refused.body.code]).toEqual([400, 'INVALID_INPUT']);
  });

  test('who has the token asks a region what it knows, and changes it; nobody else does', async () => {
    const admin = (path: string, more: Partial<Ask> = {}) =>
      edge.ask(
        { path: `/_cffbrw/${path}`, headers: { authorization: `Bearer ${token}`, 'cffbrw-region': 'enam' }, ...more },
        'weur',
      );
    expect((await edge.ask({ path: '/_cffbrw/health' })).body).toEqual({ status: 'ok' });
    expect((await admin('v1/replica', { headers: {} })).status).toBe(401);
    expect((await admin('v1/replica', { headers: { authorization: 'Bearer guessed' } })).status).toBe(401);
    expect((await admin('v1/replica')).body.id).toMatch(/^enam\./);
    const minted = await admin('v1/variables/stock/mint', { method: 'POST', body: { amount: 3 } });
    expect([minted.status, minted.body.operation]).toEqual([200, 'mint']);
    expect((await admin('v1/variables/stock/mint', { method: 'POST', body: { amount: 1.5 } })).status).toBe(400);
    expect((await admin('v1/variables/count')).body).toMatchObject({ variable: 'count', key: null });
    expect((await admin('v1/replicas')).body.replicas.map(({ name }: { name: string }) => name).sort()).toEqual(['enam', 'weur']);
    expect((await admin('v1/replicas/weur/retire', { method: 'POST', body: { why: 'a rehearsal' } })).body.retired).toHaveLength(
      1,
    );
    expect((await admin('v1/replicas/enam/retire', { method: 'POST', body: { why: 'itself' } })).status).toBe(404);
    expect((await admin('v1/conflicts?limit=5')).body).toEqual({ conflicts: [] });
    const metrics = await admin('metrics');
    expect([metrics.status, metrics.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4']);
    expect(metrics.body).toMatch(/^cffbrw_commit\{replica="enam\.[a-z0-9]+"\} \d+$/m);
    for (const object of ['region', 'hub'])
      expect(metrics.body).toMatch(new RegExp(`^cffbrw_object_rows_written_total\\{object="${object}"\\} [1-9]`, 'm'));
    expect((await admin('metrics', { headers: {} })).status).toBe(401);
    expect((await admin('v1/nothing')).status).toBe(404);
    expect((await admin('v1/replica', { headers: { 'cffbrw-region': 'apac' } })).status).toBe(404);
  });

  test('what nothing answers asks no object, and what only objects say is not let in', async () => {
    const before = await edge.usage();
    const wrong = [
      edge.ask({ path: '/nothing' }),
      edge.ask({ path: '/count', method: 'DELETE' }),
      edge.ask({ path: '/count', headers: { 'cffbrw-object': 'push' } }),
    ];
    expect((await Promise.all(wrong)).map(({ status }) => status)).toEqual([404, 405, 403]);
    const after = await edge.usage();
    for (const region of regions) {
      // Asking for these numbers is a request, too; contacts and what the hub tells may have come between.
      const requests = (after.regions[region]?.requests ?? 0) - (before.regions[region]?.requests ?? 0);
      expect(requests).toBeLessThanOrEqual(2);
    }
  });
});

test('an object that lacks a secret refuses, and asks the hub no more whoever asks', async () => {
  const lacking = await openEdge({ app: documents, regions, secrets: { CFFBRW_TOKEN: 'short' } });
  try {
    const ask = async () => (await lacking.ask({ path: '/count' }, 'weur')).status;
    expect(await ask()).toBe(500);
    const { requests } = (await lacking.usage()).hub;
    expect([await ask(), await ask()]).toEqual([500, 500]);
    expect((await lacking.usage()).hub.requests).toBe(requests);
  } finally {
    await lacking.close();
  }
});
