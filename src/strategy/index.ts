/** `cffbrw/strategy`: rows, values, addresses, and the six strategies as pure functions. */
export {
  type Address,
  addressOf,
  addressPrefix,
  addressRule,
  checkKey,
  type Key,
  parseAddress,
} from './address.ts';
export { type BoundedOperation, type BoundedRow, boundedCounter } from './bounded-counter.ts';
export type {
  Declarations,
  Fitting,
  FromSchema,
  IsKeyed,
  NamesWith,
  OperationsOf,
  PatchOf,
  StrategyOf,
  StrictDeclaration,
  ValueOf,
  VariablesInput,
  WriteOf,
} from './declared.ts';
export type { Extreme, ExtremeOperation, ExtremeRow } from './extreme.ts';
export {
  byteLength,
  canonical,
  checkInteger,
  checkJson,
  checkNumber,
  equal,
  type Json,
  type JsonLimits,
  type JsonObject,
} from './json.ts';
export { type LastWriteOperation, type LastWriteRow, lastWriteWins } from './last-write-wins.ts';
export {
  applyLaw,
  type Counterexample,
  commutesLaw,
  guardStableLaw,
  issue,
  joinLaws,
  readLaw,
  rowLaw,
  type Subject,
  stepLaw,
} from './laws.ts';
export { maxValue } from './max-value.ts';
export { type MergeOperation, mergeObjects } from './merge-objects.ts';
export type { Leaf, MergeRow } from './merge-view.ts';
export { minValue } from './min-value.ts';
export { isVariableName, type StrategyName, strategyNames } from './names.ts';
export { canonicalRows, choose, type Fork, type Joined, join } from './rows.ts';
export { type SchemaCheck, type SchemaProblem, schemaOf } from './schema.ts';
export { strategies } from './strategies.ts';
export type { Conflict, Entry, Operation, OperationName, Rows, Strategy, Traits, Writer } from './strategy.ts';
export { type Cancel, type SumOperation, type SumRow, sumIncrements } from './sum-increments.ts';
export { type Declaration, declareVariable, type Variable } from './variable.ts';
export { isTombstone, previousWindow, type Window, type WindowRule, windowAt, windowOf } from './window.ts';
