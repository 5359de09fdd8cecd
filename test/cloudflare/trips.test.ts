/** How often a region asks the hub, one question after the other, before its first answer: each is a way across the world. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Edge, openEdge } from './stage.ts';

const workflow = (name: string, steps: string): [string, string] => [
  `workflows/${name}.yaml`,
  `cffbrw: 1\nworkflow: ${name}\non: { http: { method: POST, path: /${name} } }\nsteps:\n${steps}`,
];

const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: trips
variables:
  stock: { strategy: bounded-counter, initial: 1000 }
  count: { strategy: sum-increments }
`,
  ...Object.fromEntries([
    workflow('count', '  - add: count\n  - respond: { body: "${ vars.count }" }\n'),
    workflow('take', '  - take: stock\n    as: taken\n  - respond: { body: "${ taken.ok }" }\n'),
  ]),
};
const regions = ['weur', 'enam'];

/** What `weur` answers when the hub answers it so many times, one after the other, and then never again. */
async function answered(edge: Edge, path: string, trips: number): Promise<unknown> {
  await edge.allowTrips('weur', trips);
  try {
    return (await edge.ask({ path, method: 'POST' }, 'weur')).body;
  } finally {
    await edge.allowTrips('weur', 1_000_000);
  }
}

test('a fresh region knows the others, and counts, after one answer of the hub', async () => {
  const edge = await openEdge({ app: documents, regions });
  try {
    await edge.ask({ path: '/count', method: 'POST' }, 'enam');
    await edge.ask({ path: '/count', method: 'POST' }, 'enam');
    while ((await edge.usage()).regions.enam?.status?.unpublished !== 0);
    expect(await answered(edge, '/count', 1)).toBe(3);
  } finally {
    await edge.close();
  }
});

test('a region that wakes counts after one answer, and sells what it holds after three', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cffbrw-trips-'));
  const edge = await openEdge({ app: documents, regions, directory });
  try {
    expect((await edge.ask({ path: '/take', method: 'POST' }, 'weur')).body).toBe(true);
    expect((await edge.ask({ path: '/count', method: 'POST' }, 'weur')).body).toBe(1);
    await edge.restart();
    expect(await answered(edge, '/count', 1)).toBe(2);
    await edge.restart();
    expect(await answered(edge, '/take', 3)).toBe(true);
  } finally {
    await edge.close();
    await rm(directory, { recursive: true });
  }
});
