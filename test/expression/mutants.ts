// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are sources
/** Expressions with pieces missing, doubled or put in. */
import fc from 'fast-check';
import { compileExpression, compileTemplate, type Scope } from '../../src/expression/index.ts';
import type { Json } from '../../src/strategy/json.ts';
import { bound, expression } from './arbitrary.ts';
import { evaluate, scope } from './example.ts';

/** The names of the example and of the random expressions: a mutant that names nothing that there is tests little. */
const all: Scope = {
  ...scope,
  names: new Map([...scope.names.keys(), ...Object.keys(bound)].map((name, slot) => [name, slot])),
};
const values = Object.values(bound) as readonly Json[];

export const runMutant = (source: string, units: number): Json => evaluate(compileExpression(source, all), units, values);
export const runInText = (text: string, units: number): Json => evaluate(compileTemplate(text, all), units, values);

const pieces = fc.constantFrom(
  ...'( ) [ ] { } ` ${ } => ?. ?? . , : ; ! - + * / % < > = === == && || \' " \\ / 0 1e9 x a null this new vars.stock vars[ request. .constructor __proto__ ... await async function class in of // /* */ \n \u2028 é 😀 #a @ 0x 1n .map(x=>x) .reduce((a,b)=>a+b,"") range( json('.split(
    ' ',
  ),
);
const change = fc.tuple(fc.nat(), fc.nat({ max: 6 }), fc.oneof(pieces, fc.string({ maxLength: 3 })));
const mutate = (source: string, changes: readonly (readonly [number, number, string])[]) =>
  changes.reduce((text, [at, removed, inserted]) => {
    const position = at % (text.length + 1);
    return text.slice(0, position) + inserted + text.slice(position + removed);
  }, source);

const parts = /[A-Za-z_$][\w$]*|\d+(?:\.\d+)?|===|!==|<=|>=|&&|\|\||\?\?|[-+*/%<>]/g;
const words = fc.constantFrom(
  ...Object.keys(bound),
  'request',
  'voucher.left',
  'vars.stock',
  'null',
  '0',
  '-1',
  '1e300',
  "'a'",
  '[]',
  '({})',
);
const operators = fc.constantFrom('+', '-', '*', '/', '%', '<', '>=', '===', '!==', '&&', '||', '??');
const swap = fc.tuple(fc.nat(), words, operators);
/** Another word for a word, another operator for an operator: what is left is often an expression still. */
const swapParts = (source: string, swaps: readonly (readonly [number, string, string])[]) =>
  swaps.reduce((text, [pick, word, operator]) => {
    const found = [...text.matchAll(parts)];
    const one = found[pick % Math.max(1, found.length)];
    if (one === undefined) return text;
    const other = /\w/.test(one[0]) ? word : operator;
    return text.slice(0, one.index) + other + text.slice(one.index + one[0].length);
  }, source);

export const mutatedSource: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(expression, fc.array(change, { minLength: 1, maxLength: 3 })).map(([[source], changes]) => mutate(source, changes)),
  fc.tuple(expression, fc.array(swap, { minLength: 1, maxLength: 3 })).map(([[source], swaps]) => swapParts(source, swaps)),
);
