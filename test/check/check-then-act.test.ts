/** R2: decisions on a value that control a write of it. */
import { describe } from 'vitest';
import { testRule } from './app.ts';

const body =
  'on: { http: { method: POST, path: /it, body: { type: object, required: [n, who], properties: { n: { type: integer }, who: { type: string } } } } }\n';
const stock = 'stock: { strategy: last-write-wins, initial: 10 }';

describe('R2, check then act', () =>
  testRule('R2', {
    bad: [
      {
        title: 'a stock that is looked at, then set',
        variables: stock,
        workflows: {
          buy: '- fail: { status: 409, type: none, title: None is left }\n  when: vars.stock === 0 || vars.stock < 1\n- set: stock\n  value: ${ vars.stock - 1 }',
        },
        finds: ['R2 buy steps[1]'],
        names: ['POST /buy', 'vars.stock', 'stock'],
      },
      {
        title: 'a stock that is bought from in the arm of an `if`',
        variables: stock,
        workflows: {
          buy: `
          - if: vars.stock > 0
            then:
              - log: { level: info, message: sold }
              - set: stock
                value: \${ vars.stock - 1 }
            else:
              - fail: { status: 409, type: none, title: None is left }`,
        },
        finds: ['R2 buy steps[0].then[1]'],
        names: ['vars.stock > 0'],
        pastes: true,
      },
      {
        title: 'a limit on a sum, behind `let`, with the condition at the write itself',
        variables: 'calls: { strategy: sum-increments, keyed: true, window: { every: day } }',
        workflows: {
          use: `${body}
          - add: calls
            key: \${ request.body.who }
            when: vars.calls[request.body.who] < 5`,
        },
        finds: ['R2 use steps[0]'],
        names: ['vars.calls[request.body.who] < 5', 'calls'],
        pastes: true,
      },
      {
        title: 'a seat that nobody has yet',
        variables: 'seat: { strategy: last-write-wins, keyed: true }',
        workflows: {
          sit: `${body}
          - fail: { status: 409, type: taken, title: Somebody sits there }
            when: vars.seat[request.body.n] !== null
          - set: seat
            key: \${ request.body.n }
            value: \${ request.body.who }`,
        },
        finds: ['R2 sit steps[1]'],
        names: ['seat'],
        pastes: true,
      },
      {
        title: 'a decision that a called workflow returns',
        variables: 'used: { strategy: sum-increments }',
        workflows: {
          use: '- call: free\n  as: free\n- fail: { status: 409, type: full, title: Full }\n  when: "!free"\n- add: used',
          free: 'on: { call: {} }\n- return: false\n  when: vars.used >= 3\n- return: true',
        },
        finds: ['R2 use steps[2]'],
        names: ['POST /use', '!free', 'used'],
      },
      {
        title: 'a called workflow that fails where there are too many',
        variables: 'used: { strategy: sum-increments }',
        workflows: {
          use: '- call: refuse\n- add: used',
          refuse: 'on: { call: {} }\n- fail: { status: 409, type: full, title: Full }\n  when: vars.used >= 3',
        },
        finds: ['R2 use steps[1]'],
        names: ['POST /use', 'vars.used >= 3'],
      },
      {
        title: 'a decision in one workflow, the write in one that it calls',
        variables: 'used: { strategy: sum-increments, keyed: true }',
        workflows: {
          use: `${body}
          - if: vars.used[request.body.who] < request.body.n
            then:
              - call: book
                with: { who: "\${ request.body.who }" }`,
          book: 'on: { call: { with: { type: object, properties: { who: { type: string } } } } }\n- add: used\n  key: ${ request.with.who }',
        },
        finds: ['R2 book steps[0]'],
        names: ['vars.used[request.body.who] < request.body.n'],
      },
      {
        title: 'a decision in one workflow that another goes by',
        variables: 'used: { strategy: sum-increments }\nticket: { strategy: last-write-wins, keyed: true }',
        workflows: {
          reserve: `${body}
          - fail: { status: 409, type: full, title: Full }
            when: vars.used >= 3
          - set: ticket
            key: \${ request.body.who }
            value: true`,
          enter: `on: { http: { method: POST, path: "/enter/{who}" } }
          - fail: { status: 403, type: no-ticket, title: No ticket }
            when: vars.ticket[request.params.who] !== true
          - add: used`,
        },
        finds: ['R2 enter steps[1]'],
        names: ['POST /it', 'vars.used >= 3', 'used'],
      },
      {
        title: 'an offer behind a limit that it may pass together with another',
        variables: 'seats: { strategy: max-value, initial: 0 }',
        workflows: {
          sit: '- fail: { status: 409, type: full, title: Full }\n  when: vars.seats.value >= 10\n- raise: seats\n  value: ${ vars.seats.value + 1 }',
        },
        finds: ['R2 sit steps[1]'],
        names: ['seats'],
        pastes: true,
      },
      {
        title: 'an auction that somebody resets',
        variables: 'bid: { strategy: max-value }',
        workflows: {
          bid: `${body}- raise: bid\n  value: \${ request.body.n }\n  when: request.body.n > (vars.bid.value ?? 0)`,
          clear: '- reset: bid',
        },
        finds: ['R2 bid steps[0]'],
        names: ['bid'],
      },
      {
        title: 'a stock that is filled up by what it lacks',
        variables: 'stock: { strategy: bounded-counter, initial: 0 }',
        workflows: { fill: '- mint: stock\n  amount: ${ 100 - vars.stock }' },
        finds: ['R2 fill steps[0]'],
        names: ['stock'],
      },
      {
        title: 'as many rounds of a loop as are left',
        variables: 'left: { strategy: sum-increments, initial: 3 }',
        workflows: {
          use: '- each: "${ slice([1, 2, 3], 0, vars.left) }"\n  item: one\n  do:\n    - add: left\n      amount: -1',
        },
        finds: ['R2 use steps[0].do[0]'],
        names: ['left'],
      },
      {
        title: 'a count in the `catch` of a failure that the count decided',
        variables: 'used: { strategy: sum-increments }',
        workflows: {
          use: '- try:\n    - fail: { status: 409, type: free, title: Free }\n      when: vars.used < 3\n  catch:\n    do:\n      - add: used',
        },
        finds: ['R2 use steps[0].catch.do[0]'],
        names: ['vars.used < 3'],
      },
      {
        title: 'a sale that the run before last was to close',
        variables: 'used: { strategy: sum-increments }\nopen: { strategy: last-write-wins, initial: true }',
        workflows: { use: '- if: vars.open\n  then: [{ add: used }]\n- set: open\n  value: false\n  when: vars.used >= 3' },
        finds: ['R2 use steps[0].then[0]'],
        names: ['vars.used >= 3', 'set: open'],
      },
      {
        title: 'a sale that is closed by a comparison that is written down',
        variables: 'used: { strategy: sum-increments }\nopen: { strategy: last-write-wins, initial: true }',
        workflows: { use: '- add: used\n  when: vars.open', shut: '- set: open\n  value: ${ vars.used < 3 }' },
        finds: ['R2 use steps[0]'],
        names: ['vars.used < 3'],
      },
      {
        title: 'a record that is changed only where there is one, and may be removed',
        variables: 'note: { strategy: last-write-wins, keyed: true, writers: any }',
        workflows: {
          change: `${body}- set: note\n  key: \${ request.body.who }\n  value: { n: 1 }\n  when: vars.note[request.body.who] !== null`,
          remove: 'on: { http: { method: DELETE, path: "/it/{who}" } }\n- unset: note\n  key: ${ request.params.who }',
        },
        finds: ['R2 change steps[0]'],
        names: ['note'],
      },
    ],
    good: [
      {
        title: 'a setting that says whether',
        variables:
          'banner: { strategy: last-write-wins, initial: { odds: 0.5, open: true } }\nspins: { strategy: sum-increments }',
        workflows: {
          spin: '- fail: { status: 409, type: closed, title: Closed }\n  when: "!vars.banner.open"\n- add: spins\n  when: random() < vars.banner.odds',
        },
      },
      {
        title: 'a decision on one key, and a write of another',
        variables: 'points: { strategy: sum-increments, keyed: true }',
        workflows: { gift: `${body}- add: points\n  key: \${ request.body.who }\n  when: vars.points['house'] > 0` },
      },
      {
        title: 'a decision on another variable than the one that is written',
        variables:
          'stock: { strategy: bounded-counter, initial: 5 }\nviews: { strategy: sum-increments }\nbest: { strategy: last-write-wins }',
        workflows: { view: '- add: views\n- set: best\n  value: true\n  when: vars.views > 1000' },
      },
      {
        title: 'units that are taken first, and answered for afterwards',
        variables: 'stock: { strategy: bounded-counter, initial: 5 }\nsold: { strategy: sum-increments }',
        workflows: {
          buy: '- take: stock\n  as: unit\n- respond: { status: 409, body: { left: "${ vars.stock }" } }\n  when: "!unit.ok"\n- add: sold\n- respond: { body: { receipt: "${ unit.receipt }" } }',
        },
      },
      {
        title: 'a take behind a look at what is left: it decides again by itself',
        variables: 'stock: { strategy: bounded-counter, initial: 5 }',
        workflows: {
          buy: '- fail: { status: 409, type: none, title: None is left }\n  when: vars.stock === 0\n- take: stock\n  as: unit\n- fail: { status: 409, type: none, title: None is left }\n  when: "!unit.ok"',
        },
        but: ['R3 buy steps[0]'],
      },
      {
        title: 'an auction: offers that beat the highest, while it is open',
        variables: 'bid: { strategy: max-value, keyed: true }\nends: { strategy: max-value, keyed: true }',
        workflows: {
          bid: `on: { http: { method: POST, path: "/lots/{lot}", body: { type: object, required: [amount], properties: { amount: { type: integer } } } } }
          - let: { ends: "\${ vars.ends[request.params.lot].value ?? 0 }" }
          - fail: { status: 409, type: closed, title: Closed }
            when: now() >= ends || request.body.amount <= (vars.bid[request.params.lot].value ?? 0)
          - raise: bid
            key: \${ request.params.lot }
            value: \${ request.body.amount }
          - raise: ends
            key: \${ request.params.lot }
            value: \${ now() + duration('1m') }
            when: ends - now() < duration('1m')`,
        },
        but: ['R3 bid steps[1]'],
      },
      {
        title: 'the lowest price: an offer that undercuts the lowest',
        variables: 'price: { strategy: min-value }',
        workflows: {
          offer: `${body}- lower: price\n  value: \${ request.body.n }\n  when: vars.price.value === null || request.body.n < vars.price.value`,
        },
      },
      {
        title: 'a decision on how old the knowledge is',
        variables: 'beat: { strategy: last-write-wins }',
        workflows: { tick: "- set: beat\n  value: ${ now() }\n  when: age(vars.beat) > duration('5s')" },
      },
      {
        title: 'a decision on the window before',
        variables: 'calls: { strategy: sum-increments, window: { every: day } }',
        workflows: { use: '- get: calls\n  window: previous\n  as: yesterday\n- add: calls\n  when: yesterday < 5' },
      },
      {
        title: 'a record that is changed only where there is one, and stays',
        variables: 'note: { strategy: last-write-wins, keyed: true }',
        workflows: {
          change: `${body}
          - fail: { status: 404, type: no-note, title: There is no such note }
            when: vars.note[request.body.who] === null
          - set: note
            key: \${ request.body.who }
            value: { n: 1 }`,
        },
      },
      {
        title: 'a record that is removed where there is one',
        variables: 'note: { strategy: last-write-wins, keyed: true }',
        workflows: {
          remove: `${body}
          - fail: { status: 404, type: no-note, title: There is no such note }
            when: vars.note[request.body.who] === null
          - unset: note
            key: \${ request.body.who }`,
        },
      },
      {
        title: 'a value that is set where it is another one',
        variables: 'mode: { strategy: last-write-wins }',
        workflows: { put: `${body}- set: mode\n  value: \${ request.body.who }\n  when: vars.mode !== request.body.who` },
      },
    ],
  }));
