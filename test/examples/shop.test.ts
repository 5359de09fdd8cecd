import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { runs } from '../simulate/world.ts';
import {
  type Answer,
  type Ask,
  lagMs,
  load,
  openApp,
  openStage,
  replaced,
  type Stage,
  type StageOptions,
  storm,
} from './stage.ts';

const secrets = { ADMIN_TOKEN: 'admin', PAYMENT_SECRET: 'pay' };
const admin = { authorization: 'Bearer admin' };
const holdMs = 600_000;

const put = (cart: string, sku: string, count: number): Ask => ({
  method: 'PUT',
  path: `/carts/${cart}/${sku}`,
  body: { count },
});
const checkout = (cart: string): Ask => ({ method: 'POST', path: `/carts/${cart}/checkout` });

function payment({ order, receipt }: { order: string; receipt: string }, paid: boolean, secret = secrets.PAYMENT_SECRET): Ask {
  const text = JSON.stringify({ order, receipt, paid });
  return {
    method: 'POST',
    path: '/payments',
    text,
    headers: { 'x-signature': createHmac('sha256', secret).update(text).digest('hex') },
  };
}

async function openShop(units: Readonly<Record<string, number>>, options: Omit<StageOptions, 'app' | 'secrets'>): Promise<Stage> {
  const stage = await openStage({ app: 'shop', secrets, ...options });
  for (const [sku, count] of Object.entries(units)) {
    await stage.now({ method: 'PUT', path: `/products/${sku}`, headers: admin, body: { name: sku, cents: 250 } }, 'r1');
    await stage.now({ method: 'POST', path: `/products/${sku}/units`, headers: admin, body: { units: count } }, 'r1');
  }
  await stage.world.run(lagMs * 3);
  return stage;
}

const leftAt = async (stage: Stage, location: string): Promise<Record<string, number>> => {
  const { body } = await stage.now({ path: '/products' }, location);
  return Object.fromEntries(body.map(({ sku, left }: { sku: string; left: number }) => [sku, left]));
};

describe('the shop', () => {
  test('loads', async () => {
    expect((await openApp('shop')).workflows.size).toBe(9);
  });

  test('holds a whole cart at the checkout, and a payment makes it a sale', async () => {
    const stage = await openShop({ cap: 3, mug: 2 }, { seed: 'sale', replicas: 1 });
    await stage.now(put('c1', 'cap', 2));
    expect((await stage.now(put('c1', 'mug', 1))).body).toEqual({ cap: 2, mug: 1 });
    const { status, body } = await stage.now(checkout('c1'));
    expect([status, body.cents]).toEqual([201, 750]);
    expect(await leftAt(stage, 'r1')).toEqual({ cap: 1, mug: 1 });
    expect((await stage.now({ path: '/carts/c1' })).body).toEqual({});
    expect((await stage.now({ path: `/orders/${body.order}` })).body.status).toBe('held');
    for (const repeat of [1, 2, 3])
      expect((await stage.now(payment(body, true))).body, String(repeat)).toEqual({ accepted: true, reason: null });
    expect((await stage.now({ path: `/orders/${body.order}` })).body).toEqual({
      status: 'paid',
      lines: [
        { sku: 'cap', count: 2, cents: 500 },
        { sku: 'mug', count: 1, cents: 250 },
      ],
      cents: 750,
    });
    await stage.world.run(holdMs * 2);
    expect(await leftAt(stage, 'r1')).toEqual({ cap: 1, mug: 1 });
  });

  test('holds nothing when one of the products cannot be had, and says which', async () => {
    const stage = await openShop({ cap: 3, mug: 1 }, { seed: 'none', replicas: 1 });
    await stage.now(put('c1', 'cap', 2));
    await stage.now(put('c1', 'mug', 2));
    const { status, body } = await stage.now(checkout('c1'));
    expect([status, body]).toEqual([409, { held: false, reason: 'sold-out', sku: 'mug' }]);
    expect(await leftAt(stage, 'r1')).toEqual({ cap: 3, mug: 1 });
    await stage.now({ method: 'DELETE', path: '/carts/c1/mug' });
    expect((await stage.now(checkout('c1'))).status).toBe(201);
  });

  test('gives units back after ten minutes, or when the payment failed, and a payment that comes too late is to be refunded', async () => {
    const stage = await openShop({ cap: 2 }, { seed: 'expiry', replicas: 1 });
    await stage.now(put('c1', 'cap', 1));
    const first = (await stage.now(checkout('c1'))).body;
    await stage.now(put('c2', 'cap', 1));
    const second = (await stage.now(checkout('c2'))).body;
    expect((await stage.now(payment(second, false))).body).toEqual({ accepted: true, reason: null });
    expect(await leftAt(stage, 'r1')).toEqual({ cap: 1 });
    await stage.world.run(holdMs + 10_000);
    expect(await leftAt(stage, 'r1')).toEqual({ cap: 2 });
    expect((await stage.now({ path: `/orders/${first.order}` })).body.status).toBe('expired');
    expect((await stage.now(payment(first, true))).body).toEqual({ accepted: false, reason: 'expired' });
    const statuses = [];
    for (const { order } of [first, second]) statuses.push((await stage.now({ path: `/orders/${order}` })).body.status);
    expect(statuses).toEqual(['refund', 'cancelled']);
  });

  test('refuses what is not signed, not allowed, or not there', async () => {
    const stage = await openShop({ cap: 2 }, { seed: 'refusals', replicas: 1 });
    const forged = { order: 'o', receipt: 'r' };
    expect((await stage.now(payment(forged, true, 'guessed'))).status).toBe(401);
    expect((await stage.now(payment(forged, true))).status).toBe(422);
    expect((await stage.now({ method: 'POST', path: '/products/cap/units', body: { units: 9 } })).status).toBe(401);
    expect((await stage.now(put('c1', 'hat', 1))).status).toBe(404);
    expect((await stage.now(checkout('c1'))).body.type).toBe('cart-empty');
    expect((await stage.now({ path: '/orders/none' })).status).toBe(404);
    expect(await leftAt(stage, 'r1')).toEqual({ cap: 2 });
  });

  test('brings new units once when the request is repeated with its key', async () => {
    const stage = await openShop({ cap: 2 }, { seed: 'mint', replicas: 1 });
    const more = {
      method: 'POST',
      path: '/products/cap/units',
      headers: { ...admin, 'idempotency-key': 'k' },
      body: { units: 5 },
    };
    await stage.now(more);
    await stage.now(more);
    expect(await leftAt(stage, 'r1')).toEqual({ cap: 7 });
  });
});

