/**
 * The contract of expressions: what may be named in one (Scope), what compiling gives (Compiled), and what running needs (Frame).
 *
 * Expressions are a subset of JavaScript's syntax with their own evaluator. They are compiled when a document is compiled, never
 * at request time and never from request data. An expression never: runs text as code, reads anything but own properties, changes
 * what it was given, waits, or works without end.
 *
 * Invariants (proven in test/expression):
 *   E1  Where V8 and this evaluator both give a result, it is the same (a missing property counts as null).
 *   E2  No prototype is reachable: `constructor`, `__proto__`, `toString` … read as null on every value.
 *   E3  All work is paid for in fuel, and every result is a tree whose size was paid for: no expression runs or grows without end.
 *   E4  Values that came in are never changed; a value that is made is new or frozen.
 *   E5  Whatever the source is, compiling ends with a Compiled or an INVALID_EXPRESSION, and evaluating with a value or an error of the
 *       closed list.
 */
import type { Place } from '../error.ts';
import type { Json } from '../strategy/json.ts';
import type { StrategyName } from '../strategy/names.ts';

import type { Tree } from './tree.ts';

/** What is known of a value when a document is compiled. A closed object has no other properties than the listed ones. */
export type Shape =
  | { readonly kind: 'any' }
  | { readonly kind: 'scalar' }
  | { readonly kind: 'object'; readonly properties: ReadonlyMap<string, Shape>; readonly open: boolean }
  | { readonly kind: 'list'; readonly item: Shape };

export interface ScopeVariable {
  readonly keyed: boolean;
  readonly strategy: StrategyName;
  /** What its schema says of its value; only of last-write-wins and merge-objects. */
  readonly shape?: Shape;
}

/** What may be named where an expression stands. */
export interface Scope {
  /** Bound names (`request`, let, as, item …) and where each one's value is in `Frame.values`. */
  readonly names: ReadonlyMap<string, number>;
  readonly variables: ReadonlyMap<string, ScopeVariable>;
  /** Reading a property that a closed shape does not list does not compile: a typo in `request.body.user` would make all users one. */
  readonly shapes?: ReadonlyMap<string, Shape>;
  readonly secrets?: {
    readonly names: ReadonlySet<string>;
    /** False: only as the first argument of hmac. */
    readonly allowed: boolean;
  };
}

/** One `vars.x`, `vars.x[key]`, or `age(vars.x)`. */
export interface VariableRead {
  readonly variable: string;
  /** Null: the variable is not keyed. */
  readonly key: CompiledKey | null;
  /** True for `age(vars.x)`: asked through Frame.age, not through Frame.read. */
  readonly age: boolean;
  readonly place: Place | undefined;
  /** As it stands in the document: `vars.cart[request.body.user]`. */
  readonly text: string;
}

/** A key expression. It reads through the same Frame, with indexes of the same list of reads, all lower than its own read's. */
export interface CompiledKey {
  readonly constant: boolean;
  readonly names: ReadonlySet<string>;
  readonly tree: Tree;
  /** Throws EXPRESSION_FAILED, EXPRESSION_COST. The run keeps the error and throws it when `Frame.read` asks for this read. */
  evaluate(frame: Frame): Json;
}

export interface Compiled {
  /**
   * Every read of a variable, in source order, keys before the reads that use them. The run loads these addresses one after the
   * other, then evaluates against one snapshot.
   */
  readonly reads: readonly VariableRead[];
  /** Bound names that it refers to, in keys too. */
  readonly names: ReadonlySet<string>;
  /** Secrets that show in its value (those inside hmac do not). */
  readonly secrets: ReadonlySet<string>;
  /** Its value is the same in every run. */
  readonly constant: boolean;
  /** What is known of its value: the shape of a name that is bound to it. */
  readonly shape: Shape;
  /** The parsed expressions inside, in source order, for those who look at their structure. */
  readonly trees: readonly Tree[];
  /** Synchronous. Throws EXPRESSION_FAILED, EXPRESSION_COST, and what `Frame.read` throws. */
  evaluate(frame: Frame): Json;
}

/** What is left of a run's budget; shared by all its expressions. */
export interface Fuel {
  left: number;
}

/** What an expression sees while it runs. */
export interface Frame {
  /** By the slots of Scope.names. A hole reads as null. */
  readonly values: readonly (Json | undefined)[];
  /** The value of `reads[index]`. Throws what loading it or computing its key threw. */
  read(index: number): Json;
  /** How old, in milliseconds, the knowledge of `reads[index]` is. */
  age(index: number): number;
  /** Integer milliseconds since 1970, constant in a run. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  uuid(): string;
  secret(name: string): string;
  readonly fuel: Fuel;
}

/** One unit is about one node evaluated, one element visited, or eight characters produced: a million end within a tenth of a second. */
export const defaultFuel = 1_000_000;
export const createFuel = (units: number = defaultFuel): Fuel => ({ left: units });

export const anyShape: Shape = { kind: 'any' };
export const scalarShape: Shape = { kind: 'scalar' };
/** The longest text and the longest list that an expression may make. */
export const maxTextLength = 1_048_576;
export const maxListLength = 100_000;
/** How deep lists and objects may be nested in a value that an expression makes. */
export const maxResultDepth = 64;
