import { describe, expect, test } from 'vitest';
import type { Backbone } from '../../src/backbone/index.ts';
import { CffbrwError } from '../../src/error.ts';
import type { StoredRow } from '../../src/store/index.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const hourMs = 3_600_000;
const variables = {
  views: { strategy: 'sum-increments', keyed: true, window: { every: 'hour', keep: 1 } },
  total: { strategy: 'sum-increments' },
} as const;

/** Every machine's way to forget something. */
interface Way {
  deaf: boolean;
  /** How long the answer takes. */
  answerMs: number;
  asked: number;
}

async function open(seed: string, names: readonly string[] = ['one']) {
  const world = createWorld(seed);
  const way: Way = { deaf: false, answerMs: 0, asked: 0 };
  const path = (_: string, backbone: Backbone): Backbone => ({
    ...backbone,
    async forget(addresses) {
      way.asked += 1;
      if (way.deaf) throw new CffbrwError('UNREACHABLE', 'nobody answers');
      await backbone.forget(addresses);
      if (way.answerMs > 0) await new Promise<void>((resolve) => void world.host('way').after(way.answerMs, resolve));
    },
  });
  const cluster = createCluster({ world, variables, loopback: { rttMs: 2 }, path });
  const start = (name: string) => world.runUntil(cluster.start(name, { contactMs: 1_000 }));
  const replicas = [];
  for (const name of names) replicas.push(await start(name));
  const [one] = replicas;
  if (one === undefined) throw new Error('no replica');
  await world.runUntil(one.variable('views').key('a').add(1));
  const old = one.address('views', 'a');
  await world.run(2_000);
  const raw = cluster.loopback?.connect('raw');
  return {
    ...{ world, cluster, way, one, old, start },
    /** All that the backbone keeps. */
    kept: async () => (await cluster.loopback?.snapshot())?.rows ?? [],
    pass(hours: number) {
      for (const name of [...names, 'backbone']) (world.host(name) as { skewMs: number }).skewMs += hours * hourMs;
    },
    /** A row of the old window, of a replica that is gone. */
    publishLate: (version: number) => {
      const row: StoredRow = { address: old.id, replica: 'gone.1', version, bytes: '{"sum":1,"cancels":{},"base":null}' };
      return world.runUntil(raw?.publish([row]) ?? Promise.reject(new Error('no backbone')));
    },
  };
}

/** A stage on which the window of `views` was removed everywhere. */
async function past(seed: string) {
  const stage = await open(seed);
  stage.pass(6);
  await stage.world.run(5_000);
  expect(await stage.kept()).toEqual([]);
  return stage;
}

test('a backbone that does not answer is asked again, and until it has forgotten the rows here stay', async () => {
  const { world, cluster, way, kept, pass } = await open('deaf');
  const rowsHere = () => cluster.machine('one').disk.snapshot().rows.length;
  way.deaf = true;
  pass(6);
  await world.run(5_000);
  expect([(await kept()).length, rowsHere()]).toEqual([1, 1]);
  expect(way.asked).toBeGreaterThan(2);
  way.deaf = false;
  await world.run(2_000);
  expect([await kept(), rowsHere()]).toEqual([[], 0]);
  await world.run(10_000);
  const { asked } = way;
  await world.run(10_000);
  expect(way.asked).toBe(asked);
});

test('an older copy of a disk, and of its witness, is no proof, although all rows that tell were forgotten', async () => {
  const { world, cluster, one, kept, pass, start } = await open('older disk');
  const machine = cluster.machine('one');
  const [disk, witness] = [machine.disk.snapshot(), machine.witness.text];
  await world.runUntil(one.variable('views').key('b').add(1));
  pass(6);
  await world.run(5_000);
  expect(await kept()).toEqual([]);
  cluster.kill('one');
  await world.run(10);
  machine.disk.restore(disk);
  machine.witness.text = witness;
  expect((await start('one')).id).not.toBe(one.id);
});

describe('a late row', () => {
  test('leaves the backbone again, although its replica is gone', async () => {
    const { world, publishLate, kept, cluster } = await past('late');
    await publishLate(7);
    expect(await kept()).toHaveLength(1);
    await world.run(3_000);
    expect(await kept()).toEqual([]);
    const { rows, records } = cluster.machine('one').disk.snapshot();
    expect([rows, records.filter(({ name }) => name.startsWith('cursor/'))]).toEqual([[], []]);
  });

  test('is remembered while the backbone does not answer, and over a death', async () => {
    const { world, way, publishLate, kept, cluster, start } = await past('late and deaf');
    way.deaf = true;
    await publishLate(7);
    await world.run(3_000);
    cluster.kill('one');
    await start('one');
    await world.run(3_000);
    expect(await kept()).toHaveLength(1);
    way.deaf = false;
    await world.run(3_000);
    expect(await kept()).toEqual([]);
  });

  test('that comes while the backbone forgets the one before it is not crossed out with it', async () => {
    const { world, way, publishLate, kept } = await past('late twice');
    way.answerMs = 5_000;
    await publishLate(7);
    await world.run(2_000);
    expect(await kept()).toEqual([]); // and the answer is on its way
    await publishLate(8);
    await world.run(20_000);
    expect(await kept()).toEqual([]);
  });

  test('that waits for a slow disk is not overlooked', async () => {
    const { world, one, publishLate, kept, cluster } = await past('late and slow');
    Object.assign(cluster.machine('one').disk.faults, { readMs: 1_000, syncMs: 500 });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      one
        .variable('total')
        .add(1)
        .catch(() => {});
      await world.run(5);
      await publishLate(2 * attempt);
      await world.run(150 * (attempt >> 1));
      if (attempt % 2 === 1) await publishLate(2 * attempt + 1);
      await world.run(20_000 + attempt * 97);
      expect((await kept()).map(({ address }) => address)).toEqual([one.address('total').id]);
    }
  });

  test('comes back with an older copy of the backbone and leaves it again, with what stores publish again', async () => {
    const stage = await open('older copy', ['one', 'two']);
    const { world, cluster, kept, pass, one } = stage;
    const copy = await cluster.loopback?.snapshot();
    pass(6);
    await world.run(5_000);
    expect(await kept()).toEqual([]);
    // A replica that was not there when the window was removed has its rows still.
    if (copy !== undefined) await cluster.loopback?.restore(copy);
    for (const name of ['one', 'two']) cluster.machine(name).replica?.adoptBackbone();
    expect(await kept()).toHaveLength(1);
    await world.run(10_000);
    expect(await kept()).toEqual([]);
    await world.runUntil(one.variable('views').key('a').add(1));
    await world.run(10_000);
    expect(await kept()).toHaveLength(1);
  });

  test('of a replica that was away with it leaves again after that replica has published it', async () => {
    const { world, cluster, kept, pass, start } = await open('away', ['one', 'two']);
    const { host } = cluster.machine('two');
    cluster.loopback?.cut('two', 'out');
    const two = cluster.machine('two').replica;
    await world.runUntil(two?.variable('views').key('b').add(1) ?? Promise.reject(new Error('no replica')));
    cluster.kill('two');
    pass(6);
    await world.run(5_000);
    expect(await kept()).toEqual([]);
    cluster.loopback?.heal();
    host.skewMs -= 6 * hourMs; // its machine's clock stood still
    await start('two');
    await world.run(5_000);
    expect([await kept(), cluster.machine('one').disk.snapshot().rows]).toEqual([[], []]);
    host.skewMs += 6 * hourMs;
    await world.run(5_000);
    expect(cluster.machine('two').disk.snapshot().rows).toEqual([]);
  });
});
