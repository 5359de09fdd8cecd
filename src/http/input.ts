/** The parts of a request that come as text: path parameters, the query, headers. Coerced by their schemas, defaults filled in. */
import { CffbrwError } from '../error.ts';
import { forbiddenKeys, type Json, type JsonObject } from '../strategy/json.ts';
import { checkOf, type SchemaCheck } from '../strategy/schema-check.ts';
import type { JsonSchema } from '../workflow/plan.ts';
import { type InputError, invalidInput } from './problem.ts';

export const maxQueryFields = 256;

/** Each name with its values, in the order in which they came. */
export type Fields = ReadonlyMap<string, readonly string[]>;

const undecodable = (what: string): CffbrwError =>
  new CffbrwError('INVALID_INPUT', `${what} is not valid percent-encoded UTF-8`, {
    fix: 'Encode it as encodeURIComponent does.',
  });

/** Strict where URLSearchParams is not: what would be replaced there (a broken escape, bytes that are no UTF-8) is refused here. */
export function decodeText(text: string, what: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw undecodable(what);
  }
}

/** The path of a URL: its escapes resolved but those of delimiters, so that an encoded slash does not part a segment. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf(':') + 3);
  if (start === -1) return '/';
  let end = start;
  let escaped = false;
  for (; end < url.length; end++) {
    const code = url.charCodeAt(end);
    if (code === 63 || code === 35) break;
    if (code === 37) escaped = true;
  }
  const path = url.slice(start, end);
  if (!escaped) return path;
  try {
    return decodeURI(path.replaceAll('%25', '%2525'));
  } catch {
    throw undecodable('the path');
  }
}

/** The query of a URL, without its `?`. */
export function queryOf(url: string): string {
  const start = url.indexOf('?');
  if (start === -1) return '';
  const end = url.indexOf('#', start);
  return end === -1 ? url.slice(start + 1) : url.slice(start + 1, end);
}

export function parseQuery(query: string): Fields {
  const fields = new Map<string, string[]>();
  if (query === '') return fields;
  const pairs = query.split('&', maxQueryFields + 1);
  if (pairs.length > maxQueryFields) throw new CffbrwError('INVALID_INPUT', `the query has more than ${maxQueryFields} fields`);
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeText((equals === -1 ? pair : pair.slice(0, equals)).replaceAll('+', ' '), 'the query');
    const value = equals === -1 ? '' : decodeText(pair.slice(equals + 1).replaceAll('+', ' '), 'the query');
    if (forbiddenKeys.has(name)) throw new CffbrwError('INVALID_INPUT', `the query has the field ${name}, which is not allowed`);
    const known = fields.get(name);
    if (known === undefined) fields.set(name, [value]);
    else known.push(value);
  }
  return fields;
}

/** Headers by their lower-case names, as a workflow reads them. */
export function headerFields(headers: Headers): Fields {
  const fields = new Map<string, string[]>();
  headers.forEach((value, name) => {
    if (!forbiddenKeys.has(name)) fields.set(name, [value]);
  });
  return fields;
}

type Source = 'query' | 'params' | 'headers';
export type ReadFields = (fields: Fields) => JsonObject;

const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

/** How one part is read: without a schema each field is a string, or a list of strings where it came more than once. */
export function compileFields(source: Source, shape: JsonSchema | undefined): ReadFields {
  if (shape === undefined)
    return (fields) => collect(fields, (values) => (values.length === 1 ? (values[0] ?? '') : [...values]));
  const schema = typeof shape === 'boolean' ? {} : shape;
  const check = checkOf(shape);
  const properties = new Map(Object.entries(objectOf(schema.properties)));
  const keepsUnknown = schema.additionalProperties !== undefined || properties.size === 0;
  const defaults = [...properties].flatMap(([name, property]) => {
    const value = objectOf(property).default;
    return value === undefined ? [] : [[name, value] as const];
  });
  return (fields) => {
    const known = keepsUnknown && source !== 'headers' ? fields : new Map([...fields].filter(([name]) => properties.has(name)));
    const value = collect(known, (values, name) => coerce(values, objectOf(properties.get(name))));
    for (const [name, standard] of defaults) if (!Object.hasOwn(value, name)) value[name] = standard;
    refuseInvalid(source, check, value);
    return value;
  };
}

/** Throws INVALID_INPUT that names the place and what was expected there. */
export function refuseInvalid(source: InputError['source'], check: SchemaCheck, value: Json): void {
  const found = check(value);
  if (found === null) return;
  const where = found.path === '' ? '' : ` at ${found.path}`;
  throw invalidInput(`the ${source} is not what this takes${where}: ${found.message}`, [
    { source, pointer: found.path, message: found.message },
  ]);
}

function collect(fields: Fields, read: (values: readonly string[], name: string) => Json): Record<string, Json> {
  const value: Record<string, Json> = {};
  for (const [name, values] of fields) value[name] = read(values, name);
  return value;
}

const typesOf = (schema: JsonObject): readonly Json[] => (Array.isArray(schema.type) ? schema.type : [schema.type ?? 'string']);

/** What cannot be coerced stays text: the validator says what is wrong with it. */
function coerce(values: readonly string[], schema: JsonObject): Json {
  const types = typesOf(schema);
  if (types.includes('array')) return values.map((value) => coerceOne(value, typesOf(objectOf(schema.items))));
  return values.length === 1 ? coerceOne(values[0] ?? '', types) : [...values];
}

function coerceOne(text: string, types: readonly Json[]): Json {
  for (const type of types) {
    const value = coerceAs(text, type);
    if (value !== undefined) return value;
  }
  return text;
}

const numberSyntax = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function coerceAs(text: string, type: Json): Json | undefined {
  if (type === 'string') return text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  if (type === 'null') return text === '' ? null : undefined;
  if (type !== 'integer' && type !== 'number') return undefined;
  if (text.length > 40 || !numberSyntax.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) return undefined;
  return type === 'integer' && !Number.isInteger(value) ? undefined : value;
}
