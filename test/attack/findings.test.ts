import { describe, expect, test } from 'vitest';
import { createCluster, declareAll } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';

const variables = {
  a: { strategy: 'sum-increments' },
  b: { strategy: 'sum-increments' },
  lww: { strategy: 'last-write-wins', initial: 0 },
  keyed: { strategy: 'sum-increments', keyed: true },
  stock: { strategy: 'bounded-counter', initial: 10 },
} as const;

describe('where the parts of a replica meet', () => {
  test('F1 a received row is not lost when a commit fails while another address of its delivery loads', async () => {
    let lost = 0;
    for (let seed = 0; seed < 200; seed += 1) {
      const world = createWorld(`f1 ${seed}`);
      const cluster = createCluster({ world, variables });
      const one = await world.runUntil(cluster.start('one'));
      const two = await world.runUntil(cluster.start('two', { memoryLimit: 5 }));
      await world.runUntil(two.variable('a').get());
      cluster.loopback?.cut('two');
      await world.runUntil(
        Promise.all([one.variable('a').add(7), one.variable('b').add(7), one.variable('keyed').key('x').add(7)]),
      );
      await world.run(2000);
      const disk = cluster.machine('two').disk;
      disk.faults.syncFailure = 0.5;
      disk.faults.readMs = 2;
      cluster.loopback?.heal();
      for (let i = 0; i < 100; i += 1) {
        two
          .variable('a')
          .add(1)
          .catch(() => {});
        await world.run(world.random.next() * 3);
      }
      disk.faults.syncFailure = 0;
      await world.run(20_000);
      const [x, y] = [await world.runUntil(one.variable('a').get()), await world.runUntil(two.variable('a').get())];
      if (x !== y) lost += 1;
    }
    expect(lost).toBe(0);
  });

  test('F2 a quarantined row is kept although the first commit that carried it failed', async () => {
    const world = createWorld('f2');
    const cluster = createCluster({ world, variables });
    const one = await world.runUntil(cluster.start('one'));
    let two = await world.runUntil(cluster.start('two'));
    await world.run(3000);
    cluster.machine('one').host.skewMs = 120_000;
    const disk = cluster.machine('two').disk;
    disk.faults.full = true;
    await world.runUntil(one.variable('lww').set(42));
    await world.run(3000);
    disk.faults.full = false;
    await world.run(5000);
    expect(two.status.quarantined).toBe(1);
    cluster.kill('two');
    two = await world.runUntil(cluster.start('two'));
    await world.run(300_000);
    expect(await world.runUntil(two.variable('lww').get())).toBe(42);
  });

  test('F2b a row that left quarantine in a commit that failed comes into force all the same', async () => {
    const world = createWorld('f2b');
    const cluster = createCluster({ world, variables });
    const one = await world.runUntil(cluster.start('one'));
    const two = await world.runUntil(cluster.start('two'));
    await world.run(3000);
    cluster.machine('one').host.skewMs = 120_000;
    await world.runUntil(one.variable('lww').set(42));
    await world.run(3000);
    expect(two.status.quarantined).toBe(1);
    const disk = cluster.machine('two').disk;
    disk.faults.full = true;
    await world.run(70_000);
    disk.faults.full = false;
    await world.run(70_000);
    expect(await world.runUntil(two.variable('lww').get())).toBe(42);
  });

  test('F3 a hold that a full disk took back leaves no timer behind', async () => {
    const world = createWorld('f3');
    const cluster = createCluster({ world, variables, loopback: null });
    const one = await world.runUntil(cluster.start('one'));
    await world.runUntil(one.variable('stock').take(1));
    const disk = cluster.machine('one').disk;
    disk.faults.full = true;
    await world.runUntil(
      one
        .variable('stock')
        .take(1, { holdMs: 1000 })
        .catch(() => {}),
    );
    disk.faults.full = false;
    await world.run(10_000);
    const before = cluster.machine('one').process?.awaits ?? 0;
    await world.run(60_000);
    const after = cluster.machine('one').process?.awaits ?? 0;
    expect(after - before).toBeLessThan(100);
  });

  test('F4 a row from a clock hours ahead, received while its variable was not declared, does not stop this clock later', async () => {
    const world = createWorld('f4');
    const cluster = createCluster({ world, variables });
    const { lww: _, ...without } = variables;
    const one = await world.runUntil(cluster.start('one'));
    await world.runUntil(cluster.start('two', { variables: declareAll(without) }));
    cluster.machine('one').host.skewMs = 2 * 3_600_000;
    await world.runUntil(one.variable('lww').set(42));
    await world.run(5000);
    cluster.kill('two');
    const two = await world.runUntil(cluster.start('two'));
    await world.runUntil(two.variable('lww').get());
    await expect(world.runUntil(two.variable('lww').set(43))).resolves.toBeUndefined();
  });

  test('F5 rows that a restored backbone lacks are published again by a replica that was down then and adopts it', async () => {
    const world = createWorld('f5');
    const cluster = createCluster({ world, variables });
    const one = await world.runUntil(cluster.start('one'));
    await world.runUntil(one.variable('a').add(5));
    await world.run(5000);
    await world.runUntil(one.close());
    await world.runUntil(cluster.loopback?.empty() ?? Promise.resolve());
    const again = await world.runUntil(cluster.start('one', { adopt: true }));
    expect(await world.runUntil(again.variable('a').get())).toBe(5);
    const three = await world.runUntil(cluster.start('three'));
    await world.run(60_000);
    expect(await world.runUntil(three.variable('a').get())).toBe(5);
  });

  test('F11 a watcher that throws stops nothing', async () => {
    const world = createWorld('f11');
    const cluster = createCluster({ world, variables, loopback: null });
    const one = await world.runUntil(cluster.start('one'));
    one.variable('a').watch(() => {
      throw new Error('mine');
    });
    await world.runUntil(one.variable('a').add(5));
    await world.run(100);
    await world.runUntil(one.variable('a').add(5));
    expect(one.status.refused).toBe(null);
  });
});

