/**
 * What TypeScript knows of declared variables: which options fit a strategy, the type of the value, and the operations that there are.
 * Types only. `initial` widens (10 is a number, 'a' a string); `schema` wins over it.
 */
import type { Extreme } from './extreme.ts';
import type { Json, JsonObject } from './json.ts';
import type { StrategyName } from './names.ts';
import type { OperationName } from './strategy.ts';
import type { Declaration, Variable } from './variable.ts';
import type { WindowRule } from './window.ts';

interface Common {
  readonly keyed?: boolean;
  readonly window?: WindowRule;
}
interface Relaxable {
  /** `relaxed` trades durability of acknowledged writes for speed. */
  readonly durability?: 'durable' | 'relaxed';
}
type SchemaOption = JsonObject | boolean;

export interface LastWriteDeclaration extends Common, Relaxable {
  /** Default. */
  readonly strategy?: 'last-write-wins';
  readonly initial?: Json;
  readonly schema?: SchemaOption;
  /** Accepts that several workflows write it. */
  readonly writers?: 'any';
}
export interface SumDeclaration extends Common, Relaxable {
  readonly strategy: 'sum-increments';
  /** An integer. Default 0. */
  readonly initial?: number;
}
export interface MergeDeclaration extends Common, Relaxable {
  readonly strategy: 'merge-objects';
  /** Stands for the value as a whole: it fills no missing fields. */
  readonly initial?: JsonObject | null;
  readonly schema?: SchemaOption;
}
export interface ExtremeDeclaration extends Common, Relaxable {
  readonly strategy: 'max-value' | 'min-value';
  readonly initial?: number;
  readonly schema?: SchemaOption;
}
export interface BoundedDeclaration extends Common {
  readonly strategy: 'bounded-counter';
  /** Units that there are at first: an integer, 0 or more. Default 0. */
  readonly initial?: number;
  readonly durability?: 'durable';
}

/** A declaration whose options fit its strategy. */
export type StrictDeclaration =
  | LastWriteDeclaration
  | SumDeclaration
  | MergeDeclaration
  | ExtremeDeclaration
  | BoundedDeclaration;

export type Declarations = Readonly<Record<string, StrictDeclaration>>;

interface DeclarationOptions {
  readonly 'last-write-wins': keyof LastWriteDeclaration;
  readonly 'sum-increments': keyof SumDeclaration;
  readonly 'merge-objects': keyof MergeDeclaration;
  readonly 'max-value': keyof ExtremeDeclaration;
  readonly 'min-value': keyof ExtremeDeclaration;
  readonly 'bounded-counter': keyof BoundedDeclaration;
}

/** Refuses an option that the strategy has not, and an `initial` that breaks the schema beside it: a property is missing whose name says it. */
export type Fitting<All> = {
  readonly [Name in keyof All & string]: KnownOptions<Name, All[Name]> & FittingInitial<Name, All[Name]>;
};
type KnownOptions<Name extends string, D> = {
  readonly [Option in Exclude<keyof D, DeclarationOptions[StrategyOf<D>]> &
    string as `${Name} is ${StrategyOf<D>}, which has no option ${Option}`]: never;
};
type FittingInitial<Name extends string, D> =
  StrategyOf<D> extends 'max-value' | 'min-value'
    ? unknown
    : D extends { readonly initial: infer Initial; readonly schema: infer Schema }
      ? Initial extends FromSchema<Schema>
        ? unknown
        : { readonly [Message in `the initial value of ${Name} breaks its schema`]: never }
      : unknown;

/** The operations of each strategy. */
export interface StrategyOperations {
  readonly 'last-write-wins': 'set' | 'unset';
  readonly 'sum-increments': 'add' | 'set' | 'reset';
  readonly 'merge-objects': 'merge' | 'replace' | 'unset' | 'reset';
  readonly 'max-value': 'raise' | 'reset';
  readonly 'min-value': 'lower' | 'reset';
  readonly 'bounded-counter': 'take' | 'give' | 'confirm' | 'mint' | 'burn';
}

