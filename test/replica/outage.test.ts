import { expect, test } from 'vitest';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

test('a clean stop tells what is not told yet, also when a try from before is about to fail', async () => {
  const world = createWorld('stop');
  const variables = { count: { strategy: 'sum-increments' } } as const;
  const cluster = createCluster({ world, variables, loopback: { lagMs: 5, rttMs: 2, timeoutMs: 1_000 } });
  const [one, two] = [await world.runUntil(cluster.start('one')), await world.runUntil(cluster.start('two'))];
  await world.run(3_000);
  cluster.loopback?.cut('one', 'out');
  await world.runUntil(one.variable('count').add(1));
  await world.run(500); // a request is under way that nobody will answer
  cluster.loopback?.heal('one');
  await world.runUntil(one.close());
  await world.run(100);
  expect(await world.runUntil(two.variable('count').get())).toBe(1);
});

test('after an outage, however long, what was written meanwhile goes out within a second', async () => {
  const world = createWorld('outage');
  const variables = { count: { strategy: 'sum-increments' } } as const;
  const cluster = createCluster({ world, variables, loopback: { lagMs: 5, rttMs: 2 } });
  const one = await world.runUntil(cluster.start('one'));
  const two = await world.runUntil(cluster.start('two'));
  await world.run(3_000);
  for (const outageMs of [2_000, 20_000, 600_000]) {
    cluster.loopback?.cut('one');
    await world.runUntil(one.variable('count').add(1));
    await world.run(outageMs);
    cluster.loopback?.heal('one');
    await world.run(1_100);
    expect(await world.runUntil(two.variable('count').get())).toBe(await world.runUntil(one.variable('count').get()));
  }
});
