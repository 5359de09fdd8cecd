/** What one compilation knows and gathers. */
import type { Json } from '../strategy/json.ts';
import { createFuel, type Frame, type Scope, type Shape, type VariableRead } from './expression.ts';
import type { FunctionTable } from './functions/entry.ts';
import type { Evaluate } from './operators.ts';
import type { Refuse } from './refuse.ts';
import { type Site, type Source, siteOf } from './source.ts';
import type { Tree, TreeOf } from './tree.ts';

/** A compiled part of an expression. */
export interface Part {
  readonly evaluate: Evaluate;
  /** Fuel for evaluating it once, without what arrows and functions add. */
  readonly cost: number;
  readonly constant: boolean;
  /** True when it may make a list or an object: such results are weighed. */
  readonly makes: boolean;
  readonly shape: Shape;
}

/** A parameter of an arrow. One cell is enough: nothing in the language calls itself. */
export interface Cell {
  value: Json;
  readonly shape: Shape;
}

/** What an expression, or a document's value with many expressions in it, gathers. */
export interface Gathered {
  readonly reads: VariableRead[];
  readonly names: Set<string>;
  readonly secrets: Set<string>;
  readonly trees: Tree[];
  /** Where `vars.x` of an unkeyed variable already is in reads. */
  readonly readIndexes: Map<string, number>;
}

export const createGathered = (): Gathered => ({
  reads: [],
  names: new Set(),
  secrets: new Set(),
  trees: [],
  readIndexes: new Map(),
});

/** `list.map(x => …)` */
export type CompileMethod = (tree: TreeOf<'method'>, context: Context) => Part;

/** Where the part that is being compiled stands. */
export interface Context {
  readonly scope: Scope;
  /** Compiles a part of this one: node.ts, handed on, so that no file imports one that imports it. */
  readonly compile: (tree: Tree, context: Context) => Part;
  readonly source: Source;
  readonly functions: FunctionTable;
  readonly compileMethod: CompileMethod;
  readonly refuse: Refuse;
  readonly gathered: Gathered;
  readonly parameters: ReadonlyMap<string, Cell>;
  /** The key expression of a read that this is inside of, and whether this is inside an arrow. */
  readonly inKey: boolean;
  readonly inArrow: boolean;
}

export const siteFor = (context: Context, tree: { readonly start: number; readonly end: number }): Site =>
  siteOf(context.source, tree.start, tree.end);

const unavailable = (): never => {
  throw new Error('a constant asked for the run');
};

/** What a constant is evaluated against: it asks for nothing but fuel. */
export const constantFrame = (): Frame => ({
  values: [],
  read: unavailable,
  age: unavailable,
  now: unavailable,
  random: unavailable,
  uuid: unavailable,
  secret: unavailable,
  fuel: createFuel(10_000),
});
