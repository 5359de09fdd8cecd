import { expect, test } from 'vitest';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const variables = { count: { strategy: 'sum-increments' } } as const;

async function open(seed: string) {
  const world = createWorld(seed);
  const cluster = createCluster({ world, variables, loopback: { lagMs: 20, rttMs: 2 } });
  const one = await world.runUntil(cluster.start('one'));
  const two = await world.runUntil(cluster.start('two'));
  const ageOf = async (replica: typeof one): Promise<number> => {
    await world.runUntil(replica.load([replica.address('count')]));
    const slot = replica.peek(replica.address('count'));
    if (slot === undefined) throw new Error('not loaded');
    return replica.age(slot);
  };
  return { world, cluster, one, two, ageOf };
}

test('knowledge is as old as the last contact while rows come, however many, and when none do', async () => {
  const { world, one, two, ageOf } = await open('fresh');
  await world.run(3_000);
  expect(await ageOf(two)).toBeLessThan(1_200);
  for (let i = 0; i < 400; i += 1) {
    one
      .variable('count')
      .add(1)
      .catch(() => {});
    await world.run(10);
  }
  expect(await ageOf(two)).toBeLessThan(1_200);
  await world.run(60_000);
  expect(await ageOf(two)).toBeLessThan(1_200);
});

test('knowledge grows old while rows do not arrive, although the backbone answers', async () => {
  const { world, cluster, one, two, ageOf } = await open('stalled');
  await world.run(3_000);
  await world.runUntil(two.variable('count').get());
  const { faults } = cluster.machine('two').disk;
  faults.full = true; // what is delivered cannot be kept, and every question is answered
  await world.runUntil(one.variable('count').add(1));
  await world.run(30_000);
  expect(await ageOf(two)).toBeGreaterThan(29_000);
  faults.full = false;
  await world.run(5_000);
  expect(await world.runUntil(two.variable('count').get())).toBe(1);
  expect(await ageOf(two)).toBeLessThan(1_200);
});

test('a start that cannot reach the backbone says how old the knowledge of the last life is, and none is older than all', async () => {
  const { world, cluster, one, ageOf } = await open('restart');
  await world.run(3_000);
  await world.runUntil(one.variable('count').add(1));
  await world.run(3_000);
  cluster.kill('two');
  await world.run(600_000);
  cluster.loopback?.cut('two');
  const again = await world.runUntil(cluster.start('two'));
  const age = await ageOf(again);
  expect(age).toBeGreaterThan(600_000);
  expect(age).toBeLessThan(610_000);
  cluster.loopback?.cut('three');
  expect(await ageOf(await world.runUntil(cluster.start('three')))).toBeGreaterThan(1e12);
});