export type StrategyOf<D> = D extends { readonly strategy: infer Name extends StrategyName } ? Name : 'last-write-wins';
export type OperationsOf<D> = StrategyOperations[StrategyOf<D>];
export type IsKeyed<D> = D extends { readonly keyed: true } ? true : false;

/** The names of the variables that have an operation. */
export type NamesWith<All, Operation extends OperationName> = {
  [Name in keyof All & string]: Operation extends OperationsOf<All[Name]> ? Name : never;
}[keyof All & string];

/** What `set` or `replace` writes. */
export type WriteOf<D> =
  StrategyOf<D> extends 'last-write-wins' ? Declared<D, Json> : StrategyOf<D> extends 'merge-objects' ? ObjectOf<D> : number;

/** What `merge` takes: any part of the object. */
export type PatchOf<D> = DeepPartial<ObjectOf<D>>;

/** What the variable reads as. */
export type ValueOf<D> =
  StrategyOf<D> extends 'last-write-wins'
    ? WriteOf<D> | OrNull<D>
    : StrategyOf<D> extends 'merge-objects'
      ? (D extends { readonly schema: unknown } ? ObjectOf<D> : DeepPartial<ObjectOf<D>>) | OrNull<D>
      : StrategyOf<D> extends 'max-value' | 'min-value'
        ? ExtremeOf<D>
        : number;

type ExtremeOf<D> = D extends { readonly initial: number } ? Extreme & { readonly value: number } : Extreme;
/** Never written and without an initial value, it reads as null. */
type OrNull<D> = D extends { readonly initial: infer Initial } ? Extract<Initial, null> : null;

type Declared<D, Unknown> = D extends { readonly schema: infer Schema }
  ? FromSchema<Schema>
  : D extends { readonly initial: infer Initial }
    ? Widened<Initial>
    : Unknown;

type ObjectOf<D> = Declared<D, JsonObject> extends infer Found ? (Found extends JsonObject ? Found : JsonObject) : never;

export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? string extends keyof T
      ? T
      : { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** The type of a literal without what is accidental in it: 10 is a number, and null or an empty list says nothing. */
export type Widened<T> = T extends string
  ? string
  : T extends number
    ? number
    : T extends boolean
      ? boolean
      : T extends null
        ? Json
        : T extends readonly []
          ? readonly Json[]
          : T extends readonly (infer Element)[]
            ? readonly Widened<Element>[]
            : T extends object
              ? keyof T extends never
                ? JsonObject
                : { readonly [K in keyof T]: Widened<T[K]> }
              : Json;

/** The type of what a JSON Schema allows, as far as const, enum, type, items, properties and required say it; else Json. */
export type FromSchema<S> = S extends { readonly const: infer Constant extends Json }
  ? Constant
  : S extends { readonly enum: readonly (infer Choice extends Json)[] }
    ? Choice
    : S extends { readonly type: infer Type }
      ? Typed<Type extends readonly (infer One)[] ? One : Type, S>
      : Json;

type Typed<Type, S> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'array'
          ? readonly (S extends { readonly items: infer Items } ? FromSchema<Items> : Json)[]
          : Type extends 'object'
            ? ObjectFrom<S>
            : Json;

type ObjectFrom<S> = S extends { readonly properties: infer Properties }
  ? Flat<
      { readonly [Name in keyof Properties & RequiredOf<S>]: FromSchema<Properties[Name]> } & {
        readonly [Name in Exclude<keyof Properties, RequiredOf<S>>]?: FromSchema<Properties[Name]>;
      }
    >
  : S extends { readonly additionalProperties: infer Others extends object }
    ? { readonly [name: string]: FromSchema<Others> }
    : JsonObject;

type RequiredOf<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never;
type Flat<T> = { readonly [Name in keyof T]: T[Name] };

/** What a replica takes: declarations, or variables that were declared before. */
export type VariablesInput = Readonly<Record<string, Declaration>> | ReadonlyMap<string, Variable>;
