/** The six example apps in objects: the same documents, and what each is for. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Ask, type Edge, openEdge } from './stage.ts';

const secrets = { ADMIN_TOKEN: 'admin', PAYMENT_SECRET: 'pay', WEBHOOK_SECRET: 'in', OUTGOING_SECRET: 'out' };
const admin = { authorization: 'Bearer admin' };
const regions = ['weur', 'enam'] as const;
const sign = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('hex');
const signed = (path: string, content: unknown, secret: string, prefix = ''): Ask => {
  const text = JSON.stringify(content);
  return { method: 'POST', path, text, headers: { 'x-signature': prefix + sign(text, secret) } };
};

let edge: Edge;
const open = async (name: string): Promise<void> => {
  edge = await openEdge({ app: join(import.meta.dirname, '../../examples', name), regions, secrets });
};
afterEach(() => edge.close());

/** Asks until it holds: what one region did takes a moment to get to the other. */
async function eventually(request: Ask, region: string, holds: (body: ReturnType<typeof JSON.parse>) => boolean): Promise<void> {
  for (const start = performance.now(); performance.now() - start < 15_000; ) {
    if (holds((await edge.ask(request, region)).body)) return;
  }
  throw new Error(`still not: ${JSON.stringify(request)} at ${region}`);
}

test('the wheel gives nobody a second voucher, wherever they spin', async () => {
  await open('wheel');
  const spin = (user: string, region: string) => edge.ask({ method: 'POST', path: '/wheel/spin', body: { user } }, region);
  const answers = await Promise.all(
    Array.from({ length: 120 }, (_, index) => spin(`user-${index % 60}`, regions[index % 2] ?? 'weur')),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.flatMap(({ body }) => (body.won ? [body.code] : []))).size).toBe(10);
});

test('the auction knows the highest bid everywhere', async () => {
  await open('auction');
  const body = { title: 'A vase', reserve: 10, ends: new Date(Date.now() + 600_000).toISOString() };
  expect((await edge.ask({ method: 'PUT', path: '/lots/vase', headers: admin, body }, 'weur')).status).toBe(204);
  const bid = (bidder: string, amount: number): Ask => ({ method: 'POST', path: '/lots/vase/bids', body: { bidder, amount } });
  await eventually({ path: '/lots/vase' }, 'enam', ({ state }) => state === 'open');
  expect((await edge.ask(bid('ann', 9), 'weur')).status).toBe(409);
  expect((await edge.ask(bid('ann', 10), 'weur')).status).toBe(201);
  expect((await edge.ask(bid('bob', 15), 'enam')).status).toBe(201);
  for (const region of regions) await eventually({ path: '/lots/vase' }, region, ({ highest }) => highest?.bidder === 'bob');
});

test('a flag that is set in one region is on in the other, for the same users', async () => {
  await open('flags');
  const put: Ask = { method: 'PUT', path: '/flags/shop.menu', headers: admin, body: { on: true, percent: 50 } };
  expect((await edge.ask(put, 'weur')).status).toBe(204);
  await eventually({ path: '/flags?prefix=shop.' }, 'enam', ({ flags }) => flags['shop.menu'] !== undefined);
  const users = Array.from({ length: 20 }, (_, index) => `/flags/shop.menu/for/user-${index}`);
  const on = async (region: string) => Promise.all(users.map(async (path) => (await edge.ask({ path }, region)).body.on));
  const here = await on('weur');
  expect(await on('enam')).toEqual(here);
  expect(new Set(here)).toEqual(new Set([true, false]));
  expect((await edge.ask({ ...put, headers: {} })).status).toBe(401);
});

test('the quota lets five calls through, wherever they are made', async () => {
  await open('quota');
  const call = (region: string) => edge.ask({ method: 'POST', path: '/exact/calls', body: { user: 'ann' } }, region);
  const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => call(regions[index % 2] ?? 'weur')));
  expect(answers.filter(({ status }) => status === 200).length).toBe(5);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
});

test('the shop sells each unit once: one region stocks, the other holds, and the payment comes to the first', async () => {
  await open('shop');
  const product: Ask = { method: 'PUT', path: '/products/cap', headers: admin, body: { name: 'cap', cents: 250 } };
  await edge.ask(product, 'weur');
  await edge.ask({ method: 'POST', path: '/products/cap/units', headers: admin, body: { units: 2 } }, 'weur');
  await eventually({ path: '/products' }, 'enam', (products) => products[0]?.left === 2);
  const sale = async (cart: string, region: string) => {
    expect((await edge.ask({ method: 'PUT', path: `/carts/${cart}/cap`, body: { count: 2 } }, region)).status).toBe(200);
    return edge.ask({ method: 'POST', path: `/carts/${cart}/checkout` }, region);
  };
  const held = await sale('c1', 'enam');
  expect([held.status, held.body.cents]).toEqual([201, 500]);
  expect((await sale('c2', 'weur')).status).toBe(409);
  const { order, receipt } = held.body;
  const paid = await edge.ask(signed('/payments', { order, receipt, paid: true }, 'pay'), 'weur');
  expect(paid.body).toEqual({ accepted: true, reason: null });
  expect((await edge.ask(signed('/payments', { order, receipt, paid: true }, 'guessed'), 'weur')).status).toBe(401);
  await eventually({ path: `/orders/${order}` }, 'enam', ({ status }) => status === 'paid');
});

test('a webhook is handled once, whatever region it is delivered to, and its subscriber is told', async () => {
  await open('webhooks');
  const told: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    told.push(String(request.headers['idempotency-key']));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const put: Ask = { method: 'PUT', path: '/subscribers/mail', headers: admin, body: { url } };
    expect((await edge.ask(put, 'weur')).status).toBe(204);
    const hook = signed('/hooks', { id: 'e1', type: 'order.paid', data: {} }, 'in', 'sha256=');
    const answers = [await edge.ask(hook, 'weur'), await edge.ask(hook, 'enam'), await edge.ask(hook, 'weur')];
    expect(answers.map(({ body }) => body)).toEqual([
      { handled: true, repeated: false },
      { handled: true, repeated: true },
      { handled: true, repeated: true },
    ]);
    expect(told).toEqual(['e1']);
  } finally {
    server.close();
  }
});
