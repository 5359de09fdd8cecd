/** Functions of texts. */
import type { Json } from '../../strategy/json.ts';
import { maxTextLength } from '../expression.ts';
import { failed } from '../source.ts';
import { charge, chargeText, phrase, weigh } from '../values.ts';
import { type Call, type FunctionEntry, integer, list, text, textOrList } from './entry.ts';

const changed =
  (change: (value: string) => string) =>
  (given: readonly Json[], call: Call): Json => {
    const result = change(text(given, 0, call));
    chargeText(call.frame.fuel, result.length, call.site);
    return result;
  };

/** A test of one text against another. */
const searched =
  (search: (value: string, part: string) => boolean) =>
  (given: readonly Json[], call: Call): Json => {
    const value = text(given, 0, call);
    charge(call.frame.fuel, value.length >> 3, call.site);
    return search(value, text(given, 1, call));
  };

function slice(given: readonly Json[], call: Call): Json {
  const value = textOrList(given, 0, call);
  const end = given.length > 2 ? integer(given, 2, call) : undefined;
  const result = value.slice(integer(given, 1, call), end);
  charge(call.frame.fuel, typeof result === 'string' ? result.length >> 3 : result.length, call.site);
  return result;
}

function split(given: readonly Json[], call: Call): Json {
  const value = text(given, 0, call);
  const separator = text(given, 1, call);
  // Paid for before it is done: each character may become an element.
  charge(call.frame.fuel, separator === '' ? value.length : value.length >> 3, call.site);
  const parts = value.split(separator);
  charge(call.frame.fuel, parts.length, call.site);
  return parts;
}

function join(given: readonly Json[], call: Call): Json {
  const items = list(given, 0, call);
  const separator = text(given, 1, call);
  charge(call.frame.fuel, items.length, call.site);
  let length = separator.length * Math.max(0, items.length - 1);
  for (const item of items) {
    if (item === null || typeof item === 'object') {
      throw failed(
        call.site,
        `${phrase(item)} in the list cannot stand in a text`,
        "Map it first: `list.map(item => item ?? '')`.",
      );
    }
    length += typeof item === 'string' ? item.length : 8;
  }
  chargeText(call.frame.fuel, length, call.site);
  return items.join(separator);
}

function includes(given: readonly Json[], call: Call): Json {
  const value = textOrList(given, 0, call);
  if (typeof value === 'string') return searched((whole, part) => whole.includes(part))(given, call);
  const wanted = given[1] ?? null;
  if (typeof wanted === 'object' && wanted !== null) {
    throw failed(
      call.site,
      `${phrase(wanted)} cannot be compared with the elements`,
      'Write `list.some(item => item.id === id)`.',
    );
  }
  charge(call.frame.fuel, value.length, call.site);
  return value.includes(wanted);
}

function replace(given: readonly Json[], call: Call): Json {
  const value = text(given, 0, call);
  const part = text(given, 1, call);
  const other = text(given, 2, call);
  if (part === '') throw failed(call.site, 'the text to replace is empty');
  charge(call.frame.fuel, value.length >> 3, call.site);
  const pieces = value.split(part);
  chargeText(call.frame.fuel, value.length + (pieces.length - 1) * (other.length - part.length), call.site);
  return pieces.join(other);
}

function string(given: readonly Json[], call: Call): Json {
  const value = given[0] ?? null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const fix =
    value === null
      ? "Say what holds when the value is missing: `string(value ?? '')`."
      : 'Write `json(value)`, or `join(list, separator)`.';
  throw failed(call.site, `${phrase(value)} is not made into a text`, fix);
}

function json(given: readonly Json[], call: Call): Json {
  const value = given[0] ?? null;
  const characters = weigh(value, call.frame.fuel, call.site);
  if (characters > maxTextLength * 2)
    throw failed(call.site, `a text of more than ${maxTextLength} characters`, 'Work on smaller values.');
  const result = JSON.stringify(value);
  chargeText(call.frame.fuel, result.length, call.site);
  return result;
}

const pure = true;

export const lowerFunction: FunctionEntry = {
  name: 'lower',
  parameters: 'text',
  summary: 'In lower case.',
  example: "lower('Ada')",
  result: 'ada',
  pure,
  call: /* @__PURE__ */ changed((value) => value.toLowerCase()),
};

export const upperFunction: FunctionEntry = {
  name: 'upper',
  parameters: 'text',
  summary: 'In upper case.',
  example: "upper('Ada')",
  result: 'ADA',
  pure,
  call: /* @__PURE__ */ changed((value) => value.toUpperCase()),
};

export const trimFunction: FunctionEntry = {
  name: 'trim',
  parameters: 'text',
  summary: 'Without white space at both ends.',
  example: "trim(' a b ')",
  result: 'a b',
  pure,
  call: /* @__PURE__ */ changed((value) => value.trim()),
};

export const sliceFunction: FunctionEntry = {
  name: 'slice',
  parameters: 'value, start, end?',
  summary: 'A part of a text or a list; negative positions count from its end.',
  example: "slice('voucher', 0, 4)",
  result: 'vouc',
  pure,
  call: slice,
};

export const splitFunction: FunctionEntry = {
  name: 'split',
  parameters: 'text, separator',
  summary: 'The parts of a text between separators.',
  example: "split('a,b', ',')",
  result: ['a', 'b'],
  pure,
  call: split,
};

export const joinFunction: FunctionEntry = {
  name: 'join',
  parameters: 'list, separator',
  summary: 'The elements as one text.',
  example: "join(['a', 2], '-')",
  result: 'a-2',
  pure,
  call: join,
};

export const includesFunction: FunctionEntry = {
  name: 'includes',
  parameters: 'value, part',
  summary: 'Whether a text contains a text, or a list an element.',
  example: "includes(['red', 'blue'], 'red')",
  result: true,
  pure,
  call: includes,
};

export const startsWithFunction: FunctionEntry = {
  name: 'startsWith',
  parameters: 'text, start',
  summary: 'Whether a text starts so.',
  example: "startsWith('W-12', 'W-')",
  result: true,
  pure,
  call: /* @__PURE__ */ searched((value, part) => value.startsWith(part)),
};

export const endsWithFunction: FunctionEntry = {
  name: 'endsWith',
  parameters: 'text, end',
  summary: 'Whether a text ends so.',
  example: "endsWith('a.png', '.png')",
  result: true,
  pure,
  call: /* @__PURE__ */ searched((value, part) => value.endsWith(part)),
};

export const replaceFunction: FunctionEntry = {
  name: 'replace',
  parameters: 'text, part, other',
  summary: 'Every occurrence of a part replaced.',
  example: "replace('a b c', ' ', '-')",
  result: 'a-b-c',
  pure,
  call: replace,
};

export const stringFunction: FunctionEntry = {
  name: 'string',
  parameters: 'value',
  summary: 'A number or a boolean as text.',
  example: 'string(12.5)',
  result: '12.5',
  pure,
  call: string,
};

export const jsonFunction: FunctionEntry = {
  name: 'json',
  parameters: 'value',
  summary: 'Any value as JSON text.',
  example: "json({ a: [1, 'b'] })",
  result: '{"a":[1,"b"]}',
  pure,
  call: json,
};

export const textFunctions: readonly FunctionEntry[] = [
  lowerFunction,
  upperFunction,
  trimFunction,
  sliceFunction,
  splitFunction,
  joinFunction,
  includesFunction,
  startsWithFunction,
  endsWithFunction,
  replaceFunction,
  stringFunction,
  jsonFunction,
];
