/**
 * The address of a value: the variable's name, strategy, window rule, window and key. Changing any of these gives a new address; the
 * old rows stay, are listed, and are never joined with the new.
 *
 * An address id is text, `name:strategy:rule:window:key`: `vouchers:bounded-counter:day@Asia/Ho_Chi_Minh:2026-11-20:` or
 * `profile:merge-objects:::"ann"`. Keys are JSON, so that ids of one variable and window sort and can be scanned by prefix.
 *
 * Invariants:
 *   A1  parseAddress(addressOf(…).id) is that address, and no other text is taken for it.
 *   A2  No part before the key holds a colon.
 */
import { CffbrwError } from '../error.ts';
import { byteLength, describe, isWellFormed } from './json.ts';
import { type StrategyName, strategyNames } from './names.ts';
import type { Variable } from './variable.ts';
import { ruleText } from './window.ts';

/** A key is a string of 1–512 bytes, a safe integer, or a list of them. */
export type Key = string | number | readonly (string | number)[];

export interface Address {
  readonly id: string;
  readonly variable: string;
  readonly strategy: StrategyName;
  /** `day@Asia/Ho_Chi_Minh`, or '' without a window. */
  readonly rule: string;
  /** `2026-11-20`, or '' without a window. */
  readonly window: string;
  readonly key: Key | null;
}

export const maxKeyBytes = 512;
export const maxKeyParts = 16;
/** All parts of a list together, as JSON. */
export const maxKeyListBytes = 1024;

/** The key, checked, with −0 as 0. Throws INVALID_KEY. */
export function checkKey(key: unknown): Key {
  if (!Array.isArray(key)) return checkPart(key);
  if (key.length === 0 || key.length > maxKeyParts) {
    throw invalidKey(`a key has ${key.length} parts, not 1 to ${maxKeyParts}`, 'Use fewer parts, or join some into one string.');
  }
  const parts = Object.freeze(key.map(checkPart));
  const bytes = byteLength(JSON.stringify(parts));
  if (bytes > maxKeyListBytes)
    throw invalidKey(`a key's parts make ${bytes} bytes, more than ${maxKeyListBytes}`, 'Shorten or hash it.');
  return parts;
}

function checkPart(part: unknown): string | number {
  if (typeof part === 'string') return checkText(part);
  if (typeof part === 'number') {
    if (Number.isSafeInteger(part)) return part === 0 ? 0 : part;
    throw invalidKey(`the number ${part} is no key: only integers within ±(2^53−1) are`, 'Use a string, or round it.');
  }
  throw invalidKey(
    `${describe(part)} is no key`,
    'A key is a string, an integer, or a list of them: check that the request carries it.',
  );
}

function checkText(text: string): string {
  if (text === '') throw invalidKey('a key is the empty string', 'Require at least one character where the key comes from.');
  if (text.length > maxKeyBytes || byteLength(text) > maxKeyBytes) {
    throw invalidKey(`a key has more than ${maxKeyBytes} bytes`, 'Shorten or hash it.');
  }
  if (!isWellFormed(text)) throw invalidKey('a key holds half of a surrogate pair', 'Use well-formed Unicode text.');
  return text;
}

const invalidKey = (message: string, fix: string): CffbrwError => new CffbrwError('INVALID_KEY', message, { fix });

/** What the addresses of one variable have in common, and the last one asked for without a key. */
interface Stem {
  readonly head: string;
  readonly rule: string;
  lastUnkeyed: Address | undefined;
}

const stems = new WeakMap<Variable, Stem>();

function stemOf(variable: Variable): Stem {
  let stem = stems.get(variable);
  if (stem === undefined) {
    const rule = ruleText(variable.window);
    stem = { head: `${variable.name}:${variable.strategy}:${rule}:`, rule, lastUnkeyed: undefined };
    stems.set(variable, stem);
  }
  return stem;
}

/** The window rule's part of the variable's addresses: '' without a window. */
export const addressRule = (variable: Variable): string => stemOf(variable).rule;

/**
 * The address of a variable's value at `key` (null or undefined: none) in the window with id `window` ('' without one).
 * Throws INVALID_KEY: also where a keyed variable gets no key, or another one gets one.
 */
export function addressOf(variable: Variable, key: Key | null | undefined = null, window = ''): Address {
  const stem = stemOf(variable);
  if (variable.keyed) {
    if (key === null || key === undefined) {
      throw invalidKey(`${variable.name} is keyed, and the key is ${key}`, 'Give a key, and check that the request carries it.');
    }
    const checked = checkKey(key);
    return address(variable, stem, window, checked);
  }
  if (key !== null && key !== undefined) {
    throw invalidKey(
      `${variable.name} is not keyed, but a key was given`,
      `Declare ${variable.name} with keyed: true, or leave the key out.`,
    );
  }
  if (stem.lastUnkeyed?.window !== window) stem.lastUnkeyed = address(variable, stem, window, null);
  return stem.lastUnkeyed;
}

const address = (variable: Variable, stem: Stem, window: string, key: Key | null): Address =>
  Object.freeze({
    id: `${stem.head}${window}:${key === null ? '' : JSON.stringify(key)}`,
    variable: variable.name,
    strategy: variable.strategy,
    rule: stem.rule,
    window,
    key,
  });

/** What the ids of all keys that start with `keyPrefix` start with: a string's first characters, or a list's first parts. */
export function addressPrefix(variable: Variable, window: string, keyPrefix: Key = ''): string {
  const all = `${stemOf(variable).head}${window}:`;
  if (typeof keyPrefix === 'string') return keyPrefix === '' ? all : `${all}${JSON.stringify(keyPrefix).slice(0, -1)}`;
  if (typeof keyPrefix === 'number') return `${all}${keyPrefix}`;
  return keyPrefix.length === 0 ? `${all}[` : `${all}${JSON.stringify(keyPrefix).slice(0, -1)},`;
}

const idForm = /^([a-z][\w-]{0,63}):([a-z-]{1,32}):((?:hour|day|week|month)@[A-Za-z][\w+\-/]{0,63})?:([\dTW+-]{0,24}):([\s\S]*)$/;

/** The address that has this id, or null: what other machines send is not always one. */
export function parseAddress(id: string): Address | null {
  const match = idForm.exec(id);
  if (match === null) return null;
  const [, variable = '', strategy, rule = '', window = '', keyText = ''] = match;
  const name = strategyNames.find((known) => known === strategy);
  if (name === undefined || (rule === '') !== (window === '')) return null;
  const key = keyText === '' ? null : parseKey(keyText);
  if (key === undefined) return null;
  return Object.freeze({ id, variable, strategy: name, rule, window, key });
}

/** undefined: no key has this text. */
function parseKey(text: string): Key | undefined {
  if (text.length > 8 * maxKeyListBytes) return undefined;
  try {
    const key = checkKey(JSON.parse(text));
    return JSON.stringify(key) === text ? key : undefined;
  } catch {
    return undefined;
  }
}
