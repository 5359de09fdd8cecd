/**
 * The contract of a verb: its fields, and how a step becomes a function. One file per verb beside this one; `verbs.ts` lists them.
 *
 * A verb's function returns nothing when it is done, or a promise when it had to wait. It says that the frame is at its end by
 * `frame.signal`, and that it failed by throwing.
 */
import type * as z from 'zod';
import type { Place } from '../../error.ts';
import type { Compiled, Shape } from '../../expression/expression.ts';
import type { Json } from '../../strategy/json.ts';
import type { OperationName } from '../../strategy/strategy.ts';
import type { Variable } from '../../strategy/variable.ts';
import type { Fields } from '../fields.ts';
import type { Flow } from '../flow.ts';
import type { Condition, Execute, Plan, PlannedStep } from '../plan.ts';
import type { NameScope } from '../scope.ts';
import type { Path } from '../source.ts';

/** Where a verb's `compile` gets its parts from. Everything that throws here throws a CffbrwError with the place. */
export interface StepContext {
  readonly path: Path;
  readonly scope: NameScope;
  readonly flow: Flow;
  /** The place of a field of this step. */
  place(...inside: readonly (string | number)[]): Place;
  refuse(message: string, fix: string, ...inside: readonly (string | number)[]): never;
  /** A declared variable that has this operation. Throws UNKNOWN_VARIABLE, WRONG_OPERATION. */
  variable(name: string, operation: OperationName | 'get' | 'keys', ...inside: readonly (string | number)[]): Variable;
  /** Checks that a key is there exactly when the variable is keyed. */
  checkKey(variable: Variable, key: unknown, ...inside: readonly (string | number)[]): void;
  /** Those of these fields that are there, as one value: an object of their values. */
  inputs(step: Readonly<Record<string, unknown>>, ...fields: readonly string[]): Compiled;
  /** The same for what leaves for another server: secrets may be used in it. */
  sending(step: Readonly<Record<string, unknown>>, ...fields: readonly string[]): Compiled;
  value(data: unknown, ...inside: readonly (string | number)[]): Compiled;
  condition(source: string | boolean, ...inside: readonly (string | number)[]): Condition;
  /** Milliseconds, known now; refused when more than `atMostMs`. */
  duration(data: unknown, atMostMs: number, ...inside: readonly (string | number)[]): number;
  block(list: readonly unknown[], ...inside: readonly (string | number)[]): readonly PlannedStep[];
  /** Compiles arms of which at most one runs (`always`: exactly one): they may bind the same names. */
  arms(arms: readonly (() => void)[], always: boolean): void;
  /** Compiles a thread of its own: its names are gone afterwards, and what ends it ends nothing else. `silent`: why it may not respond. */
  thread<Result>(options: { readonly silent: string | null; readonly repeats: boolean }, task: () => Result): Result;
  /** Binds a name and answers with its slot. */
  bind(name: string, shape: Shape, ...inside: readonly (string | number)[]): number;
  /** Whether any expression of this workflow may read this member of what a name holds. Known once all is compiled, so not before a run. */
  reads(name: string, member: string): () => boolean;
  /** Binds the step's `as`, if it has one; −1 if not. */
  yields(step: { readonly as?: string | undefined }, shape: Shape): number;
  /** The workflow that `call` names, once all are compiled. Throws when there is none. */
  workflow(name: string, ...inside: readonly (string | number)[]): () => Plan;
}

export interface Verb {
  readonly verb: string;
  /** Its own fields as zod types; only where documents are checked somebody asks for them. */
  fields(fields: Fields): z.ZodRawShape;
  /** True when the step may carry `as`. */
  readonly yields: boolean;
  /** Makes the step's function. `step` has the form that its fields say. */
  compile(step: Readonly<Record<string, unknown>>, context: StepContext): Execute;
}

type Step<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>> & { readonly as?: string | undefined };

export interface VerbOptions<Shape extends z.ZodRawShape> {
  readonly verb: string & keyof Shape;
  fields(fields: Fields): Shape;
  readonly yields: boolean;
  compile(step: Step<Shape>, context: StepContext): Execute;
}

export function defineVerb<Shape extends z.ZodRawShape>({ verb, fields, yields, compile }: VerbOptions<Shape>): Verb {
  return { verb, fields, yields, compile: (step, context) => compile(step as Step<Shape>, context) };
}

export function namedVerbs(verbs: readonly Verb[]): ReadonlyMap<string, Verb> {
  return new Map(verbs.map((verb) => [verb.verb, verb]));
}

/** Goes on with a value, now or when it is there. */
export function follow<Value, Next>(
  value: Value | Promise<Value>,
  next: (value: Value) => Next | Promise<Next>,
): Next | Promise<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** The fields of an input object. */
export type Inputs = Readonly<Record<string, Json>>;
export const asInputs = (value: Json): Inputs => value as Inputs;
