/** What is known of a variable's value when a workflow is compiled. */
import { anyShape, type Shape, scalarShape } from '../expression/expression.ts';
import type { Variable } from '../strategy/variable.ts';
import { closed, shapeOf } from './shape.ts';

export function valueShape(variable: Variable): Shape {
  switch (variable.strategy) {
    case 'sum-increments':
    case 'bounded-counter':
      return scalarShape;
    case 'max-value':
    case 'min-value':
      return closed({ value: scalarShape, with: anyShape });
    default:
      return variable.schema === undefined ? anyShape : shapeOf(variable.schema);
  }
}
