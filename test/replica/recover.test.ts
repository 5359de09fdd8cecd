import { expect, test } from 'vitest';
import { planRecovery, type Replica, recover } from '../../src/replica/index.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const variables = {
  stock: { strategy: 'bounded-counter', initial: 10 },
  perUser: { strategy: 'bounded-counter', initial: 2, keyed: true },
} as const;

/** Ten in stock: three sold, a backup, four more sold, the backup put back. */
async function restored(seed: string) {
  const world = createWorld(seed);
  const cluster = createCluster({ world, variables, loopback: null });
  const machine = cluster.machine('a');
  const sell = async (replica: Replica, count: number) => {
    const results = [];
    for (let index = 0; index < count; index += 1) results.push(await world.runUntil(replica.variable('stock').take(1)));
    return results;
  };
  const first = await world.runUntil(cluster.start('a'));
  await sell(first, 3);
  await world.runUntil(first.close());
  const backup = machine.disk.snapshot();
  const second = await world.runUntil(cluster.start('a'));
  expect((await sell(second, 4)).every(({ ok }) => ok)).toBe(true);
  await world.runUntil(second.close());
  machine.disk.restore(backup);
  const stop = async (replica: Replica) => world.runUntil(replica.close());
  const operator = async (trustStore: boolean) => {
    const store = machine.disk.open();
    const witness = machine.witness.open();
    const plan = await world.runUntil(recover({ host: machine.host, store, witness, trustStore }));
    await world.runUntil(store.close());
    await world.runUntil(witness.release());
    return plan;
  };
  return { world, cluster, machine, sell, stop, operator };
}

test('a store behind its witness freezes takes, and nothing else', async () => {
  const { world, cluster, sell } = await restored('frozen');
  const replica = await world.runUntil(cluster.start('a'));
  expect((await sell(replica, 2)).map(({ ok }) => ok)).toEqual([false, false]);
  expect(replica.status.frozen).toMatch(/cffbrw recover/);
  expect(await world.runUntil(replica.variable('stock').get())).toBe(7);
});

test('written off, nothing is sold twice: what is left is nothing, takes are exhausted, and new units come with mint', async () => {
  const { world, cluster, machine, sell, operator, stop } = await restored('write off');
  await stop(await world.runUntil(cluster.start('a')));
  const plan = await operator(false);
  expect(plan.worstCase).toBe(7);
  const replica = await world.runUntil(cluster.start('a'));
  expect(await world.runUntil(replica.variable('stock').get())).toBe(0);
  expect((await sell(replica, 2)).map(({ ok, reason }) => [ok, reason])).toEqual([
    [false, 'exhausted'],
    [false, 'exhausted'],
  ]);
  // A counter of which this disk has no row may have been sold as well.
  const { reason } = await world.runUntil(replica.variable('perUser').key('ann').take(1));
  expect(reason).toBe('exhausted');
  await world.runUntil(replica.variable('stock').mint(2));
  expect((await sell(replica, 3)).map(({ ok }) => ok)).toEqual([true, true, false]);
  await stop(replica);
  expect((await world.runUntil(planRecovery(machine.disk.open()))).stakes).toEqual([]);
});

test('trusted, the store goes on where it stands, and its rights come back', async () => {
  const { world, cluster, sell, operator, stop } = await restored('trusted');
  await stop(await world.runUntil(cluster.start('a')));
  await operator(true);
  const replica = await world.runUntil(cluster.start('a'));
  expect((await sell(replica, 8)).filter(({ ok }) => ok)).toHaveLength(7);
});
