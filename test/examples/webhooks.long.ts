import { createHmac, randomInt } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { inParallel } from '../e2e/load.ts';
import { type Ask, deaths, type Send, weather } from './storm.ts';

const environment = { ADMIN_TOKEN: 'dev-admin', WEBHOOK_SECRET: 'dev-in', OUTGOING_SECRET: 'dev-out' };
const headers = { authorization: 'Bearer dev-admin' };
const subscribers = ['mail', 'stats', 'search'];

function hook(id: string): Ask {
  const text = JSON.stringify({ id, type: 'order.paid' });
  const signature = createHmac('sha256', environment.WEBHOOK_SECRET).update(text).digest('hex');
  return { path: '/hooks', text, headers: { 'x-signature': `sha256=${signature}` } };
}

/** One server for all subscribers: counts by subscriber and Idempotency-Key, and fails now and then. */
async function withSubscribers(use: (url: string, told: Map<string, number>) => Promise<void>): Promise<void> {
  const told = new Map<string, number>();
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.statusCode = randomInt(10) === 0 ? 503 : 200;
      const key = `${request.url?.slice(1)} ${request.headers['idempotency-key']}`;
      if (response.statusCode === 200) told.set(key, (told.get(key) ?? 0) + 1);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, told);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test(`webhooks: five replicas, 2 s lag, ${deaths} kills: each event is handled once, and every subscriber is told`, () =>
  withSubscribers(async (url, told) => {
    const handled = new Map<string, number>();
    const done = new Set<string>();
    const open: string[] = [];
    const seen = { events: 0, deliveries: 0, unanswered: 0, beingHandled: 0, refused: 0 };
    const deliver = async (send: Send, id: string) => {
      seen.deliveries += 1;
      const { status, body } = await send(hook(id));
      if (status !== 200) {
        seen[status === 0 ? 'unanswered' : body.type === 'being-handled' ? 'beingHandled' : 'refused'] += 1;
        return false;
      }
      done.add(id);
      if (!body.repeated) handled.set(id, (handled.get(id) ?? 0) + 1);
      expect(handled.get(id) ?? 0, id).toBeLessThanOrEqual(1);
      return true;
    };
    await weather({
      app: 'webhooks',
      environment,
      // Longer than an event takes, which asks the backbone several times; one whose handler died is held until its hold is over.
      lifeMs: [400, 1_500],
      edits: [['workflows/receive.yaml', 'hold: 2m', 'hold: 2s']],
      async prepare(send) {
        for (const name of subscribers)
          await send({ method: 'PUT', path: `/subscribers/${name}`, headers, body: { url: `${url}/${name}` }, replica: 1 });
        await new Promise((resolve) => setTimeout(resolve, 3_000)); // a subscriber is known elsewhere after the lag
      },
      async work(send) {
        const old = open.shift();
        const id = old ?? `evt-${++seen.events}`;
        // Everything comes twice, at the same time, anywhere.
        const both = await Promise.all([deliver(send, id), deliver(send, id)]);
        if (!both.every(Boolean)) open.push(id);
      },
      async check(send) {
        // How many there are depends on the machine: enough that the kills met some of them.
        expect(done.size).toBeGreaterThan(deaths / 2);
        await inParallel(open.length, 8, async (index) => {
          const id = open[index] ?? '';
          for (let attempt = 0; attempt < 60; attempt += 1) {
            if (await deliver(send, id)) return;
            await new Promise((resolve) => setTimeout(resolve, 500));
          }
        });
        const missing = Array.from({ length: seen.events }, (_, index) => `evt-${index + 1}`).filter((id) => !done.has(id));
        expect(missing).toEqual([]);
        for (const id of done)
          for (const name of subscribers) expect(told.get(`${name} ${id}`) ?? 0, `${name} ${id}`).toBeGreaterThan(0);
        const twice = [...told.values()].filter((count) => count > 1).length;
        console.log(
          `webhooks: ${deaths} kills, ${JSON.stringify(seen)}, ${twice} of ${told.size} requests to subscribers sent again`,
        );
      },
    });
  }));
