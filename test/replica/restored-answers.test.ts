/** What one replica read in a register of the backbone and told somebody holds, also when the backbone then loses it. */
import { expect, test } from 'vitest';
import type { Backbone } from '../../src/backbone/index.ts';
import type { LoopbackSnapshot } from '../../src/backbone/keeper.ts';
import { CffbrwError } from '../../src/error.ts';
import { type Replica, retire, type TakeOptions } from '../../src/replica/index.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const variables = { stock: { strategy: 'bounded-counter', initial: 3 } } as const;
const names = ['one', 'two', 'three'];

/** What a replica writes into registers with this prefix does not arrive, or arrives and is not answered. */
type Fault = 'not sent' | 'not answered' | 'disk full';

const unreachable = () => new CffbrwError('UNREACHABLE', 'the test says so');

async function meeting(seed: string) {
  const world = createWorld(seed);
  const faults = new Map<string, { readonly prefix: string; readonly fault: Fault }>();
  const path = (name: string, backbone: Backbone): Backbone => ({
    ...backbone,
    publish: (rows) => (faults.has(name) ? Promise.reject(unreachable()) : backbone.publish(rows)),
    registers: {
      get: (register) => backbone.registers.get(register),
      async compareAndSet(register, value, revision) {
        const found = faults.get(name);
        const hit = found !== undefined && register.startsWith(found.prefix);
        if (!hit || found.fault !== 'not sent') {
          const outcome = await backbone.registers.compareAndSet(register, value, revision);
          if (hit && found.fault === 'disk full') cluster.machine(name).disk.faults.full = true;
          if (!hit || found.fault === 'disk full') return outcome;
        }
        throw unreachable();
      },
    },
  });
  const cluster = createCluster({ world, variables, path, loopback: { rttMs: 2 } });
  const { loopback } = cluster;
  if (loopback === null) throw new Error('no backbone');
  const start = (name: string, adopt = false) => world.runUntil(cluster.start(name, { contactMs: 200, adopt }));
  const replica = (name: string): Replica => {
    const found = cluster.machine(name).replica;
    if (found === null) throw new Error(`${name} does not run`);
    return found;
  };
  for (const name of names) await start(name);
  await world.run(2_000);
  return {
    start,
    /** Its disk is full once something was written into a register with this prefix. */
    fillsUp: (name: string, prefix: string) => void faults.set(name, { prefix, fault: 'disk full' }),
    hasRoom(name: string) {
      faults.delete(name);
      cluster.machine(name).disk.faults.full = false;
    },
    take: (name: string, options: TakeOptions = {}, units = 1) =>
      world.runUntil(replica(name).variable('stock').take(units, options)),
    settle: (name: string, asked: 'give' | 'confirm', receipt: string | null) =>
      world.runUntil(
        replica(name)
          .variable('stock')
          [asked](receipt ?? ''),
      ),
    keep: () => world.runUntil(loopback.snapshot()),
    /** It asks, what it writes there meets the fault, and its machine dies. */
    async dies(name: string, prefix: string, fault: Fault, ask: (replica: Replica) => Promise<unknown>) {
      faults.set(name, { prefix, fault });
      void ask(replica(name)).catch(() => {});
      await world.run(40);
      cluster.kill(name);
      faults.delete(name);
    },
    /** Its machine is gone, and an operator says so. */
    async retired(who: string, by: string) {
      const { registers } = loopback.connect('operator');
      const store = cluster.machine(by).disk.open();
      await world.runUntil(retire({ registers, store, who, by: replica(by).id, why: 'it burned down', now: world.nowMs }));
      await world.run(10_000);
    },
    /** The backbone is set back, and everybody adopts it, in this order. */
    async restore(kept: LoopbackSnapshot, order: readonly string[]) {
      for (const name of names) cluster.kill(name);
      await world.runUntil(loopback.restore(kept));
      for (const name of order) await start(name, true);
      await world.run(10_000);
    },
  };
}

const orders = [names, ['two', 'three', 'one'], ['three', 'one', 'two']];