const units = { cap: 12, mug: 8, pen: 5 };
type Sku = keyof typeof units;
const skus = Object.keys(units) as Sku[];
type Counts = Partial<Record<Sku, number>>;

interface Book {
  readonly sold: Record<Sku, number>;
  /** Sold, and held with the hold still running. */
  readonly bound: Record<Sku, number>;
  held: number;
  refunds: number;
}

/** Delivers until somebody answers, as a payment provider does. */
async function deliver(stage: Stage, ask: Ask): Promise<Answer> {
  for (;;) {
    const answer = await stage.ask(ask);
    if (answer.status === 200) return answer;
    await new Promise<void>((resolve) => stage.world.host('provider').after(2_000, resolve));
  }
}

/** One customer: fills a cart, checks out, and pays, fails to pay, pays too late, or goes away. */
async function shopOnce(stage: Stage, index: number, book: Book): Promise<void> {
  const { world } = stage;
  const wanted: Counts = { [world.random.pick(skus)]: world.random.integer(1, 2), [world.random.pick(skus)]: 1 };
  const home = world.random.pick(stage.locations);
  for (const [sku, count] of Object.entries(wanted))
    if ((await stage.ask(put(`c${index}`, sku, count), home)).status !== 200) return;
  const { status, body } = await stage.ask(checkout(`c${index}`), home);
  if (status !== 201) return;
  book.held += 1;
  const add = (counts: Record<Sku, number>, sign: 1 | -1) => {
    for (const [sku, count] of Object.entries(wanted)) counts[sku as Sku] += sign * count;
  };
  add(book.bound, 1);
  for (const sku of skus)
    expect(book.bound[sku], `${sku} is held or sold more often than it is there`).toBeLessThanOrEqual(units[sku]);
  const fate = world.random.pick(['pays', 'fails', 'late', 'leaves', 'pays'] as const);
  const after = (delayMs: number) => new Promise<void>((resolve) => world.host('customers').after(delayMs, resolve));
  // A unit counts as bound no longer than its hold is sure to run.
  const expired = after(Date.parse(body.expires) - world.nowMs).then(
    () => fate === 'pays' || fate === 'fails' || add(book.bound, -1),
  );
  if (fate === 'leaves') return void (await expired);
  await after(fate === 'late' ? holdMs + world.random.integer(0, 10_000) : world.random.integer(0, 8_000));
  if (fate === 'fails') add(book.bound, -1);
  const answer = await deliver(stage, payment(body, fate !== 'fails'));
  if (fate === 'fails') return;
  if (answer.body.accepted) add(book.sold, 1);
  else book.refunds += 1;
}

async function trade(stage: Stage, count: number): Promise<Book> {
  const zero = () => ({ cap: 0, mug: 0, pen: 0 });
  const book: Book = { sold: zero(), bound: zero(), held: 0, refunds: 0 };
  await load(stage, { count, withinMs: lagMs * 4, one: (index) => shopOnce(stage, index, book) });
  return book;
}

describe('five locations with 2 s lag', () => {
  test.each(
    Array.from({ length: runs(2) }, (_, seed) => seed),
  )('nothing is sold twice, and all that expired is back, through deaths and cuts (seed %i)', async (seed) => {
    const stage = await openShop(units, { seed });
    storm(stage, { deaths: 4, cuts: 4, withinMs: lagMs * 4 });
    const book = await trade(stage, 60);
    await stage.settle(holdMs + 60_000);
    expect(book.held).toBeGreaterThan(5);
    const expected = Object.fromEntries(skus.map((sku) => [sku, units[sku] - book.sold[sku]]));
    for (const location of stage.locations) expect(await leftAt(stage, location)).toEqual(expected);
  });

  test('a stock that is read before it is written sells twice: the check can fail', async () => {
    const naive = replaced(
      'workflows/checkout.yaml',
      `  - take: [{ take: stock, each: "\${ lines }", item: line, key: "\${ line.sku }", amount: "\${ line.count }" }]
    hold: 10m
    as: held
`,
      `  - let: { enough: "\${ vars.sold < 4 }" }
  - add: sold
  - let: { held: "\${ { ok: enough, reason: null, failed: { key: null }, receipt: '', expires: now() + 600000 } }" }
`,
    );
    const stage = await openShop(units, {
      seed: 'naive',
      edit: (text, path) =>
        replaced('cffbrw.yaml', 'variables:\n', 'variables:\n  sold: { strategy: sum-increments }\n')(naive(text, path), path),
    });
    let held = 0;
    await load(stage, {
      count: 40,
      withinMs: lagMs,
      async one(index) {
        const home = stage.world.random.pick(stage.locations);
        await stage.ask(put(`c${index}`, 'pen', 1), home);
        if ((await stage.ask(checkout(`c${index}`), home)).status === 201) held += 1;
      },
    });
    expect(held).toBeGreaterThan(units.pen);
  });
});
