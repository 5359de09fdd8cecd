/** Functions of numbers. */
import type { Json } from '../../strategy/json.ts';
import { finite } from '../operators.ts';
import { failed } from '../source.ts';
import { charge, isList, phrase } from '../values.ts';
import { type Call, type FunctionEntry, integer, number } from './entry.ts';

const calculated =
  (calculate: (value: number) => number) =>
  (given: readonly Json[], call: Call): Json =>
    calculate(number(given, 0, call)) + 0;

/** Moves the decimal point through the exponent, so that 1.005 rounds to 1.01 and not, through 100.49999999999999, to 1. */
function round(given: readonly Json[], call: Call): Json {
  const value = number(given, 0, call);
  if (given.length === 1) return Math.round(value) + 0;
  const digits = integer(given, 1, call);
  charge(call.frame.fuel, 30, call.site);
  if (digits < 0 || digits > 15) throw failed(call.site, 'the digits are not between 0 and 15');
  return finite(shift(Math.round(shift(value, digits)), -digits), call.site);
}

function shift(value: number, digits: number): number {
  const [mantissa, exponent] = `${value}e0`.split('e');
  return Number(`${mantissa}e${Number(exponent) + digits}`);
}

/** Of the arguments, or of the elements of the one list. */
const extreme =
  (better: (a: number, b: number) => boolean) =>
  (given: readonly Json[], call: Call): Json => {
    const first = given[0] ?? null;
    const values = given.length === 1 && isList(first) ? first : given;
    charge(call.frame.fuel, values.length, call.site);
    let best: number | null = null;
    for (const value of values) {
      if (typeof value !== 'number') throw failed(call.site, `${call.name} takes numbers, not ${phrase(value)}`);
      if (best === null || better(value, best)) best = value;
    }
    if (best === null) throw failed(call.site, `an empty list has no ${call.name}`, 'Check `len(list) > 0` first.');
    return best;
  };

function sum(given: readonly Json[], call: Call): Json {
  const values = given[0] ?? null;
  if (!isList(values)) throw failed(call.site, `sum takes a list, not ${phrase(values)}`);
  charge(call.frame.fuel, values.length, call.site);
  let total = 0;
  for (const value of values) {
    if (typeof value !== 'number') throw failed(call.site, `sum takes a list of numbers, and in it is ${phrase(value)}`);
    total += value;
  }
  return finite(total, call.site);
}

const decimal = /^-?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?$/;

/** Text that is no number gives null, so that `number(x) ?? 1` says what holds then. */
function parseNumber(given: readonly Json[], call: Call): Json {
  const value = given[0] ?? null;
  if (typeof value === 'number' || value === null) return value;
  if (typeof value !== 'string') throw failed(call.site, `${phrase(value)} is not made into a number`);
  if (value.length > 700 || !decimal.test(value)) return null;
  const result = Number(value);
  return Number.isFinite(result) ? result + 0 : null;
}

const pure = true;

export const numberFunction: FunctionEntry = {
  name: 'number',
  parameters: 'text',
  summary: 'A text as a number; null when it is not one.',
  example: "number('12.5')",
  result: 12.5,
  pure,
  call: parseNumber,
};

export const roundFunction: FunctionEntry = {
  name: 'round',
  parameters: 'number, digits?',
  summary: 'The nearest integer, or so many digits after the point; halves go up.',
  example: 'round(1.005, 2)',
  result: 1.01,
  pure,
  call: round,
};

export const floorFunction: FunctionEntry = {
  name: 'floor',
  parameters: 'number',
  summary: 'The integer at or below.',
  example: 'floor(-1.5)',
  result: -2,
  pure,
  call: /* @__PURE__ */ calculated(Math.floor),
};

export const ceilFunction: FunctionEntry = {
  name: 'ceil',
  parameters: 'number',
  summary: 'The integer at or above.',
  example: 'ceil(1.2)',
  result: 2,
  pure,
  call: /* @__PURE__ */ calculated(Math.ceil),
};

export const absFunction: FunctionEntry = {
  name: 'abs',
  parameters: 'number',
  summary: 'Without its sign.',
  example: 'abs(-3)',
  result: 3,
  pure,
  call: /* @__PURE__ */ calculated(Math.abs),
};

export const minFunction: FunctionEntry = {
  name: 'min',
  parameters: 'number, …',
  summary: 'The smallest of the arguments, or of one list.',
  example: 'min(3, 1, 2)',
  result: 1,
  pure,
  call: /* @__PURE__ */ extreme((a, b) => a < b),
};

export const maxFunction: FunctionEntry = {
  name: 'max',
  parameters: 'number, …',
  summary: 'The largest of the arguments, or of one list.',
  example: 'max([3, 1, 2])',
  result: 3,
  pure,
  call: /* @__PURE__ */ extreme((a, b) => a > b),
};

export const sumFunction: FunctionEntry = {
  name: 'sum',
  parameters: 'list',
  summary: 'All numbers of a list added up.',
  example: 'sum([1, 2, 3])',
  result: 6,
  pure,
  call: sum,
};

export const numberFunctions: readonly FunctionEntry[] = [
  numberFunction,
  roundFunction,
  floorFunction,
  ceilFunction,
  absFunction,
  minFunction,
  maxFunction,
  sumFunction,
];
