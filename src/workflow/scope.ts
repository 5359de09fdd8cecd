/**
 * Names, while a workflow is compiled. A name is bound once and never shadows another. `if`, `switch` and `try` open no scope;
 * iterations, branches and `catch` have their own. Every name has a slot in the run's list of values; a slot that was not written is null.
 */
import { CffbrwError, type Place } from '../error.ts';
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
}

interface Bound {
  readonly slot: number;
  readonly shape: Shape;
  readonly place: Place | undefined;
}

const reserved: ReadonlySet<string> = new Set([
  'vars',
  'request',
  'secrets',
  'undefined',
  'NaN',
  'Infinity',
  'arguments',
  'eval',
]);
// Words that JavaScript's grammar keeps for itself: an expression could never refer to them.
const keywords: ReadonlySet<string> = new Set(
  (
    'break case catch class const continue debugger default delete do else enum export extends false finally for function if implements ' +
    'import in instanceof interface let new null package private protected public return static super switch this throw true try typeof ' +
    'var void while with yield await async of'
  ).split(' '),
);

/** Every workflow's first name, in slot 0. */
export const requestName = 'request';

export function createScope(options: ScopeOptions, request: Shape): NameScope {
  let bound = new Map<string, Bound>([[requestName, { slot: 0, shape: request, place: undefined }]]);
  let hints: ReadonlyMap<string, Bound> = new Map();
  let slots = 1;
  // What expressions see, made again when the names have changed.
  let view: { names: Map<string, number>; shapes: Map<string, Shape> } | null = null;
  const look = () => {
    view ??= {
      names: new Map([...bound].map(([name, { slot }]) => [name, slot])),
      shapes: new Map([...bound].map(([name, { shape }]) => [name, shape])),
    };
    return view;
  };
  const replace = (next: Map<string, Bound>) => {
    bound = next;
    view = null;
  };

  return {
    variables: options.variables,
    secrets: { names: options.secrets, allowed: false },
    get names() {
      return look().names;
    },
    get shapes() {
      return look().shapes;
    },
    get slots() {
      return slots;
    },
    bind(name, shape, place) {
      checkName(name, place, bound.get(name));
      const slot = hints.get(name)?.slot ?? slots++;
      bound.set(name, { slot, shape, place });
      view = null;
      return slot;
    },
    inner(task) {
      const [before, beforeHints] = [bound, hints];
      hints = new Map();
      replace(new Map(before));
      try {
        return task();
      } finally {
        hints = beforeHints;
        replace(before);
      }
    },
    arms(tasks) {
      const [before, beforeHints] = [bound, hints];
      const union = new Map(before);
      for (const task of tasks) {
        hints = new Map([...beforeHints, ...union]);
        replace(new Map(before));
        task();
        for (const [name, entry] of bound) union.set(name, either(union.get(name), entry));
      }
      hints = beforeHints;
      replace(union);
    },
  };
}

function checkName(name: string, place: Place, before: Bound | undefined): void {
  const fix = 'Choose another name.';
  if (before !== undefined && name !== requestName) {
    const where = before.place ? ` in line ${before.place.line}` : '';
    throw new CffbrwError('INVALID_DOCUMENT', `The name \`${name}\` is bound already${where}; names are bound once.`, {
      place,
      fix,
    });
  }
  if (!/^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/.test(name)) {
    const message = `\`${name}\` cannot be a name: names are letters, digits, _ and $, at most 64, and start with no digit.`;
    throw new CffbrwError('INVALID_DOCUMENT', message, { place, fix });
  }
  if (reserved.has(name) || keywords.has(name) || name === '__proto__' || name === 'constructor' || name === 'prototype') {
    throw new CffbrwError('INVALID_DOCUMENT', `\`${name}\` cannot be a name: it has a meaning of its own.`, { place, fix });
  }
}

/** Two arms bound it: what holds of both. */
function either(one: Bound | undefined, other: Bound): Bound {
  return one === undefined || one.shape === other.shape ? other : { ...other, shape: anyShape };
}
