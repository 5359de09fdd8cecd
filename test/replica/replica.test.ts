import { describe, expect, test } from 'vitest';
import type { Alarm, Change } from '../../src/replica/index.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const variables = {
  visits: { strategy: 'sum-increments' },
  banner: { strategy: 'last-write-wins', initial: 'none' },
  profile: { strategy: 'merge-objects', keyed: true },
  best: { strategy: 'max-value' },
  today: { strategy: 'sum-increments', window: { every: 'day' } },
  limited: { strategy: 'last-write-wins', schema: { type: 'integer', maximum: 10 } },
} as const;

const alone = (seed: string) => {
  const world = createWorld(seed);
  return { world, cluster: createCluster({ world, variables, loopback: null }) };
};

describe('one replica', () => {
  test('a write is durable when its promise resolves, and there after a kill', async () => {
    const { world, cluster } = alone('durable');
    const first = await world.runUntil(cluster.start('a'));
    await world.runUntil(first.variable('visits').add(3));
    cluster.kill('a');
    const second = await world.runUntil(cluster.start('a'));
    expect(await world.runUntil(second.variable('visits').get())).toBe(3);
  });

  test('a thousand increments of one flush are one commit, one row, and one promise', async () => {
    const { world, cluster } = alone('combining');
    const replica = await world.runUntil(cluster.start('a'));
    await world.runUntil(replica.variable('visits').get());
    const before = replica.status.commit;
    const promises = new Set(Array.from({ length: 1000 }, () => replica.variable('visits').add(1)));
    await world.runUntil(Promise.all(promises));
    expect(replica.status.commit).toBe(before + 1);
    expect(promises.size).toBe(1);
    expect(await world.runUntil(replica.variable('visits').get())).toBe(1000);
  });

  test('a write that was not acknowledged may be lost with the process, never half', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { world, cluster } = alone(`unacknowledged ${seed}`);
      const first = await world.runUntil(cluster.start('a'));
      await world.runUntil(first.load([first.address('visits'), first.address('banner')]));
      const pair = [first.variable('visits').add(1), first.variable('banner').set('new')];
      for (const promise of pair) promise.catch(() => {});
      await world.run(world.random.next() * 2);
      cluster.kill('a');
      const second = await world.runUntil(cluster.start('a'));
      const values = [
        await world.runUntil(second.variable('visits').get()),
        await world.runUntil(second.variable('banner').get()),
      ];
      expect([
        [0, 'none'],
        [1, 'new'],
      ]).toContainEqual(values);
    }
  });

  test('a full disk refuses writes, reverts memory, goes on serving reads, and recovers by itself', async () => {
    const { world, cluster } = alone('full disk');
    const replica = await world.runUntil(cluster.start('a'));
    await world.runUntil(replica.variable('visits').add(1));
    cluster.machine('a').disk.faults.full = true;
    const refused = replica.variable('visits').add(10);
    const builtOnIt = replica.variable('visits').add(100);
    await expect(world.runUntil(refused)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(world.runUntil(builtOnIt)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await world.runUntil(replica.variable('visits').get())).toBe(1);
    cluster.machine('a').disk.faults.full = false;
    await world.runUntil(replica.variable('visits').add(1000));
    expect(await world.runUntil(replica.variable('visits').get())).toBe(1001);
  });

  test('whoever gated on a commit that failed is refused, also when a later commit has succeeded', async () => {
    const { world, cluster } = alone('late gate');
    const replica = await world.runUntil(cluster.start('a'));
    await world.runUntil(replica.variable('visits').get());
    const address = replica.address('visits');
    cluster.machine('a').disk.faults.full = true;
    const slot = replica.peek(address);
    if (slot === undefined) throw new Error('not loaded');
    replica.update(slot, { operation: 'add', amount: 1 } as never);
    const gate = replica.commitOf(slot);
    await world.run(50);
    cluster.machine('a').disk.faults.full = false;
    await world.runUntil(replica.variable('visits').add(5));
    await expect(replica.durable(gate)).rejects.toMatchObject({ code: 'DISK_FULL' });
  });

  test('a failing sync never acknowledges, and what it may have kept is found again', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { world, cluster } = alone(`failing sync ${seed}`);
      const replica = await world.runUntil(cluster.start('a'));
      await world.runUntil(replica.variable('visits').add(1));
      cluster.machine('a').disk.faults.syncFailure = 1;
      await expect(world.runUntil(replica.variable('visits').add(10))).rejects.toMatchObject({ code: 'STORE_FAILED' });
      cluster.machine('a').disk.faults.syncFailure = 0;
      const shown = await world.runUntil(replica.variable('visits').get());
      expect([1, 11]).toContain(shown);
      await world.runUntil(replica.variable('visits').add(100));
      cluster.kill('a');
      const second = await world.runUntil(cluster.start('a'));
      expect(await world.runUntil(second.variable('visits').get())).toBe(Number(shown) + 100);
    }
  });

  test('a record that is read while a commit fails is read again', async () => {
    const { world, cluster } = alone('record');
    const { getRecord, variable, load, address } = await world.runUntil(cluster.start('a'));
    await world.runUntil(load([address('visits')]));
    cluster.machine('a').disk.faults.full = true;
    const writing = variable('visits').add(1);
    await world.run(0.01);
    const reading = getRecord('nothing'); // the disk answers it behind the commit
    await expect(world.runUntil(writing)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await world.runUntil(reading)).toBeNull();
  });

  test('an operation that is refused changes nothing', async () => {
    const { world, cluster } = alone('refused');
    const replica = await world.runUntil(cluster.start('a'));
    await world.runUntil(replica.variable('limited').set(7));
    await expect(world.runUntil(replica.variable('limited').set(11))).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    await expect(world.runUntil(replica.variable('visits').add(0.5))).rejects.toMatchObject({ code: 'INVALID_NUMBER' });
    await expect(world.runUntil(replica.variable('visits').add(2 ** 53))).rejects.toMatchObject({ code: 'INVALID_NUMBER' });
    expect(await world.runUntil(replica.variable('limited').get())).toBe(7);
    expect(await world.runUntil(replica.variable('visits').get())).toBe(0);
  });

  test('a write after a restart beats what was seen before it, even when the clock went back', async () => {
    const { world, cluster } = alone('clock back');
    const first = await world.runUntil(cluster.start('a'));
    cluster.machine('a').host.skewMs = 100_000;
    await world.runUntil(first.variable('banner').set('before'));
    cluster.kill('a');
    cluster.machine('a').host.skewMs = 0;
    const second = await world.runUntil(cluster.start('a'));
    await world.runUntil(second.variable('banner').set('after'));
    expect(await world.runUntil(second.variable('banner').get())).toBe('after');
  });

  test('a clock that ran more than five minutes ahead issues no stamps, and sums go on', async () => {
    const { world, cluster } = alone('suspect');
    const replica = await world.runUntil(cluster.start('a'));
    cluster.machine('a').host.skewMs = 600_000;
    await world.runUntil(replica.variable('banner').set('future'));
    cluster.machine('a').host.skewMs = 0;
    await expect(world.runUntil(replica.variable('banner').set('now'))).rejects.toMatchObject({ code: 'CLOCK_SUSPECT' });
    await world.runUntil(replica.variable('visits').add(1));
    expect(await world.runUntil(replica.variable('visits').get())).toBe(1);
  });

  test('a late write lands in its own window, and a window past its keep can not be opened again', async () => {
    const { world, cluster } = alone('windows');
    const replica = await world.runUntil(cluster.start('a'));
    const monday = replica.address('today');
    await world.runUntil(replica.variable('today').add(1));
    await world.run(24 * 3_600_000);
    expect(await world.runUntil(replica.variable('today').get())).toBe(0);
    await world.runUntil(replica.load([monday]));
    const slot = replica.peek(monday);
    if (slot === undefined) throw new Error('not loaded');
    replica.update(slot, { operation: 'add', amount: 1 } as never);
    expect(replica.read(slot)).toBe(2);
    await world.run(9 * 24 * 3_600_000);
    await world.runUntil(replica.load([monday]));
    const late = replica.peek(monday);
    expect(() => late && replica.update(late, { operation: 'add', amount: 1 } as never)).toThrow(/closed/);
  });

  test('keys are listed in order, by prefix, page by page, those not durable yet included', async () => {
    const { world, cluster } = alone('keys');
    const replica = await world.runUntil(cluster.start('a'));
    const profile = replica.variable('profile');
    for (const key of ['ann', 'bob', 'anna', 'zoe']) await world.runUntil(profile.key(key).merge({ seen: 1 }));
    profile
      .key('andy')
      .merge({ seen: 1 })
      .catch(() => {});
    await world.run(0.01);
    expect(await world.runUntil(replica.keys('profile', { prefix: 'an' }))).toEqual(['andy', 'ann', 'anna']);
    const first = await world.runUntil(replica.keys('profile', { limit: 2 }));
    expect(first).toEqual(['andy', 'ann']);
    expect(await world.runUntil(replica.keys('profile', { limit: 9, after: 'ann' }))).toEqual(['anna', 'bob', 'zoe']);
  });

  test('watchers are told durable values only, once per flush', async () => {
    const { world, cluster } = alone('watch');
    const replica = await world.runUntil(cluster.start('a'));
    const seen: Change[] = [];
    const stop = replica.watch('visits', (change) => seen.push(change));
    await world.runUntil(replica.variable('visits').get());
    for (let index = 0; index < 10; index += 1)
      replica
        .variable('visits')
        .add(1)
        .catch(() => {});
    expect(seen).toEqual([]);
    await world.run(100);
    expect(seen.map((change) => change.value)).toEqual([10]);
    cluster.machine('a').disk.faults.full = true;
    await world.runUntil(replica.variable('visits').add(1)).catch(() => {});
    expect(seen).toHaveLength(1);
    cluster.machine('a').disk.faults.full = false;
    stop();
    await world.runUntil(replica.variable('visits').add(1));
    expect(seen).toHaveLength(1);
  });

  test('a closed replica refuses writes and says so', async () => {
    const { world, cluster } = alone('closed');
    const replica = await world.runUntil(cluster.start('a'));
    await world.runUntil(replica.variable('visits').get());
    await world.runUntil(replica.close());
    await expect(Promise.resolve().then(() => replica.variable('visits').add(1))).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('addresses that nobody uses leave memory and come back from the store', async () => {
    const { world, cluster } = alone('lazy');
    const replica = await world.runUntil(cluster.start('a', { memoryLimit: 10 }));
    const profile = replica.variable('profile');
    for (let index = 0; index < 100; index += 1) await world.runUntil(profile.key(index).merge({ index }));
    expect(replica.status.loaded).toBeLessThan(30);
    expect(await world.runUntil(profile.key(3).get())).toEqual({ index: 3 });
  });
});

