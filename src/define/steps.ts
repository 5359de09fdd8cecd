/**
 * The steps of a workflow, as types: one per verb, and for verbs that name a variable one per variable, so that the compiler knows
 * whether it needs a key and what its values are. The same grammar as in YAML; `workflow/steps/` says what each means.
 */
import type { IsKeyed, NamesWith, PatchOf, StrategyOf, WriteOf } from '../strategy/declared.ts';
import type { Json } from '../strategy/json.ts';
import type { Condition, Duration, Expression, Given, GivenDuration, GivenKey, GivenNumber } from './given.ts';

export type VerbName =
  | 'set'
  | 'replace'
  | 'merge'
  | 'raise'
  | 'lower'
  | 'add'
  | 'mint'
  | 'burn'
  | 'unset'
  | 'reset'
  | 'take'
  | 'give'
  | 'confirm'
  | 'get'
  | 'keys'
  | 'let'
  | 'if'
  | 'switch'
  | 'each'
  | 'parallel'
  | 'return'
  | 'http'
  | 'call'
  | 'try'
  | 'wait'
  | 'respond'
  | 'fail'
  | 'log';

/** What every step may carry. */
interface Common {
  readonly id?: string;
  /** The step is left out where this is false. */
  readonly when?: Condition;
  /** Findings of `check` that are accepted here: rule → why. */
  readonly ignore?: Readonly<Record<string, string>>;
}
/** What a step that yields something may carry: the name that its result gets. */
interface Yielding extends Common {
  readonly as?: string;
}

/** A step of one verb: the other verbs are excluded by name, so that each step is checked against its own verb alone. */
type Verb<Name extends VerbName, Fields> = Fields & { readonly [Other in Exclude<VerbName, Name>]?: never };

/** What must not be there is typed as the reason: the compiler's message says it. */
type KeyFor<All, Name extends Names<All>> =
  IsKeyed<All[Name]> extends true
    ? { readonly key: GivenKey }
    : { readonly key?: `${Name} is not keyed: it has one value for all` };
type Names<All> = keyof All & string;
type KeyedNames<All> = { [Name in Names<All>]: IsKeyed<All[Name]> extends true ? Name : never }[Names<All>];
type WindowFor<All, Name extends Names<All>> = All[Name] extends { readonly window: object }
  ? { readonly window?: 'current' | 'previous' }
  : { readonly window?: `${Name} has no windows` };
type PathFor<All, Name extends Names<All>> =
  StrategyOf<All[Name]> extends 'merge-objects' ? { readonly path: string } : { readonly path?: `${Name} is unset as a whole` };

type SetStep<All> = {
  [Name in NamesWith<All, 'set'>]: Verb<
    'set',
    Common & KeyFor<All, Name> & { readonly set: Name; readonly value: Given<WriteOf<All[Name]>> }
  >;
}[NamesWith<All, 'set'>];
type ReplaceStep<All> = {
  [Name in NamesWith<All, 'replace'>]: Verb<
    'replace',
    Common & KeyFor<All, Name> & { readonly replace: Name; readonly value: Given<WriteOf<All[Name]>> }
  >;
}[NamesWith<All, 'replace'>];
type MergeStep<All> = {
  [Name in NamesWith<All, 'merge'>]: Verb<
    'merge',
    Common & KeyFor<All, Name> & { readonly merge: Name; readonly value: Given<PatchOf<All[Name]>> }
  >;
}[NamesWith<All, 'merge'>];
type OfferStep<All, Op extends 'raise' | 'lower'> = {
  [Name in NamesWith<All, Op>]: Verb<
    Op,
    Yielding & KeyFor<All, Name> & { readonly [O in Op]: Name } & { readonly value: GivenNumber; readonly with?: Json }
  >;
}[NamesWith<All, Op>];
type AmountStep<All, Op extends 'add' | 'mint' | 'burn'> = {
  [Name in NamesWith<All, Op>]: Verb<
    Op,
    Common & KeyFor<All, Name> & { readonly [O in Op]: Name } & { readonly amount?: GivenNumber }
  >;
}[NamesWith<All, Op>];
type UnsetStep<All> = {
  [Name in NamesWith<All, 'unset'>]: Verb<'unset', Common & KeyFor<All, Name> & PathFor<All, Name> & { readonly unset: Name }>;
}[NamesWith<All, 'unset'>];
type ResetStep<All> = {
  [Name in NamesWith<All, 'reset'>]: Verb<'reset', Common & KeyFor<All, Name> & { readonly reset: Name }>;
}[NamesWith<All, 'reset'>];

