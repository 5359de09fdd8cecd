import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { FetchScript } from '../../src/simulate/host.ts';
import { runs } from '../simulate/world.ts';
import { type Ask, lagMs, load, openApp, openStage, replaced, type Stage, type StageOptions, storm } from './stage.ts';

const secrets = { ADMIN_TOKEN: 'admin', WEBHOOK_SECRET: 'in', OUTGOING_SECRET: 'out' };
const admin = { authorization: 'Bearer admin' };
const sign = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('hex');

function hook(id: string, secret = secrets.WEBHOOK_SECRET): Ask {
  const text = JSON.stringify({ id, type: 'order.paid', data: { cents: 100 } });
  return { method: 'POST', path: '/hooks', text, headers: { 'x-signature': `sha256=${sign(text, secret)}` } };
}

/** The servers of the subscribers. `answer` says how the n-th request to one ends. */
function createSubscribers(answer: (name: string, count: number) => number = () => 200, tookMs = 50) {
  /** `name id` → how often it was told, by requests that it accepted. */
  const told = new Map<string, number>();
  const counts = new Map<string, number>();
  const unsigned: string[] = [];
  const fetch: FetchScript = (request, host) =>
    new Promise((resolve, reject) => {
      const name = new URL(request.url).hostname.split('.')[0] ?? '';
      request.text().then((text) => {
        host.after(tookMs, () => {
          counts.set(name, (counts.get(name) ?? 0) + 1);
          const status = answer(name, counts.get(name) ?? 0);
          if (request.headers.get('x-signature') !== `sha256=${sign(text, secrets.OUTGOING_SECRET)}`) unsigned.push(text);
          const key = `${name} ${request.headers.get('idempotency-key')}`;
          if (status === 200) told.set(key, (told.get(key) ?? 0) + 1);
          resolve(new Response(null, { status }));
        });
      }, reject);
    });
  return { told, counts, unsigned, fetch };
}

async function openWebhooks(names: readonly string[], options: Omit<StageOptions, 'app' | 'secrets'>): Promise<Stage> {
  const stage = await openStage({ app: 'webhooks', secrets, ...options });
  for (const name of names) {
    const body = { url: `https://${name}.example/hook` };
    expect((await stage.now({ method: 'PUT', path: `/subscribers/${name}`, headers: admin, body }, 'r1')).status).toBe(204);
  }
  await stage.world.run(lagMs * 2);
  return stage;
}

describe('the webhooks app', () => {
  test('loads', async () => {
    expect((await openApp('webhooks')).workflows.size).toBe(7);
  });

  test('tells every subscriber once, signed, however often an event is delivered', async () => {
    const subscribers = createSubscribers();
    const stage = await openWebhooks(['mail', 'stats'], { seed: 'once', replicas: 1, fetch: subscribers.fetch });
    const answers = [];
    for (let index = 0; index < 3; index += 1) answers.push((await stage.now(hook('e1'))).body);
    expect(answers.map(({ handled, repeated }) => [handled, repeated])).toEqual([
      [true, false],
      [true, true],
      [true, true],
    ]);
    expect([...subscribers.told]).toEqual([
      ['mail e1', 1],
      ['stats e1', 1],
    ]);
    expect(subscribers.unsigned).toEqual([]);
    expect((await stage.now({ path: '/events/e1', headers: admin })).body).toMatchObject({
      type: 'order.paid',
      told: ['mail', 'stats'],
    });
  });

  test('refuses what is not signed by the sender', async () => {
    const subscribers = createSubscribers();
    const stage = await openWebhooks(['mail'], { seed: 'forged', replicas: 1, fetch: subscribers.fetch });
    expect((await stage.now(hook('e1', 'guessed'))).status).toBe(401);
    expect((await stage.now({ ...hook('e1'), headers: {} })).status).toBe(401);
    expect((await stage.now({ path: '/events/e1', headers: admin })).status).toBe(404);
    expect(subscribers.told.size).toBe(0);
  });

  test('asks a subscriber again that fails for a moment', async () => {
    const subscribers = createSubscribers((name, count) => (name === 'mail' && count < 4 ? 503 : 200));
    const stage = await openWebhooks(['mail', 'stats'], { seed: 'retry', replicas: 1, fetch: subscribers.fetch });
    expect((await stage.now(hook('e1'))).body).toEqual({ handled: true, repeated: false });
    expect([subscribers.counts.get('mail'), subscribers.counts.get('stats')]).toEqual([4, 1]);
  });

  test('says 502 when somebody could not be told, and the next delivery tells only those', async () => {
    const subscribers = createSubscribers((name, count) => (name === 'mail' && count <= 4 ? 500 : 200));
    const stage = await openWebhooks(['mail', 'stats'], { seed: 'down', replicas: 1, fetch: subscribers.fetch });
    expect((await stage.now(hook('e1'))).status).toBe(502);
    expect((await stage.now(hook('e1'))).body).toEqual({ handled: true, repeated: false });
    expect([...subscribers.told]).toEqual([
      ['stats e1', 1],
      ['mail e1', 1],
    ]);
  });

  test('tells a second delivery that comes meanwhile to come again, at another location, too', async () => {
    const subscribers = createSubscribers(() => 200, 2_000);
    const stage = await openWebhooks(['mail'], { seed: 'meanwhile', fetch: subscribers.fetch });
    const first = stage.ask(hook('e1'), 'r1');
    await stage.world.run(1_000);
    const second = await stage.now(hook('e1'), 'r2');
    expect([second.status, second.body.type]).toEqual([503, 'being-handled']);
    expect((await stage.world.runUntil(first)).body).toEqual({ handled: true, repeated: false });
    expect((await stage.now(hook('e1'), 'r2')).body).toEqual({ handled: true, repeated: true });
    expect(subscribers.told.get('mail e1')).toBe(1);
  });

  test('an event whose location dies is handled by another, two minutes later', async () => {
    const subscribers = createSubscribers(() => 200, 2_000);
    const stage = await openWebhooks(['mail'], { seed: 'death', fetch: subscribers.fetch });
    const first = stage.ask(hook('e1'), 'r1');
    await stage.world.run(1_000);
    stage.kill('r1');
    expect((await first).status).toBe(0);
    expect((await stage.now(hook('e1'), 'r2')).status).toBe(503);
    await stage.settle(130_000);
    expect((await stage.now(hook('e1'), 'r2')).body).toEqual({ handled: true, repeated: false });
  });
});

