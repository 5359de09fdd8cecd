/** Operators as closures. Each checks the types that it meets; results that are not finite are errors; −0 is 0. */
import type { Json } from '../strategy/json.ts';
import { type Frame, maxTextLength } from './expression.ts';
import { failed, type Site } from './source.ts';
import type { BinaryOperator, LogicalOperator } from './tree.ts';
import { charge, chargeText, phrase } from './values.ts';

export type Evaluate = (frame: Frame) => Json;

const comparisons: Readonly<Record<'<' | '<=' | '>' | '>=', <Value extends number | string>(a: Value, b: Value) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const calculations: Readonly<Record<'-' | '*' | '/' | '%', (a: number, b: number) => number>> = {
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

export function binary(operator: BinaryOperator, left: Evaluate, right: Evaluate, site: Site): Evaluate {
  switch (operator) {
    case '===':
      return (frame) => same(left(frame), right(frame), site);
    case '!==':
      return (frame) => !same(left(frame), right(frame), site);
    case '+':
      return (frame) => plus(left(frame), right(frame), frame, site);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparison(operator, left, right, site);
    default:
      return calculation(operator, left, right, site);
  }
}

/** Lists and objects have no identity here, and V8 compares nothing else of them: so two of them cannot be compared. */
export function same(a: Json, b: Json, site: Site): boolean {
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    throw failed(site, `${phrase(a)} and ${phrase(b)} cannot be compared`, 'Compare their properties, or `json(a) === json(b)`.');
  }
  return a === b;
}

function comparison(operator: '<' | '<=' | '>' | '>=', left: Evaluate, right: Evaluate, site: Site): Evaluate {
  const compare = comparisons[operator];
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    if (typeof a === 'number' && typeof b === 'number') return compare(a, b);
    if (typeof a === 'string' && typeof b === 'string') return compare(a, b);
    throw failed(site, `\`${operator}\` compares two numbers or two texts, not ${phrase(a)} and ${phrase(b)}`, nullFix(a, b));
  };
}

function calculation(operator: '-' | '*' | '/' | '%', left: Evaluate, right: Evaluate, site: Site): Evaluate {
  const calculate = calculations[operator];
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    if (typeof a === 'number' && typeof b === 'number') return finite(calculate(a, b), site);
    throw failed(site, `\`${operator}\` takes two numbers, not ${phrase(a)} and ${phrase(b)}`, nullFix(a, b));
  };
}

export function plus(a: Json, b: Json, frame: Frame, site: Site): Json {
  if (typeof a === 'number' && typeof b === 'number') return finite(a + b, site);
  if (typeof a === 'string' && typeof b === 'string') {
    chargeText(frame.fuel, a.length + b.length, site);
    return a + b;
  }
  const fix = nullFix(a, b) ?? 'Write `string(number)` to make a text, or `number(text)` to make a number.';
  throw failed(site, `\`+\` takes two numbers or two texts, not ${phrase(a)} and ${phrase(b)}`, fix);
}

const nullFix = (a: Json, b: Json): string | undefined =>
  a === null || b === null ? 'Say what holds when the value is missing: `(value ?? 0)`.' : undefined;

export function finite(value: number, site: Site): number {
  if (!Number.isFinite(value)) throw failed(site, 'the result is not a finite number', 'Check for zero before you divide.');
  return value + 0;
}

export const negate =
  (value: Evaluate, site: Site): Evaluate =>
  (frame) => {
    const operand = value(frame);
    if (typeof operand === 'number') return 0 - operand;
    throw failed(site, `\`-\` takes a number, not ${phrase(operand)}`);
  };

export const not =
  (value: Evaluate, site: Site): Evaluate =>
  (frame) =>
    !truth(value(frame), site);

export function truth(value: Json, site: Site): boolean {
  if (typeof value === 'boolean') return value;
  throw failed(site, `a condition is true or false, not ${phrase(value)}`, truthFix(value, site));
}

function truthFix(value: Json, { text }: Site): string {
  if (typeof value === 'number') return `Write \`${text} !== 0\`.`;
  if (typeof value === 'string') return `Write \`${text} !== ''\`.`;
  return `Write \`${text} !== null\`, or \`${text} ?? false\`.`;
}

/** `&&` and `||` are for booleans on both sides; `??` replaces null. */
export function logical(
  operator: LogicalOperator,
  left: Evaluate,
  right: Evaluate,
  sites: { left: Site; right: Site },
): Evaluate {
  switch (operator) {
    case '&&':
      return (frame) => truth(left(frame), sites.left) && truth(right(frame), sites.right);
    case '||':
      return (frame) => truth(left(frame), sites.left) || truth(right(frame), sites.right);
    case '??':
      return (frame) => left(frame) ?? right(frame);
  }
}

export const conditional =
  (test: Evaluate, branches: { consequent: Evaluate; alternate: Evaluate }, site: Site): Evaluate =>
  (frame) =>
    truth(test(frame), site) ? branches.consequent(frame) : branches.alternate(frame);

/** Text with values in it. Null is an error here too: “Hello null” and `/users/null` are mistakes. */
export function concatenation(texts: readonly string[], parts: readonly Evaluate[], sites: readonly Site[]): Evaluate {
  const first = texts[0] ?? '';
  return (frame) => {
    let result = first;
    for (let index = 0; index < parts.length; index++) {
      const site = sites[index] as Site;
      const part = (parts[index] as Evaluate)(frame);
      result += asText(part, site) + texts[index + 1];
      if (result.length > maxTextLength) chargeText(frame.fuel, result.length, site);
    }
    charge(frame.fuel, result.length >> 3, sites[0] as Site);
    return result;
  };
}

function asText(value: Json, site: Site): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null) throw failed(site, 'null cannot stand in a text', `Write \`${site.text} ?? ''\`, or what it should say.`);
  throw failed(site, `${phrase(value)} cannot stand in a text`, `Write \`json(${site.text})\`, or \`join(list, ', ')\`.`);
}
