/** What does not compile: each refusal of the `.test-d.ts` files is one, and its message says which variable and why. */
import { expect, test } from 'vitest';
import { compileWithoutMarks, type Refusal } from './refusals.ts';

const files = ['test/define/types.test-d.ts', 'test/replica/handle-types.test-d.ts'];
const { refusals, others } = await compileWithoutMarks(files);

test('Nothing else in these files is refused', () => {
  expect(others).toEqual([]);
  for (const file of files) expect(refusals.filter((one) => one.file === file).length).toBeGreaterThan(30);
});

test.each(refusals.map((one) => [`${one.file}:${one.line}`, one] as const))('%s does not compile', (_at, { message, why }) => {
  expect(message === '' ? `compiles, although ${why}` : 'refused').toBe('refused');
});

const messageOf = (why: string): string =>
  refusals
    .filter((one: Refusal) => one.why === why)
    .map(({ message }) => message)
    .join('\n');

test.each([
  ['a sum has no merge', 'visits is sum-increments, which has no merge'],
  ["keyed: it can't be read before a key is named", 'profile is keyed: name a key first'],
  ['not keyed', 'visits is not keyed'],
  ['keyed, and no key', "Property 'key' is missing in type '{ add: \"views\"; }'"],
  ['not keyed, and a key', 'spins is not keyed: it has one value for all'],
  ['it has no windows', 'limit has no windows'],
  ['there is no such variable', '"spins" | "views"'],
  ['an initial value that breaks the schema', 'the initial value of x breaks its schema'],
  ['a sum has no schema', 'x is sum-increments, which has no option schema'],
])('The message of “%s” says “%s”', (why, text) => {
  expect(messageOf(why)).toContain(text);
});
