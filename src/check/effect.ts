/**
 * What the steps of an app do, as `walk.ts` finds it: writes, answers, requests to others; for each, what decided that it happens, and
 * beside what it runs. The rules look at nothing else.
 */
import type { App, LoadedDocument } from '../app.ts';
import type { OperationName } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';
import type { WorkflowDocument } from '../workflow/fields.ts';
import type { Path } from '../workflow/source.ts';
import type { Resolver } from './resolve.ts';
import type { SymbolTerm, Term } from './term.ts';

export type WorkflowSource = Extract<LoadedDocument, { kind: 'workflow' }>;

/** A step as it stands in its document. */
export interface StepRef {
  readonly document: WorkflowSource;
  readonly workflow: string;
  readonly path: Path;
  readonly verb: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A decision on the way to a step: what came out of `condition` there. */
export interface Guard {
  readonly condition: Term;
  readonly holds: boolean;
  /** `loop`: how often, not whether. */
  readonly kind: 'condition' | 'loop';
  /** The step that decides. */
  readonly step: StepRef;
  /** Where in its document the condition stands. */
  readonly path: Path;
  /** False where a caught error may have led around it. */
  readonly certain: boolean;
}

/** A branch of `parallel`, or the iterations of an `each` that run beside each other. */
export interface Lane {
  readonly step: StepRef;
  /** Null: all iterations, which differ in `item`. */
  readonly branch: string | null;
  readonly item: Term | null;
}

export interface Effect {
  readonly step: StepRef;
  readonly guards: readonly Guard[];
  readonly lanes: readonly Lane[];
  /** The steps around it that try again. */
  readonly retries: readonly StepRef[];
  /** The workflow whose trigger started the run, where the step may be one of a workflow that it calls. */
  readonly run: WorkflowSource;
  /** Its place in the order of the run. */
  readonly order: number;
}

export interface Write extends Effect {
  readonly kind: 'write';
  readonly variable: Variable;
  readonly operation: OperationName;
  readonly key: Term | null;
  /** What is written: `value`, `with`, `amount`, `path`; null where the step has none. */
  readonly value: Term | null;
  readonly with: Term | null;
  readonly path: Term | null;
  /** What a `take` gave. */
  readonly result: SymbolTerm | null;
}

/** `respond`, `fail`, or the `return` at the top of a workflow that answers. */
export interface Answer extends Effect {
  readonly kind: 'answer';
  readonly value: Term;
}

/** `http` */
export interface Send extends Effect {
  readonly kind: 'send';
  readonly url: Term;
  readonly value: Term;
  readonly method: Term;
}

/** Any other use of values: `let`, `log`, `wait`, `give`, …, and the waits and failures of what may fail. */
export interface Use extends Effect {
  readonly kind: 'use';
  readonly value: Term;
}

export type AnyEffect = Write | Answer | Send | Use;

/** Everything that the rules may ask. */
export interface Model {
  readonly app: App;
  readonly resolver: Resolver;
  readonly effects: readonly AnyEffect[];
  readonly writes: readonly Write[];
  readonly settings: Extract<LoadedDocument, { kind: 'app' }> | undefined;
}

export type Trigger = WorkflowDocument['on'];
