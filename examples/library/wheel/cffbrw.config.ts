/** The wheel of fortune of examples/wheel, in TypeScript: the same documents. */
import { defineApp, defineVariables, defineWorkflow } from 'cffbrw';

const daily = { every: 'day', timezone: 'Asia/Ho_Chi_Minh' } as const;

const variables = defineVariables({
  vouchers: { strategy: 'bounded-counter', initial: 10, window: daily },
  spins: { strategy: 'sum-increments', window: daily },
  banner: { strategy: 'last-write-wins', initial: { title: 'Spin to win', odds: 0.5, open: true } },
  profile: { strategy: 'merge-objects', keyed: true },
});

const spin = defineWorkflow(variables, {
  workflow: 'spin',
  on: {
    http: {
      method: 'POST',
      path: '/wheel/spin',
      body: { type: 'object', required: ['user'], properties: { user: { type: 'string', minLength: 1, maxLength: 64 } } },
    },
  },
  steps: [
    { fail: { status: 409, type: 'banner-closed', title: 'The banner is paused' }, when: '!vars.banner.open' },
    { add: 'spins' },
    { respond: { body: { won: false } }, when: 'random() >= vars.banner.odds' },
    { take: 'vouchers', once: '${ request.body.user }', as: 'voucher' }, // decide first, promise afterwards
    { respond: { body: { won: false, reason: '${ voucher.reason }' } }, when: '!voucher.ok' },
    { merge: 'profile', key: '${ request.body.user }', value: { lastWin: '${ now() }' } },
    {
      respond: {
        body: {
          won: true,
          code: "${ 'W-' + slice(voucher.receipt, 0, 8) }",
          again: '${ voucher.repeated }',
          left: '${ voucher.left }',
        },
      },
    },
  ],
});

export default defineApp({
  app: 'wheel',
  variables,
  workflows: [spin],
  static: '../../wheel/public',
  events: { path: '/events', variables: ['vouchers', 'spins', 'banner'] },
});