describe('attack, closing', () => {
  const scarce = { stock: { strategy: 'bounded-counter', initial: 4 } } as const;
  test('B1 close() while a take waits resolves, and lets go of the store and the witness', async () => {
    const world = createWorld('b1');
    const cluster = createCluster({ world, variables: scarce });
    const one = await world.runUntil(cluster.start('one'));
    const two = await world.runUntil(cluster.start('two'));
    for (let i = 0; i < 3; i += 1) await world.runUntil(one.variable('stock').take(1));
    cluster.loopback?.cut('one');
    const waiting = two.variable('stock').take(3, { timeoutMs: 60_000 });
    waiting.catch(() => {});
    await world.run(500);
    await expect(world.runUntil(two.close())).resolves.toBeUndefined();
  });
  test('B2 a take that waits while its replica is fenced is refused, and throws nowhere else', async () => {
    const world = createWorld('b2');
    const cluster = createCluster({ world, variables: scarce });
    const one = await world.runUntil(cluster.start('one'));
    const two = await world.runUntil(cluster.start('two'));
    for (let i = 0; i < 3; i += 1) await world.runUntil(one.variable('stock').take(1));
    cluster.loopback?.cut('one');
    const waiting = two.variable('stock').take(3, { timeoutMs: 20_000 });
    let outcome: unknown = null;
    waiting.then(
      (x) => {
        outcome = x;
      },
      (e: unknown) => {
        outcome = e;
      },
    );
    await world.run(1_500);
    // a second start of the same disk
    const process = cluster.machine('two').process;
    void process;
    await world.runUntil(cluster.start('two', { witness: null }));
    await world.run(40_000);
    expect(two.status.refused).not.toBe(null);
    expect(outcome).not.toBe(null);
  });
  test('A1 two kills in a row, each in the middle of a sync, do not freeze a lone replica', async () => {
    let frozen = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const world = createWorld(`a1 ${seed}`);
      const cluster = createCluster({ world, variables: scarce, loopback: null });
      const first = await world.runUntil(cluster.start('one'));
      await world.runUntil(first.variable('stock').take(1));
      for (let life = 0; life < 2; life += 1) {
        const replica = life === 0 ? first : await world.runUntil(cluster.start('one'));
        replica
          .variable('stock')
          .take(1)
          .catch(() => {});
        await world.run(0.6);
        cluster.kill('one');
      }
      const last = await world.runUntil(cluster.start('one'));
      if (last.status.frozen !== null) frozen += 1;
    }
    expect(frozen).toBe(0);
  });
});
