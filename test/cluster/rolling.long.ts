/** A rolling update under load, twice: to documents that answer otherwise, and to ones that declare another variable otherwise. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import { startBalancer } from './balancer.ts';
import { pause, percentile, runs, timedClient, withSites } from './sites.ts';

const units = 1_000_000;
const users = 24;
/** The balancer looks at health ten times a second. */
const args = ['--drain', '1s'];

let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

/** The documents of a version. The third declares another stock than the second. */
async function deploy(directory: string, version: number): Promise<void> {
  const edit = async (file: string, change: (text: string) => string) => {
    const path = join(directory, file);
    await writeFile(path, change(await readFile(path, 'utf8')));
  };
  await edit('workflows/grab.yaml', (text) => text.replace(/(version: \d+, )?ok:/, `version: ${version}, ok:`));
  await edit(
    'cffbrw.yaml',
    (text) => `${text.replace(/ {2}spare: .*\n/, '')}  spare: { strategy: bounded-counter, initial: ${version < 3 ? 5 : 6} }\n`,
  );
}

test('a rolling update drops no request, and sells no unit twice', () =>
  withSites({ server, names: ['fra', 'sin', 'iad'], units, args }, async ({ directory, sites }) => {
    const balancer = await startBalancer();
    const receipts = new Set<string>();
    const seen = {
      granted: 0,
      written: 0,
      requests: 0,
      versions: new Map<number, number>(),
      strange: new Set<string>(),
      tookMs: [] as number[],
    };
    let stopped = false;
    const user = async (number: number) => {
      const client = timedClient(balancer.url, 1);
      while (!stopped) {
        const grabbing = seen.requests++ % 2 === 0;
        const body = { user: `user ${number}`, number: seen.requests };
        const { status, body: answer, beganMs, endedMs } = await client.post({ path: grabbing ? '/grab' : '/write', body });
        seen.tookMs.push(endedMs - beganMs);
        if (status !== 200 || answer.ok !== true) seen.strange.add(`${status} ${JSON.stringify(answer)}`);
        else if (!grabbing) seen.written += 1;
        else {
          seen.granted += 1;
          receipts.add(String(answer.receipt));
          const version = Number(answer.version ?? 1);
          seen.versions.set(version, (seen.versions.get(version) ?? 0) + 1);
        }
      }
      client.close();
    };
    try {
      for (const site of sites) balancer.put(site.name, site.app?.url ?? '');
      await pause(500);
      const work = Array.from({ length: users }, (_, number) => user(number));
      for (let version = 2; version <= 2 * runs + 1; version += 1) {
        await deploy(directory, version);
        for (const site of sites) {
          await pause(500);
          expect(await site.stop()).toBe(0);
          balancer.put(site.name, (await site.start(args)).url);
        }
      }
      await pause(500);
      stopped = true;
      await Promise.all(work);
      console.log(
        `rolling: ${seen.requests} requests, ${balancer.dropped.length} dropped, p50 ${percentile(seen.tookMs, 50).toFixed(1)} ms, p99 ` +
          `${percentile(seen.tookMs, 99).toFixed(1)} ms, longest ${Math.max(...seen.tookMs).toFixed(0)} ms; by version ${JSON.stringify([...seen.versions])}`,
      );
      expect(balancer.dropped).toEqual([]);
      expect([...seen.strange]).toEqual([]);
      expect(receipts.size).toBe(seen.granted);
      for (const site of sites) {
        await expect
          .poll(async () => (await site.post('/read', { user: 'user 1' })).body, { timeout: 15_000 })
          .toMatchObject({ count: seen.written, stock: units - seen.granted });
      }
    } finally {
      stopped = true;
      await balancer.close();
    }
  }));
