import { expect, test } from 'vitest';
import { createCluster } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';

const variables = { a: { strategy: 'sum-increments' }, stock: { strategy: 'bounded-counter', initial: 10 } } as const;

test('C1 a replica that started while its backbone was out of reach joins under load, and is not fenced', async () => {
  let fenced = 0;
  for (let seed = 0; seed < 50; seed += 1) {
    const world = createWorld(`c1 ${seed}`);
    const cluster = createCluster({ world, variables, loopback: { rttMs: 8 } });
    cluster.loopback?.cut('one');
    const one = await world.runUntil(cluster.start('one'));
    await world.run(1_000);
    cluster.loopback?.heal();
    for (let i = 0; i < 1_000; i += 1) {
      one
        .variable('a')
        .add(1)
        .catch(() => {});
      await world.run(5);
    }
    if (one.status.refused !== null) fenced += 1;
  }
  expect(fenced).toBe(0);
});