interface Waiting extends Yielding {
  /** The units go back unless confirmed in time. */
  readonly hold?: GivenDuration;
  /** How long to wait for rights. Default 2s. */
  readonly timeout?: GivenDuration;
}
type TakeStep<All> = {
  [Name in NamesWith<All, 'take'>]: Verb<
    'take',
    Waiting &
      KeyFor<All, Name> & {
        readonly take: Name;
        readonly amount?: GivenNumber;
        /** At most one live grant per address and key, anywhere. */
        readonly once?: GivenKey;
        readonly strong?: boolean;
      }
  >;
}[NamesWith<All, 'take'>];
/** All or nothing; an entry with `each` is one take per element. */
type TakeListStep<All> = Verb<'take', Waiting & { readonly take: readonly TakeEntry<All>[] }>;
type TakeEntry<All> = {
  [Name in NamesWith<All, 'take'>]: KeyFor<All, Name> & {
    readonly take: Name;
    readonly amount?: GivenNumber;
    readonly each?: readonly Json[] | Expression;
    readonly item?: string;
  };
}[NamesWith<All, 'take'>];
type SettleStep<All, Op extends 'give' | 'confirm'> = Verb<
  Op,
  Yielding & { readonly [O in Op]: NamesWith<All, 'take'> | readonly NamesWith<All, 'take'>[] } & { readonly receipt: string }
>;

type GetStep<All> = {
  [Name in Names<All>]: Verb<'get', Yielding & KeyFor<All, Name> & WindowFor<All, Name> & { readonly get: Name }>;
}[Names<All>];
type KeysStep<All> = {
  [Name in KeyedNames<All>]: Verb<
    'keys',
    Yielding &
      WindowFor<All, Name> & {
        readonly keys: Name;
        readonly prefix?: string;
        readonly after?: GivenKey | null;
        readonly limit?: GivenNumber;
      }
  >;
}[KeyedNames<All>];

type LetStep = Verb<'let', Common & { readonly let: Readonly<Record<string, Json>> }>;
type IfStep<All> = Verb<'if', Common & { readonly if: Condition; readonly then: Steps<All>; readonly else?: Steps<All> }>;
type SwitchStep<All> = Verb<
  'switch',
  Common & {
    readonly switch: readonly { readonly when: Condition; readonly do: Steps<All> }[];
    readonly default?: Steps<All>;
  }
>;
type EachStep<All> = Verb<
  'each',
  Yielding & {
    readonly each: readonly Json[] | Expression;
    readonly item: string;
    readonly do: Steps<All>;
    readonly concurrency?: number;
    readonly max?: number;
  }
>;
type ParallelStep<All> = Verb<
  'parallel',
  Yielding & { readonly parallel: Readonly<Record<string, Steps<All>>>; readonly settle?: 'all' | 'first' | 'any' }
>;
type TryStep<All> = Verb<
  'try',
  Common & {
    readonly try: Steps<All>;
    readonly retry?: {
      /** In all. Default 3. */
      readonly attempts?: number;
      readonly delay?: Duration;
      readonly backoff?: number;
      readonly max?: Duration;
      /** Statuses, `5xx`, or error codes. */
      readonly on?: readonly (number | string)[];
    };
    readonly catch?: { readonly as?: string; readonly do: Steps<All> };
    readonly finally?: Steps<All>;
  }
>;

type ReturnStep = Verb<'return', Common & { readonly return: Json }>;
type CallStep = Verb<'call', Yielding & { readonly call: string; readonly with?: Json }>;
type WaitStep = Verb<'wait', Common & { readonly wait: GivenDuration }>;
type HttpStep = Verb<
  'http',
  Yielding & {
    readonly http: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, Json>>;
    readonly body?: Json;
    readonly timeout?: GivenDuration;
    readonly accept?: number | string | readonly (number | string)[];
    readonly idempotent?: boolean;
  }
>;
type RespondStep = Verb<
  'respond',
  Common & {
    readonly respond: {
      readonly status?: GivenNumber;
      readonly headers?: Readonly<Record<string, Json>>;
      readonly body?: Json;
      readonly continue?: boolean;
    };
  }
>;
type FailStep = Verb<
  'fail',
  Common & {
    readonly fail: { readonly status: GivenNumber; readonly type: string; readonly title: string; readonly detail?: string };
  }
>;
type LogStep = Verb<
  'log',
  Common & {
    readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string; readonly data?: Json };
  }
>;

/** One step of a workflow over these variables. */
export type Step<All> =
  | SetStep<All>
  | ReplaceStep<All>
  | MergeStep<All>
  | OfferStep<All, 'raise'>
  | OfferStep<All, 'lower'>
  | AmountStep<All, 'add'>
  | AmountStep<All, 'mint'>
  | AmountStep<All, 'burn'>
  | UnsetStep<All>
  | ResetStep<All>
  | TakeStep<All>
  | TakeListStep<All>
  | SettleStep<All, 'give'>
  | SettleStep<All, 'confirm'>
  | GetStep<All>
  | KeysStep<All>
  | LetStep
  | IfStep<All>
  | SwitchStep<All>
  | EachStep<All>
  | ParallelStep<All>
  | TryStep<All>
  | ReturnStep
  | CallStep
  | WaitStep
  | HttpStep
  | RespondStep
  | FailStep
  | LogStep;

export type Steps<All> = readonly Step<All>[];
