/** A plan: a compiled workflow. */
import type { Place } from '../error.ts';
import type { Compiled } from '../expression/expression.ts';
import type { JsonObject } from '../strategy/json.ts';
import type { OperationName } from '../strategy/strategy.ts';
import type { HttpTrigger, WorkflowDocument } from './fields.ts';
import type { RunFrame } from './frame.ts';
import type { Schedule } from './schedule.ts';

export type Executed = void | Promise<void>;
export type Execute = (frame: RunFrame) => Executed;

/** What a verb may do to a variable, for `check`. */
export interface Touch {
  readonly variable: string;
  readonly operation: OperationName | 'get' | 'keys';
  /** Where in the step the variable is named. */
  readonly place: Place;
}

/** A compiled condition: anything but true or false is an error. */
export interface Condition {
  readonly compiled: Compiled;
  evaluate(frame: RunFrame): boolean | Promise<boolean>;
}

export interface PlannedStep {
  readonly verb: string;
  /** `steps[3].then[0]`. */
  readonly at: string;
  readonly place: Place;
  readonly id: string | null;
  readonly when: Condition | null;
  readonly execute: Execute;
  /** For `check`: every value and condition of the step itself, what it does to variables, and the steps inside it. */
  readonly compiled: readonly Compiled[];
  readonly touches: readonly Touch[];
  readonly inside: readonly PlannedStep[];
  /** Findings that the author has waived, with the reason. */
  readonly ignore: Readonly<Record<string, string>>;
}

export type RequestPart = 'params' | 'query' | 'headers' | 'body';

export interface Cors {
  readonly origins: '*' | readonly string[];
  readonly headers?: readonly string[];
  readonly credentials?: boolean;
  readonly maxAgeSeconds?: number;
}

/** A JSON Schema. */
export type JsonSchema = JsonObject | boolean;

export interface HttpPlan {
  readonly method: HttpTrigger['method'];
  /** `/lots/{lot}` */
  readonly path: string;
  readonly params?: JsonSchema;
  readonly query?: JsonSchema;
  readonly headers?: JsonSchema;
  readonly body?: JsonSchema;
  /** Parts of the request that expressions read. */
  readonly reads: ReadonlySet<RequestPart>;
  /** Null: keys are not honoured. `header` in lower case. */
  readonly idempotency: { readonly header: string; readonly keepMs: number } | null;
  readonly auth?: { readonly bearer: string };
  readonly verify?: { readonly scheme: 'hmac-sha256'; readonly header: string; readonly secret: string };
  readonly cors?: Cors;
}

export interface Plan {
  readonly name: string;
  readonly description: string | null;
  readonly file: string;
  readonly http: HttpPlan | null;
  /** Null: no schedule starts it. */
  readonly cron: Schedule | null;
  /** Null: not callable. */
  readonly call: { readonly with: JsonSchema | null } | null;
  readonly steps: readonly PlannedStep[];
  /** How many values a run of it holds. */
  readonly slots: number;
  /** True when a step answers and goes on. */
  readonly answersEarly: boolean;
  /** Names of the workflows that it calls. */
  readonly calls: ReadonlySet<string>;
  /** A digest of the document and of those that it calls: a journal fits only the plan that wrote it. */
  readonly fingerprint: string;
  readonly document: WorkflowDocument;
}

export const defaultKeepMs = 86_400_000;
