import { expect, test } from 'vitest';
import type { Bank, BankBug } from '../../../src/replica/bank/bank.ts';
import type { TakeOptions, TakeResult } from '../../../src/replica/replica.ts';
import type { Address } from '../../../src/strategy/address.ts';
import { type Cluster, createCluster, type Place } from './cluster.ts';

interface Scene {
  readonly cluster: Cluster;
  readonly address: Address;
  bank(index: number): Bank;
  /** Asks, lets the world go on until the answer is durable, and tells it. */
  take(index: number, amount: number, options?: TakeOptions): Promise<TakeResult>;
  /** The same, for several at the same instant. */
  takes(...asked: readonly (readonly [index: number, amount: number, options?: TakeOptions])[]): Promise<TakeResult[]>;
  run(ms: number): Promise<void>;
}

async function open(replicas: number, initial: number, bugs?: readonly BankBug[]): Promise<Scene> {
  const cluster = createCluster({ seed: 'rules', replicas, initial, ...(bugs === undefined ? {} : { bugs: new Set(bugs) }) });
  Object.assign(cluster.loopback.network, { rttMs: 4, lagMs: 4, timeoutMs: 100, retryMs: 50 });
  for (const place of cluster.places) cluster.start(place);
  await cluster.world.run(50);
  const running = (index: number) => cluster.places[index]?.running as NonNullable<Place['running']>;
  const address = cluster.addresses[0] as Address;
  const ask = async (index: number, amount: number, options?: TakeOptions) => {
    const { bank, ledger } = running(index);
    const result = await bank.take([{ address, amount }], options);
    await ledger.flush();
    return result;
  };
  return {
    cluster,
    address,
    bank: (index) => running(index).bank,
    take: (index, amount, options) => cluster.world.runUntil(ask(index, amount, options)),
    takes: (...asked) => cluster.world.runUntil(Promise.all(asked.map((each) => ask(...each)))),
    async run(ms) {
      await cluster.world.run(ms);
      expect(cluster.errors).toEqual([]);
    },
  };
}

const until = <T>(scene: Scene, promise: Promise<T>): Promise<T> => scene.cluster.world.runUntil(promise);

// ── Leasing. ──

test('what another replica holds and does not need is there within the time that a take waits', async () => {
  const scene = await open(2, 10);
  expect(await scene.take(1, 1)).toMatchObject({ ok: true });
  expect(scene.bank(1).rights(scene.address)).toBe(1);
  expect(await scene.take(0, 9)).toMatchObject({ ok: true, left: 0 });
});

test('without wants it would not be', async () => {
  const scene = await open(2, 10, ['no wants']);
  await scene.take(1, 1);
  expect(await scene.take(0, 9)).toMatchObject({ ok: false, reason: 'held-elsewhere' });
});

async function starve(bugs?: readonly BankBug[]): Promise<TakeResult[]> {
  const scene = await open(2, 4, bugs);
  const held = await scene.takes([0, 2], [1, 2]);
  await until(scene, scene.bank(0).give(held[0]?.receipt ?? ''));
  await until(scene, scene.bank(1).give(held[1]?.receipt ?? ''));
  await scene.run(100);
  expect([0, 1].map((index) => scene.bank(index).rights(scene.address))).toEqual([2, 2]);
  return scene.takes([0, 4], [1, 4]);
}

test('of two replicas that each hold what the other needs, the higher id yields', async () => {
  expect(await starve()).toMatchObject([{ ok: true }, { ok: false, reason: 'exhausted' }]);
});

test('if nobody yielded, both would wait in vain', async () => {
  expect(await starve(['nobody yields'])).toMatchObject([{ ok: false }, { ok: false }]);
});

test('a take from a large stock does not wait, because rights are topped up before they run out', async () => {
  const scene = await open(2, 10_000);
  await scene.take(0, 1);
  for (let i = 0; i < 60; i += 1) {
    for (let j = 0; j < 100; j += 1) {
      const result = scene.bank(0).take([{ address: scene.address, amount: 1 }]);
      expect(result).not.toBeInstanceOf(Promise);
      expect(result).toMatchObject({ ok: true });
    }
    await scene.run(50);
  }
});

