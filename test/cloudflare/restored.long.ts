/** Storage that an operator sets back, as a bookmark does: the hub's is noticed by who saw more of it, a region's by the hub. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Edge, openEdge } from './stage.ts';

const stock = 20;
const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: restored
variables:
  stock: { strategy: bounded-counter, initial: ${stock} }
  count: { strategy: sum-increments }
`,
  'workflows/take.yaml': `cffbrw: 1
workflow: take
on: { http: { method: POST, path: /take } }
steps:
  - add: count
  - take: stock
    timeout: 500ms
    as: taken
  - respond: { body: { ok: "\${ taken.ok }", reason: "\${ taken.reason }" } }
`,
  'workflows/read.yaml': `cffbrw: 1
workflow: read
on: { http: { method: GET, path: /count } }
steps:
  - respond: { body: { count: "\${ vars.count }" } }
`,
};
const regions = ['weur', 'enam'] as const;
const token = 'an operator of this test';
const admin = { authorization: `Bearer ${token.replaceAll(' ', '-')}` };

let directory: string;
let edge: Edge;
let sold: number;
let counted: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cffbrw-restored-'));
  [sold, counted] = [0, 0];
});
afterEach(async () => {
  await edge.close();
  await rm(directory, { recursive: true, force: true });
});

const start = async () => {
  edge = await openEdge({ app: documents, regions, directory, secrets: { CFFBRW_TOKEN: token.replaceAll(' ', '-') } });
};
const take = async (region: string) => {
  const { body } = await edge.ask({ path: '/take', method: 'POST' }, region);
  if (body.ok) sold += 1;
  counted += 1;
  return body;
};
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  while (!(await holds())) if (performance.now() - startMs > 20_000) throw new Error(`still not: ${what}`);
}

/** The storage of one class of objects as it is now; what it returns puts that back. */
async function bookmark(kind: 'Hub' | 'Region'): Promise<() => Promise<void>> {
  await edge.close();
  const objects = join(directory, 'objects');
  const name = (await readdir(objects)).find((each) => each.endsWith(kind)) ?? '';
  await cp(join(objects, name), join(directory, 'saved'), { recursive: true });
  await start();
  return async () => {
    await edge.close();
    await rm(join(objects, name), { recursive: true });
    await cp(join(directory, 'saved'), join(objects, name), { recursive: true });
    await start();
  };
}

describe('storage that was set back', () => {
  test('of the hub: nothing is leased until an operator says so, then everybody writes again, and no unit is sold twice', async () => {
    await start();
    for (const region of regions) await take(region);
    const restore = await bookmark('Hub');
    for (let count = 0; count < 4; count += 1) for (const region of regions) await take(region);
    await restore();
    await eventually('takes are refused as recovering', async () => {
      const reasons = [await take('weur'), await take('enam')].map(({ reason }) => reason);
      return reasons.every((reason) => reason === 'recovering');
    });
    for (const region of regions) {
      expect((await edge.ask({ method: 'POST', path: '/_cffbrw/v1/backbone/adopt' }, region)).status).toBe(401);
      const named = { ...admin, 'cffbrw-region': region };
      expect((await edge.ask({ method: 'POST', path: '/_cffbrw/v1/backbone/adopt', headers: named }, 'weur')).status).toBe(200);
    }
    await eventually('the rest can be sold', async () => (await take('weur')).ok && (await take('enam')).ok);
    for (let refused = 0; refused < 4; )
      refused = (await take(regions[counted % 2] ?? 'weur')).reason === 'exhausted' ? refused + 1 : 0;
    expect(sold).toBe(stock);
    for (const region of regions) {
      await eventually('counts come back', async () => (await edge.ask({ path: '/count' }, region)).body.count === counted);
    }
  });

  test('of the regions: each goes on as a new one without rights, and what it sold since is not sold again', async () => {
    await start();
    for (const region of regions) await take(region);
    const restore = await bookmark('Region');
    for (let count = 0; count < 4; count += 1) for (const region of regions) await take(region);
    const before = (await edge.usage()).regions.weur?.status?.id;
    await restore();
    for (let refused = 0; refused < 4; ) refused = (await take(regions[counted % 2] ?? 'weur')).ok ? 0 : refused + 1;
    expect((await edge.usage()).regions.weur?.status?.id).not.toBe(before);
    expect(sold).toBeLessThanOrEqual(stock);
    const { body } = await edge.ask({ path: '/_cffbrw/v1/replicas', headers: admin }, 'weur');
    expect(body.replicas.length).toBe(4);
  });
});
