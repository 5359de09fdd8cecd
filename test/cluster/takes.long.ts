/** Five times as many takes as there are units, at three processes on one PostgreSQL, most of them at one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inParallel } from '../e2e/load.ts';
import { startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import { percentile, runs, type TimedAnswer, timedClient, withSites } from './sites.ts';

const units = 20_000 * runs;
const takes = 5 * units;
const atATime = 100;
/** Of twenty takes 18 come to the first site, and one to each of the others: 90/5/5. */
const siteOfTake = (index: number): number => [18, 19].indexOf(index % 20) + 1;

let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

test(`${takes} takes of ${units} units get each unit once, and nobody is refused while another replica holds some`, () =>
  withSites({ server, names: ['fra', 'sin', 'iad'], units }, async ({ sites }) => {
    const clients = sites.map((site) => timedClient(site.app?.url ?? '', atATime));
    const grab = (index: number): Promise<TimedAnswer> | undefined =>
      clients[siteOfTake(index)]?.post({ path: '/grab', body: { user: `${index}` } });
    const beganMs = performance.now();
    const answers = await inParallel(takes, atATime, async (index) => (await grab(index)) as TimedAnswer);
    const seconds = (performance.now() - beganMs) / 1000;
    for (const client of clients) client.close();

    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const won = answers.filter(({ body }) => body.ok === true);
    const reasons = new Map<string, TimedAnswer[]>();
    for (const answer of answers) {
      const reason = answer.body.ok === true ? 'granted' : String(answer.body.reason);
      const same = reasons.get(reason);
      if (same === undefined) reasons.set(reason, [answer]);
      else same.push(answer);
    }
    const lateMs = latest(won) - earliest(reasons.get('exhausted') ?? []);
    report({ seconds, answers, won, reasons, lateMs });
    expect(won).toHaveLength(units);
    expect(new Set(won.map(({ body }) => body.receipt)).size).toBe(units);
    // Whoever says that all is sold knows it: nobody who asks after that gets any.
    expect(lateMs).toBeLessThan(0);
    // Rights go to where they are asked for within the time that a take waits.
    expect([...reasons.keys()].sort()).toEqual(['exhausted', 'granted']);
  }));

const latest = (answers: readonly TimedAnswer[]): number => Math.max(...answers.map(({ beganMs }) => beganMs));
const earliest = (answers: readonly TimedAnswer[]): number =>
  answers.reduce((first, { endedMs }) => Math.min(first, endedMs), Number.POSITIVE_INFINITY);

interface Seen {
  readonly seconds: number;
  readonly answers: readonly TimedAnswer[];
  readonly won: readonly TimedAnswer[];
  readonly reasons: ReadonlyMap<string, readonly TimedAnswer[]>;
  readonly lateMs: number;
}

function report({ seconds, answers, won, reasons, lateMs }: Seen): void {
  const p = (of: readonly TimedAnswer[], percent: number) =>
    percentile(
      of.map(({ beganMs, endedMs }) => endedMs - beganMs),
      percent,
    ).toFixed(1);
  const counts = [...reasons].map(([reason, { length }]) => `${reason} ${length}`).join(', ');
  const slowest = [...won]
    .sort((a, b) => b.endedMs - b.beganMs - (a.endedMs - a.beganMs))
    .slice(0, 5)
    .map(({ beganMs, endedMs }) => (endedMs - beganMs).toFixed(0));
  console.log(
    `takes: ${answers.length} in ${seconds.toFixed(1)} s (${Math.round(answers.length / seconds)}/s); p50 ${p(answers, 50)} ms, ` +
      `p99 ${p(answers, 99)} ms, slowest won ${slowest} ms; ${counts}; last won ${lateMs.toFixed(0)} ms after the first exhausted`,
  );
}
