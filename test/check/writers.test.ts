/** R4, R5 and R10: who writes a variable, and what it is declared as. */
import { describe } from 'vitest';
import { testRule } from './app.ts';

const who = 'on: { http: { method: POST, path: "/a/{who}" } }\n';
const other = 'on: { http: { method: POST, path: "/b/{who}" } }\n';

describe('R4, many writers', () =>
  testRule('R4', {
    bad: [
      {
        title: 'two workflows set one variable',
        variables: 'theme: { strategy: last-write-wins, initial: light }',
        workflows: { day: '- set: theme\n  value: light', night: '- set: theme\n  value: dark' },
        finds: ['R4 variables.theme'],
        names: ['day', 'night', 'theme'],
        pastes: true,
      },
      {
        title: 'a workflow sets what another one unsets',
        variables: 'page:\n  strategy: last-write-wins\n  keyed: true',
        workflows: {
          put: `${who}- set: page\n  key: \${ request.params.who }\n  value: 1`,
          drop: `${other}- unset: page\n  key: \${ request.params.who }`,
        },
        finds: ['R4 variables.page'],
        names: ['page'],
        pastes: true,
      },
      {
        title: 'a workflow sets what one that another calls sets, too',
        variables: 'theme: { strategy: last-write-wins }',
        workflows: {
          day: '- set: theme\n  value: light',
          evening: '- call: night\n',
          night: 'on: { call: {} }\n- set: theme\n  value: dark',
        },
        finds: ['R4 variables.theme'],
        names: ['day', 'night'],
        pastes: true,
      },
    ],
    good: [
      {
        title: 'several writers that are meant to be so',
        variables: 'theme: { strategy: last-write-wins, writers: any }',
        workflows: { day: '- set: theme\n  value: light', night: '- set: theme\n  value: dark' },
      },
      {
        title: 'one workflow that writes in two places',
        variables: 'theme: { strategy: last-write-wins }',
        workflows: { turn: '- set: theme\n  value: light\n  when: random() < 0.5\n- set: theme\n  value: dark' },
      },
      {
        title: 'several workflows that merge into one object',
        variables: 'profile: { strategy: merge-objects }',
        workflows: { name: '- merge: profile\n  value: { name: Ann }', town: '- merge: profile\n  value: { town: Hue }' },
      },
      {
        title: 'one workflow that two others call',
        variables: 'theme: { strategy: last-write-wins }',
        workflows: { a: '- call: put', b: '- call: put', put: 'on: { call: {} }\n- set: theme\n  value: dark' },
      },
    ],
  }));

describe('R5, branch conflict', () =>
  testRule('R5', {
    bad: [
      {
        title: 'two branches set one variable',
        variables: 'best: { strategy: last-write-wins }',
        workflows: { find: '- parallel:\n    near: [{ set: best, value: 1 }]\n    far: [{ set: best, value: 2 }]' },
        finds: ['R5 find steps[0].parallel.far[0]'],
        names: ['near', 'far', 'set: best'],
      },
      {
        title: 'iterations beside each other set one variable',
        variables: 'last: { strategy: last-write-wins }',
        workflows: { all: '- each: [1, 2, 3]\n  item: one\n  concurrency: 3\n  do:\n    - set: last\n      value: ${ one }' },
        finds: ['R5 all steps[0].do[0]'],
        names: ['set: last'],
      },
      {
        title: 'branches merge the same field, in a workflow that both call',
        variables: 'state: { strategy: merge-objects }',
        workflows: {
          run:
            '- parallel:\n    a: [call: { }]\n'.replace('call: { }', 'call: keep') +
            '    b:\n      - merge: state\n        value: { at: 2 }',
          keep: 'on: { call: {} }\n- merge: state\n  value: { at: 1 }',
        },
        finds: ['R5 run steps[0].parallel.b[0]'],
        names: ['a', 'b', 'merge: state'],
      },
    ],
    good: [
      {
        title: 'iterations that write a key of their own',
        variables: 'seen: { strategy: last-write-wins, keyed: true }',
        workflows: {
          all: '- each: [1, 2, 3]\n  item: one\n  concurrency: 3\n  do:\n    - set: seen\n      key: ${ one }\n      value: true',
        },
      },
      {
        title: 'iterations that merge a field of their own',
        variables: 'seen: { strategy: merge-objects }',
        workflows: {
          all: '- each: [a, b]\n  item: one\n  concurrency: 2\n  do:\n    - merge: seen\n      value: "${ { told: { [one]: 1 } } }"',
        },
      },
      {
        title: 'iterations one after the other',
        variables: 'last: { strategy: last-write-wins }',
        workflows: { all: '- each: [1, 2, 3]\n  item: one\n  do:\n    - set: last\n      value: ${ one }' },
      },
      {
        title: 'branches that add to one sum, and merge different fields',
        variables: 'n: { strategy: sum-increments }\nstate: { strategy: merge-objects }',
        workflows: {
          run: '- parallel:\n    a: [{ add: n }, { merge: state, value: { a: 1 } }]\n    b: [{ add: n }, { merge: state, value: { b: 1 } }]',
        },
      },
      {
        title: 'one branch that writes twice',
        variables: 'best: { strategy: last-write-wins }',
        workflows: {
          find: '- parallel:\n    a: [{ set: best, value: 1 }, { set: best, value: 2 }]\n    b: [{ log: { level: info, message: b } }]',
        },
      },
      {
        title: 'arms of which one runs',
        variables: 'best: { strategy: last-write-wins }',
        workflows: { find: '- if: random() < 0.5\n  then: [{ set: best, value: 1 }]\n  else: [{ set: best, value: 2 }]' },
      },
    ],
  }));

describe('R10, implicit default', () =>
  testRule('R10', {
    bad: [
      {
        title: 'nothing is declared but the name',
        variables: 'stock:',
        workflows: { a: '- respond:' },
        finds: ['R10 variables.stock'],
        names: ['stock'],
        pastes: true,
      },
      {
        title: 'an initial value alone',
        variables: 'stock: { initial: 10 }',
        workflows: { a: '- respond:' },
        finds: ['R10 variables.stock'],
        names: ['stock'],
        pastes: true,
      },
      {
        title: 'several of them',
        variables: 'a: { keyed: true }\nb: { strategy: last-write-wins }\nc: {}',
        workflows: { a: '- respond:' },
        finds: ['R10 variables.a', 'R10 variables.c'],
        names: ['a'],
        pastes: true,
      },
    ],
    good: [
      { title: 'the default, said', variables: 'stock: { strategy: last-write-wins }', workflows: { a: '- respond:' } },
      {
        title: 'another strategy',
        variables: 'stock: { strategy: bounded-counter, initial: 1 }',
        workflows: { a: '- respond:' },
      },
      { title: 'no variables at all', variables: '{}', workflows: { a: '- respond:' } },
    ],
  }));
