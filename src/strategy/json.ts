/**
 * The values that variables hold, their limits, and their canonical bytes.
 *
 * Numbers are finite; integers lie within ±(2^53−1); −0 is 0. The keys `__proto__`, `constructor` and `prototype` are refused here,
 * at the edge. Strings may hold any code units (JSON escapes a lone surrogate), the text of an address key may not.
 *
 * Invariants:
 *   J1  What `checkJson` returns shares nothing with its argument, is frozen, and survives JSON unchanged.
 *   J2  Equal values have equal canonical text, whatever the order of their fields.
 */
import { CffbrwError } from '../error.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

export const maxDepth = 32;
export const maxValueBytes = 1_048_576;
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export interface JsonLimits {
  /** Containers inside containers. Default 32; a scalar has depth 0. */
  readonly depth?: number;
  /** Size of the canonical text in UTF-8. Default 1 MiB. */
  readonly bytes?: number;
}

/** A value that is being checked: what is left of its budget, and what to call it in an error. */
interface Walk {
  bytesLeft: number;
  readonly limits: Required<JsonLimits>;
}

const defaultLimits: Required<JsonLimits> = { depth: maxDepth, bytes: maxValueBytes };

/** The value as frozen JSON data. Throws INVALID_VALUE, INVALID_NUMBER, TOO_LARGE; the message names the place by JSON Pointer. */
export function checkJson(value: unknown, limits: JsonLimits = defaultLimits): Json {
  const filled = limits === defaultLimits ? defaultLimits : { ...defaultLimits, ...limits };
  return check(value, 0, '', { bytesLeft: filled.bytes, limits: filled });
}

function check(value: unknown, depth: number, at: string, walk: Walk): Json {
  switch (typeof value) {
    case 'string':
      spend(walk, value.length > 16 ? byteLength(value) + 2 : value.length + 2, at);
      return value;
    case 'number': {
      const number = checkNumber(value, at);
      spend(walk, String(number).length, at);
      return number;
    }
    case 'boolean':
      spend(walk, 5, at);
      return value;
    case 'object':
      if (value === null) return null;
      if (depth >= walk.limits.depth) throw tooDeep(walk.limits.depth, at);
      return Array.isArray(value) ? checkArray(value, depth, at, walk) : checkObject(value, depth, at, walk);
    default:
      throw new CffbrwError('INVALID_VALUE', `${place(at)} is ${describe(value)}, which JSON cannot hold`, {
        fix: 'Use null, true, false, a number, a string, a list or an object.',
      });
  }
}

function checkArray(list: readonly unknown[], depth: number, at: string, walk: Walk): Json {
  spend(walk, list.length + 2, at);
  const result: Json[] = [];
  for (let i = 0; i < list.length; i++) result.push(check(list[i], depth + 1, `${at}/${i}`, walk));
  return Object.freeze(result);
}

function checkObject(object: object, depth: number, at: string, walk: Walk): Json {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    throw new CffbrwError('INVALID_VALUE', `${place(at)} is ${describe(object)}, not a plain object`, {
      fix: 'Turn it into plain JSON data first, a date into an ISO text say.',
    });
  }
  const result: Record<string, Json> = {};
  for (const [key, field] of Object.entries(object)) {
    if (forbiddenKeys.has(key)) throw forbiddenKey(key, at);
    spend(walk, byteLength(key) + 4, at);
    result[key] = check(field, depth + 1, `${at}/${key}`, walk);
  }
  return Object.freeze(result);
}

function spend(walk: Walk, bytes: number, at: string): void {
  walk.bytesLeft -= bytes;
  if (walk.bytesLeft < 0) {
    throw new CffbrwError('TOO_LARGE', `the value is larger than ${walk.limits.bytes} bytes (at ${place(at)})`, {
      fix: 'Store less, or one part per key.',
    });
  }
}

const place = (at: string): string => (at === '' ? 'the value' : `the value's ${at}`);

const tooDeep = (depth: number, at: string): CffbrwError =>
  new CffbrwError('TOO_LARGE', `the value is nested deeper than ${depth} levels (at ${at.slice(0, 80)})`, {
    fix: 'Flatten it.',
  });

const forbiddenKey = (key: string, at: string): CffbrwError =>
  new CffbrwError('INVALID_VALUE', `${place(at)} has the key "${key}", which is refused because JavaScript gives it a meaning`, {
    fix: 'Use another name.',
  });

/** What an author sees of a thing that should not be there: `undefined`, `a function`, `a Date`. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== 'Object' && name !== '' ? `a ${name}` : 'an object';
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A finite number, its integers within ±(2^53−1), −0 as 0. Throws INVALID_NUMBER. */
export function checkNumber(value: unknown, at = ''): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new CffbrwError(
      'INVALID_NUMBER',
      `${place(at)} is ${typeof value === 'number' ? value : describe(value)}, not a finite number`,
    );
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new CffbrwError('INVALID_NUMBER', `${place(at)} is ${value}, beyond ±(2^53−1) where integers lose digits`, {
      fix: 'Store it as a string.',
    });
  }
  return value === 0 ? 0 : value;
}

/** An integer within ±(2^53−1), −0 as 0. `what` names it in the error. Throws INVALID_NUMBER. */
export function checkInteger(value: unknown, what = 'the amount'): number {
  if (!Number.isSafeInteger(value)) {
    throw new CffbrwError(
      'INVALID_NUMBER',
      `${what} is ${typeof value === 'number' ? value : describe(value)}, not an integer within ±(2^53−1)`,
    );
  }
  return value === 0 ? 0 : (value as number);
}

/**
 * The value as JSON text without spaces, keys sorted by code unit (as in RFC 8785). Fields that are undefined are left out, as
 * JSON.stringify does. For values that were checked: it does not look for cycles.
 */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value as Readonly<Record<string, unknown>>);
    default:
      return String(value);
  }
}

function canonicalArray(list: readonly unknown[]): string {
  let text = '[';
  for (let i = 0; i < list.length; i++) text += i === 0 ? canonical(list[i]) : `,${canonical(list[i])}`;
  return `${text}]`;
}

function canonicalObject(object: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(object);
  if (!isSorted(keys)) keys.sort();
  let text = '';
  for (const key of keys) {
    const field = object[key];
    if (field !== undefined) text += `${text === '' ? '{' : ','}${quote(key)}:${canonical(field)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] ?? '') > (keys[i] ?? '')) return false;
  return true;
}

const plainKey = /^[\w./~-]*$/;
const quote = (key: string): string => (plainKey.test(key) ? `"${key}"` : JSON.stringify(key));

/** Bytes of the text in UTF-8. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i++;
  }
  return bytes;
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

const loneSurrogate = /\p{Surrogate}/u;
/** False when half of a surrogate pair stands alone: such a text has no UTF-8. */
export const isWellFormed = (text: string): boolean => !loneSurrogate.test(text);

/** Deep equality of JSON values, whatever the order of fields. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => equal(item, b[i]));
  }
  return equalObjects(a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>);
}

function equalObjects(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}
