/** What is known of a value before it exists. */
import { anyShape, type Shape } from './expression.ts';
import { invalid, type Site } from './source.ts';
import { suggestion } from './suggest.ts';

/** The shape of `value.name`. Throws where the shape is closed and has no such property. */
export function memberShape(shape: Shape, name: string, site: Site): Shape {
  if (name === 'length' && shape.kind !== 'object') return anyShape;
  if (shape.kind === 'scalar')
    throw invalid(site, `this is a single value and has no property \`${name}\``, 'Remove the property.');
  if (shape.kind === 'list') {
    if (/^\d+$/.test(name)) return shape.item;
    throw invalid(site, `a list has no property \`${name}\``, 'Write `list[0]`, `list.length`, or `list.map(item => …)`.');
  }
  if (shape.kind !== 'object') return anyShape;
  const known = shape.properties.get(name);
  if (known !== undefined) return known;
  if (shape.open) return anyShape;
  throw invalid(site, `there is no property \`${name}\` here`, suggestion(name, shape.properties.keys()));
}

export const itemShape = (shape: Shape): Shape => (shape.kind === 'list' ? shape.item : anyShape);

/** What holds of a value that is one or the other. */
export const eitherShape = (a: Shape, b: Shape): Shape => (a === b ? a : anyShape);
