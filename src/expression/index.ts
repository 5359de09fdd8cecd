export { compileExpression, compileTemplate, compileValue } from './compile.ts';
export {
  type Compiled,
  type CompiledKey,
  createFuel,
  defaultFuel,
  type Frame,
  type Fuel,
  type Scope,
  type ScopeVariable,
  type Shape,
  type VariableRead,
} from './expression.ts';
export type { FunctionEntry } from './functions/entry.ts';
export { parseDuration } from './functions/time.ts';
export { functions } from './functions.ts';
export { nameProblem } from './names.ts';
export { listMethodNames } from './refusals.ts';
export type { Places } from './source.ts';
export type { Tree } from './tree.ts';
