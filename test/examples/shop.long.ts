import { createHmac, randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { inParallel } from '../e2e/load.ts';
import { type Ask, deaths, replicas, type Send, until, weather } from './storm.ts';

const environment = { ADMIN_TOKEN: 'dev-admin', PAYMENT_SECRET: 'dev-payment' };
const headers = { authorization: 'Bearer dev-admin' };
const units: Readonly<Record<string, number>> = { cap: 14, mug: 10, pen: 7 };
const skus = Object.keys(units);

function payment({ order, receipt }: { order: string; receipt: string }, paid: boolean): Ask {
  const text = JSON.stringify({ order, receipt, paid });
  const signature = createHmac('sha256', environment.PAYMENT_SECRET).update(text).digest('hex');
  return { path: '/payments', text, headers: { 'x-signature': signature } };
}

interface Payment {
  readonly ask: Ask;
  readonly paid: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

test(`shop: five replicas, 2 s lag, ${deaths} kills: nothing is sold twice, and all that expired is back in stock`, async () => {
  const sold: Record<string, number> = Object.fromEntries(skus.map((sku) => [sku, 0]));
  /** Payments that nobody has answered yet: the provider delivers them again. */
  const pending: Payment[] = [];
  const seen = { carts: 0, held: 0, soldOut: 0, elsewhere: 0, unknown: 0, refunds: 0 };

  const deliver = async (send: Send, one: Payment) => {
    const { status, body } = await send(one.ask);
    if (status !== 200) return void pending.push(one);
    if (one.paid && !body.accepted) seen.refunds += 1;
    if (!one.paid || !body.accepted) return;
    for (const [sku, count] of Object.entries(one.counts)) {
      sold[sku] = (sold[sku] ?? 0) + count;
      expect(sold[sku], `${sku} is sold more often than it was there`).toBeLessThanOrEqual(units[sku] ?? 0);
    }
  };

  const someOf = () => ({ [skus[randomInt(3)] ?? '']: 2, [skus[randomInt(3)] ?? '']: 1 });

  /** One in twelve pays, so that the stock lasts; one in twelve says no; the others go away. */
  const order = async (send: Send, counts: Readonly<Record<string, number>> = someOf(), fate = randomInt(12)) => {
    seen.carts += 1;
    const [cart, replica] = [`cart-${seen.carts}`, randomInt(1, 6)];
    for (const [sku, count] of Object.entries(counts))
      if ((await send({ method: 'PUT', path: `/carts/${cart}/${sku}`, body: { count }, replica })).status !== 200) return;
    const { status, body } = await send({ method: 'POST', path: `/carts/${cart}/checkout`, replica });
    if (status === 0) seen.unknown += 1;
    if (status === 409) seen.soldOut += 1;
    if (status === 503) seen.elsewhere += 1;
    if (status !== 201) return;
    seen.held += 1;
    if (fate < 2) await deliver(send, { ask: payment(body, fate === 0), paid: fate === 0, counts });
  };

  await weather({
    app: 'shop',
    environment,
    edits: [['workflows/checkout.yaml', 'hold: 10m', 'hold: 4s']],
    async prepare(send) {
      for (const sku of skus) {
        await send({ method: 'PUT', path: `/products/${sku}`, headers, body: { name: sku, cents: 100 }, replica: 1 });
        const body = { units: units[sku] };
        const minted = await send({
          path: `/products/${sku}/units`,
          headers: { ...headers, 'idempotency-key': sku },
          body,
          replica: 1,
        });
        expect(minted.status).toBe(204);
      }
      // A product is known elsewhere after the lag.
      const known = async () => {
        const lists = await Promise.all(replicas.map((replica) => send({ path: '/products', replica })));
        return lists.map(({ body }) => body.length);
      };
      await until(known, (lengths) => lengths.every((length) => length === skus.length));
    },
    async work(send) {
      const open = pending.shift();
      await (open === undefined ? order(send) : deliver(send, open));
    },
    async check(send) {
      const all = await until(
        async () => {
          for (const one of pending.splice(0)) await deliver(send, one);
          return pending.length;
        },
        (length) => length === 0,
      );
      expect(all, 'payments without an answer').toBe(0);
      const expected = Object.fromEntries(skus.map((sku) => [sku, (units[sku] ?? 0) - (sold[sku] ?? 0)]));
      const left = async () => {
        const lists = await Promise.all(replicas.map((replica) => send({ path: '/products', replica })));
        return lists.map(({ body }) => Object.fromEntries(body.map((one: { sku: string; left: number }) => [one.sku, one.left])));
      };
      const shown = await until(left, (lists) => lists.every((list) => skus.every((sku) => list[sku] === expected[sku])));
      for (const list of shown) expect(list).toEqual(expected);
      // What is back can be sold, and nothing more.
      await until(
        () => inParallel(60, 10, (index) => order(send, { [skus[index % 3] ?? '']: 1 }, 0)),
        () => skus.every((sku) => sold[sku] === units[sku]),
      );
      expect(sold).toEqual(units);
      console.log(`shop: ${deaths} kills, ${JSON.stringify(seen)}, sold ${JSON.stringify(sold)} of ${JSON.stringify(units)}`);
      expect(seen.soldOut + seen.elsewhere).toBeGreaterThan(0);
    },
  });
});
