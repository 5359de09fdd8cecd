/**
 * Whole replicas under random schedules: loads, deaths at any await, cuts, losses, full disks and failing syncs, by seed. Then everything
 * heals, and the claims must hold: C1 nothing acknowledged is lost, C2 nothing is sold twice, C3 all replicas show the same.
 */
import { describe, expect, test } from 'vitest';
import type { Replica } from '../../src/replica/index.ts';
import type { World } from '../../src/simulate/host.ts';
import { createWorld, runs } from '../simulate/world.ts';
import { type Cluster, createCluster } from './cluster.ts';

const stock = 12;
const variables = {
  count: { strategy: 'sum-increments' },
  banner: { strategy: 'last-write-wins', initial: 0 },
  profile: { strategy: 'merge-objects', keyed: true },
  best: { strategy: 'max-value' },
  stock: { strategy: 'bounded-counter', initial: stock },
} as const;

interface Story {
  readonly world: World;
  readonly cluster: Cluster;
  readonly names: readonly string[];
  /** Sum of adds: acknowledged, and asked for (an unknown outcome may count). */
  acknowledged: number;
  attempted: number;
  best: number;
  readonly fields: Set<string>;
  readonly receipts: Set<string>;
  starting: Set<string>;
}

function tell(seed: string, replicas: number): Story {
  const world = createWorld(seed);
  const network = { lagMs: 30, rttMs: 8, jitterMs: 20, loss: 0.05, duplication: 0.1, reordering: 0.1, lateness: 0.05 };
  return {
    world,
    cluster: createCluster({ world, variables, loopback: network }),
    names: Array.from({ length: replicas }, (_, index) => `r${index}`),
    ...{ acknowledged: 0, attempted: 0, best: 0 },
    ...{ fields: new Set(), receipts: new Set(), starting: new Set() },
  };
}

function start(story: Story, name: string): void {
  const { world, cluster, starting } = story;
  if (starting.has(name)) return;
  starting.add(name);
  const dies = world.random.next() < 0.5;
  const when = world.random.pick(['before', 'during', 'after'] as const);
  cluster
    .start(name, dies ? { killAt: { await: world.random.integer(1, 250), when } } : {})
    .catch(() => {})
    .finally(() => starting.delete(name));
}

/** One thing that happens. */
function act(story: Story): void {
  const { world, cluster, names } = story;
  const draw = world.random.integer(0, 99);
  const name = world.random.pick(names);
  const machine = cluster.machine(name);
  if (machine.process?.alive !== true) {
    story.starting.delete(name);
    start(story, name);
  } else if (draw < 3) cluster.kill(name);
  else if (draw < 6) cluster.loopback?.cut(name, world.random.pick(['both', 'in', 'out'] as const));
  else if (draw < 11) cluster.loopback?.heal(name);
  else if (draw < 13) machine.disk.faults.full = !machine.disk.faults.full;
  else if (draw < 15) machine.disk.faults.syncFailure = world.random.chance(0.5) ? 0.3 : 0;
  else if (machine.replica !== null) write(story, machine.replica, draw);
}

function write(story: Story, replica: Replica, draw: number): void {
  const ignore = () => {};
  story.attempted += 1;
  const number = story.attempted;
  if (draw < 45) {
    replica
      .variable('count')
      .add(1)
      .then(() => (story.acknowledged += 1), ignore);
  } else if (draw < 55) {
    replica
      .variable('best')
      .raise(number)
      .then(() => (story.best = Math.max(story.best, number)), ignore);
  } else if (draw < 65) {
    const field = `f${number}`;
    replica
      .variable('profile')
      .key('ann')
      .merge({ [field]: number })
      .then(() => story.fields.add(field), ignore);
  } else if (draw < 75) {
    replica.variable('banner').set(number).catch(ignore);
  } else {
    replica
      .variable('stock')
      .take(1, { timeoutMs: 300 })
      .then((result) => {
        if (result.ok && result.receipt !== null) story.receipts.add(result.receipt);
      }, ignore);
  }
}

async function heal(story: Story): Promise<readonly Replica[]> {
  const { world, cluster, names } = story;
  Object.assign(cluster.loopback?.network ?? {}, { loss: 0, duplication: 0, reordering: 0, lateness: 0 });
  cluster.loopback?.heal();
  const replicas: Replica[] = [];
  for (const name of names) {
    const machine = cluster.machine(name);
    Object.assign(machine.disk.faults, { full: false, syncFailure: 0 });
    machine.process?.kill();
    replicas.push(await world.runUntil(cluster.start(name)));
  }
  await world.run(30_000);
  return replicas;
}

const valuesOf = async ({ world }: Story, replica: Replica) => ({
  count: await world.runUntil(replica.variable('count').get()),
  best: await world.runUntil(replica.variable('best').get()),
  banner: await world.runUntil(replica.variable('banner').get()),
  profile: await world.runUntil(replica.variable('profile').key('ann').get()),
  stock: await world.runUntil(replica.variable('stock').get()),
});

async function play(seed: string, replicas: number, steps: number): Promise<void> {
  const story = tell(seed, replicas);
  const { world } = story;
  for (const name of story.names) start(story, name);
  for (let step = 0; step < steps; step += 1) {
    await world.run(world.random.next() * 40);
    act(story);
    expect(story.receipts.size, `${seed}: C2`).toBeLessThanOrEqual(stock);
  }
  const healed = await heal(story);
  await sellOut(story, healed);
  const values = await Promise.all(healed.map((replica) => valuesOf(story, replica)));
  for (const value of values) expect(value, `${seed}: C3`).toEqual(values[0]);
  const shown = values[0] as unknown as {
    count: number;
    best: { value: number | null };
    profile: Record<string, unknown> | null;
    stock: number;
  };
  expect(shown.count, `${seed}: C1 adds`).toBeGreaterThanOrEqual(story.acknowledged);
  expect(shown.count, `${seed}: invented adds`).toBeLessThanOrEqual(story.attempted);
  expect(shown.best.value ?? 0, `${seed}: C1 raise`).toBeGreaterThanOrEqual(story.best);
  expect(shown.stock, `${seed}: rights are stranded`).toBe(0);
  for (const field of story.fields) expect(Object.keys(shown.profile ?? {}), `${seed}: C1 merge`).toContain(field);
}

/** C2 to the end: what is left can be sold, and never more than there was. */
async function sellOut(story: Story, replicas: readonly Replica[]): Promise<void> {
  const { world } = story;
  for (let index = 0; index < stock * 2; index += 1) {
    const replica = replicas[index % replicas.length];
    const result = await world.runUntil(replica?.variable('stock').take(1) ?? Promise.reject(new Error('no replica')));
    if (result.ok && result.receipt !== null) story.receipts.add(result.receipt);
  }
  expect(story.receipts.size, 'C2').toBeLessThanOrEqual(stock);
  await world.run(10_000);
}

describe('whole replicas under random schedules', () => {
  test.each([2, 3, 5])('%i replicas keep what they acknowledged, never oversell, and converge', async (replicas) => {
    const first = Number(process.env.CFFBRW_SEED ?? 0);
    for (let seed = first; seed < first + runs(12); seed += 1) {
      await play(`replicas ${replicas} seed ${seed}`, replicas, 150);
    }
  });
});
