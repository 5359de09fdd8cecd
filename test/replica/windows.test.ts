import { describe, expect, test } from 'vitest';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const hourMs = 3_600_000;
const variables = {
  vouchers: { strategy: 'bounded-counter', initial: 5, window: { every: 'hour', keep: 2 } },
  views: { strategy: 'sum-increments', keyed: true, window: { every: 'hour', keep: 2 } },
  total: { strategy: 'sum-increments' },
} as const;

async function open(seed: string, names: readonly string[]) {
  const world = createWorld(seed);
  const cluster = createCluster({ world, variables, loopback: names.length === 1 ? null : { rttMs: 2 } });
  const replicas = [];
  for (const name of names) replicas.push(await world.runUntil(cluster.start(name, { contactMs: 60_000 })));
  /** Hours pass for everybody, the backbone included. */
  const pass = async (hours: number) => {
    for (const name of [...names, 'backbone']) (world.host(name) as { skewMs: number }).skewMs += hours * hourMs;
    await world.run(10 * 60_000);
  };
  const leftOn = (name: string) => {
    const { rows, records } = cluster.machine(name).disk.snapshot();
    const about = /^(?:receipt\/|applied\/|seen\/|decided\/|settling\/|intent\/|register\/(?:once|settle|bank)\/)/;
    return {
      rows: rows.filter(({ address }) => !address.startsWith('total')).map(({ address }) => address),
      records: records.map(({ name: record }) => record).filter((record) => about.test(record)),
    };
  };
  return { world, cluster, replicas, pass, leftOn };
}

/** Takes of all kinds, in the window that is open. */
async function use({ world, replicas }: Awaited<ReturnType<typeof open>>) {
  const [one] = replicas;
  const last = replicas.at(-1);
  if (one === undefined || last === undefined) throw new Error('no replica');
  const run = <T>(call: Promise<T>) => world.runUntil(call);
  const plain = await run(one.variable('vouchers').take(1));
  await run(one.variable('vouchers').take(1, { once: 'ann' }));
  const given = await run(one.variable('vouchers').take(1, { once: 'bob' }));
  const held = await run(last.variable('vouchers').take(1, { holdMs: 1_000 }));
  expect([plain.ok, given.ok, held.ok]).toEqual([true, true, true]);
  expect(await run(last.variable('vouchers').give(given.receipt ?? ''))).toMatchObject({ ok: true });
  await run(last.variable('vouchers').confirm(plain.receipt ?? ''));
  expect(await run(last.variable('vouchers').give(plain.receipt ?? ''))).toMatchObject({ reason: 'confirmed' });
  expect(await run(last.variable('vouchers').take(1, { once: 'ann' }))).toMatchObject({ repeated: true });
  for (let key = 0; key < 120; key += 1) await run(one.variable('views').key(key).add(1));
  await run(one.variable('total').add(1));
  return plain;
}

describe.each([[['one']], [['one', 'two']]])('closed windows of %j', (names) => {
  test('leave nothing behind once they are past what is kept, and never open again', async () => {
    const stage = await open(`windows ${names.length}`, names);
    const { world, cluster, replicas, pass, leftOn } = stage;
    const [one] = replicas;
    if (one === undefined) throw new Error('no replica');
    const plain = await use(stage);
    const old = one.address('views', 1);
    await pass(2);
    expect(leftOn('one').rows.length).toBeGreaterThan(100); // kept
    // What the other was told of a receipt, and of a key.
    expect(leftOn(names.at(-1) ?? '').records.filter((name) => name.startsWith('seen/'))).toHaveLength(2 * (names.length - 1));
    await pass(4);
    for (const name of names) expect(leftOn(name)).toEqual({ rows: [], records: [] });
    const registers = [...((await cluster.loopback?.snapshot())?.registers.keys() ?? [])];
    expect(registers.filter((name) => /^(?:bank|once|settle)\//.test(name))).toEqual([]);
    const kept = (await cluster.loopback?.snapshot())?.rows ?? [];
    expect(kept.filter(({ address }) => !address.startsWith('total'))).toEqual([]);
    expect(await world.runUntil(one.variable('vouchers').give(plain.receipt ?? ''))).toMatchObject({
      ok: false,
      reason: 'unknown',
    });
    await world.runUntil(one.load([old]));
    const slot = one.peek(old);
    expect(() => slot && one.update(slot, { operation: 'add', amount: 1 } as never)).toThrow(/closed/);
    expect(await world.runUntil(one.variable('total').get())).toBe(1);
    expect(await world.runUntil(one.variable('vouchers').take(5))).toMatchObject({ ok: true });
    await pass(0);
    for (const name of names) expect(leftOn(name).rows).toHaveLength(1);
  });
});

test('rows of a window that was removed here are not taken in again, however late they come, and leave the backbone again', async () => {
  const stage = await open('late', ['one', 'two']);
  const [, two] = stage.replicas;
  stage.cluster.loopback?.cut('two', 'out');
  await stage.world.runUntil(two?.variable('views').key('late').add(1) ?? Promise.reject(new Error('no replica')));
  await stage.pass(6);
  stage.cluster.loopback?.heal();
  const kept = async () => (await stage.cluster.loopback?.snapshot())?.rows.map(({ address }) => address);
  for (let ms = 0; ms < 60_000 && (await kept())?.length === 0; ms += 10) await stage.world.run(10);
  expect(await kept()).toEqual([expect.stringContaining('late')]);
  await stage.world.run(500);
  expect(stage.leftOn('one').rows).toEqual([]);
  await stage.pass(0);
  expect(stage.leftOn('two').rows).toEqual([]);
  expect(await kept()).toEqual([]);
});

test('a clock that is days ahead removes nothing while the backbone says otherwise', async () => {
  const stage = await open('ahead', ['one', 'two']);
  await use(stage);
  const before = stage.leftOn('one').rows.length;
  stage.cluster.machine('one').host.skewMs += 72 * hourMs;
  await stage.world.run(10 * 60_000);
  expect(stage.leftOn('one').rows.length).toBe(before);
});

test('a replica whose clock is days behind cannot open a window again that is removed', async () => {
  const stage = await open('behind', ['one', 'two']);
  await use(stage);
  const [, two] = stage.replicas;
  await stage.pass(6);
  stage.cluster.machine('two').host.skewMs -= 6 * hourMs;
  await stage.world.run(120_000); // a contact tells it what time it is
  await expect(
    stage.world.runUntil(two?.variable('vouchers').take(1) ?? Promise.reject(new Error('no replica'))),
  ).rejects.toMatchObject({
    code: 'WINDOW_CLOSED',
  });
  const registers = [...((await stage.cluster.loopback?.snapshot())?.registers.keys() ?? [])];
  expect(registers.filter((name) => /^(?:bank|once|settle)\//.test(name))).toEqual([]);
});
