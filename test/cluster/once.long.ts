/** A thousand users, each at three places at the same instant, while processes die in the middle of it: one grant each, and no unit astray. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inParallel } from '../e2e/load.ts';
import { mulberry } from '../node/backbone-bench.ts';
import { startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import type { Site } from './cluster.ts';
import { pause, runs, withSites } from './sites.ts';

const app = join(import.meta.dirname, 'outpost');
const users = 1_000 * runs;
const units = users + 100;
const atATime = 10;
const seed = Number(process.env.CFFBRW_SEED ?? 1);

let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

/** What users were told. */
function createBook() {
  const receipts = new Map<string, Set<string>>();
  const told = { first: 0, repeated: 0, refused: 0, lost: 0 };
  return {
    receipts,
    told,
    async claim(site: Site, user: string): Promise<Readonly<Record<string, unknown>>> {
      const answer = await site.post('/once', { user }).catch(() => null);
      if (answer === null) told.lost += 1;
      else if (answer.body.reason === 'exhausted') throw new Error(`units are lost: ${user} finds the stock exhausted`);
      else if (answer.body.ok !== true) told.refused += 1;
      else {
        told[answer.body.repeated === true ? 'repeated' : 'first'] += 1;
        receipts.set(user, (receipts.get(user) ?? new Set()).add(String(answer.body.receipt)));
      }
      return answer?.body ?? {};
    },
  };
}

/** Kills one after the other at random moments of their lives, until it is told to stop. Resolves with how many. */
async function killing(sites: readonly Site[], random: () => number, isOver: () => boolean): Promise<number> {
  for (let kills = 0; ; kills += 1) {
    await pause(100 + random() * 900);
    if (isOver()) return kills;
    const site = sites[Math.floor(random() * sites.length)] as Site;
    await site.stop('SIGKILL');
    await site.start();
  }
}

test(`${users} users at three places at once, and processes that die: one grant each, and the rest of the stock is right`, () =>
  withSites({ server, names: ['fra', 'sin', 'iad'], units, app }, async ({ sites }) => {
    console.log(
      `CFFBRW_SEED=${seed} CFFBRW_RUNS=${runs} npx vitest run --config vitest.long.config.ts test/cluster/once.long.ts`,
    );
    const random = mulberry(seed);
    const book = createBook();
    let over = false;
    const beganMs = performance.now();
    const killed = killing(sites, random, () => over);
    await inParallel(users, atATime, async (index) => {
      const user = `user ${index}`;
      await Promise.all(sites.map((site) => book.claim(site, user)));
      while (!book.receipts.has(user)) await book.claim(sites[Math.floor(random() * sites.length)] as Site, user);
    });
    over = true;
    const kills = await killed;
    console.log(`once: ${kills} kills in ${((performance.now() - beganMs) / 1000).toFixed(1)} s, ${JSON.stringify(book.told)}`);
    expect(kills).toBeGreaterThan(0);

    // A retry, anywhere, says the same.
    await inParallel(users, atATime, async (index) => {
      const answers = await Promise.all(sites.map((site) => book.claim(site, `user ${index}`)));
      for (const answer of answers) expect(answer).toMatchObject({ ok: true, repeated: true });
    });
    expect([...book.receipts].filter(([, { size }]) => size !== 1)).toEqual([]);
    expect(new Set([...book.receipts.values()].flatMap((some) => [...some])).size).toBe(users);
    expect(book.told.first).toBeLessThanOrEqual(users);

    for (const site of sites) {
      await expect.poll(async () => (await site.post('/read', { key: 'a' })).body.stock, { timeout: 30_000 }).toBe(units - users);
    }
    // And so many are really there.
    let sold = 0;
    const takeAll = async (site: Site): Promise<unknown> => {
      for (;;) {
        const { body } = await site.post('/take', { user: 'a' });
        if (body.ok !== true) return body.reason ?? body.type;
        sold += 1;
      }
    };
    await expect.poll(() => Promise.all(sites.map(takeAll)), { timeout: 30_000 }).toEqual(sites.map(() => 'exhausted'));
    expect(sold).toBe(units - users);
  }));
