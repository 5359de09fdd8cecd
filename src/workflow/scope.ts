/**
 * Names, while a workflow is compiled. A name is bound once and never shadows another. `if`, `switch` and `try` open no scope;
 * iterations, branches and `catch` have their own. Every name has a slot in the run's list of values; a slot that was not written is null.
 */
import type { Place } from '../error.ts';
import { anyShape, type Scope, type ScopeVariable, type Shape } from '../expression/expression.ts';

export interface NameScope extends Scope {
  readonly names: ReadonlyMap<string, number>;
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Binds a name from here on, and answers with its slot. Throws INVALID_DOCUMENT when it is taken or cannot be a name. */
  bind(name: string, shape: Shape, place: Place): number;
  /** Runs `task` in a scope of its own: the names that it binds are gone afterwards. */
  inner<T>(task: () => T): T;
  /** Compiles arms of which at most one runs: they may bind the same name, and all their names are there afterwards. */
  arms(tasks: readonly (() => void)[]): void;
  /** How many slots a run needs. */
  readonly slots: number;
}

export interface ScopeOptions {
  readonly variables: ReadonlyMap<string, ScopeVariable>;
  readonly secrets: ReadonlySet<string>;
  readonly checkName: CheckName;
}

/** Throws INVALID_DOCUMENT when it cannot be a name, or is bound already: `before`. */
export type CheckName = (name: string, place: Place, before: Pick<Bound, 'place'> | undefined) => void;

export interface Bound {
  readonly slot: number;
  readonly shape: Shape;
  readonly place: Place | undefined;
}

/** Every workflow's first name, in slot 0. */
export const requestName = 'request';

/** Slots of names that an arm beside this one bound: one name, one slot, whichever arm runs. */
interface Hints {
  readonly slots: ReadonlyMap<string, number>;
  readonly around: Hints | null;
}

function hintOf(name: string, hints: Hints | null): number | undefined {
  for (let one = hints; one !== null; one = one.around) {
    const slot = one.slots.get(name);
    if (slot !== undefined) return slot;
  }
  return undefined;
}

/** Each name costs the same however many there are: what a scope binds is undone at its end, and nothing is copied. */
export function createScope(options: ScopeOptions, request: Shape): NameScope {
  const names = new Map<string, number>();
  const shapes = new Map<string, Shape>();
  const places = new Map<string, Place | undefined>();
  /** In the order of binding. */
  const bound: string[] = [];
  let hints: Hints | null = null;
  let slots = 0;

  const add = (name: string, { slot, shape, place }: Bound) => {
    names.set(name, slot);
    shapes.set(name, shape);
    places.set(name, place);
    bound.push(name);
  };
  /** Takes back what was bound since there were `count` names, and answers with it. */
  const undo = (count: number): [string, Bound][] =>
    bound.splice(count).map((name) => {
      const entry = { slot: names.get(name) ?? 0, shape: shapes.get(name) ?? anyShape, place: places.get(name) };
      for (const map of [names, shapes, places]) map.delete(name);
      return [name, entry];
    });
  add(requestName, { slot: slots++, shape: request, place: undefined });

  return {
    variables: options.variables,
    secrets: { names: options.secrets, allowed: false },
    names,
    shapes,
    get slots() {
      return slots;
    },
    bind(name, shape, place) {
      options.checkName(name, place, names.has(name) ? { place: places.get(name) } : undefined);
      const slot = hintOf(name, hints) ?? slots++;
      add(name, { slot, shape, place });
      return slot;
    },
    inner(task) {
      const [count, before] = [bound.length, hints];
      hints = null;
      try {
        return task();
      } finally {
        hints = before;
        undo(count);
      }
    },
    arms(tasks) {
      const [count, before] = [bound.length, hints];
      const union = new Map<string, Bound>();
      const slotsOf = new Map<string, number>();
      hints = { slots: slotsOf, around: before };
      for (const task of tasks) {
        task();
        for (const [name, entry] of undo(count)) {
          union.set(name, either(union.get(name), entry));
          slotsOf.set(name, entry.slot);
        }
      }
      hints = before;
      for (const [name, entry] of union) add(name, entry);
    },
  };
}

/** Two arms bound it: what holds of both. */
function either(one: Bound | undefined, other: Bound): Bound {
  return one === undefined || one.shape === other.shape ? other : { ...other, shape: anyShape };
}
