/** R6: a receipt in an answer that says beside it whether the take was granted is handed on, not used. */
import { expect, test } from 'vitest';
import { checkDocuments } from '../../src/check/index.ts';

const findingsOf = (body: string) =>
  checkDocuments([
    { path: 'cffbrw.yaml', text: 'cffbrw: 1\napp: shop\nvariables:\n  stock: { strategy: bounded-counter, initial: 10 }\n' },
    {
      path: 'workflows/buy.yaml',
      text: `cffbrw: 1
workflow: buy
on: { http: { method: POST, path: /buy } }
steps:
  - take: stock
    as: taken
  - respond:
      body: ${body}
`,
    },
  ]).findings.map(({ rule }) => rule);

test.each([
  '{ ok: "${ taken.ok }", receipt: "${ taken.receipt }" }',
  '{ result: { won: "${ taken.ok }", left: "${ taken.left }", receipt: "${ taken.receipt }" } }',
  '"${ { ok: taken.ok, receipt: taken.receipt } }"',
])('An answer that tells both is none: %s', (body) => expect(findingsOf(body)).toEqual([]));

test.each([
  '{ receipt: "${ taken.receipt }", left: "${ taken.left }", reason: "${ taken.reason }" }',
  '{ ok: "${ taken.ok }", code: "${ slice(taken.receipt, 0, 8) }" }',
  '{ ok: "${ !taken.ok }", receipt: "${ taken.receipt }" }',
  '{ ok: "${ taken.ok }", bill: { receipt: "${ taken.receipt }" } }',
])('An answer that does not is one: %s', (body) => expect(findingsOf(body)).toEqual(['R6']));
