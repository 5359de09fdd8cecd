/** What operators are told of a location that can't spend, or whose backbone is another one: once, and not with every contact. */
import { expect, test } from 'vitest';
import type { Alarm } from '../../src/replica/index.ts';
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
