/** Where a run stands on its way through the steps, and what it notes there. */
import type { Variable } from '../strategy/variable.ts';
import type { Path } from '../workflow/source.ts';
import type { AnyEffect, Effect, Guard, Lane, StepRef, WorkflowSource } from './effect.ts';
import type { Resolver } from './resolve.ts';
import type { SymbolTerm, Term } from './term.ts';

/** One way in which a block may end early: all of its decisions came out so. */
export interface Exit {
  /** `fail` ends callers, too, unless it is caught; `return` ends the workflow, the iteration or the branch; `respond` ends the run. */
  readonly kind: 'fail' | 'respond' | 'return';
  readonly guards: readonly Guard[];
}

/** A value that `return` gave, and what decided it. */
export interface Returned {
  readonly value: Term;
  readonly guards: readonly Guard[];
}

export interface Ending {
  readonly exits: readonly Exit[];
  readonly returned: readonly Returned[];
}

export const goesOn: Ending = { exits: [], returned: [] };

/** What all steps of a run share. */
export interface Run {
  readonly root: WorkflowSource;
  readonly resolver: Resolver;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly workflows: ReadonlyMap<string, WorkflowSource>;
  readonly effects: AnyEffect[];
  /** Names of the workflows that were gone into. */
  readonly called: Set<string>;
  /** How many more steps to go through: calls of calls could be very many. */
  left: number;
  /** Goes through the steps of a block. */
  walk(steps: readonly unknown[], path: Path, at: Position): Ending;
}

/** Where in a run a step stands. */
export interface Position {
  readonly run: Run;
  readonly document: WorkflowSource;
  /** Grows with every step; a block that is a thread of its own gets a copy. */
  readonly names: Map<string, Term>;
  readonly guards: readonly Guard[];
  readonly lanes: readonly Lane[];
  readonly retries: readonly StepRef[];
  /** The calls that lead here, outermost first. */
  readonly calls: readonly StepRef[];
}

export function conditionGuard(step: StepRef, source: string | boolean, at: Position, ...inside: Path): Guard {
  const condition = at.run.resolver.condition(source, at.names);
  return { condition, holds: true, kind: 'condition', step, path: [...step.path, ...inside], certain: true };
}

/** The ending of what was under a guard, as seen from outside of it. */
export const under = (guard: Guard, { exits, returned }: Ending): Ending => ({
  exits: exits.map((exit) => ({ ...exit, guards: [guard, ...exit.guards] })),
  returned: returned.map((one) => ({ ...one, guards: [guard, ...one.guards] })),
});

export const both = (...endings: readonly Ending[]): Ending => ({
  exits: endings.flatMap(({ exits }) => exits),
  returned: endings.flatMap(({ returned }) => returned),
});

/** What an effect is besides where it stands. */
type Noted = AnyEffect extends infer One ? (One extends AnyEffect ? Omit<One, keyof Effect> : never) : never;

/** Notes an effect of a step. */
export function note(step: StepRef, at: Position, effect: Noted): void {
  const { run, guards, lanes, retries } = at;
  run.effects.push({ step, guards, lanes, retries, run: run.root, order: run.effects.length, ...effect });
}

/** The term of a value, with the names that are bound here. */
export const termAt = (data: unknown, { run, names }: Position): Term => run.resolver.value(data, names);

/** A symbol of its own for each step, and for each way that leads to it. */
export function symbolOf(step: StepRef, at: Position, origin: SymbolTerm['origin'], derived: readonly Term[] = []): SymbolTerm {
  const way = [...at.calls, step].map(({ workflow, path }) => `${workflow} ${path.join('.')}`).join(' > ');
  return at.run.resolver.terms.symbol(origin, `${step.verb} in ${way}`, derived);
}

/** Binds the step's `as`, if it has one. */
export function bind({ data }: StepRef, { names }: Position, term: () => Term): void {
  if (typeof data.as === 'string') names.set(data.as, term());
}
