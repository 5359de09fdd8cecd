/** What is known of a value before it exists. */
import { anyShape, type Shape } from './expression.ts';
import type { Refuse } from './refuse.ts';
import type { Site } from './source.ts';

/** The shape of `value.name`. Throws where the shape is closed and has no such property. */
export function memberShape(shape: Shape, name: string, site: Site, refuse: Refuse): Shape {
  if (name === 'length' && shape.kind !== 'object') return anyShape;
  if (shape.kind === 'scalar') throw refuse('member of a scalar', site, name);
  if (shape.kind === 'list') {
    if (/^\d+$/.test(name)) return shape.item;
    throw refuse('member of a list', site, name);
  }
  if (shape.kind !== 'object') return anyShape;
  const known = shape.properties.get(name);
  if (known !== undefined) return known;
  if (shape.open) return anyShape;
  throw refuse('member', site, name, shape.properties.keys());
}

export const itemShape = (shape: Shape): Shape => (shape.kind === 'list' ? shape.item : anyShape);

/** What holds of a value that is one or the other. */
export const eitherShape = (a: Shape, b: Shape): Shape => (a === b ? a : anyShape);
