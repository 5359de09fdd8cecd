/**
 * A location that is cut off goes on with all that needs nobody, and says at once or in time what it can't do. The cut is one that ends
 * connections, and one that swallows what is sent; the timeouts are those that users have.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import type { Site } from './cluster.ts';
import { withSites } from './sites.ts';

const app = join(import.meta.dirname, 'outpost');
const units = 60;
const timeoutMs = 2_000;
/** Whatever is asked of a location that is cut off, nobody waits longer. */
const longestMs = timeoutMs + 1_000;

let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

const defaults = (site: Site): string[] => [
  '--backbone',
  site.environment.CFFBRW_BACKBONE?.replace(/&(connect_)?timeout=\d+/g, '') ?? '',
];
const outOfReach = {
  status: 503,
  body: { type: expect.stringContaining('out-of-reach'), status: 503, detail: expect.any(String) },
};

interface Told {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly tookMs: number;
}

const cuts: Record<string, (site: Site) => void> = {
  'that ends connections': ({ proxy }) => proxy.cut(),
  'that swallows what is sent': ({ proxy }) => proxy.swallow('to-client'),
};

/** Asks, and notes how long that took. */
function asker(site: Site) {
  const all: (Told & { readonly path: string })[] = [];
  const ask = async (path: string, body: unknown): Promise<Told> => {
    const beganMs = performance.now();
    const told = { ...(await site.post(path, body)), tookMs: performance.now() - beganMs };
    all.push({ ...told, path });
    return told;
  };
  return { ask, all, slowest: () => [...all].sort((a, b) => b.tookMs - a.tookMs)[0] };
}

/** Takes until it is refused: how many there were, and the refusal. */
async function takeAll(ask: (path: string, body: unknown) => Promise<Told>): Promise<readonly [granted: number, last: Told]> {
  for (let granted = 0; ; granted += 1) {
    const told = await ask('/take', { user: 'a' });
    if (told.body.ok !== true) return [granted, told];
  }
}

const eventually = (look: () => Promise<unknown>) => expect.poll(look, { timeout: 20_000, interval: 100 });

