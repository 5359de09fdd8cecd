/** The two documents of the design, from YAML to answers. */
import { expect, test } from 'vitest';
import { isProblem } from '../../src/workflow/index.ts';
import { appOf, createStage } from './stage.ts';

const app = `
cffbrw: 1
app: wheel
variables:
  vouchers: { strategy: bounded-counter, initial: 10, window: { every: day, timezone: Asia/Ho_Chi_Minh } }
  spins:    { strategy: sum-increments, window: { every: day, timezone: Asia/Ho_Chi_Minh } }
  banner:   { strategy: last-write-wins, initial: { title: Spin to win, odds: 0.5, open: true } }
  profile:  { strategy: merge-objects, keyed: true }
`;

const spin = `
cffbrw: 1
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

const pause = `
cffbrw: 1
workflow: pause
on: { http: { method: POST, path: /wheel/pause } }
steps:
  - set: banner
    value: { title: Paused, odds: 0, open: false }
`;

test('The wheel of the design compiles, and gives out ten vouchers and no more', async () => {
  const stage = await createStage(appOf(app, spin, pause));
  const answers = [];
  for (let user = 0; user < 60; user++) answers.push(await stage.ask('spin', { body: { user: `user ${user}` } }));
  const bodies = answers.map((answer) =>
    isProblem(answer) ? answer : (answer.body as { won: boolean; reason?: string; code?: string }),
  );
  const winners = bodies.filter((body) => 'won' in body && body.won);
  expect(winners).toHaveLength(10);
  expect(bodies.filter((body) => 'reason' in body && body.reason === 'exhausted').length).toBeGreaterThan(5);
  expect(winners.every((body) => 'code' in body && /^W-.{8}$/.test(body.code ?? ''))).toBe(true);
  expect(await stage.value('spins')).toBe(60);
  expect(await stage.value('vouchers')).toBe(0);
});

test('A paused wheel refuses with the problem that its author wrote, and its place', async () => {
  const stage = await createStage(appOf(app, spin, pause));
  expect(await stage.ask('pause')).toEqual({ status: 204, headers: {} });
  expect(await stage.ask('spin', { body: { user: 'ann' } })).toEqual({
    status: 409,
    type: 'banner-closed',
    title: 'The banner is paused',
    step: 'steps[0]',
    place: { file: 'f2.yaml', line: 10, column: 5 },
  });
  expect(await stage.value('spins')).toBe(0);
});
