/**
 * Apps in TypeScript. Each function gives back the plain document that YAML would have given: data, which can be checked, simulated,
 * drawn and diffed. `tsc` checks names, verbs, keys and literal values; what stands in `${ … }` is checked when the app is made.
 */
import type { Declarations, Fitting } from '../strategy/declared.ts';
import type { AppDocument, WorkflowDocument } from '../workflow/fields.ts';
import { definedIn } from '../workflow/literal.ts';
import type { Steps } from './steps.ts';

export type { AppDocument, WorkflowDocument };

/** The variables of an app, as they were given: their types are what the other two go by. */
export function defineVariables<const All extends Declarations>(variables: All & Fitting<All>): All {
  return variables;
}

/** A workflow, as in `workflows/*.yaml`; the version is filled in. */
export interface WorkflowOptions<All> {
  /** Its name. */
  readonly workflow: string;
  readonly description?: string;
  /** What starts it: `http`, `call`. */
  readonly on: WorkflowDocument['on'];
  readonly steps: Steps<All>;
}

/** A workflow over these variables. Its expressions are compiled by `createApp`, which throws INVALID_APP with all that is wrong. */
export function defineWorkflow<const All extends Declarations>(_variables: All, options: WorkflowOptions<All>): WorkflowDocument {
  const document: WorkflowDocument = { cffbrw: 1, ...options, steps: [...options.steps] };
  const file = callerIn(new Error().stack);
  return file === undefined ? document : Object.defineProperty(document, definedIn, { value: file });
}

/** The file of the function that called the one that made this stack, where the engine says it as V8 does. */
const callerIn = (stack: string | undefined): string | undefined =>
  /^ +at (?:.*\()?(.*?):\d+:\d+\)?$/.exec(stack?.split('\n')[2] ?? '')?.[1];

/** An app's settings, as in `cffbrw.yaml`, and its workflows; the version is filled in. */
export interface AppOptions<All> extends Omit<AppDocument, 'cffbrw' | 'variables' | 'events'> {
  readonly variables: All;
  readonly workflows: readonly WorkflowDocument[];
  /** A public stream of these variables. */
  readonly events?: { readonly path: `/${string}`; readonly variables: readonly (keyof All & string)[] };
}

/** The documents of an app, as `createApp` takes them and as `cffbrw.config.ts` exports them. */
export type AppDocuments = readonly [AppDocument, ...WorkflowDocument[]];

/** The documents of an app: its settings and variables first, then its workflows. */
export function defineApp<const All extends Declarations>({ workflows, ...settings }: AppOptions<All>): AppDocuments {
  const document: Readonly<Record<string, unknown>> = { cffbrw: 1, ...settings };
  return [document as AppDocument, ...workflows];
}
