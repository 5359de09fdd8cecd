/** Documents that were made to keep `check` busy: it comes to an end, and still finds the race in them. */
import { expect, test } from 'vitest';
import { checked, shown } from './app.ts';

const variables = 'stock: { strategy: last-write-wins, initial: 10 }\nseats: { strategy: bounded-counter, initial: 10 }';
const doubled = (start: string, next: (name: string) => string): string =>
  [
    `- let: { a0: "\${ ${start} }" }`,
    ...Array.from({ length: 60 }, (_, at) => `- let: { a${at + 1}: "\${ ${next(`a${at}`)} }" }`),
  ].join('\n');

test.each([
  ['a sum', `${doubled('vars.stock', (a) => `${a} + ${a}`)}\n- set: stock\n  value: \${ a60 }`, 'R1 buy steps[61]'],
  [
    'a condition',
    `${doubled('vars.stock > 1', (a) => `${a} && ${a}`)}\n- set: stock\n  value: 1\n  when: a60`,
    'R2 buy steps[61]',
  ],
  [
    'an object',
    `${doubled('vars.stock', (a) => `{ x: ${a}, y: ${a} }`)}\n- set: stock\n  value: \${ a60.x.y.x }`,
    'R1 buy steps[61]',
  ],
])('%s that doubles with every step', (_, steps, finds) => {
  expect(checked({ variables, workflows: { buy: steps } }).findings.map(shown)).toEqual([finds]);
});

test('what a take gave, doubled with every step', () => {
  const steps = `- take: seats\n  as: seat\n${doubled('seat', (a) => `[${a}, ${a}]`)}\n- respond: { body: "\${ a60 }" }`;
  expect(() => checked({ variables, workflows: { buy: steps } })).not.toThrow();
});

test('workflows that call each other, two times each', () => {
  const call = (name: string) => `on: { call: {} }\n- call: ${name}\n- call: ${name}`;
  const names = Array.from({ length: 15 }, (_, at) => `w${at}`);
  const workflows = Object.fromEntries(names.map((name, at) => [name, call(names[(at + 1) % names.length] ?? '')]));
  const { findings } = checked({
    variables,
    workflows: {
      ...workflows,
      w14: `on: { call: {} }\n- set: stock\n  value: \${ vars.stock - 1 }\n- call: w0`,
      buy: '- call: w0',
    },
  });
  expect(findings.map(shown)).toEqual(['R1 w14 steps[0]']);
});
