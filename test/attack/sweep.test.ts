import { expect, test } from 'vitest';
import { createCluster } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';

const variables = { a: { strategy: 'sum-increments' }, keyed: { strategy: 'sum-increments', keyed: true } } as const;
test('F1b a received row is not lost when its address leaves memory while others of its delivery load', async () => {
  let lost = 0;
  for (let seed = 0; seed < 20; seed += 1) {
    const world = createWorld(`f1b ${seed}`);
    const cluster = createCluster({ world, variables });
    const one = await world.runUntil(cluster.start('one'));
    const two = await world.runUntil(cluster.start('two', { memoryLimit: 20 }));
    for (let i = 0; i < 600; i += 1) {
      one
        .variable('keyed')
        .key(world.random.integer(0, 40))
        .add(1)
        .catch(() => {});
      two
        .variable('keyed')
        .key(world.random.integer(0, 40))
        .add(1)
        .catch(() => {});
      await world.run(world.random.next() * 4);
    }
    await world.run(10_000);
    let differ = false;
    for (let key = 0; key <= 40; key += 1) {
      const values = [one, two].map((replica) => world.runUntil(replica.variable('keyed').key(key).get()));
      if ((await values[0]) !== (await values[1])) differ = true;
    }
    if (differ) lost += 1;
  }
  expect(lost).toBe(0);
});