describe.each(Object.entries(cuts))('a cut %s', (_, cut) => {
  test('leaves a location reading, writing and spending its lease; the rest it refuses in time; and then all is as it should be', () =>
    withSites({ server, names: ['fra', 'sin'], units, app, args: defaults }, async ({ sites: [fra, sin] }) => {
      if (fra === undefined || sin === undefined) return;
      const { ask, slowest } = asker(fra);
      const receipt = String((await ask('/take', { user: 'a' })).body.receipt);
      const once = await ask('/once', { user: 'ann' });
      expect(once.body).toMatchObject({ ok: true, repeated: false });
      await ask('/write', { key: 'before', number: 1 });
      // One unit lies elsewhere, and fra knows of it.
      const { body: lent } = await sin.post('/take', { user: 'a' });
      await eventually(async () => (await sin.post('/give', { receipt: lent.receipt })).body.ok).toBe(true);
      const known = async (site: Site) => (await site.post('/read', { key: 'before' })).body;
      for (const site of [fra, sin]) await eventually(() => known(site)).toMatchObject({ count: 1, stock: units - 2 });
      cut(fra);

      expect(await ask('/write', { key: 'here', number: 7 })).toMatchObject({ status: 200, body: { ok: true } });
      expect((await ask('/read', { key: 'here' })).body).toEqual({
        count: 2,
        flag: 7,
        seen: { n: 7 },
        highest: 7,
        stock: units - 2,
      });
      const [granted, refused] = await takeAll(ask);
      expect(granted).toBeGreaterThan(0);
      expect(refused).toMatchObject(outOfReach);
      const asked = [
        ask('/once', { user: 'bob' }),
        ask('/once', { user: 'ann' }),
        ask('/once', { user: 'ann' }),
        ask('/strong', { user: 'a' }),
      ];
      for (const told of await Promise.all(asked)) expect(told).toMatchObject(outOfReach);
      expect((await ask('/give', { receipt })).body).toMatchObject({ ok: false, reason: 'unreachable' });
      expect((await ask('/mint', { amount: 5 })).body).toEqual({ ok: true });
      expect(await ask('/write', { key: 'here', number: 8 })).toMatchObject({ status: 200 });
      console.log(`cut off: ${granted} taken from the lease; the slowest answer: ${JSON.stringify(slowest())}`);
      expect(slowest()?.tookMs).toBeLessThan(longestMs);
      const health = await fra.admin('/health');
      expect([health.status, health.body.status, Number(health.body.lagMs) > timeoutMs]).toEqual([200, 'ok', true]);
      expect((await sin.post('/once', { user: 'cid' })).body.ok).toBe(true);
      expect((await sin.post('/write', { key: 'there', number: 9 })).status).toBe(200);

      fra.proxy.heal();
      await eventually(async () => (await ask('/once', { user: 'ann' })).body).toMatchObject({
        ok: true,
        repeated: true,
        receipt: once.body.receipt,
      });
      await eventually(async () => (await ask('/give', { receipt })).body.ok).toBe(true);
      await eventually(async () => (await ask('/once', { user: 'bob' })).body.ok).toBe(true);
      // ann, bob, cid; one was given back; five were minted.
      const left = units + 5 - granted - 3;
      for (const site of [fra, sin]) {
        await eventually(async () => (await site.post('/read', { key: 'here' })).body).toEqual({
          count: 4,
          flag: 8,
          seen: { n: 8 },
          highest: 9,
          stock: left,
        });
      }
      let sold = 0;
      await eventually(async () => {
        const [[here, told], [there, other]] = [await takeAll(ask), await takeAll(asker(sin).ask)];
        sold += here + there;
        return [told.body.reason, other.body.reason];
      }).toEqual(['exhausted', 'exhausted']);
      expect(sold).toBe(left);
    }));

  test('at the start of a process is no reason not to start, and no reason to sell; what it had is sold afterwards', () =>
    withSites({ server, names: ['fra', 'sin'], units, app, args: defaults }, async ({ sites: [fra, sin] }) => {
      if (fra === undefined || sin === undefined) return;
      expect((await fra.post('/take', { user: 'a' })).body.ok).toBe(true);
      await fra.post('/write', { key: 'before', number: 1 });
      await fra.stop('SIGKILL');
      cut(fra);
      const beganMs = performance.now();
      await fra.start(defaults(fra));
      const startedMs = performance.now() - beganMs;
      console.log(`started cut off in ${startedMs.toFixed(0)} ms`);
      expect(startedMs).toBeLessThan(10_000); // it asked once, and waited for the 5 s that a question may take
      const { ask, slowest } = asker(fra);
      expect((await ask('/read', { key: 'before' })).body).toMatchObject({ count: 1, flag: 1, seen: { n: 1 } });
      expect(await ask('/write', { key: 'here', number: 7 })).toMatchObject({ status: 200 });
      const asked = ['/take', '/once', '/strong'].map((path) => ask(path, { user: 'a' }));
      for (const told of await Promise.all(asked)) expect(told).toMatchObject(outOfReach);
      expect(slowest()?.tookMs).toBeLessThan(1_000); // it knows
      expect((await fra.admin('/health')).body).toMatchObject({ status: 'ok', frozen: expect.any(String) });

      fra.proxy.heal();
      let sold = 1;
      await eventually(async () => {
        const [[here, told], [there, other]] = [await takeAll(ask), await takeAll(asker(sin).ask)];
        sold += here + there;
        return [told.body.reason, other.body.reason];
      }).toEqual(['exhausted', 'exhausted']);
      expect(sold).toBe(units);
      await eventually(async () => (await sin.post('/read', { key: 'here' })).body).toMatchObject({
        count: 2,
        flag: 7,
        stock: 0,
      });
    }));
});
