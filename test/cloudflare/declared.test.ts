/** An object whose code declares a variable otherwise than the others gives out nothing of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEdge } from './stage.ts';

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

test('a deploy that changes a stock sells none of it while another region may still have the old one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cffbrw-declared-'));
  const open = (initial: number) => openEdge({ app: documents(initial), regions: ['weur', 'enam'], directory });
  const before = await open(20);
  try {
    for (const region of before.regions)
      expect((await before.ask({ path: '/stock', method: 'POST' }, region)).body.ok).toBe(true);
  } finally {
    await before.close();
  }
  const after = await open(30);
  try {
    const [stock, other] = await Promise.all(['/stock', '/other'].map((path) => after.ask({ path, method: 'POST' }, 'weur')));
    expect([stock?.body, other?.body]).toEqual([
      { ok: false, reason: 'held-elsewhere' },
      { ok: true, reason: null },
    ]);
    expect((await after.usage()).regions.weur?.status?.withheld.stock).toMatch(/declared here as .*30.*20/);
  } finally {
    await after.close();
    await rm(directory, { recursive: true });
  }
});
