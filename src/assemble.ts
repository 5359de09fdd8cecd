/** From checked documents to an app: what a user declares, as frozen plain data. Neither reads texts nor knows who did. */
import { CffbrwError } from './error.ts';
import type { Declaration, Variable } from './strategy/declaration.ts';
import type { Strategies } from './strategy/strategy.ts';
import { compileWorkflow } from './workflow/compile.ts';
import type { Language, Workflows } from './workflow/compiler.ts';
import type { CheckedDocument } from './workflow/document.ts';
import type { AppDocument } from './workflow/fields.ts';
import type { GuardOutbound } from './workflow/outbound.ts';
import type { CreatePathRouter } from './workflow/path-router.ts';
import type { Plan } from './workflow/plan.ts';
import type { Schedules } from './workflow/schedules.ts';
import { collectProblems, formatProblem, type Problems } from './workflow/source.ts';

/** Where Cloudflare can be asked to put an object: its location hints. */
export const regionNames = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'afr', 'me', 'apac', 'oc'] as const;
export type Region = (typeof regionNames)[number];

export interface AppSettings {
  readonly description: string | null;
  /** Names of values that the environment has. */
  readonly secrets: readonly string[];
  /** The folder that is served as it is, or null. */
  readonly static: string | null;
  readonly events: { readonly path: string; readonly variables: readonly string[] } | null;
  /** What variables have that do not say otherwise. */
  readonly durability: 'durable' | 'relaxed';
  /** Hosts and ranges that `http` may reach although they are not of the public Internet. */
  readonly outbound: { readonly allow: readonly string[] };
  /** Where it has a replica at the edge. Empty: it has one, near whoever asks first. */
  readonly regions: readonly Region[];
}

export interface App {
  readonly name: string;
  readonly variables: ReadonlyMap<string, Variable>;
  /** Those of its variables; on Node.js all. */
  readonly strategies: Strategies;
  readonly workflows: ReadonlyMap<string, Plan>;
  readonly settings: AppSettings;
  /** Starts its schedules; null: it has none. */
  readonly startCron: Schedules['startCron'] | null;
  /** Makes what finds paths with parameters; null: it has none. */
  readonly createPathRouter: CreatePathRouter | null;
  /** Guards requests to other servers where only names can be judged; null: it asks none. */
  readonly guardOutbound: GuardOutbound | null;
  /** Strategies that nobody declared (last-write-wins then), for `check`. */
  readonly implicit: ReadonlySet<string>;
  /** What it was made of, for `check`. */
  readonly documents: readonly LoadedDocument[];
}

/** A document with the places of its parts. Its text is null where a program built it. */
export type LoadedDocument = CheckedDocument & { readonly text: string | null };

export interface AssembleOptions {
  readonly language: Language;
  /** What was wrong with documents that are not here. */
  readonly problems: Problems;
  /** What no part of the app needs to be right. Left out for documents that were checked before. */
  readonly check?: CheckApp;
}

export type CheckApp = (app: {
  readonly checked: readonly CheckedDocument[];
  readonly variables: ReadonlyMap<string, Variable>;
  readonly problems: Problems;
}) => void;

/** Throws INVALID_APP, with all that is wrong. */
export function assembleApp(checked: readonly LoadedDocument[], { language, problems, check }: AssembleOptions): App {
  const apps = checked.filter((one) => one.kind === 'app');
  const [first, second] = apps;
  if (first === undefined && problems.list.length === 0)
    problems.add(missingPlace, 'No document says `app: <name>`.', 'Add a cffbrw.yaml with `cffbrw: 1` and `app: <name>`.');
  if (second !== undefined)
    problems.add(
      second.source.keyPlaceOf(['app']),
      `There are two apps: this one and ${first?.source.file}.`,
      'Keep one of them.',
    );
  const variables = first === undefined ? new Map<string, Variable>() : declare(first, language, problems);
  const workflows = compileAll(checked, { first, variables, problems, language });
  check?.({ checked, variables, problems });
  if (problems.list.length > 0 || first === undefined) throw invalidApp(problems.list);
  return Object.freeze({
    name: first.document.app,
    variables,
    strategies: language.strategies,
    workflows,
    settings: settingsOf(first.document),
    startCron: [...workflows.values()].some(({ cron }) => cron !== null) ? language.schedules.startCron : null,
    createPathRouter: [...workflows.values()].some(({ http }) => http?.path.includes('{')) ? language.createPathRouter : null,
    guardOutbound: language.guardOutbound,
    implicit: new Set(
      Object.entries(first.document.variables ?? {}).flatMap(([name, one]) => (one?.strategy === undefined ? [name] : [])),
    ),
    documents: checked,
  });
}

