/** What operators are told of a location that can't spend, or whose backbone is another one: once, and not with every contact. */
import { expect, test } from 'vitest';
import { type Alarm, retire } from '../../src/replica/index.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const variables = { stock: { strategy: 'bounded-counter', initial: 8 } } as const;

function stage(seed: string) {
  const world = createWorld(seed);
  const cluster = createCluster({ world, variables });
  const alarms: Alarm[] = [];
  const alarm = (told: Alarm) => void alarms.push(told);
  const start = (...alone: null[]) =>
    world.runUntil(cluster.start('one', { contactMs: 200, alarm, ...(alone.length > 0 && { backbone: null }) }));
  return { world, cluster, alarms, start };
}

test('a backbone that lost everything while a replica runs is told once, with what to do, and so is the next loss', async () => {
  const { world, cluster, alarms, start } = stage('lost');
  const replica = await start();
  const lose = async () => {
    await world.runUntil(cluster.loopback?.empty() ?? Promise.resolve());
    await world.run(20_000);
    return alarms.filter(({ message }) => message.includes('does not join'));
  };
  await world.run(5_000);
  expect(alarms).toEqual([]);
  expect(await lose()).toEqual([
    { kind: 'regression', message: expect.stringMatching(/the backbone's identity was .* and is .*`cffbrw backbone adopt`/) },
  ]);
  replica.adoptBackbone();
  await world.run(20_000);
  expect(await lose()).toHaveLength(2);
});

test('a data directory whose old rights can never be proven tells so at each start, until they are written off', async () => {
  const { world, cluster, alarms, start } = stage('locked');
  const first = await start();
  const machine = cluster.machine('one');
  const backup = machine.disk.snapshot();
  expect((await world.runUntil(first.variable('stock').take())).ok).toBe(true);
  await world.run(5_000);
  cluster.kill('one');
  machine.disk.restore(backup);
  const locked = { kind: 'locked', message: expect.stringMatching(new RegExp(`${first.id}.* retire ${first.id}`)) };
  const second = await start();
  expect([second.id === first.id, alarms]).toEqual([false, [locked]]);
  cluster.kill('one');
  await start();
  expect(alarms).toEqual([locked, locked]);
  cluster.kill('one');
  const backbone = cluster.loopback?.connect('operator');
  if (backbone === undefined) throw new Error('there is no backbone');
  const store = { since: async () => [] };
  const asked = { registers: backbone.registers, store, who: first.id, by: 'operator', why: 'restored', now: 0 };
  await world.runUntil(retire(asked));
  await start();
  expect(alarms).toHaveLength(2);
});

test('a replica that opens frozen tells so, with what to do', async () => {
  const { world, cluster, alarms, start } = stage('frozen');
  await start();
  await world.run(5_000);
  cluster.kill('one');
  expect(alarms).toEqual([]);
  const replica = await start(null);
  expect(replica.status.frozen).toMatch(/started without one\. Start it with/);
  expect(alarms).toEqual([
    { kind: 'frozen', message: expect.stringMatching(/frozen, because .* started without one\. .*--alone/) },
  ]);
});
