/** R6, R8 and R9: takes that nobody looks at, retries that do things twice, secrets on their way out. */
import { describe } from 'vitest';
import { testRule } from './app.ts';

const stock = 'stock: { strategy: bounded-counter, initial: 5 }';
const body =
  'on: { http: { method: POST, path: /it, body: { type: object, required: [url], properties: { url: { type: string } } } } }\n';

describe('R6, unchecked take', () =>
  testRule('R6', {
    bad: [
      {
        title: 'a take whose result has no name',
        variables: stock,
        workflows: { buy: '- take: stock\n- respond: { body: { sold: true } }' },
        finds: ['R6 buy steps[0]'],
        names: ['POST /buy', 'take: stock'],
        pastes: true,
      },
      {
        title: 'a take whose result nobody looks at',
        variables: stock,
        workflows: { buy: '- take: stock\n  as: unit\n- respond: { body: { left: "${ unit.left }" } }' },
        finds: ['R6 buy steps[0]'],
        names: ['take: stock'],
        pastes: true,
      },
      {
        title: 'a take whose result only the log hears of',
        variables: stock,
        workflows: {
          buy: '- take: stock\n  as: unit\n- log: { level: info, message: "${ unit.ok }" }\n- respond: { body: { sold: true } }',
        },
        finds: ['R6 buy steps[0]'],
        names: ['take: stock'],
        pastes: true,
      },
      {
        title: 'a receipt that is handed out before anybody asks',
        variables: stock,
        workflows: {
          buy: '- take: stock\n  as: unit\n- respond: { body: { code: "${ unit.receipt }" } }\n  when: random() < 0.5\n- respond: { status: 409 }\n  when: "!unit.ok"',
        },
        finds: ['R6 buy steps[1]'],
        names: ['respond', 'receipt'],
      },
      {
        title: 'a receipt that is used behind a `catch` which may have led around the question',
        variables: stock,
        workflows: {
          buy: '- take: stock\n  as: unit\n- try:\n    - fail: { status: 409, type: none, title: None }\n      when: "!unit.ok"\n  catch:\n    do:\n      - log: { level: info, message: none }\n- respond: { body: { code: "${ unit.receipt }" } }',
        },
        finds: ['R6 buy steps[2]'],
        names: ['respond'],
      },
      {
        title: 'a receipt under the wrong arm of a condition',
        variables: stock,
        workflows: { buy: '- take: stock\n  as: unit\n- respond: { body: { code: "${ unit.ok ? null : unit.receipt }" } }' },
        finds: ['R6 buy steps[1]'],
        names: ['respond'],
      },
    ],
    good: [
      {
        title: 'a take that is asked by its reason, then by its ok',
        variables: stock,
        workflows: {
          buy: '- take: stock\n  as: unit\n- fail: { status: 409, type: none, title: None }\n  when: unit.reason === \'exhausted\'\n- fail: { status: 503, type: later, title: Later }\n  when: "!unit.ok"\n- respond: { body: { code: "${ unit.receipt }" } }',
        },
      },
      {
        title: 'a receipt in the arm where the take was granted',
        variables: stock,
        workflows: {
          buy: '- take: stock\n  as: unit\n- if: unit.ok && random() < 2\n  then: [respond: { body: { code: "${ unit.receipt }" } }]\n- respond: { status: 409 }',
        },
      },
      {
        title: 'a receipt that an expression asks for itself',
        variables: stock,
        workflows: {
          buy: '- take: stock\n  as: unit\n- respond: { body: { code: "${ unit.ok ? slice(unit.receipt, 0, 8) : null }" } }',
        },
      },
      {
        title: 'a result that the caller is told of',
        variables: stock,
        workflows: { buy: '- take: stock\n  as: unit\n- respond: { body: { ok: "${ unit.ok }", reason: "${ unit.reason }" } }' },
      },
      {
        title: 'a result that a called workflow returns',
        variables: stock,
        workflows: {
          buy: '- call: get\n  as: unit\n- fail: { status: 409, type: none, title: None }\n  when: "!unit.ok"\n- respond: { body: { code: "${ unit.receipt }" } }',
          get: 'on: { call: {} }\n- take: stock\n  as: unit\n- return: ${ unit }',
        },
      },
    ],
  }));

