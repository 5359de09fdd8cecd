import { expect, test } from 'vitest';
import { createCluster } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';

const variables = {
  a: { strategy: 'sum-increments' },
  b: { strategy: 'sum-increments' },
  keyed: { strategy: 'sum-increments', keyed: true },
  daily: { strategy: 'bounded-counter', initial: 5, window: { every: 'hour' } },
} as const;

test('F7 a commit that failed is never called durable, however many failed since', async () => {
  const world = createWorld('f7');
  const cluster = createCluster({ world, variables, loopback: null });
  const one = await world.runUntil(cluster.start('one'));
  await world.runUntil(one.variable('a').add(1));
  const { disk } = cluster.machine('one');
  disk.faults.full = true;
  const slot = one.peek(one.address('a'));
  if (slot === undefined) throw new Error('not loaded');
  one.update(slot, { operation: 'add', amount: 1 } as never);
  const commit = one.commitOf(slot);
  await world.run(50);
  await expect(Promise.resolve(one.durable(commit))).rejects.toMatchObject({ code: 'DISK_FULL' });
  for (let i = 0; i < 70; i += 1) {
    disk.faults.full = false;
    await world.runUntil(one.variable('b').add(1));
    disk.faults.full = true;
    await world.runUntil(
      one
        .variable('b')
        .add(1)
        .catch(() => {}),
    );
  }
  disk.faults.full = false;
  await world.runUntil(one.variable('b').add(1));
  await expect(Promise.resolve(one.durable(commit))).rejects.toMatchObject({ code: 'DISK_FULL' });
});

test('F6 keys() leaves no key out while commits come and go', async () => {
  let missing = 0;
  for (let seed = 0; seed < 20; seed += 1) {
    const world = createWorld(`f6 ${seed}`);
    const cluster = createCluster({ world, variables, loopback: null });
    const one = await world.runUntil(cluster.start('one', { memoryLimit: 5 }));
    await world.runUntil(Promise.all(Array.from({ length: 40 }, (_, i) => one.variable('keyed').key(`k${i}`).add(1))));
    cluster.machine('one').disk.faults.readMs = 3;
    for (let round = 0; round < 20; round += 1) {
      const asked = one.keys('keyed', { limit: 100 });
      for (let i = 0; i < 12; i += 1) {
        one
          .variable('a')
          .add(1)
          .catch(() => {});
        one
          .variable('keyed')
          .key(`k${world.random.integer(0, 39)}`)
          .add(1)
          .catch(() => {});
        await world.run(world.random.next() * 2);
      }
      const keys = await world.runUntil(asked);
      if (keys.length !== 40) missing += 1;
    }
  }
  expect(missing).toBe(0);
});

test('W1 a hold, a give and a take across a window and across clock jumps keep to their own window', async () => {
  const world = createWorld('w1');
  const cluster = createCluster({ world, variables, loopback: null });
  const one = await world.runUntil(cluster.start('one'));
  const { host } = cluster.machine('one');
  host.skewMs = 59 * 60_000;
  const first = await world.runUntil(one.variable('daily').take(3));
  const held = await world.runUntil(one.variable('daily').take(2, { holdMs: 120_000 }));
  host.skewMs = 61 * 60_000;
  expect((await world.runUntil(one.variable('daily').take(5))).ok).toBe(true);
  expect((await world.runUntil(one.give(first.receipt ?? ''))).ok).toBe(true);
  expect((await world.runUntil(one.variable('daily').take(1))).ok).toBe(false);
  host.skewMs = -5 * 3_600_000;
  await world.run(200_000);
  host.skewMs = 30 * 24 * 3_600_000;
  await world.run(300_000);
  expect((await world.runUntil(one.confirm(held.receipt ?? ''))).ok).toBe(false);
});
