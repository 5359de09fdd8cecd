/** The hub out of reach: regions go on with what they hold, say so when that is spent, and agree again when it is back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Edge, openEdge } from './stage.ts';

const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: outage
variables:
  stock: { strategy: bounded-counter, initial: 100 }
  count: { strategy: sum-increments }
`,
  'workflows/take.yaml': `cffbrw: 1
workflow: take
on: { http: { method: POST, path: /take } }
steps:
  - take: stock
    as: taken
    timeout: 300ms
  - respond: { body: { ok: "\${ taken.ok }", reason: "\${ taken.reason }" } }
`,
  'workflows/count.yaml': `cffbrw: 1
workflow: count
on: { http: { method: POST, path: /count } }
steps:
  - add: count
  - respond: { body: { count: "\${ vars.count }" } }
`,
  'workflows/read.yaml': `cffbrw: 1
workflow: read
on: { http: { method: GET, path: /count } }
steps:
  - respond: { body: { count: "\${ vars.count }" } }
`,
};

const regions = ['weur', 'enam'] as const;
/** Rows are published at most once a second, and tried again as often; outage.long.ts is strict about it. */
const patienceMs = 10_000;
let edge: Edge;

beforeAll(async () => {
  edge = await openEdge({ app: documents, regions });
});
afterAll(() => edge.close());

const take = (region: string) => edge.ask({ path: '/take', method: 'POST' }, region);
const countAt = async (region: string): Promise<number> => (await edge.ask({ path: '/count' }, region)).body.count;
const won = (answers: readonly Answer[]) => answers.filter(({ body }) => body.ok).length;

describe('while the hub is out of reach', () => {
  test('regions sell what they hold and refuse the rest; afterwards they agree, and never sold more than there was', async () => {
    // Each holds some of the stock afterwards.
    let sold = 0;
    for (const region of regions) {
      while (!(await take(region)).body.ok); // whoever came first holds all, and gives some back
      sold += 1;
    }
    await edge.cut(true);
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => take(regions[index % 2] ?? 'weur')));
    const more = won(answers);
    expect(more).toBeGreaterThan(0);
    const told = new Set(answers.map(({ status, body }) => `${status} ${body.ok ? 'sold' : (body.reason ?? body.code)}`));
    told.delete('200 held-elsewhere'); // who gave up before anybody knew that the hub is gone
    expect([...told].sort()).toEqual(['200 sold', '200 unreachable']);
    const counted = await Promise.all(regions.map((region) => edge.ask({ path: '/count', method: 'POST' }, region)));
    expect(counted.map(({ status, body }) => [status, body.count])).toEqual([
      [200, 1],
      [200, 1],
    ]);
    await edge.cut(false);
    const healed = performance.now();
    while ((await countAt('weur')) < 2 || (await countAt('enam')) < 2) {
      expect(performance.now() - healed).toBeLessThan(patienceMs);
    }
    sold += more;
    for (let quiet = 0; quiet < 3; ) {
      const answer = await take(regions[sold % 2] ?? 'weur');
      if (answer.body.ok) sold += 1;
      quiet = answer.body.reason === 'exhausted' ? quiet + 1 : 0;
    }
    expect(sold).toBe(100);
  });
});
