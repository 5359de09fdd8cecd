/** An app that uses all that there is: each verb, function and strategy, a schedule, paths with parameters, and a schema that takes the library. */
import { functions } from '../../src/expression/functions.ts';

const expression = (text: string): string => JSON.stringify(`\${ ${text} }`);

/** Each function as its own documentation shows it. */
const called = [...functions.values()].map(({ name, example }) => `      ${name}Result: ${expression(example)}`).join('\n');

export const everything: Readonly<Record<string, string>> = {
  'cffbrw.yaml': `cffbrw: 1
app: everything
secrets: [KEY]
events: { path: /events, variables: [flag, sum] }
variables:
  flag: { strategy: last-write-wins, keyed: true, writers: any }
  sum: { strategy: sum-increments, window: { every: day, timezone: Asia/Ho_Chi_Minh } }
  profile: { strategy: merge-objects, keyed: true }
  highest: { strategy: max-value }
  lowest: { strategy: min-value }
  stock: { strategy: bounded-counter, initial: 1000 }
`,
  'workflows/all.yaml': `cffbrw: 1
workflow: all
on:
  http:
    method: POST
    path: /all/{user}
    auth: { bearer: KEY }
    body: { type: object, properties: { a: { anyOf: [{ type: string }, { type: integer }] } } }
steps:
  - let:
${called}
      list: '\${ [1, 2, 3].map(x => x * 2).filter(x => x > 2) }'
  - { set: flag, key: a, value: true }
  - { unset: flag, key: a }
  - { merge: profile, key: "\${ request.params.user }", value: { a: 1 } }
  - { replace: profile, key: b, value: { b: 1 } }
  - { raise: highest, value: 3 }
  - { lower: lowest, value: 3 }
  - { add: sum }
  - { reset: lowest }
  - { mint: stock, amount: 5 }
  - { burn: stock }
  - { take: stock, hold: 1m, as: taken }
  - if: taken.ok
    then:
      - { confirm: stock, receipt: "\${ taken.receipt }" }
      - { give: stock, receipt: "\${ taken.receipt }" }
  - { get: flag, key: a, as: got }
  - { keys: profile, as: found }
  - switch: [{ when: len(found) > 99, do: [{ log: { level: info, message: many } }] }]
    default: [{ log: { level: info, message: few } }]
  - each: '\${ list }'
    item: one
    do: [{ return: '\${ one }' }]
    as: each
  - parallel: { left: [{ call: inner, as: inner }], right: [{ wait: 1ms }] }
  - try: [{ http: 'http://127.0.0.1/', as: sent }]
    catch: { as: refused, do: [{ log: { level: info, message: '\${ refused.code }' } }] }
  - { fail: { status: 400, type: sent, title: It was sent }, when: sent !== null }
  - respond: { body: { user: '\${ request.params.user }', each: '\${ each }', sum: '\${ vars.sum }', highest: '\${ vars.highest.value }' } }
`,
  'workflows/inner.yaml': `cffbrw: 1
workflow: inner
on: { call: {} }
steps:
  - return: 1
`,
  'workflows/night.yaml': `cffbrw: 1
workflow: night
on: { cron: { schedule: "0 3 * * *" } }
steps:
  - add: sum
`,
};
