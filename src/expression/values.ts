/** What the values of expressions are called, how their members are read, and what they weigh. */
import { forbiddenKeys, type Json, type JsonObject } from '../strategy/json.ts';
import { type Fuel, maxResultDepth, maxTextLength } from './expression.ts';
import { failed, type Site, tooCostly } from './source.ts';

export type TypeName = 'null' | 'boolean' | 'number' | 'string' | 'list' | 'object';

export const typeName = (value: Json): TypeName => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value as TypeName;
};

const phrases: Record<TypeName, string> = {
  null: 'null',
  boolean: 'a boolean',
  number: 'a number',
  string: 'a text',
  list: 'a list',
  object: 'an object',
};
export const phrase = (value: Json): string => phrases[typeName(value)];

export const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
export const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function charge(fuel: Fuel, units: number, site: Site): void {
  fuel.left -= units;
  if (fuel.left < 0) throw tooCostly(site);
}

/** A text that was made: eight characters are one unit. */
export function chargeText(fuel: Fuel, length: number, site: Site): void {
  if (length > maxTextLength) throw failed(site, `a text of more than ${maxTextLength} characters`, 'Work on smaller texts.');
  charge(fuel, length >> 3, site);
}

/**
 * Reads an own property, and nothing else (E2): what is missing is null. Texts have a length and characters, lists a length and
 * elements.
 */
export function member(value: Json | undefined, name: string): Json {
  if (typeof value === 'object' && value !== null) {
    return Object.hasOwn(value, name) && !forbiddenKeys.has(name) ? ((value as JsonObject)[name] ?? null) : null;
  }
  if (typeof value !== 'string') return null;
  if (name === 'length') return value.length;
  return Object.hasOwn(Object(value), name) ? (value[Number(name)] ?? null) : null;
}

export function element(value: Json, index: Json, site: Site): Json {
  if (typeof index === 'number') {
    if (isList(value) || typeof value === 'string') return index >= 0 && index < value.length ? (value[index] ?? null) : null;
    return member(value, String(index));
  }
  if (typeof index === 'string') return member(value, index);
  throw failed(site, `the key is ${phrase(index)}`, 'A key is a text or a number.');
}

/**
 * Walks a value that an expression made and pays for all of it (E3). A small expression can make a value whose tree is huge, because
 * its parts may be shared (`[a, a]` of `[b, b]` …): whoever serialises it would not end. Returns its characters, about.
 */
export function weigh(value: Json, fuel: Fuel, site: Site, depth = 0): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (depth >= maxResultDepth) throw failed(site, `a value that is nested more than ${maxResultDepth} deep`);
  let characters = 2;
  if (isList(value)) {
    charge(fuel, value.length, site);
    for (const item of value) characters += weigh(item, fuel, site, depth + 1) + 1;
  } else {
    for (const key in value) {
      charge(fuel, 1, site);
      characters += key.length + weigh(value[key] ?? null, fuel, site, depth + 1) + 4;
    }
  }
  return characters;
}

export function deepFreeze<Value extends Json>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part as Json);
  }
  return value;
}
