/**
 * JSON Schema (2020-12) of values that users declare: compiled once, checked without code generation, which Workers forbid.
 */
import { type Schema, Validator } from '@cfworker/json-schema';
import { CffbrwError } from '../error.ts';
import { isObject, type JsonObject } from './json.ts';
import { segmentsOf } from './merge-path.ts';
import { plainSchema } from './plain-schema.ts';
import { type CompileSchema, keptCheck, type SchemaCheck } from './schema-check.ts';

export type { SchemaCheck, SchemaProblem } from './schema-check.ts';

/** The check of a schema, compiled once per schema object. Throws INVALID_APP for a schema that is none. */
export const schemaOf: CompileSchema = (schema) => keptCheck(schema, compile);

function compile(schema: JsonObject): SchemaCheck {
  checkSchema(schema, '');
  const dangling = danglingReference(schema, schema);
  if (dangling !== null) throw invalidSchema('', `it refers to ${dangling}, which it does not have`);
  return plainSchema(schema) ?? byLibrary(schema);
}

/** By the library, which keeps to the whole of the standard. */
export function byLibrary(schema: JsonObject): SchemaCheck {
  let validator = refers(schema) ? validatorOf(schema) : null;
  return (value) => {
    validator ??= validatorOf(schema);
    const result = validator.validate(value);
    // Errors run from the outside in: the last one is the reason.
    const error = result.errors.at(-1);
    return result.valid || error === undefined ? null : { path: error.instanceLocation.slice(1), message: error.error };
  };
}

/** The validator writes into the schema that it is given. */
const validatorOf = (schema: JsonObject): Validator => new Validator(structuredClone(schema) as Schema, '2020-12', true);

/** Only names and references can be refused when the validator is made; all else can wait for the first value. */
const refers = (schema: JsonObject): boolean => JSON.stringify(schema).includes('"$');

const typeNames = new Set(['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']);
const oneSchema = new Set([
  'not',
  'if',
  'then',
  'else',
  'additionalProperties',
  'propertyNames',
  'items',
  'contains',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
const schemaLists = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const schemaMaps = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

/** What would only fail at the first request: unknown types, patterns that do not compile, schemas that are none. */
function checkSchema(schema: unknown, at: string): void {
  if (typeof schema === 'boolean') return;
  if (!isObject(schema)) throw invalidSchema(at, 'a schema is an object, true or false');
  for (const [keyword, operand] of Object.entries(schema)) checkKeyword(keyword, operand, `${at}/${keyword}`);
}

function checkKeyword(keyword: string, operand: unknown, at: string): void {
  if (keyword === 'type') checkType(operand, at);
  else if (keyword === 'pattern') checkPattern(operand, at);
  else if (keyword === 'required') checkNames(operand, at);
  else if (keyword === '$ref') checkReference(operand, at);
  else if (oneSchema.has(keyword)) checkSchema(operand, at);
  else if (schemaLists.has(keyword)) checkList(operand, at);
  else if (schemaMaps.has(keyword)) checkMap(keyword, operand, at);
}

function checkType(operand: unknown, at: string): void {
  for (const name of Array.isArray(operand) ? operand : [operand]) {
    if (!typeNames.has(name)) throw invalidSchema(at, `"${String(name)}" is no type: use one of ${[...typeNames].join(', ')}`);
  }
}

function checkPattern(operand: unknown, at: string): void {
  try {
    if (typeof operand !== 'string') throw new TypeError('it is not text');
    new RegExp(operand, 'u');
  } catch (cause) {
    throw invalidSchema(at, `the pattern does not compile: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function checkNames(operand: unknown, at: string): void {
  if (!Array.isArray(operand) || operand.some((name) => typeof name !== 'string'))
    throw invalidSchema(at, 'it is no list of names');
}

function checkReference(operand: unknown, at: string): void {
  if (operand === '#' || (typeof operand === 'string' && operand.startsWith('#/'))) return;
  throw invalidSchema(at, 'a schema may refer only to its own parts: "#/$defs/name"');
}

/** The first reference to a part that the schema does not have. */
function danglingReference(part: unknown, root: JsonObject): string | null {
  if (typeof part !== 'object' || part === null) return null;
  for (const [key, inner] of Object.entries(part)) {
    const dangling = key === '$ref' && typeof inner === 'string' ? !hasPart(root, inner) : null;
    const found = dangling === true ? String(inner) : danglingReference(inner, root);
    if (found !== null) return found;
  }
  return null;
}

function hasPart(root: JsonObject, reference: string): boolean {
  let part: unknown = root;
  for (const segment of segmentsOf(reference.slice(1))) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, segment)) return false;
    part = (part as Readonly<Record<string, unknown>>)[segment];
  }
  return true;
}

function checkList(operand: unknown, at: string): void {
  if (!Array.isArray(operand)) throw invalidSchema(at, 'it is no list of schemas');
  operand.forEach((schema, i) => {
    checkSchema(schema, `${at}/${i}`);
  });
}

function checkMap(keyword: string, operand: unknown, at: string): void {
  if (!isObject(operand)) throw invalidSchema(at, 'it is no map of schemas');
  for (const [name, schema] of Object.entries(operand)) {
    if (keyword === 'patternProperties') checkPattern(name, at);
    checkSchema(schema, `${at}/${name}`);
  }
}

const invalidSchema = (at: string, why: string): CffbrwError =>
  new CffbrwError('INVALID_APP', `the schema's ${at === '' ? 'root' : at}: ${why}`, {
    fix: 'Correct the JSON Schema: https://json-schema.org/understanding-json-schema/reference',
  });
