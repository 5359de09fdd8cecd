import { describe, expect, test } from 'vitest';
import { runs } from '../simulate/world.ts';
import { type Ask, lagMs, load, openApp, openStage, type Stage, storm } from './stage.ts';

const secrets = { ADMIN_TOKEN: 'admin' };
const headers = { authorization: 'Bearer admin' };
const put = (flag: string, body: unknown): Ask => ({ method: 'PUT', path: `/flags/${flag}`, headers, body });
const isOn = async (stage: Stage, flag: string, user: string): Promise<boolean> =>
  (await stage.now({ path: `/flags/${flag}/for/${user}` })).body.on;

describe('the flags app', () => {
  test('loads', async () => {
    expect([...(await openApp('flags')).workflows.keys()].sort()).toEqual(['delete', 'for-user', 'list', 'put']);
  });

  test('sets, lists by prefix and page, and deletes flags', async () => {
    const stage = await openStage({ app: 'flags', seed: 'list', replicas: 1, secrets });
    for (const name of ['shop.b', 'shop.a', 'blog.c', 'shop.d'])
      expect((await stage.now(put(name, { on: true }))).status).toBe(204);
    const list = async (query: string) => (await stage.now({ path: `/flags?${query}` })).body;
    const on = { on: true, percent: 100 };
    expect(await list('prefix=shop.')).toEqual({ flags: { 'shop.a': on, 'shop.b': on, 'shop.d': on }, next: null });
    expect(await list('prefix=shop.&limit=2')).toEqual({ flags: { 'shop.a': on, 'shop.b': on }, next: 'shop.b' });
    expect(await list('prefix=shop.&limit=2&after=shop.b')).toEqual({ flags: { 'shop.d': on }, next: null });
    expect((await stage.now({ method: 'DELETE', path: '/flags/shop.a', headers })).status).toBe(204);
    expect(Object.keys((await list('')).flags)).toEqual(['blog.c', 'shop.b', 'shop.d']);
    expect((await stage.now({ ...put('shop.a', { on: true }), headers: {} })).status).toBe(401);
    expect((await stage.now(put('Shop', { on: true }))).status).toBe(400);
  });

  test('is on for so many percent of the users, and for the same ones when the percentage grows', async () => {
    const stage = await openStage({ app: 'flags', seed: 'percent', replicas: 1, secrets });
    const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);
    const those = async (percent: number) => {
      await stage.now(put('shop.menu', { on: true, percent }));
      const found = [];
      for (const user of users) if (await isOn(stage, 'shop.menu', user)) found.push(user);
      return found;
    };
    const [none, some, more, all] = [await those(0), await those(20), await those(50), await those(100)];
    expect([none.length, all.length]).toEqual([0, 200]);
    expect(some.length).toBeGreaterThan(20);
    expect(some.length).toBeLessThan(60);
    expect(more).toEqual(expect.arrayContaining(some));
    await stage.now(put('shop.menu', { on: false }));
    expect([await isOn(stage, 'shop.menu', 'user-1'), await isOn(stage, 'shop.none', 'user-1')]).toEqual([false, false]);
  });

  test('tells clients at another location about a change, and only what they asked for', async () => {
    const stage = await openStage({ app: 'flags', seed: 'live', replicas: 2, secrets });
    await stage.now(put('shop.a', { on: false }), 'r1');
    await stage.world.run(lagMs * 2);
    const client = stage.listen('/events?prefix=shop.', 'r2');
    await stage.world.run(100);
    expect([...client.values]).toEqual([['flag shop.a', { on: false, percent: 100 }]]);
    await stage.now(put('shop.a', { on: true, percent: 20 }), 'r1');
    await stage.now(put('blog.b', { on: true }), 'r1');
    await stage.now({ method: 'DELETE', path: '/flags/shop.a', headers }, 'r1');
    await stage.now(put('shop.c', { on: true }), 'r1');
    await stage.world.run(lagMs * 2);
    expect([...client.values]).toEqual([
      ['flag shop.a', null],
      ['flag shop.c', { on: true, percent: 100 }],
    ]);
  });
});

const names = ['shop.a', 'shop.b', 'shop.c', 'blog.d'];

/** Everybody sets flags everywhere. Answers with all the percentages that were asked for, which are all different. */
async function churn(stage: Stage): Promise<Map<string, Set<number>>> {
  const asked = new Map(names.map((name) => [name, new Set<number>()]));
  await load(stage, {
    count: 100,
    withinMs: lagMs * 4,
    async one(index) {
      const name = stage.world.random.pick(names);
      asked.get(name)?.add(index);
      await stage.ask(put(name, { on: true, percent: index }));
    },
  });
  return asked;
}

const flagsAt = async (stage: Stage, location: string) => (await stage.now({ path: '/flags' }, location)).body.flags;

describe('five locations with 2 s lag', () => {
  test.each(
    Array.from({ length: runs(2) }, (_, seed) => seed),
  )('the flags converge through deaths and cuts, and a later change shows everywhere (seed %i)', async (seed) => {
    const stage = await openStage({ app: 'flags', seed, secrets });
    storm(stage, { deaths: 4, cuts: 4, withinMs: lagMs * 4 });
    const asked = await churn(stage);
    await stage.settle();
    const clients = stage.locations.map((location) => stage.listen('/events', location));
    const first = await flagsAt(stage, 'r1');
    for (const [name, { percent }] of Object.entries<{ percent: number }>(first)) expect(asked.get(name)).toContain(percent);
    for (const location of stage.locations) expect(await flagsAt(stage, location)).toEqual(first);
    for (const name of names) expect((await stage.now(put(name, { on: false, percent: 7 }))).status).toBe(204);
    await stage.world.run(lagMs * 2);
    const last = Object.fromEntries(names.map((name) => [name, { on: false, percent: 7 }]));
    for (const location of stage.locations) expect(await flagsAt(stage, location)).toEqual(last);
    for (const { values } of clients)
      expect(Object.fromEntries(values)).toEqual(Object.fromEntries(names.map((name) => [`flag ${name}`, last[name]])));
  });

  test('they differ while changes are on their way: the check can fail', async () => {
    const stage = await openStage({ app: 'flags', seed: 'way', secrets });
    await churn(stage);
    expect(await flagsAt(stage, 'r1')).not.toEqual(await flagsAt(stage, 'r2'));
  });
});
