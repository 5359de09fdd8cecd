/** Functions of lists and objects. */
import { forbiddenKeys, type Json } from '../../strategy/json.ts';
import { maxListLength } from '../expression.ts';
import { failed } from '../source.ts';
import { charge, isList, isObject, phrase, typeName } from '../values.ts';
import { type Call, type FunctionEntry, integer, list, object } from './entry.ts';

function len(given: readonly Json[], call: Call): Json {
  const value = given[0] ?? null;
  if (typeof value === 'string' || isList(value)) return value.length;
  if (isObject(value)) return paid(Object.keys(value), call).length;
  throw failed(
    call.site,
    `${phrase(value)} has no length`,
    value === null ? 'Say what holds when it is missing: `len(value ?? [])`.' : undefined,
  );
}

function paid<Item extends Json>(items: readonly Item[], call: Call): readonly Item[] {
  charge(call.frame.fuel, items.length, call.site);
  return items;
}

function values(given: readonly Json[], call: Call): Json {
  return paid(Object.values(object(given, 0, call)), call);
}

function entries(given: readonly Json[], call: Call): Json {
  const all = Object.entries(object(given, 0, call));
  charge(call.frame.fuel, all.length * 3, call.site);
  return paid(all, call);
}

function fromEntries(given: readonly Json[], call: Call): Json {
  const result: Record<string, Json> = {};
  const entries = list(given, 0, call);
  charge(call.frame.fuel, entries.length * 5, call.site);
  for (const entry of entries) {
    const [key, value] = isList(entry) ? entry : [];
    if (typeof key !== 'string' && typeof key !== 'number') {
      throw failed(call.site, `an entry is a list of a key and a value, not ${phrase(entry)}`, 'Write `[[key, value], …]`.');
    }
    result[safeKey(key, call)] = value ?? null;
  }
  return result;
}

export function safeKey(key: string | number, { site }: Pick<Call, 'site'>): string {
  const name = String(key);
  if (forbiddenKeys.has(name)) throw failed(site, `the key \`${name}\` is not allowed`, 'Choose another key.');
  return name;
}

function reverse(given: readonly Json[], call: Call): Json {
  return [...paid(list(given, 0, call), call)].reverse();
}

function range(given: readonly Json[], call: Call): Json {
  const length = integer(given, 0, call);
  if (length < 0 || length > maxListLength)
    throw failed(call.site, `a list of ${length} elements; the longest has ${maxListLength}`);
  charge(call.frame.fuel, length, call.site);
  return Array.from({ length }, (_, index) => index);
}

/** What `sort` wants: −1, 0 or 1. */
function compare(given: readonly Json[], call: Call): Json {
  const [a = null, b = null] = given;
  const comparable = (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');
  if (!comparable) throw failed(call.site, `compare takes two numbers or two texts, not ${phrase(a)} and ${phrase(b)}`);
  return a < b ? -1 : a > b ? 1 : 0;
}

const pure = true;

export const lenFunction: FunctionEntry = {
  name: 'len',
  parameters: 'value',
  summary: 'How many characters, elements or keys.',
  example: "len(['a', 'b'])",
  result: 2,
  pure,
  call: len,
};

export const keysFunction: FunctionEntry = {
  name: 'keys',
  parameters: 'object',
  summary: 'The keys of an object.',
  example: 'keys({ a: 1, b: 2 })',
  result: ['a', 'b'],
  pure,
  call: (given, call) => paid(Object.keys(object(given, 0, call)), call),
};

export const valuesFunction: FunctionEntry = {
  name: 'values',
  parameters: 'object',
  summary: 'The values of an object.',
  example: 'values({ a: 1, b: 2 })',
  result: [1, 2],
  pure,
  call: values,
};

export const entriesFunction: FunctionEntry = {
  name: 'entries',
  parameters: 'object',
  summary: 'The keys with their values.',
  example: 'entries({ a: 1 })',
  result: [['a', 1]],
  pure,
  call: entries,
};

export const fromEntriesFunction: FunctionEntry = {
  name: 'fromEntries',
  parameters: 'list',
  summary: 'The object of such entries.',
  example: "fromEntries([['a', 1]])",
  result: { a: 1 },
  pure,
  call: fromEntries,
};

export const reverseFunction: FunctionEntry = {
  name: 'reverse',
  parameters: 'list',
  summary: 'The elements from last to first.',
  example: 'reverse([1, 2])',
  result: [2, 1],
  pure,
  call: reverse,
};

export const rangeFunction: FunctionEntry = {
  name: 'range',
  parameters: 'length',
  summary: 'The integers from 0, so many.',
  example: 'range(3)',
  result: [0, 1, 2],
  pure,
  call: range,
};

export const compareFunction: FunctionEntry = {
  name: 'compare',
  parameters: 'a, b',
  summary: '−1, 0 or 1: the order of two numbers or two texts, for `sort`.',
  example: "compare('a', 'b')",
  result: -1,
  pure,
  call: compare,
};

export const typeFunction: FunctionEntry = {
  name: 'type',
  parameters: 'value',
  summary: '`null`, `boolean`, `number`, `string`, `list` or `object`.',
  example: 'type([1])',
  result: 'list',
  pure,
  call: ([value]) => typeName(value ?? null),
};

export const collectionFunctions: readonly FunctionEntry[] = [
  lenFunction,
  keysFunction,
  valuesFunction,
  entriesFunction,
  fromEntriesFunction,
  reverseFunction,
  rangeFunction,
  compareFunction,
  typeFunction,
];
