import { expect, test } from 'vitest';
import type { Backbone } from '../../src/backbone/index.ts';
import type { Alarm } from '../../src/replica/index.ts';
import { listSites, openSites } from '../../src/replica/sites.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster, declareAll } from './cluster.ts';

const stock = (initial: number) => ({ stock: { strategy: 'bounded-counter' as const, initial } });

test('who starts cut off and declares a variable otherwise withholds it soon after the cut is over', async () => {
  const world = createWorld('sites');
  const cluster = createCluster({ world, variables: stock(10) });
  const open = async (name: string, initial: number) => {
    const replica = await cluster.start(name, { variables: declareAll(stock(initial)) });
    const { host } = cluster.machine(name);
    const backbone = cluster.loopback?.connect(name);
    if (backbone === undefined) throw new Error('there is no backbone');
    const alarms: Alarm[] = [];
    return { replica, alarms, sites: await openSites({ replica, backbone, host, alarm: (alarm) => alarms.push(alarm) }) };
  };
  await world.runUntil(open('fra', 10));
  cluster.loopback?.cut('sin');
  const { replica, alarms } = await world.runUntil(open('sin', 99));
  await world.run(4_000);
  cluster.loopback?.heal('sin');
  await world.run(2_500);
  expect(replica.status.withheld).toMatchObject({ stock: expect.stringContaining('99') });
  expect(alarms.filter(({ kind }) => kind === 'declaration')).toHaveLength(1);
});

test('who declares a variable otherwise than those who sleep wakes them once, and gives it out as soon as they declare it so, too', async () => {
  const world = createWorld('sites');
  const cluster = createCluster({ world, variables: stock(10) });
  const woken: string[] = [];
  const open = async (name: string, initial: number, wake: (names: readonly string[]) => void = () => {}) => {
    const replica = await cluster.start(name, { variables: declareAll(stock(initial)) });
    const backbone = cluster.loopback?.connect(name);
    if (backbone === undefined) throw new Error('there is no backbone');
    const sites = await openSites({ replica, backbone, host: cluster.machine(name).host, alarm() {}, lookMs: 30_000, wake });
    return { replica, sites };
  };
  const asleep = await world.runUntil(open('fra', 10));
  asleep.sites.close();
  await world.run(10_000);
  cluster.kill('fra');
  const { replica } = await world.runUntil(open('sin', 99, (names) => void woken.push(...names)));
  await world.run(5_000);
  expect([woken, Object.keys(replica.status.withheld)]).toEqual([['fra'], ['stock']]);
  await world.runUntil(open('fra', 99));
  await world.run(1_100);
  expect(replica.status.withheld).toEqual({});
});

test('who has just started tells no age of what it knows before it knows of the others', async () => {
  const world = createWorld('sites');
  /** Everything has come only after two seconds. */
  const path = (name: string, backbone: Backbone): Backbone => {
    const late = () => new Promise<void>((resolve) => void cluster.machine(name).host.after(2_000, resolve));
    const subscribe: Backbone['subscribe'] = (...from) => {
      const subscription = backbone.subscribe(...from);
      return { close: () => subscription.close(), caughtUp: () => late().then(() => subscription.caughtUp()) };
    };
    return { ...backbone, subscribe };
  };
  const cluster = createCluster({ world, variables: stock(10), path });
  const replica = await world.runUntil(cluster.start('fra'));
  const backbone = cluster.loopback?.connect('fra');
  if (backbone === undefined) throw new Error('there is no backbone');
  const { host } = cluster.machine('fra');
  const lagMs = async () => (await world.runUntil(listSites(backbone))).map((site) => site.lagMs);
  const sites = await world.runUntil(openSites({ replica, backbone, host, alarm() {} }));
  expect(await lagMs()).toEqual([null]);
  await world.run(21_000);
  expect((await lagMs())[0]).toBeLessThan(10_000);
  sites.close();
});
