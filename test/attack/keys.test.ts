import { expect, test } from 'vitest';
import { createCluster } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';

const variables = { a: { strategy: 'sum-increments' }, keyed: { strategy: 'sum-increments', keyed: true } } as const;
test('F6 with more keys than memory holds, keys() leaves none out under writes', async () => {
  let missing = 0;
  let _asked = 0;
  const world = createWorld(`f6b`);
  const cluster = createCluster({ world, variables, loopback: null });
  const one = await world.runUntil(cluster.start('one', { memoryLimit: 2000 }));
  const name = (i: number) => `k${String(i).padStart(5, '0')}`;
  for (let j = 0; j < 5; j++)
    await world.runUntil(
      Promise.all(
        Array.from({ length: 600 }, (_, i) =>
          one
            .variable('keyed')
            .key(name(j * 600 + i))
            .add(1),
        ),
      ),
    );
  for (let round = 0; round < 200; round += 1) {
    const page = world.random.integer(0, 25) * 100;
    const keys = one.keys('keyed', { after: name(page), limit: 100 });
    _asked++;
    for (let i = 0; i < 4; i += 1) {
      one
        .variable('keyed')
        .key(name(world.random.integer(0, 2999)))
        .add(1)
        .catch(() => {});
      await world.run(1);
    }
    const got = await world.runUntil(keys);
    if (got.length !== 100 || got[0] !== name(page + 1) || got[99] !== name(page + 100)) missing += 1;
  }
  expect(missing).toBe(0);
});
