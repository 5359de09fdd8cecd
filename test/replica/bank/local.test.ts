import { expect, test } from 'vitest';
import { createBank } from '../../../src/replica/bank/bank.ts';
import { createSimulatedHost } from '../../../src/simulate/host.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { addressOf } from '../../../src/strategy/address.ts';
import type { Variable } from '../../../src/strategy/variable.ts';
import { createTestLedger } from './ledger.ts';

const drain = () => new Promise<void>((resolve) => setImmediate(resolve));

async function open(initial: number, me = 'here.1', store = memoryStore()) {
  const world = createSimulatedHost({ seed: 'local', drain });
  const variable: Variable = { name: 'vouchers', strategy: 'bounded-counter', keyed: false, initial, durability: 'durable' };
  const ledger = createTestLedger({
    me,
    host: world.host('here'),
    store,
    registers: null,
    variable: () => variable,
    commit: me === 'here.1' ? 0 : 1_000,
  });
  const bank = createBank(ledger);
  const address = addressOf(variable);
  await world.runUntil(bank.start());
  await ledger.account(address);
  return { world, bank, ledger, address, store };
}

test('without a backbone a take decides at once, and the eleventh of ten is refused at once', async () => {
  const { bank, address, world } = await open(10);
  await world.runUntil(Promise.resolve(bank.take([{ address, amount: 1 }])));
  for (let i = 1; i < 10; i += 1) {
    expect(bank.take([{ address, amount: 1 }])).toMatchObject({ ok: true, left: 9 - i, repeated: false });
  }
  expect(bank.take([{ address, amount: 1 }])).toMatchObject({ ok: false, reason: 'exhausted', left: 0, receipt: null });
});

test('the same key of once gets the same receipt again, at once, and a new receipt after it was given back', async () => {
  const { bank, address, world } = await open(10);
  const take = (once: string) => bank.take([{ address, amount: 1 }], { once });
  const first = await world.runUntil(Promise.resolve(take('ann')));
  expect(first).toMatchObject({ ok: true, repeated: false });
  expect(take('ann')).toMatchObject({ ok: true, repeated: true, receipt: first.receipt, left: 9 });
  expect(take('bob')).toMatchObject({ ok: true, repeated: false, left: 8 });
  expect(await world.runUntil(bank.give(first.receipt ?? ''))).toEqual({ ok: true, reason: null, repeated: false });
  expect(await world.runUntil(bank.give(first.receipt ?? ''))).toEqual({ ok: true, reason: null, repeated: true });
  expect(await world.runUntil(bank.confirm(first.receipt ?? ''))).toEqual({ ok: false, reason: 'given', repeated: false });
  const again = take('ann') as { receipt: string };
  expect(again).toMatchObject({ ok: true, repeated: false, left: 8 });
  expect(again.receipt).not.toBe(first.receipt);
  expect(await world.runUntil(bank.confirm(again.receipt))).toMatchObject({ ok: true });
  expect(take('ann')).toMatchObject({ ok: true, repeated: true, confirmed: true });
});

test('takes with once are all decided synchronously, also when most are refused', async () => {
  const { bank, address, world } = await open(100);
  await world.runUntil(Promise.resolve(bank.take([{ address, amount: 1 }], { once: 'first' })));
  const results = Array.from({ length: 1_000 }, (_, i) => bank.take([{ address, amount: 1 }], { once: `user-${i}` }));
  expect(results.some((result) => result instanceof Promise)).toBe(false);
  expect(results.filter((result) => !(result instanceof Promise) && result.ok)).toHaveLength(99);
});

test('a proven old incarnation’s rights are sold by the next one, and its holds still run out', async () => {
  const first = await open(3);
  const held = await first.world.runUntil(
    Promise.resolve(first.bank.take([{ address: first.address, amount: 2 }], { holdMs: 500 })),
  );
  await first.world.runUntil(first.ledger.flush());
  first.bank.close();
  const { bank, address, world } = await open(3, 'here.2', first.store);
  await world.runUntil(Promise.resolve(bank.take([{ address, amount: 1 }])));
  expect(bank.take([{ address, amount: 1 }])).toMatchObject({ ok: false, reason: 'held-elsewhere' });
  await world.runUntil(bank.resume('here.1'));
  expect(bank.take([{ address, amount: 1 }])).toMatchObject({ ok: true, left: 0 });
  await world.run(1_000);
  expect(await world.runUntil(bank.give(held.receipt ?? ''))).toEqual({ ok: false, reason: 'expired', repeated: false });
  expect(await world.runUntil(Promise.resolve(bank.take([{ address, amount: 2 }])))).toMatchObject({ ok: true, left: 0 });
});

test('a hold without a backbone ends by itself, in time', async () => {
  const { bank, address, world } = await open(1);
  const held = await world.runUntil(Promise.resolve(bank.take([{ address, amount: 1 }], { holdMs: 500 })));
  await world.run(400);
  expect(bank.take([{ address, amount: 1 }])).toMatchObject({ ok: false, reason: 'exhausted' });
  await world.run(200);
  expect(bank.take([{ address, amount: 1 }])).toMatchObject({ ok: true });
  expect(await world.runUntil(bank.confirm(held.receipt ?? ''))).toMatchObject({ ok: false, reason: 'expired' });
});