test.for(orders)('what a receipt was called stays what it is, whoever adopts first: %s', async (order) => {
  const { take, settle, dies, keep, restore } = await meeting(`called ${order}`);
  const { receipt } = await take('one');
  const kept = await keep();
  await dies('one', 'settle/', 'not sent', (replica) => replica.variable('stock').give(receipt ?? ''));
  await dies('two', 'settle/', 'not answered', (replica) => replica.variable('stock').confirm(receipt ?? ''));
  expect(await settle('three', 'give', receipt)).toMatchObject({ ok: false, reason: 'confirmed' });
  await restore(kept, order);
  expect(await settle('three', 'give', receipt)).toMatchObject({ ok: false, reason: 'confirmed' });
  for (const name of ['one', 'two']) expect(await take(name)).toMatchObject({ ok: true });
  expect(await take('three')).toMatchObject({ ok: false, reason: 'exhausted' });
});

test.for(['one', 'two'])('what is decided and can not be kept is not told: asked at %s', async (name) => {
  const { take, settle, keep, dies, restore, fillsUp, hasRoom } = await meeting(`full ${name}`);
  const { receipt } = await take('one');
  const kept = await keep();
  await dies('three', 'settle/', 'not sent', (replica) => replica.variable('stock').give(receipt ?? ''));
  fillsUp(name, 'settle/');
  await expect(settle(name, 'confirm', receipt)).rejects.toMatchObject({ code: 'STORE_FAILED' });
  hasRoom(name);
  await restore(kept, ['three', 'one', 'two']);
  const told = await settle(name, 'confirm', receipt);
  expect(await settle('three', 'give', receipt)).toMatchObject(told.ok ? { reason: 'confirmed' } : { repeated: true });
});

test.for(orders)('a key that was given again has one grant, whoever adopts first: %s', async (order) => {
  const { take, settle, dies, keep, restore } = await meeting(`given ${order}`);
  const first = await take('one', { once: 'ann' });
  const kept = await keep();
  await dies('one', 'settle/', 'not sent', (replica) => replica.variable('stock').confirm(first.receipt ?? ''));
  await dies('two', 'settle/', 'not answered', (replica) => replica.variable('stock').give(first.receipt ?? ''));
  const second = await take('three', { once: 'ann' });
  expect(second).toMatchObject({ ok: true, repeated: false });
  await restore(kept, order);
  expect(await take('one', { once: 'ann' })).toMatchObject({ ok: true, repeated: true, receipt: second.receipt });
  expect(await settle('three', 'confirm', first.receipt)).toMatchObject({ ok: false, reason: 'given' });
});

test.for(orders)('the grant of a key that somebody was told is the one that stays, whoever adopts first: %s', async (order) => {
  const { take, dies, keep, restore } = await meeting(`named ${order}`);
  const claim = (replica: Replica) => replica.variable('stock').take(1, { once: 'ann' });
  await take('three');
  const kept = await keep();
  await dies('two', 'once/', 'not sent', claim);
  await dies('one', 'once/', 'not answered', claim);
  const told = await take('three', { once: 'ann' });
  expect(told).toMatchObject({ ok: true, repeated: true });
  await restore(kept, order);
  for (const name of names)
    expect(await take(name, { once: 'ann' })).toMatchObject({ ok: true, repeated: true, receipt: told.receipt });
});

test('what a bank began with is known to who took straight from it, also when who made it is gone', async () => {
  const { take, dies, keep, restore, retired } = await meeting('strong');
  const kept = await keep();
  await dies('one', 'bank/', 'not answered', (replica) => replica.variable('stock').take(1));
  expect(await take('two', { strong: true }, 2)).toMatchObject({ ok: true });
  await restore(kept, ['two', 'three']);
  await retired('one', 'three');
  for (const name of ['three', 'two', 'three', 'two']) expect(await take(name, {}, 3)).toMatchObject({ ok: false });
  expect(await take('three')).toMatchObject({ ok: true, left: 0 });
});
