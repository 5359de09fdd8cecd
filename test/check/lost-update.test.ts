/** R1: writes made of a read of what they write. */
import { describe } from 'vitest';
import { testRule } from './app.ts';

const body =
  'on: { http: { method: POST, path: /it, body: { type: object, required: [n, who], properties: { n: { type: integer }, who: { type: string } } } } }\n';

describe('R1, lost update', () =>
  testRule('R1', {
    bad: [
      {
        title: 'a count that is set to what was read and one more',
        variables: 'visits: { strategy: last-write-wins, initial: 0 }',
        workflows: { hit: '- set: visits\n  value: ${ vars.visits + 1 }' },
        finds: ['R1 hit steps[0]'],
        names: ['POST /hit', 'visits'],
        pastes: true,
      },
      {
        title: 'a count that is read by `get`, passed through `let`, and set',
        variables: 'visits: { strategy: sum-increments, keyed: true }',
        workflows: {
          hit: `${body}
          - get: visits
            key: \${ request.body.who }
            as: before
          - let: { after: "\${ (before ?? 0) + 2 }" }
          - set: visits
            key: \${ request.body.who }
            value: \${ after }
            when: request.body.n > 0`,
        },
        finds: ['R1 hit steps[2]'],
        names: ['one key of visits'],
        pastes: true,
      },
      {
        title: 'the number of a product in a cart, computed from the cart',
        variables: 'cart: { strategy: merge-objects, keyed: true }',
        workflows: {
          put: `${body}
          - let: { now: "\${ vars.cart[request.body.who] ?? {} }" }
          - merge: cart
            key: \${ request.body.who }
            value: { apples: "\${ (now.apples ?? 0) + request.body.n }" }`,
        },
        finds: ['R1 put steps[1]'],
        names: ['one key of cart'],
      },
      {
        title: 'an object that is written whole to change one field',
        variables:
          'settings: { initial: { open: true }, strategy: last-write-wins, schema: { type: object, properties: { open: { type: boolean } } } }',
        workflows: { shut: '- set: settings\n  value: "${ { ...vars.settings, open: false } }"' },
        finds: ['R1 shut steps[0]'],
        names: ['settings'],
        pastes: true,
      },
      {
        title: 'a list that grows by a workflow which is called',
        variables: 'names: { strategy: last-write-wins, initial: [] }',
        workflows: {
          join: `${body}
          - let: { all: "\${ vars.names }" }
          - call: keep
            with: { all: "\${ [...all, request.body.who] }" }`,
          keep: 'on: { call: {} }\n- set: names\n  value: ${ request.with.all }',
        },
        finds: ['R1 keep steps[0]'],
        names: ['POST /it', 'names'],
      },
      {
        title: 'a sequence number that is offered as the highest and one',
        variables: 'top: { strategy: max-value, initial: 0 }',
        workflows: {
          next: '- raise: top\n  value: ${ vars.top.value + 1 }\n- respond: { body: "${ vars.top.value }" }',
        },
        finds: ['R1 next steps[0]'],
        names: ['POST /next', 'top'],
        pastes: true,
      },
      {
        title: 'a sum over the elements of what is written',
        variables: 'cart: { strategy: merge-objects }',
        workflows: {
          total: `
          - each: \${ entries(vars.cart ?? {}) }
            item: one
            do: [return: "\${ one[1] }"]
            as: counts
          - merge: cart
            value: { total: "\${ counts.reduce((sum, one) => sum + one, 0) }" }`,
        },
        finds: ['R1 total steps[1]'],
        names: ['cart'],
      },
      {
        title: 'an order under a number that was counted',
        variables: 'count: { strategy: sum-increments }\norder: { strategy: last-write-wins, keyed: true }',
        workflows: {
          buy: `${body}- add: count\n- set: order\n  key: "\${ 'no-' + vars.count }"\n  value: \${ request.body.who }`,
        },
        finds: ['R1 buy steps[1]'],
        names: ['POST /it', 'count', 'same key'],
      },
    ],
    good: [
      {
        title: 'a count that is added to',
        variables: 'visits: { strategy: sum-increments }',
        workflows: { hit: '- add: visits\n- respond: { body: "${ vars.visits }" }' },
      },
      {
        title: 'a value that is made of another variable',
        variables: 'now: { strategy: last-write-wins, initial: 0 }\nlast: { strategy: last-write-wins, initial: 0 }',
        workflows: { keep: '- set: last\n  value: ${ vars.now }' },
      },
      {
        title: 'a value that is made of another key of the same variable',
        variables: 'page: { strategy: last-write-wins, keyed: true }',
        workflows: { copy: `${body}- set: page\n  key: \${ request.body.who }\n  value: \${ vars.page['template'] }` },
      },
      {
        title: 'one field of an object that is made of another field',
        variables: 'profile: { strategy: merge-objects, keyed: true }',
        workflows: {
          greet: `${body}
          - let: { profile: "\${ vars.profile[request.body.who] ?? {} }" }
          - merge: profile
            key: \${ request.body.who }
            value: { greeting: "\${ 'Hello ' + (profile.name ?? 'you') }" }`,
        },
      },
      {
        title: 'the highest of an offer and the highest',
        variables: 'top: { strategy: max-value, initial: 0 }',
        workflows: { offer: `${body}- raise: top\n  value: \${ max(request.body.n, vars.top.value) }` },
      },
      {
        title: 'how old a value is known to be, in the value',
        variables: 'beat: { strategy: last-write-wins }',
        workflows: { tick: '- set: beat\n  value: ${ age(vars.beat) }' },
      },
      {
        title: 'what is written under the number of a round that others count',
        variables: 'round: { strategy: sum-increments }\nvote: { strategy: last-write-wins, keyed: true }',
        workflows: {
          next: '- add: round',
          vote: `${body}- set: vote\n  key: "\${ 'round-' + vars.round }"\n  value: \${ request.body.who }`,
        },
      },
    ],
  }));
