/** A replica that has nothing to do needs no timer of a platform that would be woken by it. */
import { describe, expect, test } from 'vitest';
import type { Backbone } from '../../src/backbone/index.ts';
import type { Host } from '../../src/host.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const variables = {
  stock: { strategy: 'bounded-counter', initial: 100 },
  count: { strategy: 'sum-increments' },
} as const;

/** Counts timers, and keeps what waits until it is awake. */
function sleepy(host: Host) {
  let timers = 0;
  let asleep: (() => void)[] = [];
  const counted: Host = {
    ...host,
    after(delayMs, task) {
      timers += 1;
      let over = false;
      const end = () => {
        if (!over) timers -= 1;
        over = true;
      };
      const cancel = host.after(delayMs, () => {
        end();
        task();
      });
      return () => {
        end();
        cancel();
      };
    },
    whenAwake(_, task) {
      asleep.push(task);
      return () => {
        asleep = asleep.filter((each) => each !== task);
      };
    },
  };
  return {
    host: counted,
    get timers() {
      return timers;
    },
    awake() {
      for (const task of asleep.splice(0)) task();
    },
  };
}

async function open(contactMs = 1_000, publishEveryMs = 0) {
  const world = createWorld('rest');
  let published = 0;
  const path = (_: string, backbone: Backbone): Backbone => ({
    ...backbone,
    publish(rows) {
      published += 1;
      return backbone.publish(rows);
    },
  });
  const cluster = createCluster({ world, variables, path });
  const names = ['a', 'b'] as const;
  const hosts = names.map((name) => sleepy(cluster.machine(name).host));
  const replicas = [];
  for (const [index, name] of names.entries()) {
    const host = hosts[index]?.host ?? world.host('none');
    replicas.push(await world.runUntil(cluster.start(name, { host, contactMs, publishEveryMs })));
  }
  const [a, b] = replicas;
  const [hostA, hostB] = hosts;
  if (a === undefined || b === undefined || hostA === undefined || hostB === undefined) throw new Error('two replicas');
  return { world, cluster, a, b, hostA, hostB, published: () => published };
}

describe('a replica at rest', () => {
  test('has no timer, returned its rights before, and learns what others did when it is awake again', async () => {
    const { world, a, b, hostA, hostB } = await open();
    await world.run(3_000);
    expect([hostA.timers, hostB.timers]).toEqual([0, 0]);
    const [result] = await world.runUntil(Promise.all([a.take([{ variable: 'stock' }]), a.variable('count').add(1)]));
    expect(result.ok).toBe(true);
    await world.run(500);
    expect(a.leases().length).toBe(1);
    expect(hostA.timers).toBeGreaterThan(0);
    await world.run(30_000);
    expect([a.leases().length, hostA.timers, hostB.timers]).toEqual([0, 0, 0]);
    hostB.awake();
    await world.run(1_000);
    expect(await world.runUntil(b.variable('count').get())).toBe(1);
    expect([b.status.lagMs ?? 9_999, hostB.timers]).toEqual([expect.closeTo(1_000, -3), 0]);
  });

  test('publishes all the same what it could not publish before', async () => {
    const { world, cluster, a, hostA } = await open();
    await world.run(3_000);
    cluster.loopback?.cut('a');
    await world.runUntil(a.variable('count').add(1));
    await world.run(60_000);
    expect(a.status.unpublished).toBe(1);
    cluster.loopback?.heal();
    await world.run(20_000);
    expect([a.status.unpublished, hostA.timers]).toEqual([0, 0]);
  });
});

describe('a replica that publishes seldom', () => {
  test('sends the first change at once, those after it together, and what somebody waits for at once', async () => {
    const { world, a, b } = await open(1_000, 5_000);
    const seen: number[] = [];
    b.watch('count', ({ value }) => seen.push(Number(value)));
    await world.run(10_000);
    for (let count = 0; count < 10; count += 1) {
      await world.runUntil(a.variable('count').add(1));
      await world.run(100);
    }
    expect(seen).toEqual([1]);
    await world.run(5_000);
    expect(seen).toEqual([1, 10]);
    const all = await world.runUntil(Promise.resolve(a.take([{ variable: 'stock', amount: 60 }])));
    expect(all.ok).toBe(true);
    const rest = await world.runUntil(Promise.resolve(b.take([{ variable: 'stock', amount: 40 }])));
    expect(rest.ok).toBe(true);
  });

  test('sends what was written during a round trip with the next one', async () => {
    const { world, cluster, a, published } = await open(1_000, 20);
    Object.assign(cluster.loopback?.network ?? {}, { rttMs: 10 });
    await world.run(10_000);
    const before = published();
    for (let ms = 0; ms < 400; ms += 4) {
      void a.variable('count').add(1);
      await world.run(4);
    }
    expect(published() - before).toBeGreaterThan(8);
    expect(published() - before).toBeLessThanOrEqual(20);
    await world.run(100);
    expect(a.status.unpublished).toBe(0);
  });
});
