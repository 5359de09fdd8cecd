/** A schedule at three real processes, of which the one that fired last is killed: minutes, so only where more runs are asked for. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeHost } from '../../src/node/host.ts';
import { inTemporary } from '../e2e/process.ts';
import { newSchema } from '../node/backbone-bench.ts';
import { startPostgres } from '../node/backbone-postgres.ts';
import { openSite, type Site } from './cluster.ts';
import { runs } from './sites.ts';

async function writeClock(home: string): Promise<string> {
  const directory = join(home, 'clock');
  await mkdir(join(directory, 'workflows'), { recursive: true });
  await writeFile(join(directory, 'cffbrw.yaml'), 'cffbrw: 1\napp: clock\nvariables:\n  fired: { strategy: sum-increments }\n');
  const steps = ['  - add: fired', '  - log: { level: info, message: "tick ${ iso(request.scheduled) }" }'];
  const head = ['cffbrw: 1', 'workflow: tick', 'on: { cron: { schedule: "* * * * *", timezone: UTC } }', 'steps:'];
  await writeFile(join(directory, 'workflows/tick.yaml'), `${[...head, ...steps].join('\n')}\n`);
  return directory;
}

const ticksIn = (output: string): string[] => [...output.matchAll(/tick (\d\S+Z)/g)].map(([, tick]) => tick ?? '');

test.runIf(runs > 1)('the process that fired last is killed, and the next tick is fired by another, once', () =>
  inTemporary(async (home) => {
    const server = await startPostgres();
    const directory = await writeClock(home);
    const schema = newSchema();
    const sites = await Promise.all(['fra', 'sin', 'iad'].map((name) => openSite(name, { server, home, directory, schema })));
    const outputs = await Promise.all(sites.map(async (site) => (await site.start()).output));
    const fired = () => outputs.flatMap((output) => ticksIn(output()));
    const more = async (count: number) =>
      expect.poll(() => fired().length, { timeout: 150_000, interval: 20 }).toBeGreaterThanOrEqual(count);
    const living = new Set(sites);
    try {
      for (let kills = 1; kills <= 2; kills += 1) {
        await more(kills);
        const last = fired().sort().at(-1) ?? '';
        const by = sites.find((_, index) => ticksIn(outputs[index]?.() ?? '').includes(last)) as Site;
        await by.stop('SIGKILL');
        living.delete(by);
      }
      await more(3);
      const ticks = fired()
        .map((tick) => Date.parse(tick))
        .sort((a, b) => a - b);
      expect(ticks).toEqual([0, 1, 2].map((minute) => (ticks[0] ?? 0) + minute * 60_000));
      // What the dead had done, or begun, happened once: it is on their disks.
      await Promise.all(sites.filter((site) => !living.has(site)).map((site) => site.start()));
      const due = () => Math.floor((nodeHost.now() - (ticks[0] ?? 0)) / 60_000) + 1;
      for (const site of sites) {
        const missing = async () => due() - Number((await site.admin('/v1/variables/fired')).body.value);
        await expect.poll(missing, { timeout: 30_000 }).toBe(0);
      }
    } finally {
      await Promise.all(sites.map((site) => site.close()));
      await server.close();
    }
  }),
);
