/** Everything that the backbone promises, through a real transaction pooler. */
import { join } from 'node:path';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgresBackbone } from '../../src/node/backbone.ts';
import { parseBackboneUrl } from '../../src/node/backbone-url.ts';
import { backboneCases } from '../../src/testing/index.ts';
import { openSite, type Site } from '../cluster/cluster.ts';
import { inTemporary } from '../e2e/process.ts';
import { newSchema, openBench } from './backbone-bench.ts';
import { startPooler, type TestPooler } from './backbone-pooler.ts';
import { startPostgres, type TestServer } from './backbone-postgres.ts';
import { startProxy } from './backbone-proxy.ts';
import { orSkipped, whereIs } from './installed.ts';

/**
 * Asks again while it is not decided. These processes give the server one second (`timeout=1`): one that is kept from answering for as long, by
 * whatever else this machine does, is out of reach. Nothing was taken then, or who asks again with the same `once` is told.
 */
async function decided(site: Site, path: string, user: string): Promise<Record<string, unknown>> {
  const undecided = ['unreachable', 'held-elsewhere'];
  let body: Record<string, unknown> = {};
  const ask = async () => {
    ({ body } = await site.post(path, { user }));
    return String(body.reason);
  };
  await expect
    .poll(ask, { timeout: 20_000, message: `${site.name} ${path}` })
    .not.toSatisfy((reason) => undecided.includes(reason));
  return body;
}

describe.skipIf(whereIs('pgbouncer') === null)(`through PgBouncer in transaction mode${orSkipped('pgbouncer')}`, () => {
  let server: TestServer;
  let pooler: TestPooler;
  let sql: postgres.Sql;

  beforeAll(async () => {
    server = await startPostgres();
    sql = server.admin();
    pooler = await startPooler(server);
  }, 60_000);
  afterAll(async () => {
    await pooler?.close();
    await server?.close();
  });

  describe('the contract', () => {
    for (const { title, run } of backboneCases) test(title, () => run(() => openBench(pooler.server, sql)));
  });

  test('that no notifications are to be had is found out, nothing of the connection is changed, and rows are looked for', async () => {
    const proxy = await startProxy({ host: '127.0.0.1', port: pooler.server.port });
    const url = pooler.server.url(`?schema=${newSchema()}`).replace(`:${pooler.server.port}/`, `:${proxy.port}/`);
    const backbone = await openPostgresBackbone({ target: parseBackboneUrl(url, {}) });
    const seen: string[] = [];
    backbone.subscribe(null, async ({ rows }) => void seen.push(...rows.map(({ address }) => address)));
    for (const address of ['a', 'b', 'c']) {
      await backbone.publish([{ address, replica: 'a.1', version: 1, bytes: '{}' }]);
      await expect.poll(() => seen, { timeout: 10_000, interval: 5 }).toContain(address);
    }
    expect(proxy.passed()).not.toMatch(/\blisten\b|set_config\('statement_timeout'/i);
    await backbone.close();
    await proxy.close();
  });

  test('the connections of twenty replicas share three of the server', async () => {
    const schema = newSchema();
    const target = parseBackboneUrl(pooler.server.url(`?schema=${schema}`), {});
    const backbones = await Promise.all(Array.from({ length: 20 }, () => openPostgresBackbone({ target })));
    const seen = backbones.map((backbone, index) => {
      const versions = new Set<number>();
      backbone.subscribe(null, async ({ rows }) => {
        for (const { version } of rows) versions.add(version);
      });
      return {
        versions,
        publish: () => backbone.publish([{ address: `x${index}`, replica: 'a.1', version: index + 1, bytes: '{}' }]),
      };
    });
    await Promise.all(seen.map(({ publish }) => publish()));
    for (const { versions } of seen) await expect.poll(() => versions.size, { timeout: 10_000 }).toBe(20);
    await Promise.all(
      backbones.map(async ({ registers }) => {
        for (let done = false; !done; ) {
          const { value, revision } = await registers.get('count');
          done = (await registers.compareAndSet('count', String(Number(value) + 1), revision)).done;
        }
      }),
    );
    expect((await backbones[0]?.registers.get('count'))?.value).toBe('20');
    const [used] = await sql`select count(*)::integer as connections from pg_stat_activity where application_name = 'cffbrw'`;
    expect(used?.connections).toBeLessThanOrEqual(3);
    await Promise.all(backbones.map((backbone) => backbone.close()));
    // The client would hide that a statement was prepared on another connection than it is asked for: it asks again.
    for (const log of [server.log(), pooler.log()]) expect(log).not.toMatch(/prepared statement|unsupported/i);
  });

  test('three processes share an app: no unit is sold twice, once is once anywhere, and all converge', () =>
    inTemporary(async (home) => {
      const directory = join(import.meta.dirname, '../e2e/apps/ledger');
      const schema = newSchema();
      const open = (name: string) => openSite(name, { server: pooler.server, home, directory, schema });
      const sites: readonly Site[] = await Promise.all(['fra', 'sin', 'iad'].map(open));
      try {
        await Promise.all(sites.map((site) => site.start()));
        const claims = await Promise.all(sites.map((site) => decided(site, '/take', 'ann')));
        expect(claims.map(({ ok }) => ok)).toEqual([true, true, true]);
        expect(new Set(claims.map(({ receipt }) => receipt)).size).toBe(1);
        const grabs = Array.from({ length: 12 }, (_, index) => decided(sites[index % 3] as Site, '/grab', `${index}`));
        const reasons = (await Promise.all(grabs)).map(({ ok, reason }) => (ok === true ? 'granted' : reason));
        expect(reasons.sort()).toEqual([...Array(3).fill('exhausted'), ...Array(9).fill('granted')]);
        await Promise.all(sites.map((site, number) => site.post('/write', { user: site.name, number })));
        const shown = { count: 3, highest: 2, stock: 0, seen: { n: 2 } };
        for (const site of sites) {
          const read = async () => (await site.post('/read', { user: 'iad' })).body;
          await expect.poll(read, { timeout: 10_000 }).toEqual(shown);
        }
        expect(await Promise.all(sites.map((site) => site.stop()))).toEqual([0, 0, 0]);
      } finally {
        await Promise.all(sites.map((site) => site.close()));
      }
    }));
});
