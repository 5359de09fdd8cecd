/** An object whose code declares a variable otherwise than the others gives out nothing of it, as long as they run that code. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Edge, openEdge } from './stage.ts';

const documents = (initial: number) => ({
  'cffbrw.yaml': `cffbrw: 1\napp: declared\nvariables:\n  stock: { strategy: bounded-counter, initial: ${initial} }\n  other: { strategy: bounded-counter, initial: 5 }\n`,
  ...Object.fromEntries(
    ['stock', 'other'].map((name) => [
      `workflows/${name}.yaml`,
      `cffbrw: 1
workflow: ${name}
on: { http: { method: POST, path: /${name} } }
steps:
  - take: ${name}
    as: taken
  - respond: { body: { ok: "\${ taken.ok }", reason: "\${ taken.reason }" } }
`,
    ]),
  ),
});

const regions = ['weur', 'enam'];
const patienceMs = 15_000;
const sell = async (edge: Edge, region: string, path = '/stock') => (await edge.ask({ path, method: 'POST' }, region)).body;

/** In a directory where both regions have sold of 20. */
async function afterSales(then: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'cffbrw-declared-'));
  const before = await openEdge({ app: documents(20), regions, directory });
  try {
    for (const region of regions) while (!(await sell(before, region)).ok); // whoever came first holds all, and gives some back
    await before.close();
    await then(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('a deploy that changes a stock wakes the other regions, and all sell again as soon as they have told', () =>
  afterSales(async (directory) => {
    const edge = await openEdge({ app: documents(30), regions, directory });
    try {
      const startMs = performance.now();
      let refused = 0;
      for (let won = await sell(edge, 'weur'); !won.ok; won = await sell(edge, 'weur')) {
        expect(won.reason).toBe('held-elsewhere');
        refused += 1;
        expect(performance.now() - startMs).toBeLessThan(patienceMs);
      }
      console.log(`sold again after ${Math.round(performance.now() - startMs)} ms and ${refused} refusals`);
      expect((await sell(edge, 'enam')).ok).toBe(true);
    } finally {
      await edge.close();
    }
  }));

test('two deploys at once: who has the new stock gives out nothing while the old one is in use, and everything else', () =>
  afterSales(async (directory) => {
    const edge = await openEdge({ app: documents(30), regions, directory, deploys: { enam: documents(20) } });
    try {
      expect([await sell(edge, 'weur'), await sell(edge, 'weur', '/other'), await sell(edge, 'enam')]).toEqual([
        { ok: false, reason: 'held-elsewhere' },
        { ok: true, reason: null },
        { ok: true, reason: null },
      ]);
      // Woken once, it has told what it told before.
      for (let asked = 0; asked < 40; asked += 1) expect((await sell(edge, 'weur')).ok).toBe(false);
      expect((await edge.usage()).regions.weur?.status?.withheld.stock).toMatch(/declared here as .*30.*20/);
    } finally {
      await edge.close();
    }
  }));
