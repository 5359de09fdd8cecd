/**
 * What a backbone lost comes back: whatever any store holds in the end, also of replicas that are gone for good, the backbone has, although
 * it was set back or emptied again and again while rows were on their way from it, into stores, and out of quarantine.
 */
import { expect, test } from 'vitest';
import type { LoopbackSnapshot } from '../../src/backbone/index.ts';
import { createPath } from '../../src/simulate/network.ts';
import { createRandom } from '../../src/simulate/random.ts';
import type { StoredRow } from '../../src/store/index.ts';
import { createWorld, runs } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const variables = {
  count: { strategy: 'sum-increments', keyed: true },
  banner: { strategy: 'last-write-wins', keyed: true, initial: 0 },
} as const;
const names = ['r0', 'r1', 'r2', 'r3'];

function open(seed: string) {
  const world = createWorld(seed);
  const random = createRandom(`path ${seed}`);
  const spread = (medianMs: number, p99Ms: number) => ({ medianMs, p99Ms });
  const cluster = createCluster({
    world,
    variables,
    loopback: { rttMs: 20, jitterMs: 20, timeoutMs: 200, retryMs: 50, loss: 0.02, reordering: 0.1, duplication: 0.1 },
    path: (name, backbone) =>
      createPath({
        ...{ name, random, backbone, host: world.host(`${name} path`), timeoutMs: 200, retryMs: 50, trace: null },
        ...{ lag: spread(30, 300), rtt: spread(20, 20), isCut: () => false },
      }),
  });
  return { world, cluster, gone: new Set<string>(), backup: null as LoopbackSnapshot | null };
}
type Story = ReturnType<typeof open>;

const start = ({ cluster }: Story, name: string) => cluster.start(name, { contactMs: 100 }).catch(() => {});

async function act(story: Story): Promise<void> {
  const { world, cluster, gone } = story;
  const { random } = world;
  const name = random.pick(names);
  const { process, replica, disk } = cluster.machine(name);
  const draw = random.integer(0, 99);
  if (gone.has(name)) return;
  if (process?.alive !== true) return void start(story, name);
  if (draw < 3) cluster.kill(name);
  else if (draw < 4 && gone.size < names.length - 1) {
    gone.add(name); // for good: what only it had is lost, what others have is not
    cluster.kill(name);
  } else if (draw < 8) disk.faults.syncMs = random.pick([0, 5, 100]);
  else if (draw < 11) disk.faults.readMs = random.pick([0, 5, 100]);
  else if (draw < 13) disk.faults.syncFailure = random.pick([0, 0, 0.3]);
  else if (draw < 16) world.host(name).skewMs = random.pick([0, 0, -62_000, 62_000]);
  else if (draw < 18) story.backup = await world.runUntil(cluster.loopback?.snapshot() ?? Promise.resolve(null));
  else if (draw < 21) await lose(story);
  else if (replica !== null) write(story, name);
}

async function lose({ world, cluster, backup }: Story): Promise<void> {
  const { loopback } = cluster;
  if (loopback === null) return;
  await world.runUntil(backup === null || world.random.chance(0.5) ? loopback.empty() : loopback.restore(backup));
}

function write({ world, cluster }: Story, name: string): void {
  const { replica } = cluster.machine(name);
  const key = `k${world.random.integer(0, 5)}`;
  if (world.random.chance(0.5))
    replica
      ?.variable('count')
      .key(key)
      .add(1)
      .catch(() => {});
  else
    replica
      ?.variable('banner')
      .key(key)
      .set(1)
      .catch(() => {});
}

async function heal(story: Story): Promise<void> {
  const { world, cluster, gone } = story;
  Object.assign(cluster.loopback?.network ?? {}, { loss: 0, duplication: 0, reordering: 0 });
  for (const name of names) {
    Object.assign(cluster.machine(name).disk.faults, { syncMs: 0, readMs: 0, syncFailure: 0 });
    const isRestarted = world.random.chance(0.5);
    if (gone.has(name)) continue;
    if (isRestarted) cluster.kill(name);
    if (cluster.machine(name).process?.alive !== true) await world.runUntil(cluster.start(name, { contactMs: 100 }));
  }
  await world.run(20_000);
}

/** What a store holds and the backbone does not: of those that still run. */
async function missing({ world, cluster, gone }: Story): Promise<readonly string[]> {
  const kept = await world.runUntil(cluster.loopback?.snapshot() ?? Promise.reject(new Error('no backbone')));
  const versions = new Map(kept.rows.map((row) => [nameOf(row), row.version]));
  const held: [string, StoredRow][] = [];
  for (const name of names.filter((each) => !gone.has(each))) {
    const { rows, records } = cluster.machine(name).disk.snapshot();
    for (const row of rows) held.push([name, row]);
    for (const record of records) {
      if (record.name.startsWith('quarantine/') && record.value !== null)
        held.push([name, JSON.parse(record.value) as StoredRow]);
    }
  }
  return held
    .filter(([, row]) => (versions.get(nameOf(row)) ?? 0) < row.version)
    .map(([name, row]) => `${nameOf(row)} v${row.version} is at ${name} only`);
}

const nameOf = ({ address, replica }: StoredRow) => `${replica} ${address}`;

async function tell(seed: string): Promise<readonly string[]> {
  const story = open(seed);
  for (const name of names) start(story, name);
  for (let step = 0; step < 150; step += 1) {
    await story.world.run(story.world.random.next() * 30);
    await act(story);
  }
  await heal(story);
  return missing(story);
}

test('whatever a store holds, the backbone has in the end', { timeout: 3_600_000 }, async () => {
  const first = Number(process.env.CFFBRW_SEED ?? 1);
  for (let seed = first; seed < first + runs(8); seed += 1) {
    const lacks = await tell(`told ${seed}`);
    expect(lacks, `replay: CFFBRW_SEED=${seed} npx vitest run test/replica/told.test.ts`).toEqual([]);
  }
});

/** Each shows one mechanism: without it, this history fails. */
test.each([
  11, // what is in quarantine is told, too
  22, // what was received is in the store before the store is read out
  43, // that another backbone lacks something is durable with what it lacks
  59, // a delivery says of which backbone it is, also while everything is being told
])('the history %i holds', async (seed) => {
  expect(await tell(`told ${seed}`)).toEqual([]);
});
