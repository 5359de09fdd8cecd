/** Three processes of `cffbrw start` on one PostgreSQL, killed and cut off at random while users take: nothing is sold twice. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeHost } from '../../src/node/host.ts';
import { inTemporary } from '../e2e/process.ts';
import { mulberry, newSchema } from '../node/backbone-bench.ts';
import { startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import { openSite, type Site } from './cluster.ts';

const ledger = join(import.meta.dirname, '../e2e/apps/ledger');
const names = ['fra', 'sin', 'iad'];
let server: TestServer;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

async function withSites(directory: string, home: string, use: (sites: readonly Site[]) => Promise<void>): Promise<void> {
  const schema = newSchema();
  const sites = await Promise.all(names.map((name) => openSite(name, { server, home, directory, schema })));
  try {
    await Promise.all(sites.map((site) => site.start()));
    await use(sites);
  } finally {
    await Promise.all(sites.map((site) => site.close()));
  }
}

/** A copy of the ledger with so many units. */
async function appWith(home: string, units: number): Promise<string> {
  const directory = join(home, 'app');
  await cp(ledger, directory, { recursive: true });
  const file = join(directory, 'cffbrw.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('initial: 10', `initial: ${units}`));
  return directory;
}

const pause = (delayMs: number) => new Promise<void>((resolve) => void nodeHost.after(delayMs, resolve));

const runs = Number(process.env.CFFBRW_RUNS ?? 1);
const seeds =
  process.env.CFFBRW_SEED === undefined
    ? Array.from({ length: runs }, (_, index) => index + 1)
    : [Number(process.env.CFFBRW_SEED)];

test.each(seeds)('killed, cut off and started again, they never give out a unit twice, and once stays once (seed %i)', (seed) =>
  inTemporary(async (home) => {
    console.log(`CFFBRW_SEED=${seed} npx vitest run --config vitest.long.config.ts test/cluster/faults.long.ts`);
    const random = mulberry(seed);
    const units = 60;
    const directory = await appWith(home, units);
    await withSites(directory, home, async (sites) => {
      const granted = new Map<string, Set<string>>();
      const state = { grabbed: 0, stopped: false };
      const users = Array.from({ length: 6 }, async (_, number) => {
        for (let turn = 0; !state.stopped; turn += 1) {
          const site = sites[(number + turn) % sites.length] as Site;
          const user = `user ${turn % 5}`;
          const taken = await site.post('/take', { user }).catch(() => null);
          if (taken?.body.ok === true) granted.set(user, (granted.get(user) ?? new Set()).add(String(taken.body.receipt)));
          const grabbed = await site.post('/grab', { user }).catch(() => null);
          if (grabbed?.body.ok === true) state.grabbed += 1;
          await pause(20);
        }
      });
      for (let round = 0; round < 8; round += 1) {
        const site = sites[Math.floor(random() * sites.length)] as Site;
        const fault = ['kill', 'kill', 'stop', 'cut', 'swallow'][Math.floor(random() * 5)];
        if (fault === 'cut') site.proxy.cut();
        else if (fault === 'swallow') site.proxy.swallow('to-client');
        else await site.stop(fault === 'kill' ? 'SIGKILL' : 'SIGTERM');
        await pause(700);
        site.proxy.heal();
        if (site.app === null) await site.start();
      }
      state.stopped = true;
      await Promise.all(users);
      for (const [user, receipts] of granted) expect([user, receipts.size]).toEqual([user, 1]);
      expect(granted.size).toBeGreaterThan(0);
      expect(state.grabbed + granted.size).toBeLessThanOrEqual(units);
    });
  }));
