/** Compiles the steps of one workflow: each verb gets a StepContext, and whatever it refuses becomes a problem with its place. */
import { CffbrwError, type Place } from '../error.ts';
import type { ExpressionCompiler } from '../expression/compiler.ts';
import { anyShape, type Compiled, type Scope } from '../expression/expression.ts';
import type { Declare } from '../strategy/declaration.ts';
import type { Json } from '../strategy/json.ts';
import type { CompileSchema } from '../strategy/schema-check.ts';
import type { Strategies } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';
import type { Checks } from './checks.ts';
import { createCondition } from './condition.ts';
import { durationMs } from './duration.ts';
import { type Flow, meet } from './flow.ts';
import type { GuardOutbound } from './outbound.ts';
import type { CreatePathRouter } from './path-router.ts';
import type { Plan, PlannedStep, Touch } from './plan.ts';
import { membersRead } from './reads.ts';
import type { Schedules } from './schedules.ts';
import type { NameScope } from './scope.ts';
import { type FormPlace, isMap, maxProblems, type Path, type Problems, pathText, type Source } from './source.ts';
import type { StepContext, Verb } from './steps/verb.ts';

export interface Workflows {
  /** The names of all workflows, and which of them can be called. */
  readonly callable: ReadonlyMap<string, boolean>;
  plan(name: string): Plan;
}

/** What documents may say, and what is done to their texts and forms: by acorn and zod (language.ts); in an app that was built it is done. */
export interface Language extends Pick<ExpressionCompiler, 'compileExpression' | 'compileValue'> {
  readonly schedules: Schedules;
  readonly compileSchema: CompileSchema;
  readonly declare: Declare;
  readonly strategies: Strategies;
  readonly checks: Checks;
  readonly createPathRouter: CreatePathRouter;
  readonly guardOutbound: GuardOutbound | null;
  /** The step and its verb if its form is right; else undefined, and `problems` says why. */
  readStep(data: unknown, place: StepPlace): ReadStep | undefined;
}

export type StepPlace = Pick<FormPlace, 'source' | 'problems' | 'path'>;

export interface ReadStep {
  readonly verb: Verb;
  readonly step: Step;
}

export type Step = Readonly<Record<string, unknown>>;

export interface Compilation {
  readonly language: Language;
  readonly source: Source;
  readonly problems: Problems;
  readonly scope: NameScope;
  readonly flow: Flow;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly workflows: Workflows;
  readonly ids: Map<string, Path>;
  /** How many steps there are so far, at every depth. */
  count: number;
  readonly calls: Set<string>;
  /** Everything compiled, for what is asked of the workflow as a whole. */
  readonly compiled: Compiled[];
}

/** Of one workflow, those inside of others included. */
export const maxSteps = 1_000;

export function compileSteps(list: readonly unknown[], path: Path, compilation: Compilation): readonly PlannedStep[] {
  const steps: PlannedStep[] = [];
  for (const [index, data] of list.entries()) {
    const at = [...path, index];
    if (!countStep(at, compilation) || compilation.problems.list.length >= maxProblems) break;
    if (!compilation.flow.live) {
      compilation.problems.add(
        compilation.source.placeOf(at),
        'This step is never reached: the one before it always ends the run here.',
        'Remove it, or give the one before it a `when`.',
      );
      compilation.flow.live = true;
    }
    const step = compileStep(data, at, compilation);
    if (step) steps.push(step);
  }
  return steps;
}

/** False for those that are too many, of which the first is told. */
function countStep(path: Path, compilation: Compilation): boolean {
  const { source, problems } = compilation;
  compilation.count += 1;
  if (compilation.count === maxSteps + 1)
    problems.add(
      source.placeOf(path),
      `This workflow has more than ${maxSteps} steps.`,
      'Move some of them into a workflow that this one calls.',
    );
  return compilation.count <= maxSteps;
}

function compileStep(data: unknown, path: Path, compilation: Compilation): PlannedStep | undefined {
  const { source, problems, language } = compilation;
  const read = language.readStep(data, { source, problems, path });
  const planned = read && problems.attempt(source.placeOf(path), () => planStep(read.verb, read.step, path, compilation));
  if (planned === undefined) bindAnyway(data, path, compilation);
  return planned;
}

/** A step that is wrong still binds its names, so that no later step is blamed for it. */
function bindAnyway(data: unknown, path: Path, { scope, source }: Compilation): void {
  if (!isMap(data)) return;
  const names = [data.as, ...(isMap(data.let) ? Object.keys(data.let) : [])];
  for (const name of names) {
    if (typeof name !== 'string' || scope.names.has(name)) continue;
    try {
      scope.bind(name, anyShape, source.placeOf(path));
    } catch (error) {
      if (!(error instanceof CffbrwError)) throw error;
    }
  }
}

