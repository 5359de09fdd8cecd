/**
 * A replica that TypeScript knows the variables of: their names, the operations that their strategies have, the types of their values,
 * and whether a key must be named first. What the strategy lacks is there as a refusal that says so, so that a typed replica can stand
 * wherever a replica can.
 */

import type { Key } from '../strategy/address.ts';
import type {
  Declarations,
  Fitting,
  IsKeyed,
  OperationsOf,
  PatchOf,
  StrategyOf,
  ValueOf,
  VariablesInput,
  WriteOf,
} from '../strategy/declared.ts';
import type { Json } from '../strategy/json.ts';
import { strategies } from '../strategy/strategies.ts';
import { type Declaration, declareVariable, type Variable } from '../strategy/variable.ts';
import type { Handle } from './handle.ts';
import { ownDisk } from './identity/disk.ts';
import { openReplica as open, type ReplicaOptions } from './open.ts';
import type { Change, Replica } from './replica.ts';

/** A function that is refused when compiling; the message is the type that it wants as `this`. */
type Refused<Message extends string> = (this: Message, ...given: readonly unknown[]) => never;

interface Operations<D> {
  set(value: WriteOf<D>): Promise<void>;
  unset: StrategyOf<D> extends 'merge-objects' ? (path: string) => Promise<void> : () => Promise<void>;
  reset: Handle['reset'];
  add: Handle['add'];
  merge(patch: PatchOf<D>): Promise<void>;
  replace(value: WriteOf<D>): Promise<void>;
  raise: Handle['raise'];
  lower: Handle['lower'];
  take: Handle['take'];
  give: Handle['give'];
  confirm: Handle['confirm'];
  mint: Handle['mint'];
  burn: Handle['burn'];
}

type Reading<Value> = {
  /** The value as known here; what it shows is durable when the promise resolves. */
  get(): Promise<Value>;
};

type Writing<Name extends string, D> = Pick<Operations<D>, OperationsOf<D>> & {
  readonly [Op in Exclude<keyof Operations<D>, OperationsOf<D>>]: Refused<`${Name} is ${StrategyOf<D>}, which has no ${Op}`>;
};

export interface TypedChange<Value> extends Change {
  readonly value: Value & Json;
}

type Watching<D> = {
  /** Called with every durable change of the value, own or received. Returns what stops it. */
  watch(listener: (change: TypedChange<ValueOf<D>>) => void): () => void;
};

/** A variable at its address: not keyed, or at a key. */
export type ValueHandle<Name extends string, D> = Reading<ValueOf<D>> &
  Watching<D> &
  Writing<Name, D> & {
    /** With the value at hand, synchronously. */
    open(): Promise<OpenedHandle<Name, D>>;
    readonly key: Refused<`${Name} is not keyed: it has one value for all`>;
  };

/** `value` shows also what is not durable yet; `get()` waits for that. */
export type OpenedHandle<Name extends string, D> = ValueHandle<Name, D> & {
  readonly value: ValueOf<D>;
  /** Stops following. */
  close(): void;
};

/** A keyed variable: one value per key, so nothing can be read or written before a key is named. */
export type KeyedHandle<Name extends string, D> = Watching<D> & {
  key(key: Key): ValueHandle<Name, D>;
} & {
  readonly [Op in 'get' | 'open' | keyof Operations<D>]: Refused<`${Name} is keyed: name a key first, .key(…)`>;
};

export type HandleOf<Name extends string, D> = IsKeyed<D> extends true ? KeyedHandle<Name, D> : ValueHandle<Name, D>;

/** One handle per name, where there are several. */
type HandleIn<All, Name extends keyof All & string> = Name extends string ? HandleOf<Name, All[Name]> : never;

/** A replica of these declarations. */
export type ReplicaOf<All> = Omit<Replica, 'variable' | 'keys'> & {
  /** The variable in your hands. */
  variable<Name extends keyof All & string>(name: Name): HandleIn<All, Name>;
  /** The keys of a keyed variable that have a value, sorted, at most `limit` (100). */
  keys(variable: KeyedNames<All>, page: Parameters<Replica['keys']>[1]): ReturnType<Replica['keys']>;
};

type KeyedNames<All> = { [Name in keyof All & string]: IsKeyed<All[Name]> extends true ? Name : never }[keyof All & string];

export type TypedReplicaOptions<All> = Omit<ReplicaOptions, 'variables'> & { readonly variables: All & Fitting<All> };
type LooseReplicaOptions = Omit<ReplicaOptions, 'variables'> & { readonly variables: VariablesInput };

/**
 * Opens a replica of `variables`: declarations, or a map of declared ones (an app's, say). Rejects with INVALID_APP, STORE_FAILED,
 * STORE_CORRUPT, STORE_VERSION.
 */
export function openReplica(options: ReplicaOptions): Promise<Replica>;
export function openReplica<const All extends Declarations>(options: TypedReplicaOptions<All>): Promise<ReplicaOf<All>>;
export async function openReplica({ variables, ...rest }: LooseReplicaOptions): Promise<unknown> {
  return open({ ...rest, strategies, disk: ownDisk, variables: declareAll(variables) });
}

/** Throws INVALID_APP for the first declaration that can't be. */
export function declareAll(variables: VariablesInput): ReadonlyMap<string, Variable> {
  if (isMap(variables)) return variables;
  const names = Object.entries<Declaration>(variables);
  return new Map(names.map(([name, declaration]) => [name, declareVariable(name, declaration)]));
}

const isMap = (variables: VariablesInput): variables is ReadonlyMap<string, Variable> => variables instanceof Map;
