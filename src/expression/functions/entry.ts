/** What a function of the language is: data, from which the documentation and the editor's list are made, and one closure. */
import type { Json, JsonObject } from '../../strategy/json.ts';
import type { Frame } from '../expression.ts';
import { failed, type Site } from '../source.ts';
import { isList, isObject, phrase } from '../values.ts';

export interface FunctionEntry {
  readonly name: string;
  /** As they are written: `text, start, end?`. `…` at the end: any number more. */
  readonly parameters: string;
  readonly summary: string;
  /** An expression, and what it gives. Null where that differs from run to run. */
  readonly example: string;
  readonly result: Json;
  /** Its result depends on nothing but its arguments. */
  readonly pure: boolean;
  call(given: readonly Json[], call: Call): Json;
}

export function namedFunctions(groups: readonly (readonly FunctionEntry[])[]): ReadonlyMap<string, FunctionEntry> {
  return new Map(groups.flatMap((group) => group.map((entry) => [entry.name, entry] as const)));
}

export type FunctionTable = Pick<ReadonlyMap<string, FunctionEntry>, 'get' | 'keys'>;

/** Where a call stands and what runs it. */
export interface Call {
  readonly frame: Frame;
  readonly site: Site;
  readonly name: string;
}

/** How many arguments a function takes. */
export function arity({ parameters }: Pick<FunctionEntry, 'parameters'>): { least: number; most: number } {
  const names = parameters === '' ? [] : parameters.split(', ');
  const least = names.filter((name) => !name.endsWith('?') && name !== '…').length;
  return { least, most: names.includes('…') ? 100 : names.length };
}

const wrong = (call: Call, position: number, expected: string, value: Json | undefined): never => {
  const which = ['first', 'second', 'third'][position] ?? 'next';
  const fix = value === null || value === undefined ? 'Say what holds when the value is missing, with `??`.' : undefined;
  throw failed(call.site, `the ${which} argument of ${call.name} is ${expected}, not ${phrase(value ?? null)}`, fix);
};

export function text(given: readonly Json[], position: number, call: Call): string {
  const value = given[position];
  return typeof value === 'string' ? value : wrong(call, position, 'a text', value);
}

export function number(given: readonly Json[], position: number, call: Call): number {
  const value = given[position];
  return typeof value === 'number' ? value : wrong(call, position, 'a number', value);
}

export function integer(given: readonly Json[], position: number, call: Call): number {
  const value = given[position];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : wrong(call, position, 'an integer', value);
}

export function list(given: readonly Json[], position: number, call: Call): readonly Json[] {
  const value = given[position] ?? null;
  return isList(value) ? value : wrong(call, position, 'a list', value);
}

export function object(given: readonly Json[], position: number, call: Call): JsonObject {
  const value = given[position] ?? null;
  return isObject(value) ? value : wrong(call, position, 'an object', value);
}

export function textOrList(given: readonly Json[], position: number, call: Call): string | readonly Json[] {
  const value = given[position] ?? null;
  return typeof value === 'string' || isList(value) ? value : wrong(call, position, 'a text or a list', value);
}