describe('R8, unsafe retry', () =>
  testRule('R8', {
    bad: [
      {
        title: 'a request that is not idempotent, tried again',
        variables: 'n: { strategy: sum-increments }',
        workflows: { pay: '- try:\n    - http: https://example.com/pay\n      method: POST\n  retry: { attempts: 3 }' },
        finds: ['R8 pay steps[0].try[0]'],
        names: ['POST /pay', 'http'],
      },
      {
        title: 'a count before a request that is tried again',
        variables: 'n: { strategy: sum-increments }',
        workflows: { ask: '- try:\n    - add: n\n    - http: https://example.com/\n  retry: {}' },
        finds: ['R8 ask steps[0].try[0]'],
        names: ['add: n'],
      },
      {
        title: 'a take before a request, in a workflow that is called',
        variables: stock,
        workflows: {
          buy: '- try:\n    - call: one\n    - http: https://example.com/\n  retry: { attempts: 2 }',
          one: 'on: { call: {} }\n- take: stock\n  as: unit\n- fail: { status: 409, type: none, title: None }\n  when: "!unit.ok"',
        },
        finds: ['R8 one steps[0]'],
        names: ['take: stock'],
      },
    ],
    good: [
      {
        title: 'a request that says it is idempotent, and one that only reads',
        variables: 'n: { strategy: sum-increments }',
        workflows: {
          pay: '- try:\n    - http: https://example.com/\n    - http: https://example.com/pay\n      method: POST\n      idempotent: true\n  retry: {}',
        },
      },
      {
        title: 'a count behind all that may fail',
        variables: 'n: { strategy: sum-increments }',
        workflows: { ask: '- try:\n    - http: https://example.com/\n    - add: n\n  retry: {}' },
      },
      {
        title: 'a count that is tried again, with what may fail behind the `try`',
        variables: 'n: { strategy: sum-increments }',
        workflows: { ask: '- try:\n    - http: https://example.com/\n    - add: n\n  retry: {}\n- http: https://example.com/' },
      },
      {
        title: 'a take with `once`, and a merge, before a request',
        variables: `${stock}\nstate: { strategy: merge-objects }`,
        workflows: {
          buy: '- try:\n    - take: stock\n      once: me\n      as: unit\n    - merge: state\n      value: { at: 1 }\n    - http: https://example.com/\n      when: unit.ok\n  retry: {}',
        },
      },
      {
        title: 'a `try` that tries once',
        variables: 'n: { strategy: sum-increments }',
        workflows: {
          ask: '- try:\n    - add: n\n    - http: https://example.com/\n      method: POST\n  catch: { do: [{ respond: { status: 502 } }] }',
        },
      },
    ],
  }));

describe('R9, secret leak', () =>
  testRule('R9', {
    bad: [
      {
        title: 'a secret to an address that the request chooses',
        settings: 'secrets: [TOKEN]',
        variables: '{}',
        workflows: { tell: `${body}- http: \${ request.body.url }\n  headers: { authorization: "\${ secrets.TOKEN }" }` },
        finds: ['R9 tell steps[0]'],
        names: ['POST /it', 'TOKEN'],
      },
      {
        title: 'a secret to a host with a part from the request',
        settings: 'secrets: [TOKEN]',
        variables: '{}',
        workflows: {
          tell: `${body}- http: "https://\${ request.body.url }.example.com/"\n  method: POST\n  body: { token: "\${ secrets.TOKEN }" }`,
        },
        finds: ['R9 tell steps[0]'],
        names: ['TOKEN'],
      },
      {
        title: 'a secret in the address, in a workflow that is called with it',
        settings: 'secrets: [TOKEN]',
        variables: '{}',
        workflows: {
          tell: `${body}- call: send\n  with: { url: "\${ request.body.url }" }`,
          send: 'on: { call: { with: { type: object, properties: { url: { type: string } } } } }\n- http: "${ request.with.url + \'?key=\' + secrets.TOKEN }"',
        },
        finds: ['R9 send steps[0]'],
        names: ['TOKEN'],
      },
    ],
    good: [
      {
        title: 'a secret to a host of the document, whatever the path',
        settings: 'secrets: [TOKEN]',
        variables: '{}',
        workflows: {
          tell: `${body}- http: "https://example.com/\${ request.body.url }"\n  headers: { authorization: "\${ secrets.TOKEN }" }`,
        },
      },
      {
        title: 'a digest to an address that the request chooses',
        settings: 'secrets: [TOKEN]',
        variables: '{}',
        workflows: {
          tell: `${body}- http: \${ request.body.url }\n  headers: { x-signature: "\${ hmac(secrets.TOKEN, 'x') }" }`,
        },
      },
      {
        title: 'a secret to an address that a variable holds',
        settings: 'secrets: [TOKEN]',
        variables: 'hook: { strategy: last-write-wins }',
        workflows: { tell: '- http: ${ vars.hook.url }\n  headers: { authorization: "${ secrets.TOKEN }" }' },
      },
    ],
  }));
