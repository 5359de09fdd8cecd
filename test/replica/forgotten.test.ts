/**
 * Windows that close under random schedules: loads, deaths, cuts, losses, late messages, replicas that are away for hours, a backbone that is
 * put back to an older copy, by seed. Then everything heals and time passes, and the model is: the backbone and every store hold exactly the
 * rows of what is open or has no window.
 */
import { describe, expect, test } from 'vitest';
import type { LoopbackSnapshot } from '../../src/backbone/index.ts';
import type { Replica } from '../../src/replica/index.ts';
import type { World } from '../../src/simulate/host.ts';
import type { StoredRow } from '../../src/store/index.ts';
import { parseAddress } from '../../src/strategy/address.ts';
import { createWorld, runs } from '../simulate/world.ts';
import { type Cluster, createCluster } from './cluster.ts';

const hourMs = 3_600_000;
const window = { every: 'hour', keep: 1 } as const;
const variables = {
  stock: { strategy: 'bounded-counter', initial: 5, window },
  views: { strategy: 'sum-increments', keyed: true, window },
  seen: { strategy: 'last-write-wins', keyed: true, window },
  total: { strategy: 'sum-increments' },
} as const;
const names = ['r0', 'r1', 'r2'];

interface Story {
  readonly world: World;
  readonly cluster: Cluster;
  readonly starting: Set<string>;
  kept: LoopbackSnapshot | null;
  attempted: number;
  acknowledged: number;
}

function tell(seed: string): Story {
  const world = createWorld(seed);
  const network = { lagMs: 30, rttMs: 8, jitterMs: 20, loss: 0.05, duplication: 0.1, reordering: 0.1, lateness: 0.1 };
  const cluster = createCluster({ world, variables, loopback: network });
  return { world, cluster, starting: new Set(), kept: null, attempted: 0, acknowledged: 0 };
}

/** Hours pass for everybody, the backbone included. */
function passHours({ world }: Story, hours: number): void {
  for (const name of [...names, 'backbone']) (world.host(name) as { skewMs: number }).skewMs += hours * hourMs;
}

function start({ cluster, starting }: Story, name: string): void {
  if (starting.has(name)) return;
  starting.add(name);
  cluster
    .start(name)
    .catch(() => {})
    .finally(() => starting.delete(name));
}

/** One thing that happens. */
async function act(story: Story): Promise<void> {
  const { world, cluster } = story;
  const { loopback } = cluster;
  const draw = world.random.integer(0, 99);
  const name = world.random.pick(names);
  const { process, replica } = cluster.machine(name);
  if (process?.alive !== true) {
    story.starting.delete(name);
    if (draw < 50) start(story, name);
  } else if (draw < 3) cluster.kill(name);
  else if (draw < 8) loopback?.cut(name, world.random.pick(['both', 'in', 'out'] as const));
  else if (draw < 14) loopback?.heal(name);
  else if (draw < 22) passHours(story, world.random.integer(1, 4));
  else if (draw < 25) story.kept = (await loopback?.snapshot()) ?? null;
  else if (draw < 28 && story.kept !== null) await loopback?.restore(story.kept);
  else if (replica !== null) write(story, replica, draw);
}

function write(story: Story, replica: Replica, draw: number): void {
  const ignore = () => {};
  const key = story.world.random.integer(0, 9);
  if (draw < 45) replica.variable('views').key(key).add(1).catch(ignore);
  else if (draw < 60) replica.variable('seen').key(key).set(draw).catch(ignore);
  else if (draw < 75) replica.variable('stock').take(1, { timeoutMs: 300 }).catch(ignore);
  else if (draw < 80)
    replica
      .variable('stock')
      .take(1, { once: String(key), timeoutMs: 300 })
      .catch(ignore);
  else {
    story.attempted += 1;
    replica
      .variable('total')
      .add(1)
      .then(() => (story.acknowledged += 1), ignore);
  }
}

async function heal(story: Story): Promise<readonly Replica[]> {
  const { world, cluster } = story;
  Object.assign(cluster.loopback?.network ?? {}, { loss: 0, duplication: 0, reordering: 0, lateness: 0 });
  cluster.loopback?.heal();
  const replicas: Replica[] = [];
  for (const name of names) {
    cluster.kill(name);
    replicas.push(await world.runUntil(cluster.start(name)));
  }
  for (const replica of replicas) replica.adoptBackbone();
  await world.run(30_000);
  return replicas;
}

const named = (rows: readonly StoredRow[]) =>
  rows.map(({ address, replica, version }) => `${address} ${replica} ${version}`).sort();
const windowsOf = (rows: readonly StoredRow[]) => new Set(rows.map(({ address }) => parseAddress(address)?.window ?? ''));

async function play(seed: string, steps: number): Promise<void> {
  const story = tell(seed);
  const { world, cluster } = story;
  for (const name of names) start(story, name);
  for (let step = 0; step < steps; step += 1) {
    await world.run(world.random.next() * 400);
    await act(story);
  }
  const replicas = await heal(story);
  passHours(story, 6);
  await world.run(60_000);
  for (const replica of replicas) await world.runUntil(replica.variable('views').key(1).add(1));
  const open = replicas[0]?.address('views', 1).window ?? '';
  await world.run(60_000);
  const kept = (await cluster.loopback?.snapshot())?.rows ?? [];
  expect([...windowsOf(kept)].sort(), `${seed}: windows in the backbone`).toEqual(['', open]);
  for (const name of names) {
    const { rows, records } = cluster.machine(name).disk.snapshot();
    expect(named(rows), `${seed}: rows on ${name}`).toEqual(named(kept));
    expect(records.filter(({ name: record }) => record.startsWith('cursor/'))).toEqual([]);
  }
  for (const replica of replicas) {
    expect(await world.runUntil(replica.variable('views').key(1).get()), `${seed}: what is open`).toBe(replicas.length);
    const total = await world.runUntil(replica.variable('total').get());
    expect(total, `${seed}: acknowledged`).toBeGreaterThanOrEqual(story.acknowledged);
    expect(total, `${seed}: asked for`).toBeLessThanOrEqual(story.attempted);
  }
}

describe('closed windows under random schedules', () => {
  test('leave the backbone and every store in the end, and take nothing else along', async () => {
    const first = Number(process.env.CFFBRW_SEED ?? 0);
    for (let seed = first; seed < first + runs(8); seed += 1) await play(`forgotten seed ${seed}`, 150);
  });
});
