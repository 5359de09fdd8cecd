import { expect, test } from 'vitest';
import { createCluster } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';

const variables = { stock: { strategy: 'bounded-counter', initial: 10 } } as const;

test('R4 a bank that recovers does not wait for ever for an old incarnation whose rights went back long ago', async () => {
  const world = createWorld('r4');
  const cluster = createCluster({ world, variables });
  const one = await world.runUntil(cluster.start('one'));
  let two = await world.runUntil(cluster.start('two'));
  await world.runUntil(two.variable('stock').take(1));
  await world.run(3_000);
  cluster.kill('two');
  cluster.loopback?.cut('two');
  two = await world.runUntil(cluster.start('two')); // out of reach: a new incarnation
  await world.run(2_000);
  cluster.loopback?.heal();
  await world.run(30_000); // the old one is proven, and has returned its rights
  expect((await world.runUntil(two.variable('stock').take(1))).ok).toBe(true);
  await world.run(20_000);
  await world.runUntil(cluster.loopback?.empty() ?? Promise.resolve());
  await world.run(5_000);
  void one;
  cluster.kill('one');
  cluster.kill('two');
  const a = await world.runUntil(cluster.start('one', { adopt: true }));
  await world.runUntil(cluster.start('two', { adopt: true }));
  await world.run(60_000);
  let result = await world.runUntil(a.variable('stock').take(1));
  for (let i = 0; i < 20 && !result.ok; i += 1) {
    await world.run(60_000);
    result = await world.runUntil(a.variable('stock').take(1));
  }
  expect(result).toMatchObject({ ok: true });
});
