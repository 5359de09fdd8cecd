/** From what `cffbrw build` wrote to the app. Parses nothing: texts are looked up, and forms were checked when it was built. */
import { type App, assembleApp, type LoadedDocument } from '../assemble.ts';
import { CffbrwError } from '../error.ts';
import { createCompiler, type Parser } from '../expression/compiler.ts';
import type { CompileMethod } from '../expression/context.ts';
import { type FunctionEntry, namedFunctions } from '../expression/functions/entry.ts';
import type { Source as TextSource } from '../expression/source.ts';
import { declare } from '../strategy/declaration.ts';
import { type CompileSchema, checkOf } from '../strategy/schema-check.ts';
import type { Strategy } from '../strategy/strategy.ts';
import type { Checks } from '../workflow/checks.ts';
import type { Language, ReadStep, Step } from '../workflow/compiler.ts';
import type { GuardOutbound } from '../workflow/outbound.ts';
import type { CreatePathRouter } from '../workflow/path-router.ts';
import type { Schedules } from '../workflow/schedules.ts';
import { collectProblems, dataSource, isMap, type Source } from '../workflow/source.ts';
import { type Spot, sourceOf } from '../workflow/spots.ts';
import { namedVerbs, type Verb } from '../workflow/steps/verb.ts';
import { type BuiltApp, type BuiltDocument, type BuiltPlaces, builtFormat, digestOfContent, textStyles } from './built.ts';

/** What an app may use; a module that was built brings no more than its documents need. */
export interface Parts {
  readonly strategies: readonly Strategy[];
  readonly verbs: readonly Verb[];
  readonly functions: readonly FunctionEntry[];
  readonly compileMethod?: CompileMethod;
  readonly schedules?: Schedules;
  readonly compileSchema?: CompileSchema;
  readonly createPathRouter?: CreatePathRouter;
  readonly guardOutbound?: GuardOutbound;
}

/** The app of what `cffbrw build` wrote. Throws INVALID_APP when it is none, or when a part is missing. */
export function loadWith(data: unknown, parts: Parts): App {
  const {
    strategies,
    verbs,
    functions,
    compileMethod = missing,
    schedules = noSchedules,
    compileSchema = checkOf,
    createPathRouter = missing,
    guardOutbound = null,
  } = parts;
  const built = checked(data);
  const parser: Parser = { expression: lookUp(built.expressions), template: lookUp(built.templates) };
  const named = namedVerbs(verbs);
  const language: Language = {
    ...createCompiler({ parser, functions: namedFunctions([functions]), compileMethod, refuse: missing }),
    ...{ schedules, compileSchema, declare, createPathRouter, guardOutbound },
    checks: noChecks,
    strategies: Object.fromEntries(strategies.map((strategy) => [strategy.name, strategy])),
    readStep: (step) => readStep(step as Step, named),
  };
  return assembleApp(built.documents.map(loadedDocument), { language, problems: collectProblems() });
}

function readStep(step: Step, verbs: ReadonlyMap<string, Verb>): ReadStep | undefined {
  for (const name of Object.keys(step)) {
    const verb = verbs.get(name);
    if (verb !== undefined) return { verb, step };
  }
  return missing();
}

/** Nothing is written here that could be wrong. */
const noChecks: Checks = { name() {}, variable() {}, key() {}, workflow() {}, triggers() {} };

function missing(): never {
  throw unusable('This app was built without a part that it needs.');
}
const noSchedules: Schedules = { parseSchedule: missing, startCron: missing };

const again = 'Run `npx cffbrw build` again, with the version of cffbrw that reads it here.';

function checked(data: unknown): BuiltApp {
  if (!isMap(data) || data.cffbrw !== 'built') throw unusable('This is no app that `cffbrw build` made.');
  if (data.format !== builtFormat)
    throw unusable(`This app was built in format ${JSON.stringify(data.format)}, and this is cffbrw of format ${builtFormat}.`);
  const built = data as unknown as BuiltApp;
  if (built.digest !== digestOfContent(built)) throw unusable('This app was changed after it was built, or it is not whole.');
  return built;
}

const unusable = (message: string) => new CffbrwError('INVALID_APP', message, { fix: again });

function lookUp<Value>(table: readonly (readonly [string, Value])[]): (source: TextSource) => Value {
  const known = new Map(table);
  return ({ text }) => {
    const found = known.get(text);
    if (found === undefined) throw unusable(`This app was built without \`${text.slice(0, 80)}\`.`);
    return found;
  };
}

const loadedDocument = ({ kind, file, document, places }: BuiltDocument): LoadedDocument =>
  ({
    ...{ kind, document, text: null },
    source: places === null ? dataSource(file, document) : sourceIn(file, document, places),
  }) as LoadedDocument;

/** A line and a column in one number. */
const lineUnit = 2 ** 32;

function sourceIn(file: string, data: unknown, places: BuiltPlaces): Source {
  const spot = spotOf(data, { numbers: places.parts, next: 0, line: 0 });
  return sourceOf(file, { data, spot }, (at) => ({ file: places.file, line: Math.floor(at / lineUnit), column: at % lineUnit }));
}

interface Reading {
  readonly numbers: readonly number[];
  next: number;
  /** Of the part before. */
  line: number;
}

function spotOf(value: unknown, reading: Reading): Spot {
  const [line = 0, column = 0, keyLine = 0, keyColumn = 0, styleAt = 0] = reading.numbers.slice(reading.next, reading.next + 5);
  reading.next += 5;
  reading.line += line;
  const at = reading.line * lineUnit + column;
  const key = keyColumn === 0 ? undefined : (reading.line + keyLine) * lineUnit + keyColumn;
  const style = textStyles[styleAt] ?? 'plain';
  const text = typeof value === 'string' || style !== 'plain' ? { value: String(value), style } : null;
  if (typeof value !== 'object' || value === null) return { at, key, text, inside: null };
  const names: Iterable<string | number> = Array.isArray(value) ? value.keys() : Object.keys(value);
  const inside = new Map<string | number, Spot>();
  for (const name of names) inside.set(name, spotOf((value as Record<string | number, unknown>)[name], reading));
  return { at, key, text, inside };
}