describe('several replicas', () => {
  const several = (seed: string, network = {}) => {
    const world = createWorld(seed);
    return { world, cluster: createCluster({ world, variables, loopback: { lagMs: 100, rttMs: 20, ...network } }) };
  };

  test('rows arrive everywhere, and all show the same', async () => {
    const { world, cluster } = several('converge');
    const [a, b] = [await world.runUntil(cluster.start('a')), await world.runUntil(cluster.start('b'))];
    await world.runUntil(
      Promise.all([
        a.variable('visits').add(2),
        b.variable('visits').add(3),
        a.variable('profile').key('x').merge({ from: 'a' }),
      ]),
    );
    await world.run(2_000);
    for (const replica of [a, b]) {
      expect(await world.runUntil(replica.variable('visits').get())).toBe(5);
      expect(await world.runUntil(replica.variable('profile').key('x').get())).toEqual({ from: 'a' });
    }
  });

  test('a replica that was cut off goes on, and catches up after the heal', async () => {
    const { world, cluster } = several('cut');
    const [a, b] = [await world.runUntil(cluster.start('a')), await world.runUntil(cluster.start('b'))];
    cluster.loopback?.cut('b');
    await world.runUntil(Promise.all([a.variable('visits').add(1), b.variable('visits').add(10)]));
    await world.run(5_000);
    expect(await world.runUntil(b.variable('visits').get())).toBe(10);
    cluster.loopback?.heal();
    await world.run(30_000);
    expect([await world.runUntil(a.variable('visits').get()), await world.runUntil(b.variable('visits').get())]).toEqual([
      11, 11,
    ]);
  });

  test('rows that could not be committed on arrival are delivered again', async () => {
    const { world, cluster } = several('receive on a full disk');
    const [a, b] = [await world.runUntil(cluster.start('a')), await world.runUntil(cluster.start('b'))];
    cluster.machine('b').disk.faults.full = true;
    await world.runUntil(a.variable('visits').add(4));
    await world.run(3_000);
    cluster.machine('b').disk.faults.full = false;
    await world.run(30_000);
    expect(await world.runUntil(b.variable('visits').get())).toBe(4);
    cluster.kill('b');
    const again = await world.runUntil(cluster.start('b'));
    expect(await world.runUntil(again.variable('visits').get())).toBe(4);
  });

  test('a row from a clock an hour ahead is quarantined, does not move our clock, and is in force when its time has come', async () => {
    const { world, cluster } = several('quarantine');
    const [a, b] = [await world.runUntil(cluster.start('a')), await world.runUntil(cluster.start('b'))];
    await world.runUntil(a.variable('banner').set('good'));
    await world.run(1_000);
    cluster.machine('a').host.skewMs = 3_600_000;
    await world.runUntil(a.variable('banner').set('from the future'));
    await world.run(1_000);
    expect(await world.runUntil(b.variable('banner').get())).toBe('good');
    expect(b.status.quarantined).toBe(1);
    await world.runUntil(b.variable('best').raise(1));
    await world.run(3_600_000);
    expect(b.status.quarantined).toBe(0);
    expect(await world.runUntil(b.variable('banner').get())).toBe('from the future');
  });

  test('a write that lost to one that had not seen it is in the conflict log of whoever learns of it', async () => {
    const { world, cluster } = several('conflict');
    const [a, b] = [await world.runUntil(cluster.start('a')), await world.runUntil(cluster.start('b'))];
    await world.runUntil(Promise.all([a.variable('banner').set('of a'), b.variable('banner').set('of b')]));
    await world.run(2_000);
    const values = [await world.runUntil(a.variable('banner').get()), await world.runUntil(b.variable('banner').get())];
    expect(values[0]).toBe(values[1]);
    const logged = [...a.conflicts.list(), ...b.conflicts.list()];
    expect(logged.length).toBeGreaterThan(0);
    for (const { lost, won } of logged) expect([lost.value, won.value].sort()).toEqual(['of a', 'of b']);
    await world.runUntil(a.variable('banner').set('seen both'));
    await world.run(2_000);
    expect([...a.conflicts.list(), ...b.conflicts.list()]).toHaveLength(logged.length);
  });

  test('a poison row is quarantined and alarmed, and the rows behind it are joined', async () => {
    const { world, cluster } = several('poison');
    const alarms: Alarm[] = [];
    const a = await world.runUntil(cluster.start('a', { alarm: (alarm) => alarms.push(alarm) }));
    const evil = cluster.loopback?.connect('evil');
    const address = a.address('visits').id;
    await world.runUntil(
      evil?.publish([
        { address, replica: 'evil.1', version: 1, bytes: '{"sum":"many"}' },
        { address, replica: 'evil.2', version: 1, bytes: '{{{' },
        { address: 'nonsense', replica: 'evil.3', version: 1, bytes: '{}' },
      ]) ?? Promise.reject(new Error('no loopback')),
    );
    const b = await world.runUntil(cluster.start('b'));
    await world.runUntil(b.variable('visits').add(6));
    await world.run(3_000);
    expect(await world.runUntil(a.variable('visits').get())).toBe(6);
    expect(alarms.filter((alarm) => alarm.kind === 'poison').length).toBeGreaterThanOrEqual(2);
  });

  test('what was committed and not yet published when the process died is published by the next one', async () => {
    const { world, cluster } = several('unpublished');
    const [a, b] = [await world.runUntil(cluster.start('a')), await world.runUntil(cluster.start('b'))];
    await world.run(2_000);
    cluster.loopback?.cut('a');
    await world.runUntil(a.variable('visits').add(7));
    cluster.kill('a');
    cluster.loopback?.heal();
    await world.runUntil(cluster.start('a'));
    await world.run(5_000);
    expect(await world.runUntil(b.variable('visits').get())).toBe(7);
  });

  test('an emptied backbone gets every row back, those of a replica that is gone included', async () => {
    const { world, cluster } = several('emptied');
    const [a, b] = [await world.runUntil(cluster.start('a')), await world.runUntil(cluster.start('b'))];
    await world.runUntil(Promise.all([a.variable('visits').add(1), b.variable('visits').add(2)]));
    await world.run(2_000);
    cluster.kill('a');
    await world.runUntil(cluster.loopback?.empty() ?? Promise.reject(new Error('no loopback')));
    await world.run(5_000);
    const rows = await world.runUntil(readAllRows(cluster, world));
    expect(
      rows
        .filter((row) => row.address === b.address('visits').id)
        .map((row) => row.replica.slice(0, 1))
        .sort(),
    ).toEqual(['a', 'b']);
  });
});

async function readAllRows(cluster: ReturnType<typeof createCluster>, world: ReturnType<typeof createWorld>) {
  const rows: { address: string; replica: string }[] = [];
  const reader = cluster.loopback?.connect('reader');
  const subscription = reader?.subscribe(null, async (delivery) => {
    rows.push(...delivery.rows);
  });
  await new Promise<void>((resolve) => world.host('reader').after(1_000, resolve));
  subscription?.close();
  return rows;
}
