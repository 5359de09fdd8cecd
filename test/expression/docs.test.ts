import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { arity } from '../../src/expression/functions/entry.ts';
import { compileExpression, type FunctionEntry, functions, listMethodNames } from '../../src/expression/index.ts';
import { frame, scope } from './example.ts';

const page = readFileSync(new URL('../../docs/expressions.md', import.meta.url), 'utf8');

const body = JSON.parse(/`request\.body` is\s*`(\{.*?\})`/s.exec(page)?.[1] ?? 'null');
const run = (source: string) => compileExpression(source, scope).evaluate({ ...frame(), values: [{ body }] });

const lines = [...page.matchAll(/```js\n(.*?)```/gs)].flatMap((block) =>
  (block[1] ?? '').split('\n').filter((line) => line.trim() !== ''),
);

describe('the page on expressions', () => {
  it('has examples, and each says what it gives', () => {
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) expect(line).toMatch(/ \/\/ (→|✗) /);
  });

  it.each(lines.filter((line) => line.includes(' // → ')))('%s', (line) => {
    const [source = '', result = ''] = line.split(' // → ');
    expect(run(source)).toEqual(JSON.parse(result));
  });

  it.each(lines.filter((line) => line.includes(' // ✗ ')))('%s', (line) => {
    const [source = '', message = ''] = line.split(' // ✗ ');
    expect(() => run(source)).toThrow(message);
  });

  it('lists all functions, as the table of the compiler has them', () => {
    const inPage = /<!-- functions -->\n(.*?)\n?<!-- \/functions -->/s.exec(page)?.[1];
    expect(inPage).toBe(table());
  });

  it('names all list methods', () => {
    for (const name of listMethodNames) expect(page).toContain(`\`${name}\``);
  });
});

function table(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = [...functions.values()].map(({ name, parameters, summary, example, result, pure }) => {
    const shown = pure ? `\`${example}\` → \`${JSON.stringify(result)}\`` : `\`${example}\``;
    return `| \`${name}(${parameters})\` | ${cell(summary)} | ${cell(shown)} |`;
  });
  const age = "| `age(vars.x)` | How old the knowledge of a variable is, in milliseconds. | `age(vars.stock) < duration('5s')` |";
  return ['| function | what it gives | example |', '| --- | --- | --- |', ...rows, age].join('\n');
}

describe('the table of functions', () => {
  const pure: FunctionEntry[] = [...functions.values()].filter((entry) => entry.pure);

  it.each(pure.map((entry) => ({ ...entry })))('$example gives what it says', ({ example, result }) => {
    expect(run(example)).toEqual(result);
  });

  it.each(['now', 'random', 'uuid'])('%s comes from the run', (name) => {
    expect(run(`${name}()`)).toBe(frame()[name as 'now']());
  });

  it.each([...functions.values()].map((entry) => ({ ...entry })))('$name takes what its parameters say', (entry) => {
    const { least, most } = arity(entry);
    const call = (count: number) => () => compileExpression(`${entry.name}(${Array(count).fill('null').join(', ')})`, scope);
    expect(call(least)).not.toThrow();
    expect(call(most)).not.toThrow();
    if (least > 0) expect(call(least - 1)).toThrow(`\`${entry.name}\` takes`);
    expect(call(most + 1)).toThrow(`\`${entry.name}\` takes`);
  });
});
