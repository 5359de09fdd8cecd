/** Handles: what a library user holds of a variable. */
import { describe, expect, test } from 'vitest';
import { openReplica } from '../../src/replica/index.ts';
import { memoryStore } from '../../src/store/index.ts';
import type { Declaration } from '../../src/strategy/index.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const variables = {
  visits: { strategy: 'sum-increments' },
  stock: { strategy: 'bounded-counter', initial: 10 },
  banner: { initial: 'none' },
  views: { strategy: 'sum-increments', keyed: true },
  today: { strategy: 'sum-increments', initial: 5, window: { every: 'day' } },
} as const satisfies Record<string, Declaration>;

const dayMs = 86_400_000;

async function alone(seed: string, options: { memoryLimit?: number } = {}) {
  const world = createWorld(seed);
  const cluster = createCluster({ world, variables, loopback: null });
  return { world, cluster, replica: await world.runUntil(cluster.start('a', options)) };
}

/** Uses many other addresses, so that what is idle leaves memory. */
async function crowd({ world, replica }: Awaited<ReturnType<typeof alone>>): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    const writes = Array.from({ length: 20 }, (_, i) => replica.variable('views').key(`${round} ${i}`).add(1));
    await world.runUntil(Promise.all(writes));
  }
}

describe('a handle that is kept', () => {
  test('loses no write when its address leaves memory and comes back elsewhere', async () => {
    const place = await alone('crowded', { memoryLimit: 4 });
    const { world, replica } = place;
    const kept = replica.variable('visits');
    await world.runUntil(kept.add(1));
    await crowd(place);
    expect(replica.peek(replica.address('visits'))).toBeUndefined();
    await world.runUntil(replica.variable('visits').add(10));
    await world.runUntil(kept.add(100));
    await world.runUntil(replica.variable('visits').add(1000));
    expect(await world.runUntil(kept.get())).toBe(1111);
    expect(await world.runUntil(replica.variable('visits').get())).toBe(1111);
  });

  test('answers alike when its functions are taken off it', async () => {
    const { world, replica } = await alone('taken off');
    const { add, get } = replica.variable('visits');
    await world.runUntil(add(2));
    expect(await world.runUntil(get())).toBe(2);
  });
});

describe('an operation that the strategy lacks', () => {
  test.each([
    'take',
    'give',
    'confirm',
    'mint',
    'burn',
    'merge',
    'raise',
    'unset',
  ] as const)('is refused: %s of a sum', async (name) => {
    const { world, replica } = await alone('wrong');
    const handle = replica.variable('visits');
    const call = handle[name] as (...given: readonly unknown[]) => Promise<unknown>;
    await expect(world.runUntil(call(name === 'merge' ? {} : 'x'))).rejects.toMatchObject({ code: 'WRONG_OPERATION' });
  });
});

describe('an opened handle', () => {
  test('shows a write at once, before it is durable, and loses it with the process', async () => {
    const { world, cluster, replica } = await alone('at once');
    const handle = await world.runUntil(replica.variable('visits').open());
    expect(handle.value).toBe(0);
    const written = handle.add(3);
    written.catch(() => {});
    expect(handle.value).toBe(3);
    cluster.kill('a');
    const second = await world.runUntil(cluster.start('a'));
    expect(await world.runUntil(second.variable('visits').get())).toBe(0);
  });

  test('shows a write that was refused by the disk no longer', async () => {
    const { world, cluster, replica } = await alone('refused');
    const handle = await world.runUntil(replica.variable('visits').open());
    await world.runUntil(handle.add(1));
    cluster.machine('a').disk.faults.full = true;
    const refused = handle.add(5);
    expect(handle.value).toBe(6);
    await expect(world.runUntil(refused)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(handle.value).toBe(1);
  });

  test('follows what other replicas write, also when its address left memory', async () => {
    const world = createWorld('follows');
    const cluster = createCluster({ world, variables });
    const [a, b] = [await world.runUntil(cluster.start('a', { memoryLimit: 4 })), await world.runUntil(cluster.start('b'))];
    const handle = await world.runUntil(a.variable('visits').open());
    await crowd({ world, cluster, replica: a });
    await world.runUntil(b.variable('visits').add(7));
    await world.runUntil(b.sync());
    await world.run(1_000);
    expect(handle.value).toBe(7);
    await crowd({ world, cluster, replica: a });
    expect([a.peek(a.address('visits')), handle.value]).toEqual([undefined, 7]);
  });

  test('of a key shows that key alone', async () => {
    const { world, replica } = await alone('keys');
    const [ann, bob] = await world.runUntil(
      Promise.all([replica.variable('views').key('ann').open(), replica.variable('views').key('bob').open()]),
    );
    await world.runUntil(ann.add(2));
    await world.runUntil(bob.add(1));
    expect([ann.value, bob.value]).toEqual([2, 1]);
  });

  test('of a windowed variable goes on to the next window', async () => {
    const { world, replica } = await alone('windows');
    const handle = await world.runUntil(replica.variable('today').open());
    await world.runUntil(handle.add(2));
    expect(handle.value).toBe(7);
    await world.run(dayMs);
    expect(handle.value).toBe(5);
    await world.runUntil(handle.add(1));
    expect(handle.value).toBe(6);
  });

  test('is not told of changes any more once it is closed', async () => {
    const place = await alone('closed', { memoryLimit: 4 });
    const { world, replica } = place;
    const [open, closed] = await world.runUntil(
      Promise.all([replica.variable('visits').open(), replica.variable('visits').open()]),
    );
    closed.close();
    await world.runUntil(replica.variable('visits').add(4));
    await crowd(place);
    expect([open.value, closed.value]).toEqual([4, 0]);
  });
});

describe('a replica from declarations', () => {
  test('is opened without declaring them first', async () => {
    const world = createWorld('declarations');
    const replica = await world.runUntil(
      openReplica({
        name: 'a',
        variables: { visits: { strategy: 'sum-increments' } },
        host: world.host('a'),
        store: memoryStore(),
      }),
    );
    await world.runUntil(replica.variable('visits').add(2));
    expect(await world.runUntil(replica.variable('visits').get())).toBe(2);
  });

  test('refuses a wrong one before it touches the store', async () => {
    const world = createWorld('wrong');
    const variables: Record<string, Declaration> = { Visits: { strategy: 'sum-increments' } };
    const store = memoryStore();
    await store.close();
    await expect(openReplica({ name: 'a', variables: variables as never, host: world.host('a'), store })).rejects.toMatchObject({
      code: 'INVALID_APP',
    });
  });
});