function planStep(verb: Verb, step: Step, path: Path, compilation: Compilation): PlannedStep {
  const { source, flow } = compilation;
  const parts: Parts = { compiled: [], touches: [], inside: [] };
  const context = createContext(path, compilation, parts);
  const id = typeof step.id === 'string' ? checkId(step.id, path, compilation) : null;
  const when = step.when === undefined ? null : context.condition(step.when as string | boolean, 'when');
  const before = { live: flow.live, answered: flow.answered };
  const execute = verb.compile(step, context);
  // What a condition may skip ends nothing for certain.
  if (when !== null) Object.assign(flow, { live: before.live, answered: before.answered || flow.answered });
  const ignore = (step.ignore ?? {}) as Readonly<Record<string, string>>;
  const { compiled, touches, inside } = parts;
  const [at, place] = [pathText(path), source.placeOf(path)];
  return { verb: verb.verb, at, place, id, when, execute, compiled, touches, inside, ignore };
}

function checkId(id: string, path: Path, { ids, source }: Compilation): string {
  const first = ids.get(id);
  ids.set(id, path);
  if (first === undefined) return id;
  const message = `The id \`${id}\` is taken: by the step in line ${source.placeOf(first).line}.`;
  throw new CffbrwError('INVALID_DOCUMENT', message, { place: source.placeOf([...path, 'id']), fix: 'Choose another id.' });
}

interface Parts {
  readonly compiled: Compiled[];
  readonly touches: Touch[];
  readonly inside: PlannedStep[];
}

function createContext(path: Path, compilation: Compilation, parts: Parts): StepContext {
  const { source, scope, flow, language } = compilation;
  const place: StepContext['place'] = (...inside) => source.placeOf([...path, ...inside]);
  const refuse: StepContext['refuse'] = (message, fix, ...inside) => {
    throw new CffbrwError('INVALID_DOCUMENT', message, { fix, place: place(...inside) });
  };
  const keep = (compiled: Compiled): Compiled => {
    parts.compiled.push(compiled);
    compilation.compiled.push(compiled);
    return compiled;
  };
  const valueIn = (names: Scope, data: unknown, inside: Path): Compiled =>
    keep(language.compileValue((data ?? null) as Json, names, (within) => source.textPlaceOf([...path, ...inside, ...within])));
  const value: StepContext['value'] = (data, ...inside) => valueIn(scope, data, inside);
  // Every name stands here: a spread would make this object many times slower to build, and there is one per step.
  return {
    path,
    scope,
    flow,
    place,
    refuse,
    value,
    variable(name, operation, ...inside) {
      const variable = findVariable(name, operation, compilation, place(...inside));
      parts.touches.push({ variable: name, operation, place: place(...inside) });
      return variable;
    },
    checkKey: (variable, key, ...inside) => language.checks.key(variable, key, refuse, inside),
    inputs: (step, ...fields) => value(present(step, fields)),
    sending(step, ...fields) {
      const secrets = scope.secrets && { ...scope.secrets, allowed: true };
      return valueIn({ ...scope, ...(secrets && { secrets }) }, present(step, fields), []);
    },
    condition(text, ...inside) {
      const compiled = keep(language.compileExpression(String(text), scope, () => source.textPlaceOf([...path, ...inside])));
      return createCondition(compiled, String(text), place(...inside));
    },
    duration(data, atMostMs, ...inside) {
      const milliseconds = typeof data === 'number' ? undefined : durationMs(data);
      if (milliseconds !== undefined && milliseconds <= atMostMs) return milliseconds;
      if (milliseconds !== undefined)
        return refuse(`\`${data}\` is too long: at most ${atMostMs / 1000}s.`, 'Write a shorter one.', ...inside);
      return refuse(`\`${String(data)}\` is no duration.`, 'Write an integer and ms, s, m, h or d: `200ms`, `10s`.', ...inside);
    },
    block(list, ...inside) {
      const steps = compileSteps(list, [...path, ...inside], compilation);
      parts.inside.push(...steps);
      return steps;
    },
    arms: (tasks, always) => meet(flow, tasks, always, scope.arms),
    thread(options, task) {
      const before = { ...flow };
      Object.assign(flow, { silent: options.silent ?? flow.silent, repeats: flow.repeats || options.repeats });
      const result = scope.inner(task);
      Object.assign(flow, { ...before, answers: flow.answers, answered: before.answered || flow.answers > before.answers });
      return result;
    },
    reads(name, member) {
      let known: boolean | undefined;
      return () => {
        known ??= membersRead(compilation.compiled, name, [member]).has(member);
        return known;
      };
    },
    bind: (name, shape, ...inside) => scope.bind(name, shape, place(...inside)),
    yields: (step, shape) => (step.as === undefined ? -1 : scope.bind(step.as, shape, place('as'))),
    workflow: (name, ...inside) => findWorkflow(name, compilation, refuse, inside),
  };
}

const present = (step: Step, fields: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(fields.filter((field) => step[field] !== undefined).map((field) => [field, step[field]]));

function findVariable(name: string, operation: Touch['operation'], { variables, language }: Compilation, place: Place): Variable {
  const variable = variables.get(name);
  language.checks.variable(name, { variable, operation, known: variables.keys(), place });
  return variable as Variable;
}

function findWorkflow(
  name: string,
  { workflows, calls, language }: Compilation,
  refuse: StepContext['refuse'],
  inside: readonly (string | number)[],
): () => Plan {
  language.checks.workflow(name, workflows.callable, refuse, inside);
  calls.add(name);
  return () => workflows.plan(name);
}
