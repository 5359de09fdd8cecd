import { afterEach, describe, expect, it } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { createHandler, type Handler } from '../../src/http/handler.ts';
import type { LogEntry } from '../../src/http/problem.ts';
import { nodeHost } from '../../src/node/host.ts';
import { openReplica, type Replica } from '../../src/replica/index.ts';
import { memoryStore } from '../../src/store/memory.ts';

const app = `cffbrw: 1
app: wheel
variables:
  vouchers: { strategy: bounded-counter, initial: 10, window: { every: day, timezone: Asia/Ho_Chi_Minh } }
  spins:    { strategy: sum-increments, window: { every: day, timezone: Asia/Ho_Chi_Minh } }
  banner:   { strategy: last-write-wins, initial: { title: Spin to win, odds: 0.5, open: true } }
  profile:  { strategy: merge-objects, keyed: true }
events: { path: /events, variables: [spins, vouchers] }
`;
const spin = `cffbrw: 1
workflow: spin
on:
  http:
    method: POST
    path: /wheel/spin
    body: { type: object, required: [user], properties: { user: { type: string, minLength: 1, maxLength: 64 } } }
steps:
  - fail: { status: 409, type: banner-closed, title: The banner is paused }
    when: "!vars.banner.open"
  - add: spins
  - respond: { body: { won: false } }
    when: random() >= vars.banner.odds
  - take: vouchers                        # decide first, promise afterwards
    once: \${ request.body.user }
    as: voucher
  - respond: { body: { won: false, reason: "\${ voucher.reason }" } }
    when: "!voucher.ok"
  - merge: profile
    key: \${ request.body.user }
    value: { lastWin: "\${ now() }" }
  - respond: { body: { won: true, code: "\${ 'W-' + slice(voucher.receipt, 0, 8) }", again: "\${ voucher.repeated }", left: "\${ voucher.left }" } }
`;

interface Spin {
  readonly won: boolean;
  readonly reason?: string;
  readonly code?: string;
  readonly again?: boolean;
  readonly left?: number;
}

const opened: { handler: Handler; replica: Replica }[] = [];
afterEach(async () => {
  for (const { handler, replica } of opened.splice(0)) {
    handler.close();
    await replica.close();
  }
});

async function start() {
  const logged: LogEntry[] = [];
  const wheel = loadApp([
    { path: 'cffbrw.yaml', text: app },
    { path: 'workflows/spin.yaml', text: spin },
  ]);
  const replica = await openReplica({ name: 'hanoi', variables: wheel.variables, host: nodeHost, store: memoryStore() });
  const handler = createHandler({ app: wheel, replica, host: nodeHost, log: (entry) => logged.push(entry) });
  opened.push({ handler, replica });
  const post = async (body: string, headers: Record<string, string> = {}) =>
    handler.fetch(
      new Request('http://localhost/wheel/spin', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      }),
    );
  const play = async (user: string, headers?: Record<string, string>): Promise<Spin> => {
    const response = await post(JSON.stringify({ user }), headers);
    expect(response.status).toBe(200);
    return response.json() as Promise<Spin>;
  };
  const read = async (name: string) => {
    const address = replica.address(name);
    await replica.load([address]);
    const slot = replica.peek(address);
    return slot === undefined ? undefined : replica.read(slot);
  };
  return { replica, handler, post, play, read, logged };
}

describe('the wheel of fortune, from its two documents', () => {
  it('gives ten vouchers, and never an eleventh, to three hundred users at once', async () => {
    const { play, read } = await start();
    const played = await Promise.all(Array.from({ length: 300 }, (_, index) => play(`user-${index}`)));
    const winners = played.filter((each) => each.won);
    expect(winners).toHaveLength(10);
    expect(new Set(winners.map((each) => each.code)).size).toBe(10);
    expect(played.filter((each) => each.reason === 'exhausted').length).toBeGreaterThan(0);
    expect([await read('spins'), await read('vouchers')]).toEqual([300, 0]);
  });

  it('gives who has won the same voucher again', async () => {
    const { play, read } = await start();
    const wins: Spin[] = [];
    while (wins.length < 3) {
      const spun = await play('ann');
      if (spun.won) wins.push(spun);
    }
    expect(new Set(wins.map((each) => each.code)).size).toBe(1);
    expect(wins.map((each) => each.again)).toEqual([false, true, true]);
    expect(await read('vouchers')).toBe(9);
  });

  it('gives a request that is repeated with its key the same answer, and refuses another request with that key', async () => {
    const { play, post, read } = await start();
    const key = { 'idempotency-key': 'k1' };
    const together = await Promise.all([play('ann', key), play('ann', key), play('ann', key)]);
    const again = await play('ann', key);
    for (const each of together) expect(each).toEqual(again);
    expect(await read('spins')).toBe(1);
    const other = await post('{"user":"bob"}', key);
    expect([other.status, await other.json()]).toMatchObject([422, { code: 'IDEMPOTENCY_MISMATCH' }]);
    await play('ann', { ...key, authorization: 'Bearer somebody-else' });
    expect(await read('spins')).toBe(2);
  });

  it('refuses with a problem while the banner is closed', async () => {
    const { replica, post, read } = await start();
    await replica.variable('banner').set({ title: 'Closed', odds: 1, open: false });
    const response = await post('{"user":"ann"}');
    expect([response.status, response.headers.get('content-type')]).toEqual([409, 'application/problem+json']);
    expect(await response.json()).toMatchObject({
      status: 409,
      type: 'banner-closed',
      title: 'The banner is paused',
      place: { file: 'workflows/spin.yaml', line: 9 },
    });
    expect(await read('spins')).toBe(0);
  });

  it.each([
    ['{}', 400, 'INVALID_INPUT'],
    ['{"user":""}', 400, 'INVALID_INPUT'],
    ['{"user":7}', 400, 'INVALID_INPUT'],
    ['{"user":"a","user":"b"}', 400, 'INVALID_INPUT'],
    ['{"user":"a","__proto__":{}}', 400, 'INVALID_INPUT'],
    [`{"user":"${'x'.repeat(65)}"}`, 400, 'INVALID_INPUT'],
    ['user=ann', 400, 'INVALID_INPUT'],
    ['', 400, 'INVALID_INPUT'],
  ])('refuses the body %s, and counts no spin', async (body, status, code) => {
    const { post, read } = await start();
    const response = await post(body);
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
    expect(await read('spins')).toBe(0);
  });

  it('shows its counters on the event stream as they become durable', async () => {
    const { handler, play } = await start();
    const response = await handler.fetch(new Request('http://localhost/events'));
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    const next = async () => decoder.decode((await reader?.read())?.value);
    const snapshot = await next();
    expect(snapshot).toContain('event: spins\ndata: {"key":null,"value":0}');
    expect(snapshot).toContain('event: vouchers\ndata: {"key":null,"value":10}');
    await play('ann');
    expect(await next()).toContain('event: spins\ndata: {"key":null,"value":1}');
    await reader?.cancel();
  });

  it('answers 404 and 405 beside its one route', async () => {
    const { handler } = await start();
    expect((await handler.fetch(new Request('http://localhost/wheel/spin'))).status).toBe(405);
    expect((await handler.fetch(new Request('http://localhost/wheel'))).status).toBe(404);
  });
});
