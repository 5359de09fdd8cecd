import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { compileExpression, type Scope } from '../../src/expression/index.ts';
import type { Json } from '../../src/strategy/json.ts';
import { bound, expression, reference } from './arbitrary.ts';
import { frame } from './example.ts';

const runs = 2_000 * Number(process.env.CFFBRW_RUNS ?? 1);
const names = Object.keys(bound);
const scope: Scope = { names: new Map(names.map((name, slot) => [name, slot])), variables: new Map() };

const failure = Symbol('failure');

function ours(source: string): Json | typeof failure {
  try {
    return compileExpression(source, scope).evaluate({ ...frame(), values: Object.values(bound) });
  } catch (error) {
    if (error instanceof CffbrwError) return failure;
    throw error;
  }
}

/** Only here is text ever run as code: these are texts that the test made. */
function v8(source: string): unknown {
  try {
    const run = new Function('f', ...names, `'use strict'; return (${source});`) as (...given: unknown[]) => unknown;
    return run(reference, ...Object.values(bound));
  } catch {
    return failure;
  }
}

/** Undefined is null, and −0 is 0. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return value + 0;
  if (Array.isArray(value)) return Array.from(value, plain);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
}

it('gives what V8 gives, wherever both give something (E1), and changes nothing that came in (E4)', () => {
  deepFreeze(bound);
  let compared = 0;
  let skipped = 0;
  fc.assert(
    fc.property(expression, ([source, javascript]) => {
      const mine = ours(source);
      const theirs = v8(javascript);
      if (mine === failure || theirs === failure) {
        skipped++;
        return;
      }
      compared++;
      expect(mine, `${source}\n${javascript}`).toStrictEqual(plain(theirs));
    }),
    { numRuns: runs },
  );
  // Most of what is generated must run on both sides, else nothing is compared.
  expect(compared).toBeGreaterThan(skipped);
  if (process.env.CFFBRW_RUNS !== undefined) console.log(`compared ${compared}, skipped ${skipped}`);
});

it('gives what V8 gives for precedence and associativity, written without brackets', () => {
  const operand = fc.constantFrom('n', 'm', 'zero', '2', 'yes', 'no', 's', 'none', '"x"');
  const operator = fc.constantFrom('+', '-', '*', '/', '%', '<', '>=', '===', '!==', '&&', '||', '??');
  const chain = fc.tuple(
    operand,
    fc.array(fc.tuple(operator, fc.constantFrom('', '!', '- '), operand), { minLength: 1, maxLength: 6 }),
  );
  let compared = 0;
  fc.assert(
    fc.property(chain, ([first, rest]) => {
      const source = `${first} ${rest.map((part) => `${part[0]} ${part[1]}${part[2]}`).join(' ')}`;
      const mine = ours(source);
      const theirs = v8(source);
      if (mine === failure || theirs === failure) return;
      compared++;
      expect(mine, source).toStrictEqual(plain(theirs));
    }),
    { numRuns: runs },
  );
  expect(compared).toBeGreaterThan(runs / 20);
});
