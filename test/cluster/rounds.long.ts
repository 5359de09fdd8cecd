/**
 * Rounds of random faults over real processes: three replicas on one PostgreSQL, each behind a proxy of its own, under random load; killed,
 * frozen, cut off, set back and copied as a seed says; then everything is healed, and what they show is judged by what users were told. Each
 * round is played in the simulator, too: the same load, the same faults, the same judge.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inTemporary } from '../e2e/process.ts';
import { newSchema } from '../node/backbone-bench.ts';
import { startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import { openSite } from './cluster.ts';
import { openBook } from './rounds-book.ts';
import { carryOut, heal, openStage, placesOf, type Stage } from './rounds-faults.ts';
import { placeAt } from './rounds-load.ts';
import { describeFault, drawRound, siteNames } from './rounds-plan.ts';
import { equalAnywayMs, type Ground, type Played, playRound } from './rounds-play.ts';
import { readerOf } from './rounds-shown.ts';
import { playSimulated } from './rounds-simulated.ts';
import { kioskWith } from './rounds-stock.ts';

const usualRounds = 12;
/** Half of the rounds, and in the simulator any: where other work holds a real machine up, all takes its time. */
const equalWithinMs = 2_000;

let server: TestServer;
const measured: { readonly seed: number; readonly equalMs: number; readonly soldMs: number }[] = [];

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);

afterAll(async () => {
  await server.close();
  if (measured.length === 0) return;
  const spread = (values: number[]) => {
    const sorted = values.sort((a, b) => a - b);
    return [0, 0.5, 0.9, 1].map((share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]).join(', ');
  };
  console.log(
    `${measured.length} rounds; equal after (least, median, 90 %, most): ${spread(measured.map(({ equalMs }) => equalMs))} ms;`,
  );
  console.log(`the last one sold after: ${spread(measured.map(({ soldMs }) => soldMs))} ms`);
});

const runs = Number(process.env.CFFBRW_RUNS ?? 1);
const seeds =
  process.env.CFFBRW_SEED === undefined
    ? Array.from({ length: Math.ceil(usualRounds * runs) }, (_, index) => index + 1)
    : process.env.CFFBRW_SEED.split(',').map(Number);

const groundOf = (stage: Stage): Ground => ({
  ...{ book: stage.book, say: stage.say },
  places: () => placesOf(stage),
  sites: () => stage.sites.map(({ name, app }) => placeAt(name, app?.url ?? null)),
  readers: () => stage.sites.map(readerOf),
  carryOut: (fault) => carryOut(stage, fault),
  heal: () => heal(stage),
  async endCopies() {
    for (const copy of stage.copies) await copy.stop('SIGTERM');
  },
});

/** Both found nothing wrong; and where no disk was set back, both sold all but what 99.9 % leaves. */
async function compareSimulated(seed: number, real: Played, say: (line: string) => void): Promise<void> {
  const simulated = await playSimulated(drawRound(seed));
  say(
    `simulated: equal after ${simulated.equalMs} ms, the last one sold after ${simulated.soldMs} ms, ${simulated.unsold} unsold`,
  );
  expect([...real.problems, ...simulated.problems.map((problem) => `simulated: ${problem}`)]).toEqual([]);
}

test.each(
  seeds,
)('under random faults nothing is sold twice or lost, and all are equal and sell again once healed (seed %i)', (seed) =>
  inTemporary(async (home) => {
    const round = drawRound(seed);
    const told = [`CFFBRW_SEED=${seed} npx vitest run --config vitest.long.config.ts test/cluster/rounds.long.ts`];
    const say = (line: string) => void told.push(`  ${line}`);
    say(`${round.stock} units; ${round.faults.map(describeFault).join(', ')}`);
    const schema = newSchema();
    const directory = await kioskWith(home, round.stock);
    const sites = await Promise.all(siteNames.map((name) => openSite(name, { server, home, directory, schema })));
    const [sql, book] = [server.admin(), openBook()];
    const stage = openStage({ server, sql, home, directory, schema, sites, book, say });
    try {
      await Promise.all(sites.map((site) => site.start()));
      const played = await playRound(groundOf(stage), round);
      measured.push({ seed, equalMs: played.equalMs ?? equalAnywayMs, soldMs: played.soldMs });
      if (played.problems.length > 0) for (const site of sites) say(`${site.name}:\n${site.app?.output() ?? 'stopped'}`);
      await compareSimulated(seed, played, say);
    } finally {
      await Promise.all([...sites, ...stage.copies].map((site) => site.close()));
      await sql.unsafe(`drop schema if exists ${schema} cascade`).catch(() => {});
      console.log(told.join('\n'));
    }
  }));

test(`half of the rounds were equal within ${equalWithinMs} ms`, () => {
  const late = measured.filter(({ equalMs }) => equalMs > equalWithinMs);
  expect(late.length).toBeLessThanOrEqual(Math.ceil(measured.length / 2));
});
