/** A server that says nothing for a minute, as behind a firewall that swallows: nobody who takes, gives or mints waits that long. */
import { expect, test } from 'vitest';
import type { Bank } from '../../../src/replica/bank/bank.ts';
import type { TakeOptions, TakeResult } from '../../../src/replica/replica.ts';
import type { Address } from '../../../src/strategy/address.ts';
import { createCluster, type Place } from './cluster.ts';

const silenceMs = 60_000;

async function open(initial: number) {
  const cluster = createCluster({ seed: 'silence', replicas: 2, initial });
  Object.assign(cluster.loopback.network, { rttMs: 4, lagMs: 4, timeoutMs: silenceMs, retryMs: 50 });
  for (const place of cluster.places) cluster.start(place);
  await cluster.world.run(50);
  const running = (index: number) => cluster.places[index]?.running as NonNullable<Place['running']>;
  const address = cluster.addresses[0] as Address;
  const timed = async <T>(work: () => T | Promise<T>): Promise<{ result: T; tookMs: number }> => {
    const beganMs = cluster.world.elapsedMs;
    const result = await cluster.world.runUntil(Promise.resolve(work()));
    // The virtual clock adds fractions up.
    return { result, tookMs: Number((cluster.world.elapsedMs - beganMs).toFixed(3)) };
  };
  const bank = (index: number): Bank => running(index).bank;
  const take = (index: number, options?: TakeOptions) =>
    timed<TakeResult>(async () => {
      const result = await bank(index).take([{ address, amount: 1 }], options);
      await running(index).ledger.flush();
      return result;
    });
  const taken = () => {
    const rows = [...(running(0).ledger.peek(address)?.rows.values() ?? [])];
    return rows.reduce((sum, { row }) => sum + row.taken - row.given, 0);
  };
  return { cluster, address, bank, take, timed, taken };
}

const unreachable = { ok: false, reason: 'unreachable' };

test('a take that finds no rights here says unreachable when its time is over, not that others hold them', async () => {
  const { cluster, take } = await open(5);
  await take(0);
  cluster.loopback.cut('r1.1');
  const { result, tookMs } = await take(1);
  expect(result).toMatchObject(unreachable);
  expect(tookMs).toBeLessThanOrEqual(2_001);
  // Who comes next is told at once.
  expect((await take(1)).tookMs).toBe(0);
});

test('once and strong say unreachable when their time is over, also for who waits behind another with the same key', async () => {
  const { cluster, take } = await open(5);
  await take(1);
  cluster.loopback.cut('r1.1');
  for (const options of [{ once: 'ann' }, { strong: true }, { once: 'bob', strong: true }]) {
    const both = await Promise.all([take(1, options), take(1, options)]);
    for (const { result, tookMs } of both) {
      expect(result).toMatchObject(unreachable);
      expect(tookMs).toBeLessThanOrEqual(2_001);
    }
  }
  // Where nobody wants to wait, a round trip may still take its time.
  const { result, tookMs } = await take(1, { once: 'cid', timeoutMs: 0 });
  expect([result.reason, tookMs]).toEqual(['unreachable', 500]);
});

test('a key whose claim the silence cut in two is claimed once, by whoever asks next', async () => {
  const told = new Set<string>();
  for (let cutAfterMs = 1; cutAfterMs <= 16; cutAfterMs += 1) {
    const { cluster, take, taken } = await open(5);
    await take(1);
    const claimed = take(1, { once: 'ann' });
    await cluster.world.run(cutAfterMs);
    cluster.loopback.cut('r1.1');
    const { result, tookMs } = await claimed;
    expect(tookMs).toBeLessThanOrEqual(2_501);
    cluster.loopback.heal('r1.1');
    await cluster.world.run(silenceMs + 5_000);
    const again = (await take(1, { once: 'ann' })).result;
    expect(again).toMatchObject({ ok: true, ...(result.ok && { repeated: true, receipt: result.receipt }) });
    expect((await take(0, { once: 'ann' })).result).toMatchObject({ ok: true, repeated: true, receipt: again.receipt });
    await cluster.world.run(1_000);
    expect(taken()).toBe(2);
    told.add(result.ok ? 'answered' : again.repeated ? 'claimed, and not told' : 'not claimed');
  }
  expect([...told].sort()).toEqual(['answered', 'claimed, and not told', 'not claimed']);
});

test('giving back, confirming and minting are over after two seconds, and can be asked for again', async () => {
  const { cluster, address, bank, take, timed, taken } = await open(5);
  const { result: first } = await take(0, { holdMs: 600_000 });
  const { result: second } = await take(1);
  cluster.loopback.cut('r1.1');
  const settled = await timed(() => Promise.all([bank(1).give(second.receipt ?? ''), bank(1).confirm(first.receipt ?? '')]));
  expect(settled).toMatchObject({ result: [unreachable, unreachable], tookMs: 2_000 });
  expect((await timed(() => bank(1).mint(address, 3))).tookMs).toBeLessThanOrEqual(2_002); // and a sync of the disk
  cluster.loopback.heal('r1.1');
  await cluster.world.run(silenceMs + 5_000);
  expect((await timed(() => bank(1).give(second.receipt ?? ''))).result).toMatchObject({ ok: true });
  await cluster.world.run(1_000);
  expect(taken()).toBe(1);
  expect(cluster.errors).toEqual([]);
});

test('as soon as the server speaks again, takes are granted', async () => {
  const { cluster, take } = await open(5);
  Object.assign(cluster.loopback.network, { timeoutMs: 3_000 });
  await take(0);
  cluster.loopback.cut('r1.1');
  expect((await take(1)).result).toMatchObject(unreachable);
  cluster.loopback.heal('r1.1');
  await cluster.world.run(1_600); // the question that nobody heard is given up, and the next one is answered
  const { result, tookMs } = await take(1);
  expect(result).toMatchObject({ ok: true });
  expect(tookMs).toBeLessThan(500);
});