interface Log {
  /** By event: how many answers said that this delivery handled it. */
  readonly handled: Map<string, number>;
  readonly done: Set<string>;
}

/** Forty events, each delivered two to four times at random locations, then until somebody says that it is handled. */
async function deliverAll(stage: Stage): Promise<Log> {
  const log: Log = { handled: new Map(), done: new Set() };
  const ids = Array.from({ length: 40 }, (_, index) => `e${index}`);
  const provider = stage.world.host('provider');
  const deliver = async (id: string) => {
    for (let attempt = 0; attempt < 30; attempt += 1) {
      const { status, body } = await stage.ask(hook(id));
      if (status === 200) {
        log.done.add(id);
        if (!body.repeated) log.handled.set(id, (log.handled.get(id) ?? 0) + 1);
        return;
      }
      await new Promise<void>((resolve) => provider.after(10_000, resolve));
    }
  };
  await load(stage, { count: 120, withinMs: lagMs * 4, one: (index) => deliver(ids[index % ids.length] ?? '') });
  return log;
}

describe('five locations with 2 s lag', () => {
  test.each(
    Array.from({ length: runs(2) }, (_, seed) => seed),
  )('each event is handled once, and every subscriber told, through deaths and cuts (seed %i)', async (seed) => {
    const subscribers = createSubscribers((_, count) => (count % 7 === 0 ? 503 : 200));
    const stage = await openWebhooks(['mail', 'stats'], { seed, fetch: subscribers.fetch });
    storm(stage, { deaths: 5, cuts: 4, withinMs: lagMs * 4 });
    const { handled, done } = await deliverAll(stage);
    expect(done.size).toBe(40);
    expect(Math.max(...handled.values())).toBe(1);
    // Who died after telling and before keeping it tells once more, with the same Idempotency-Key.
    for (const id of done) for (const name of ['mail', 'stats']) expect(subscribers.told.get(`${name} ${id}`)).toBeGreaterThan(0);
  });

  test('without deaths every subscriber is told of every event exactly once', async () => {
    const subscribers = createSubscribers();
    const stage = await openWebhooks(['mail', 'stats'], { seed: 'calm', fetch: subscribers.fetch });
    const { handled } = await deliverAll(stage);
    expect([...handled.values()]).toEqual(Array(40).fill(1));
    expect([...subscribers.told.values()]).toEqual(Array(80).fill(1));
  });

  test('a look at what has been seen, before writing it, handles events twice: the check can fail', async () => {
    const subscribers = createSubscribers();
    const naive = replaced(
      'workflows/receive.yaml',
      'take: inbox # whoever gets it handles the event; if it dies on the way, the event is free again after two minutes\n    once: ${ request.body.id }\n    hold: 2m',
      'take: inbox',
    );
    const edit: StageOptions['edit'] = (text, path) =>
      path === 'workflows/receive.yaml'
        ? naive(text, path).replace('turn.repeated && turn.confirmed', 'vars.event[request.body.id] !== null')
        : text;
    const stage = await openWebhooks(['mail', 'stats'], { seed: 'naive', fetch: subscribers.fetch, edit });
    const { handled } = await deliverAll(stage);
    expect(Math.max(...handled.values())).toBeGreaterThan(1);
  });
});
