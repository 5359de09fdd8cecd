/** R3: decisions on counts that control what others are told. */
import { describe } from 'vitest';
import { testRule } from './app.ts';

const who = 'on: { http: { method: POST, path: "/it/{who}" } }\n';

describe('R3, stale decision', () =>
  testRule('R3', {
    bad: [
      {
        title: 'a refusal because of a sum, with the counting elsewhere',
        variables: 'calls: { strategy: sum-increments, keyed: true }',
        workflows: {
          ask: `${who}- fail: { status: 429, type: many, title: Too many }\n  when: vars.calls[request.params.who] >= 5`,
          count: `on: { http: { method: PUT, path: "/it/{who}" } }\n- add: calls\n  key: \${ request.params.who }`,
        },
        finds: ['R3 ask steps[0]'],
        names: ['calls', 'POST /it/{who}', 'vars.calls[request.params.who] >= 5'],
      },
      {
        title: 'a mail because of what is left of a bounded counter',
        variables: 'stock: { strategy: bounded-counter, initial: 5 }',
        workflows: { look: '- http: https://example.com/empty\n  method: PUT\n  when: vars.stock < 2' },
        finds: ['R3 look steps[0]'],
        names: ['stock', 'http'],
      },
      {
        title: 'an answer because an offer was accepted, as seen here',
        variables: 'top: { strategy: max-value }',
        workflows: {
          offer: `on: { http: { method: POST, path: /offer, body: { type: object, properties: { n: { type: integer } } } } }
          - raise: top
            value: \${ request.body.n }
            as: offer
          - if: offer.accepted
            then: [respond: { body: { leads: true } }]`,
        },
        finds: ['R3 offer steps[1]'],
        names: ['top', 'offer.accepted'],
      },
      {
        title: 'an answer because of a count that is set',
        variables: 'used: { strategy: last-write-wins, initial: 0 }',
        workflows: {
          use: '- switch:\n    - when: vars.used > 3\n      do: [fail: { status: 409, type: full, title: Full }]\n- set: used\n  value: ${ vars.used + 1 }',
        },
        finds: ['R3 use steps[0]'],
        names: ['used'],
      },
      {
        title: 'an answer that compares what the run has counted itself in',
        variables: 'won: { strategy: sum-increments }',
        workflows: { spin: '- let: { before: "${ vars.won }" }\n- add: won\n- respond: { body: { won: "${ before < 10 }" } }' },
        finds: ['R3 spin steps[2]'],
        names: ['POST /spin', 'won'],
      },
    ],
    good: [
      {
        title: 'an answer because of a setting',
        variables: 'limit: { strategy: last-write-wins, initial: 5 }',
        workflows: { ask: '- respond: { status: 503 }\n  when: vars.limit < 1', put: '- set: limit\n  value: 7' },
      },
      {
        title: 'a count that is only shown',
        variables: 'visits: { strategy: sum-increments }',
        workflows: { look: 'on: { http: { method: GET, path: /look } }\n- respond: { body: { visits: "${ vars.visits }" } }' },
      },
      {
        title: 'an answer because there is no value at all',
        variables: 'top: { strategy: max-value, keyed: true }',
        workflows: {
          look: `${who}- fail: { status: 404, type: none, title: None }\n  when: vars.top[request.params.who].value === null\n- respond: { body: "\${ vars.top[request.params.who] }" }`,
        },
      },
      {
        title: 'an answer for each of the keys of a count',
        variables: 'count: { strategy: sum-increments, keyed: true }',
        workflows: {
          list: '- keys: count\n  as: names\n- respond: { status: 404 }\n  when: len(names) === 0\n- respond: { body: "${ names }" }',
        },
      },
      {
        title: 'an answer because of how old the knowledge of a count is',
        variables: 'count: { strategy: sum-increments }',
        workflows: {
          look: '- fail: { status: 503, type: old, title: Out of touch }\n  when: age(vars.count) > duration(\'5s\')\n- respond: { body: "${ vars.count }" }',
        },
      },
      {
        title: 'a count that is shown, and one that is compared where nobody is counted',
        variables: 'won: { strategy: sum-increments }',
        workflows: {
          spin: '- add: won\n- respond: { body: { winners: "${ vars.won }" } }',
          look: '- respond: { body: { open: "${ vars.won < 10 }" } }',
        },
      },
    ],
  }));