test('replicas that begin at the same time lease of a large stock, and want nothing of each other', async () => {
  const scene = await open(3, 10_000);
  const results = await scene.takes([0, 1], [1, 1], [2, 1]);
  expect(results.map(({ ok }) => ok)).toEqual([true, true, true]);
  await scene.run(100);
  const rows = scene.cluster.places.map(({ id, running }) => running?.ledger.peek(scene.address)?.rows.get(id)?.row);
  expect(rows.map((row) => [row?.wants, row?.returned])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
});

test('rights that nobody used for five seconds go back, and all of them at a clean stop', async () => {
  const scene = await open(2, 100);
  await scene.take(0, 1);
  expect(scene.bank(0).rights(scene.address)).toBeGreaterThan(0);
  await scene.run(6_000);
  expect(scene.bank(0).rights(scene.address)).toBe(0);
  await scene.take(0, 1);
  expect(scene.bank(0).rights(scene.address)).toBeGreaterThan(0);
  await until(scene, scene.bank(0).stop());
  expect(scene.bank(0).rights(scene.address)).toBe(0);
  expect(await scene.take(1, 98)).toMatchObject({ ok: true });
});

test('sold out is answered at once and without asking the bank, also where nothing was ever sold', async () => {
  const scene = await open(2, 3);
  await scene.take(0, 3);
  await scene.run(200);
  const { events } = scene.cluster.world;
  for (const index of [0, 1]) {
    await scene.cluster.places[index]?.running?.ledger.account(scene.address);
    expect(scene.bank(index).take([{ address: scene.address, amount: 1 }])).toMatchObject({
      ok: false,
      reason: 'exhausted',
      left: 0,
    });
  }
  expect(scene.cluster.world.events).toBe(events);
  await until(scene, scene.bank(1).mint(scene.address, 2));
  await scene.run(200);
  expect(await scene.take(0, 2)).toMatchObject({ ok: true });
});

test('a bank out of reach is waited for as long as the take says, and then the next takes are told at once', async () => {
  const scene = await open(2, 5);
  await scene.take(0, 1);
  await scene.run(100);
  scene.cluster.loopback.cut('r1.1');
  const before = scene.cluster.world.elapsedMs;
  expect(await scene.take(1, 1, { timeoutMs: 700 })).toMatchObject({ ok: false, reason: 'unreachable' });
  expect(scene.cluster.world.elapsedMs - before).toBeLessThan(1_000);
  expect(scene.bank(1).take([{ address: scene.address, amount: 1 }])).toMatchObject({ ok: false, reason: 'unreachable' });
  scene.cluster.loopback.heal('r1.1');
  await scene.run(1_500);
  expect(await scene.take(1, 1)).toMatchObject({ ok: true });
});

test('a list is taken whole or not at all, and the refusal names what is lacking', async () => {
  const scene = await open(2, 2);
  const other = scene.cluster.addresses[1] as Address;
  const ledger = scene.cluster.places[0]?.running?.ledger;
  const list = async (amount: number) => {
    const result = await scene.bank(0).take([
      { address: scene.address, amount: 2 },
      { address: other, amount },
    ]);
    await ledger?.flush();
    return result;
  };
  expect(await until(scene, list(3))).toMatchObject({ ok: false, reason: 'exhausted', failed: { take: 'stock1', key: null } });
  const taken = await until(scene, list(1));
  expect(taken).toMatchObject({ ok: true, left: 0 });
  await scene.run(200);
  expect(await scene.take(1, 1)).toMatchObject({ ok: false, reason: 'exhausted' });
  expect(await until(scene, scene.bank(1).give(taken.receipt ?? ''))).toMatchObject({ ok: true });
  await scene.run(1_000);
  expect(await scene.take(1, 2)).toMatchObject({ ok: true });
});

test('burning takes what is free or can be recalled, and nothing when that is not enough', async () => {
  const scene = await open(2, 5);
  await scene.take(1, 2);
  await expect(until(scene, scene.bank(0).burn(scene.address, 4))).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
  await until(scene, scene.bank(0).burn(scene.address, 2));
  await scene.run(200);
  expect(await scene.take(0, 2, { timeoutMs: 300 })).toMatchObject({ ok: false, reason: 'exhausted', left: 1 });
  expect(await scene.take(0, 1)).toMatchObject({ ok: true, left: 0 });
});

test('amounts that are no positive integers, and once or strong in lists, are refused', async () => {
  const scene = await open(1, 5);
  const entry = { address: scene.address, amount: 1 };
  for (const amount of [0, -1, 0.5, Number.NaN, 2 ** 53]) {
    expect(() => scene.bank(0).take([{ address: scene.address, amount }])).toThrow(/positive integer/);
  }
  expect(() => scene.bank(0).take([entry, entry], { once: 'x' })).toThrow(/list/);
  expect(() => scene.bank(0).take([entry, entry], { strong: true })).toThrow(/list/);
  await expect(scene.bank(0).mint(scene.address, 0)).rejects.toMatchObject({ code: 'INVALID_NUMBER' });
});

// ── Settling. ──

test('a hold goes back when its time is over, and a confirmation that comes later says so', async () => {
  const scene = await open(2, 1);
  const { receipt, expires } = await scene.take(0, 1, { holdMs: 400 });
  expect(expires).toBeGreaterThan(scene.cluster.world.nowMs + 300);
  expect(expires).toBeLessThanOrEqual(scene.cluster.world.nowMs + 400);
  expect(await scene.take(1, 1, { timeoutMs: 50 })).toMatchObject({ ok: false });
  await scene.run(1_000);
  expect(await until(scene, scene.bank(1).confirm(receipt ?? ''))).toEqual({ ok: false, reason: 'expired', repeated: false });
  expect(await scene.take(1, 1)).toMatchObject({ ok: true });
});

test('a hold that was confirmed anywhere stays taken', async () => {
  const scene = await open(2, 1);
  const { receipt } = await scene.take(0, 1, { holdMs: 400 });
  expect(await until(scene, scene.bank(1).confirm(receipt ?? ''))).toEqual({ ok: true, reason: null, repeated: false });
  await scene.run(2_000);
  expect(await until(scene, scene.bank(0).give(receipt ?? ''))).toEqual({ ok: false, reason: 'confirmed', repeated: false });
  expect(await scene.take(1, 1)).toMatchObject({ ok: false, reason: 'exhausted' });
});

test('what is given back elsewhere reaches its issuer through one register, and can be sold again', async () => {
  const scene = await open(3, 1);
  const { receipt } = await scene.take(0, 1);
  expect(await until(scene, scene.bank(1).give(receipt ?? ''))).toEqual({ ok: true, reason: null, repeated: false });
  expect(await until(scene, scene.bank(2).give(receipt ?? ''))).toEqual({ ok: true, reason: null, repeated: true });
  await scene.run(1_000);
  expect(await scene.take(2, 1)).toMatchObject({ ok: true });
});

test('what was given back elsewhere is durable at its issuer before the notice of it goes', async () => {
  const scene = await open(2, 1);
  const { receipt } = await scene.take(0, 1);
  const place = scene.cluster.places[0] as Place;
  place.disk.faults.syncMs = 1_000;
  await until(scene, scene.bank(1).give(receipt ?? ''));
  // One commit is always on its way, so that what was applied follows it and is lost with the process.
  for (let busy = 0; scene.bank(0).rights(scene.address) === 0; busy += 1) {
    expect(busy).toBeLessThan(2_000);
    place.running?.ledger.putRecord('busy', String(busy));
    await scene.run(10);
  }
  await scene.run(50);
  scene.cluster.kill(place);
  place.disk.faults.syncMs = 0;
  scene.cluster.start(place);
  await scene.run(2_000);
  expect(await scene.take(0, 1)).toMatchObject({ ok: true });
});

test('while the register is out of reach nothing is settled, and expiry waits', async () => {
  const scene = await open(2, 1);
  const { receipt } = await scene.take(0, 1, { holdMs: 300 });
  scene.cluster.loopback.cut('r0.1');
  await scene.run(3_000);
  expect(await until(scene, scene.bank(0).give(receipt ?? ''))).toEqual({ ok: false, reason: 'unreachable', repeated: false });
  expect(await until(scene, scene.bank(1).confirm(receipt ?? ''))).toMatchObject({ ok: true });
  scene.cluster.loopback.heal();
  await scene.run(2_000);
  expect(await until(scene, scene.bank(0).give(receipt ?? ''))).toEqual({ ok: false, reason: 'confirmed', repeated: false });
  expect(await scene.take(1, 1)).toMatchObject({ ok: false, reason: 'exhausted' });
});

test('a receipt that nobody issued changes nothing', async () => {
  const scene = await open(2, 1);
  const { receipt } = await scene.take(0, 1);
  const [id, payload, mac] = (receipt ?? '').split('.');
  const more = Buffer.from(JSON.stringify(['r0.1', scene.address.id, 9])).toString('base64url');
  for (const forged of ['', 'x', `${id}.${more}.${mac}`, `${'0'.repeat(32)}.${payload}.${mac}`, `${receipt}0`, `${receipt} `]) {
    expect(await until(scene, scene.bank(1).give(forged))).toEqual({ ok: false, reason: 'unknown', repeated: false });
  }
  await scene.run(1_000);
  expect(await scene.take(1, 1)).toMatchObject({ ok: false, reason: 'exhausted' });
});

// ── once and strong. ──

test('one key wins once, wherever it is asked, and is free again after it was given back', async () => {
  const scene = await open(3, 10);
  const results = await scene.takes([0, 1, { once: 'ann' }], [1, 1, { once: 'ann' }], [2, 1, { once: 'ann' }]);
  expect(results.map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(new Set(results.map(({ receipt }) => receipt)).size).toBe(1);
  expect(results.filter(({ repeated }) => !repeated)).toHaveLength(1);
  const receipt = results[0]?.receipt ?? '';
  await scene.run(6_500);
  expect(await scene.take(1, 9)).toMatchObject({ ok: true, left: 0 });
  expect(await until(scene, scene.bank(2).give(receipt))).toMatchObject({ ok: true });
  await scene.run(1_000);
  const again = await scene.take(1, 1, { once: 'ann' });
  expect(again).toMatchObject({ ok: true, repeated: false });
  expect(await until(scene, scene.bank(0).confirm(again.receipt ?? ''))).toMatchObject({ ok: true });
  expect(await scene.take(2, 1, { once: 'ann' })).toMatchObject({
    ok: true,
    repeated: true,
    confirmed: true,
    receipt: again.receipt,
  });
});

test('a key is unreachable while its register is', async () => {
  const scene = await open(2, 10);
  await scene.take(0, 1);
  scene.cluster.loopback.cut('r0.1');
  expect(await scene.take(0, 1, { once: 'ann' })).toMatchObject({ ok: false, reason: 'unreachable' });
});

async function cloned(bugs?: readonly BankBug[]): Promise<number> {
  const scene = await open(1, 1, bugs);
  const original = scene.cluster.places[0] as Place;
  const clone: Place = { id: original.id, disk: original.disk.clone('clone'), process: original.process, running: null };
  const alive = original.process;
  scene.cluster.start({ ...clone, process: { ...alive, kill() {} } } as Place);
  const second: Place = { ...clone, process: { ...alive, kill() {} } };
  scene.cluster.start(second);
  await scene.cluster.world.run(50);
  const takes = [original, second].map(async ({ running }) => {
    const result = await running?.bank.take([{ address: scene.address, amount: 1 }], { strong: true, timeoutMs: 300 });
    return result?.ok === true;
  });
  const won = await scene.cluster.world.runUntil(Promise.all(takes));
  return won.filter((ok) => ok).length;
}

test('of two replicas with one identity only one gets the last unit by strong', async () => {
  expect(await cloned()).toBe(1);
});

test('if they looked at the count alone, both would', async () => {
  expect(await cloned(['strong by count'])).toBe(2);
});

// ── Old incarnations, and a bank that lost something. ──

test('a proven old incarnation’s rights go back, and its holds are settled in its own row', async () => {
  const scene = await open(2, 4);
  const { receipt } = await scene.take(0, 1, { holdMs: 60_000 });
  expect(scene.bank(0).rights(scene.address)).toBeGreaterThanOrEqual(0);
  const place = scene.cluster.places[0] as Place;
  place.process.kill();
  const next: Place = { id: 'r0.2', disk: place.disk, process: place.process, running: null };
  scene.cluster.start(next);
  await scene.cluster.world.run(100);
  await scene.cluster.world.runUntil((next.running as NonNullable<Place['running']>).bank.resume('r0.1'));
  expect(await scene.take(1, 3)).toMatchObject({ ok: true });
  expect(await until(scene, scene.bank(1).give(receipt ?? ''))).toMatchObject({ ok: true });
  await scene.cluster.world.run(1_500);
  expect(await scene.take(1, 1)).toMatchObject({ ok: true });
});

test('a bank that went back in time leases nothing until everybody has written again what they hold', async () => {
  // The third never took anything, but only it knows that.
  const scene = await open(3, 10);
  await scene.take(0, 1);
  const old = await scene.cluster.world.runUntil(scene.cluster.loopback.snapshot());
  await scene.take(1, 5);
  await scene.run(200);
  const forgotten = scene.cluster.places[1] as Place;
  forgotten.process.kill();
  await scene.cluster.world.runUntil(scene.cluster.loopback.restore(old, { noticed: false }));
  await scene.cluster.world.run(100);
  expect(await scene.take(0, 4, { timeoutMs: 500 })).toMatchObject({ ok: false, reason: 'recovering' });
  scene.cluster.start(forgotten);
  await scene.cluster.world.run(2_000);
  const results = [await scene.take(0, 4, { timeoutMs: 500 }), await scene.take(1, 4, { timeoutMs: 500 })];
  expect(results).toMatchObject([{ ok: true }, { ok: false, reason: 'exhausted' }]);
});

test('takes that wait are refused when the replica is closed', async () => {
  const scene = await open(2, 1);
  scene.cluster.loopback.cut('r1.1');
  const waiting = scene.bank(1).take([{ address: scene.address, amount: 1 }]);
  await scene.cluster.world.run(20);
  scene.bank(1).close();
  await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
});

test('while the replica is frozen nothing is granted, and the reason says why', async () => {
  const scene = await open(1, 5);
  await scene.take(0, 1);
  const ledger = scene.cluster.places[0]?.running?.ledger as { frozen: string | null };
  ledger.frozen = 'frozen';
  expect(scene.bank(0).take([{ address: scene.address, amount: 1 }])).toMatchObject({ ok: false, reason: 'recovering' });
  expect(await scene.take(0, 1, { once: 'ann' })).toMatchObject({ ok: false, reason: 'recovering' });
  ledger.frozen = 'unreachable';
  expect(scene.bank(0).take([{ address: scene.address, amount: 1 }])).toMatchObject({ ok: false, reason: 'unreachable' });
});

test('after a restore that shows, even what no row proves lost is written again before anybody leases', async () => {
  const scene = await open(2, 10);
  await scene.take(0, 1);
  await scene.run(500);
  const old = await until(scene, scene.cluster.loopback.snapshot());
  const [, place] = scene.cluster.places as [Place, Place];
  await scene.take(1, 5);
  // What the second replica took is known to nobody else.
  place.process.kill();
  await until(scene, scene.cluster.loopback.restore(old, { noticed: true }));
  await scene.cluster.world.run(2_000);
  expect(await scene.take(0, 9, { timeoutMs: 500 })).toMatchObject({ ok: false, reason: 'recovering' });
  scene.cluster.start(place);
  await scene.cluster.world.run(2_000);
  expect(await scene.take(0, 4, { timeoutMs: 500 })).toMatchObject({ ok: true, left: 0 });
});