const missingPlace = { file: 'cffbrw.yaml', line: 1, column: 1 };

function invalidApp(problems: readonly CffbrwError[]): CffbrwError {
  const many = problems.length === 1 ? 'This app has a problem' : `This app has ${problems.length} problems`;
  const place = problems[0]?.place;
  return new CffbrwError('INVALID_APP', `${many}:\n${problems.map(formatProblem).join('\n')}`, {
    cause: problems,
    ...(place && { place }),
  });
}

type AppSource = Extract<CheckedDocument, { kind: 'app' }>;

function declare(
  { source, document }: AppSource,
  { compileSchema, declare: declareWith }: Language,
  problems: Problems,
): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>();
  for (const [name, given] of Object.entries(document.variables ?? {})) {
    const path = ['variables', name];
    const own = (given ?? {}) as Declaration;
    const bounded = own.strategy === 'bounded-counter';
    const relaxed = document.durability === 'relaxed' && own.durability === undefined && !bounded;
    const declaration: Declaration = relaxed ? { ...own, durability: 'relaxed' } : own;
    const variable = problems.attempt(source.keyPlaceOf(path), () => declareWith(compileSchema, name, declaration));
    // Without its faulty parts, so that no step is blamed for naming it.
    const known =
      variable ?? collectProblems().attempt(source.placeOf(path), () => declareWith(compileSchema, name, essence(own)));
    if (known !== undefined) variables.set(name, known);
  }
  return variables;
}

const essence = ({ strategy, keyed }: Declaration): Declaration => ({
  ...(strategy !== undefined && { strategy }),
  ...(keyed === true && { keyed }),
});

interface CompileOptions {
  readonly first: AppSource | undefined;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly problems: Problems;
  readonly language: Language;
}

function compileAll(
  checked: readonly CheckedDocument[],
  { first, variables, problems, language }: CompileOptions,
): ReadonlyMap<string, Plan> {
  const documents = checked.filter((one) => one.kind === 'workflow');
  const plans = new Map<string, Plan>();
  const workflows: Workflows = {
    callable: new Map(documents.map(({ document }) => [document.workflow, document.on.call !== undefined])),
    plan(name) {
      const plan = plans.get(name);
      if (plan === undefined) throw new CffbrwError('INVARIANT', `there is no plan of ${name}`);
      return plan;
    },
  };
  const secrets = new Set(first?.document.secrets ?? []);
  for (const one of documents) {
    const { source } = one;
    const plan = compileWorkflow(one, { variables, secrets, problems, workflows, language });
    const before = plans.get(plan.name);
    if (before)
      problems.add(
        source.placeOf(['workflow']),
        `Two workflows are called \`${plan.name}\`: this one and ${before.file}.`,
        'Rename one of them.',
      );
    plans.set(plan.name, plan);
  }
  return plans;
}

const settingsOf = (document: AppDocument): AppSettings =>
  Object.freeze({
    description: document.description ?? null,
    secrets: document.secrets ?? [],
    static: document.static ?? null,
    events: document.events ?? null,
    durability: document.durability ?? 'durable',
    outbound: document.outbound ?? { allow: [] },
    regions: (document.regions ?? []) as readonly Region[],
  });
