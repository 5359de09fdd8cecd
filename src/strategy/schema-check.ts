/** The checks of the schemas that were compiled: made when an app is, asked for wherever a value comes in. */
import { CffbrwError } from '../error.ts';
import type { JsonObject } from './json.ts';
import { plainSchema, type SchemaCheck } from './plain-schema.ts';

export type { SchemaCheck, SchemaProblem } from './plain-schema.ts';

/** Compiles a schema. Throws INVALID_APP for a schema that is none. */
export type CompileSchema = (schema: JsonObject | boolean) => SchemaCheck;

const compiled = new WeakMap<JsonObject, SchemaCheck>();

export const everything: SchemaCheck = () => null;
export const nothing: SchemaCheck = () => ({ path: '', message: 'nothing is allowed here' });

/** Compiled once per schema object, by `compile`. */
export function keptCheck(schema: JsonObject | boolean, compile: (schema: JsonObject) => SchemaCheck): SchemaCheck {
  if (typeof schema === 'boolean') return schema ? everything : nothing;
  let check = compiled.get(schema);
  if (check === undefined) {
    check = compile(schema);
    compiled.set(schema, check);
  }
  return check;
}

/** The check of a schema that was compiled, or that is plain. */
export const checkOf: CompileSchema = (schema) => keptCheck(schema, plainOnly);

function plainOnly(schema: JsonObject): SchemaCheck {
  const check = plainSchema(schema);
  if (check === null) throw new CffbrwError('INVARIANT', 'a schema was not compiled before values came');
  return check;
}
