/** A hub that never answers: a region that wakes waits a while for it, and goes on. */
import { expect, test } from 'vitest';
import { openEdge } from './stage.ts';

const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: silent
variables:
  count: { strategy: sum-increments }
  stock: { strategy: bounded-counter, initial: 10 }
`,
  'workflows/count.yaml': `cffbrw: 1
workflow: count
on: { http: { method: POST, path: /count } }
steps:
  - add: count
  - respond: { body: "\${ vars.count }" }
`,
  'workflows/take.yaml': `cffbrw: 1
workflow: take
on: { http: { method: POST, path: /take } }
steps:
  - { take: stock, as: taken, timeout: 1s }
  - respond: { body: "\${ taken.ok }" }
`,
};
const patienceMs = 30_000;

test('a region that wakes while the hub answers nobody goes on without it, and sells and agrees as soon as it answers', async () => {
  const edge = await openEdge({ app: documents, regions: ['weur', 'enam'] });
  const post = async (path: string, region = 'weur') => (await edge.ask({ path, method: 'POST' }, region)).body;
  try {
    expect([await post('/count'), await post('/take')]).toEqual([1, true]);
    await edge.restart();
    await edge.allowTrips('weur', 0);
    expect([await post('/count'), await post('/take')]).toEqual([2, false]);
    await edge.allowTrips('weur', 1_000_000);
    const startMs = performance.now();
    while ((await post('/take')) !== true) expect(performance.now() - startMs).toBeLessThan(patienceMs);
    for (let own = 1; (await post('/count', 'enam')) < own + 2; own += 1)
      expect(performance.now() - startMs).toBeLessThan(patienceMs);
  } finally {
    await edge.close();
  }
});
