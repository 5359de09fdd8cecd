/**
 * PostgreSQL loses something while three processes run under load: nobody leases until an operator has had it adopted everywhere; then all that
 * was acknowledged is there again, and all that is left can be sold.
 */
import { performance } from 'node:perf_hooks';
import { afterEach, expect, test } from 'vitest';
import { inTemporary } from '../e2e/process.ts';
import { newSchema } from '../node/backbone-bench.ts';
import { copyFiles, replaceFiles, startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import { openSite, type Site } from './cluster.ts';
import { type Book, judgeGrants, judgeShown, leftOf, openBook } from './rounds-book.ts';
import { pause } from './rounds-clock.ts';
import { placeAt, startUsers, take, write } from './rounds-load.ts';
import { type Equality, readerOf, shownOf, untilEqual } from './rounds-shown.ts';
import { kioskWith, sellOut } from './rounds-stock.ts';

const stock = 4_000;
const users = 12;
const names = ['fra', 'sin', 'iad'];
/** Those of users, and some that nobody writes again. */
const keys = [...Array.from({ length: users }, (_, number) => `user ${number}`), ...names.map((name) => `early at ${name}`)];

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function newServer(): Promise<TestServer> {
  const server = await startPostgres();
  servers.push(server);
  return server;
}

/** What is done early, under load, resolves with what loses something later. */
type Loss = (server: TestServer, schema: string) => Promise<() => Promise<void>>;

/** `work`, while the server is stopped. */
async function whileStopped<Result>(server: TestServer, work: () => Promise<Result>): Promise<Result> {
  await server.stop();
  const result = await work();
  await server.start();
  return result;
}

const losses: Readonly<Record<string, Loss>> = {
  async 'set back to an older copy of its files'(server) {
    const putBack = await whileStopped(server, () => copyFiles(server));
    return () => whileStopped(server, putBack);
  },
  async 'emptied: its schema is dropped'(server, schema) {
    const drop = () => server.admin().unsafe(`drop schema ${schema} cascade`);
    // Who is in the middle of something there can be in the way of it.
    return async () => void (await drop().catch(drop).catch(drop));
  },
  async 'replaced by a new server at the same place'(server) {
    const other = await newServer();
    await other.stop();
    return () => whileStopped(server, () => replaceFiles(server, other.directory));
  },
};

interface Stage {
  readonly directory: string;
  readonly sites: readonly Site[];
  /** Starts one more. */
  open(name: string): Promise<Site>;
}

async function onStage(server: TestServer, schema: string, use: (stage: Stage) => Promise<void>): Promise<void> {
  await inTemporary(async (home) => {
    const sites: Site[] = [];
    const directory = await kioskWith(home, stock);
    const open = async (name: string) => {
      const site = await openSite(name, { server, home, directory, schema });
      sites.push(site);
      await site.start();
      return site;
    };
    try {
      await use({ directory, open, sites: await Promise.all(names.map(open)) });
    } finally {
      await Promise.all(sites.map((site) => site.close()));
    }
  });
}

const placeOf = ({ name, app }: Site) => placeAt(name, app?.url ?? null);

/** Asks for keys of its own until it is answered so. */
async function answers(site: Site, book: Book, wanted: 'granted' | 'recovering'): Promise<void> {
  let number = 0;
  await expect
    .poll(
      async () => {
        const { receipt, reason } = await take(book, placeOf(site), { units: 1, key: `${site.name} ${wanted} ${number++}` });
        return receipt === null ? reason : 'granted';
      },
      { timeout: 30_000 },
    )
    .toBe(wanted);
}

/** Units that these replicas were ever leased, as each of them shows it. */
async function leased(sites: readonly Site[]): Promise<readonly unknown[]> {
  return Promise.all(
    sites.map(async (site) => {
      const { id } = (await site.admin('/v1/replica')).body;
      const rows = (await site.admin('/v1/variables/stock?rows=true')).body.rows as {
        replica: string;
        row: { leased: number };
      }[];
      return rows.find(({ replica }) => replica === id)?.row.leased ?? 0;
    }),
  );
}

async function adoptAll({ sites: [fra, sin, iad], directory }: Stage, book: Book): Promise<void> {
  const adopt = (site: Site | undefined) => site?.admin('/v1/backbone/adopt', { method: 'POST', body: '{}' });
  expect((await adopt(fra))?.body).toEqual({ adopting: true });
  await pause(2_000);
  // The others have not: it leases nothing, however much is asked for.
  await answers(fra as Site, book, 'recovering');
  const before = await leased([fra as Site]);
  await take(book, placeOf(fra as Site), { units: stock / 2, key: null });
  expect(await leased([fra as Site])).toEqual(before);
  await adopt(sin);
  await iad?.stop('SIGKILL');
  const adopted = await iad?.run(['backbone', 'adopt', directory, '--data', iad.data]);
  expect([adopted?.code, adopted?.output]).toEqual([0, expect.stringContaining('has joined the backbone')]);
  await iad?.start();
}

/** Everything that was acknowledged is there, and everything that is left is sold. Resolves with how long that took. */
async function judgeAfter({ sites, open }: Stage, book: Book): Promise<string> {
  // Who comes now learns all of it from the backbone.
  const all = [...sites, await open('ams')];
  const equal = await untilEqual(all.map(readerOf), keys, { fromMs: performance.now(), limitMs: 20_000 });
  expect(equal.tookMs, equal.last.join('; ')).not.toBeNull();
  const judge = ({ shown }: Equality) => judgeShown(book, shownOf(shown[0] ?? new Map(), keys), stock);
  expect([...judgeGrants(book, stock), ...judge(equal)]).toEqual([]);
  const soldMs = await sellOut(all.map(placeOf), book, { stock, fromMs: performance.now() });
  const end = await untilEqual(all.map(readerOf), keys, { fromMs: performance.now(), limitMs: 20_000 });
  expect([...judgeGrants(book, stock), ...judge(end)]).toEqual([]);
  expect(leftOf(shownOf(end.shown[0] ?? new Map(), keys).stock, stock)).toBe(0);
  return `equal after ${equal.tookMs} ms, the last one sold after ${soldMs} ms`;
}

test.each(
  Object.keys(losses),
)('a PostgreSQL that was %s sells nothing twice, and goes on once all have adopted it', async (name) => {
  const server = await newServer();
  const schema = newSchema();
  const book = openBook();
  await onStage(server, schema, async (stage) => {
    const { sites } = stage;
    for (const site of sites) await write(book, placeOf(site), { key: `early at ${site.name}`, number: 1 });
    const load = startUsers({ seed: 1, book, places: () => sites.map(placeOf), users, most: 2 });
    await pause(500);
    const lose = await (losses[name] as Loss)(server, schema);
    await pause(1_000);
    await lose();
    for (const site of sites) await answers(site, book, 'recovering');
    const before = await leased(sites);
    await pause(1_500);
    expect(await leased(sites)).toEqual(before);

    await adoptAll(stage, book);
    const adoptedMs = performance.now();
    for (const site of sites) await answers(site, book, 'granted');
    const tookMs = Math.round(performance.now() - adoptedMs);
    await pause(1_000);
    await load.stop();
    console.log(`${name}: leases again after ${tookMs} ms, ${await judgeAfter(stage, book)}`);
  });
});
