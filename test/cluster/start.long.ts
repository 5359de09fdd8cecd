import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inTemporary } from '../e2e/process.ts';
import { newSchema } from '../node/backbone-bench.ts';
import { password, startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import { openSite, type Site } from './cluster.ts';

const directory = join(import.meta.dirname, '../e2e/apps/ledger');
const stock = 10;
let server: TestServer;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

async function withSites(names: readonly string[], use: (...sites: Site[]) => Promise<void>): Promise<void> {
  const schema = newSchema();
  await inTemporary(async (home) => {
    const sites = await Promise.all(names.map((name) => openSite(name, { server, home, directory, schema })));
    try {
      await Promise.all(sites.map((site) => site.start()));
      await use(...sites);
    } finally {
      await Promise.all(sites.map((site) => site.close()));
    }
  });
}

test('three processes share an app: no unit is sold twice, once is once anywhere, and all converge', () =>
  withSites(['fra', 'sin', 'iad'], async (...sites) => {
    const outputs = sites.map((site) => () => site.app?.output() ?? '');
    const claims = await Promise.all(sites.map((site) => site.post('/take', { user: 'ann' })));
    expect(claims.map(({ body }) => body.ok)).toEqual([true, true, true]);
    expect(new Set(claims.map(({ body }) => body.receipt)).size).toBe(1);

    const grabs = Array.from({ length: 12 }, (_, index) => sites[index % 3]?.post('/grab', { user: `${index}` }));
    const won = (await Promise.all(grabs)).filter((answer) => answer?.body.ok === true);
    expect(won).toHaveLength(stock - 1);

    await Promise.all(sites.map((site, number) => site.post('/write', { user: site.name, number })));
    for (const site of sites) {
      await expect
        .poll(async () => (await site.post('/read', { user: 'iad' })).body, { timeout: 10_000 })
        .toEqual({
          count: 3,
          highest: 2,
          stock: 0,
          seen: { n: 2 },
        });
    }
    const printed = outputs.map((output) => output());
    expect(await Promise.all(sites.map((site) => site.stop()))).toEqual([0, 0, 0]);
    for (const output of printed) {
      expect(output).not.toContain(password);
      expect(output).not.toContain(encodeURIComponent(password));
    }
  }));
