/** Schedules over a real PostgreSQL, on a clock that runs sixty times as fast: a minute is a second. */
import { expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import type { Host } from '../../src/host.ts';
import { openPostgresBackbone } from '../../src/node/backbone.ts';
import { parseBackboneUrl } from '../../src/node/backbone-url.ts';
import { nodeHost } from '../../src/node/host.ts';
import { openReplica } from '../../src/replica/index.ts';
import { memoryStore } from '../../src/store/index.ts';
import { startCron } from '../../src/workflow/index.ts';
import { startPostgres } from '../node/backbone-postgres.ts';

const speed = 60;
const startMs = Date.now();
const host: Host = {
  ...nodeHost,
  now: () => startMs + (Date.now() - startMs) * speed,
  elapsed: () => nodeHost.elapsed() * speed,
  after: (delayMs, task) => nodeHost.after(delayMs / speed, task),
};

const app = () =>
  loadApp([
    { path: 'cffbrw.yaml', text: 'cffbrw: 1\napp: clock\n' },
    {
      path: 'workflows/tick.yaml',
      text: [
        'cffbrw: 1',
        'workflow: tick',
        'on: { cron: { schedule: "* * * * *", timezone: UTC } }',
        'steps:',
        '  - log: { level: info, message: "${ iso(request.scheduled) }" }',
      ].join('\n'),
    },
  ]);

test('a schedule fires once per tick for the whole app, also when the replica that fired last dies', async () => {
  const server = await startPostgres();
  const fired: { readonly tick: string; readonly by: string }[] = [];
  async function start(name: string) {
    const backbone = await openPostgresBackbone({ target: parseBackboneUrl(server.url(), {}) });
    const { variables, workflows } = app();
    const replica = await openReplica({ name, variables, host, store: memoryStore() });
    const log = ({ message }: { readonly message: string }) => void fired.push({ tick: message, by: name });
    const clock = { registers: backbone.registers, now: async () => host.now() };
    const cron = startCron({ plans: workflows.values(), replica, host, backbone: clock, log });
    return {
      name,
      /** As its process would: what it was about to do never happens. */
      async die() {
        await backbone.close();
        await cron.close();
        await replica.close();
      },
    };
  }
  const living = new Map((await Promise.all(['fra', 'sin', 'iad'].map(start))).map((one) => [one.name, one]));
  const more = async (count: number) => {
    const before = fired.length;
    await expect.poll(() => fired.length, { timeout: 60_000 }).toBeGreaterThan(before + count);
  };
  await more(4);
  for (let deaths = 0; deaths < 2; deaths += 1) {
    const last = living.get(fired.at(-1)?.by ?? '');
    living.delete(last?.name ?? '');
    await last?.die();
    await more(3);
  }
  const ticks = fired.map(({ tick }) => Date.parse(tick));
  expect(new Set(ticks).size).toBe(ticks.length);
  const gaps = [...ticks]
    .sort((a, b) => a - b)
    .slice(1)
    .map((tick, index) => tick - ([...ticks].sort((a, b) => a - b)[index] ?? 0));
  expect(new Set(gaps)).toEqual(new Set([60_000]));
  for (const one of living.values()) await one.die();
  await server.close();
});
