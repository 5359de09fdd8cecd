/** What a JSON Schema says about the properties of a value: reading one that it does not list does not compile. */
import { anyShape, type Shape, scalarShape } from '../expression/expression.ts';
import { isMap } from './source.ts';

/** Keywords that bring in properties from elsewhere: what they allow is not followed here. */
const combining = [
  '$ref',
  '$dynamicRef',
  'anyOf',
  'oneOf',
  'allOf',
  'if',
  'then',
  'else',
  'dependentSchemas',
  'patternProperties',
  'not',
];
const scalars: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'null']);

/** A schema with `additionalProperties: true`, or without `properties`, is open. */
export function shapeOf(schema: unknown): Shape {
  if (!isMap(schema) || combining.some((keyword) => Object.hasOwn(schema, keyword))) return anyShape;
  const types = new Set(Array.isArray(schema.type) ? schema.type : [schema.type]);
  types.delete('null');
  const [type] = types;
  if (types.size !== 1) return anyShape;
  if (scalars.has(type)) return scalarShape;
  if (type === 'array') return { kind: 'list', item: shapeOf(schema.items) };
  return type === 'object' ? objectShape(schema) : anyShape;
}

function objectShape(schema: Record<string, unknown>): Shape {
  if (!isMap(schema.properties)) return anyShape;
  const properties = new Map(Object.entries(schema.properties).map(([name, property]) => [name, shapeOf(property)]));
  return { kind: 'object', properties, open: openBy(schema.additionalProperties) };
}

const openBy = (additional: unknown): boolean => additional === true || isMap(additional);

/** A closed object of these properties. */
export const closed = (properties: Readonly<Record<string, Shape>>): Shape => ({
  kind: 'object',
  properties: new Map(Object.entries(properties)),
  open: false,
});

export const scalarsShape = (...names: readonly string[]): Shape =>
  closed(Object.fromEntries(names.map((name) => [name, scalarShape])));
