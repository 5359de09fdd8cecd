/** The expressions of a scenario: what a load sends, what must hold, what is watched. Compiled once per scenario and app. */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import {
  type Compiled,
  compileExpression,
  compileValue,
  createFuel,
  type Frame,
  type Scope,
  type Shape,
} from '../expression/index.ts';
import type { Key } from '../strategy/address.ts';
import type { Json } from '../strategy/json.ts';
import { type KeptFilter, keepFilters, type Lists, type Rewritten } from './kept-filters.ts';
import type { Observer } from './observer.ts';
import type { SimulatedResponse } from './result.ts';
import type { Expression, Invariant, Load, Scenario } from './scenario.ts';

const any: Shape = { kind: 'any' };
const scalar: Shape = { kind: 'scalar' };
const responseShape: Shape = {
  kind: 'object',
  open: false,
  properties: new Map([
    ...['i', 'user', 'region', 'method', 'path', 'status', 'at', 'took'].map((name): [string, Shape] => [name, scalar]),
    ['body', any],
  ]),
};

/** An invariant reads `responses`, and `vars`: what every replica would show if each knew all that is durable anywhere. */
const scopeOf = (app: App): Scope => ({
  names: new Map([['responses', 0]]),
  shapes: new Map([['responses', { kind: 'list', item: responseShape }]]),
  variables: new Map([...app.variables].map(([name, { keyed, strategy }]) => [name, { keyed, strategy }])),
});

/** Throws INVALID_EXPRESSION. */
export const compileCheck = (app: App, { text, place }: Expression): Compiled =>
  compileExpression(text, scopeOf(app), () => place);

const loadScope: Scope = {
  names: new Map([
    ['user', 0],
    ['i', 1],
    ['region', 2],
  ]),
  variables: new Map(),
};

/** What a load sends. Throws INVALID_EXPRESSION. */
export const compileRequest = ({ path, headers, body, place }: Load): Compiled =>
  compileValue({ path: path.text, headers, body }, loadScope, ([part]) => (part === 'path' ? path.place : place));

export interface SentRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
}

/** Throws EXPRESSION_FAILED. */
export function evaluateRequest(
  compiled: Compiled,
  values: readonly [user: number, i: number, region: string],
  random: () => number,
) {
  return compiled.evaluate(new ScenarioFrame(values, random)) as unknown as SentRequest;
}

const unavailable = (what: string) =>
  new CffbrwError('EXPRESSION_FAILED', `\`${what}\` says nothing here`, {
    fix: 'What must hold depends on what happened alone.',
  });

/** What the expressions of a scenario see: what happened, and nothing of their own moment. */
class ScenarioFrame implements Frame {
  readonly values: readonly Json[];
  readonly fuel = createFuel(10_000_000);
  readonly #random: (() => number) | null;

  constructor(values: readonly Json[], random: (() => number) | null) {
    this.values = values;
    this.#random = random;
  }

  read(_index: number): Json {
    throw unavailable('vars');
  }
  age(): number {
    return 0;
  }
  now(): number {
    throw unavailable('now()');
  }
  random(): number {
    if (this.#random === null) throw unavailable('random()');
    return this.#random();
  }
  uuid(): string {
    throw unavailable('uuid()');
  }
  secret(): string {
    throw unavailable('secrets');
  }
}

/** What checks look at. */
export interface Seen {
  readonly responses: readonly SimulatedResponse[];
  readonly observer: Observer;
  readonly app: App;
  readonly nowMs: number;
  /** Of this run. */
  readonly lists: Lists;
}

/** An expression of a scenario, ready to be asked again and again. */
interface Question {
  readonly written: Compiled;
  /** null: there is nothing to keep between two evaluations. */
  readonly kept: Rewritten | null;
}

function questionOf(app: App, expression: Expression): Question {
  const written = compileCheck(app, expression);
  return { written, kept: keepFilters(expression.text, written, scopeOf(app)) };
}

function evaluate({ written, kept }: Question, seen: Seen): Json {
  if (kept === null) return evaluateOne(written, [seen.responses as unknown as Json], seen);
  try {
    const values = seen.responses as unknown as readonly Json[];
    const holds = ({ holds: condition }: KeptFilter, response: Json) => evaluateOne(condition, [response], seen);
    const lists = kept.filters.map((filter) => seen.lists.of(filter, values, holds));
    return evaluateOne(kept.compiled, [values, ...lists], seen);
  } catch {
    return evaluateOne(written, [seen.responses as unknown as Json], seen);
  }
}

const evaluateOne = (compiled: Compiled, values: readonly Json[], seen: Seen): Json =>
  compiled.evaluate(new CheckFrame(compiled, values, seen));

class CheckFrame extends ScenarioFrame {
  readonly #compiled: Compiled;
  readonly #seen: Seen;

  constructor(compiled: Compiled, values: readonly Json[], seen: Seen) {
    super(values, null);
    this.#compiled = compiled;
    this.#seen = seen;
  }

  override now(): number {
    return this.#seen.nowMs;
  }
  override read(index: number): Json {
    const { app, observer, nowMs } = this.#seen;
    const read = this.#compiled.reads[index];
    const variable = app.variables.get(read?.variable ?? '');
    if (read === undefined || variable === undefined) throw new CffbrwError('INVARIANT', 'a check reads what was not compiled');
    return observer.read(variable, read.key === null ? null : (read.key.evaluate(this) as Key), nowMs);
  }
}

/** Whether an invariant holds now: null, or why not. */
export type Check = (seen: Seen) => string | null;

export interface Checks {
  readonly always: readonly { readonly invariant: Invariant; readonly check: Check }[];
  readonly finally: readonly { readonly invariant: Invariant; readonly check: Check }[];
  readonly watch: ((seen: Seen) => number) | null;
  readonly requests: readonly Compiled[];
}

const kept = new WeakMap<App, WeakMap<Scenario, Checks>>();

/**
 * The app of the scenario has all that the invariants read: that was checked when it was loaded. Of another one, a baseline, what reads
 * variables that it lacks is left out; one invariant at least must be left. Throws INVALID_DOCUMENT, INVALID_EXPRESSION.
 */
export function checksOf(app: App, scenario: Scenario): Checks {
  const ofApp = kept.get(app) ?? new WeakMap<Scenario, Checks>();
  kept.set(app, ofApp);
  const known = ofApp.get(scenario) ?? compileChecks(app, askable(app, scenario));
  ofApp.set(scenario, known);
  return known;
}

function compileChecks(app: App, scenario: Scenario): Checks {
  const compiled = (invariant: Invariant) => ({ invariant, check: checkOf(questionOf(app, invariant.that), invariant) });
  return {
    always: scenario.always.map(compiled),
    finally: scenario.finally.map(compiled),
    watch: scenario.watch === null ? null : watchOf(questionOf(app, scenario.watch.value), scenario.watch.value),
    requests: scenario.load.map(compileRequest),
  };
}

/** What can be asked of this app. */
function askable(app: App, scenario: Scenario): Scenario {
  const compiles = ({ that }: Invariant): boolean => {
    try {
      compileCheck(app, that);
      return true;
    } catch {
      return false;
    }
  };
  const left = { always: scenario.always.filter(compiles), finally: scenario.finally.filter(compiles) };
  const none = scenario.always.length + scenario.finally.length === 0;
  if (none || left.always.length + left.finally.length > 0) return { ...scenario, ...left };
  throw new CffbrwError('INVALID_DOCUMENT', `every invariant of ${scenario.name} reads a variable that a baseline lacks`, {
    fix: 'State one in terms of `responses`.',
    place: { file: scenario.file, line: 1, column: 1 },
  });
}

const checkOf =
  (question: Question, { that }: Invariant): Check =>
  (seen) => {
    try {
      const holds = evaluate(question, seen);
      if (holds === true) return null;
      return holds === false ? `\`${that.text}\` is false` : `\`${that.text}\` gives ${JSON.stringify(holds)}, not true or false`;
    } catch (error) {
      return `\`${that.text}\` failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  };

const watchOf =
  (question: Question, { text, place }: Expression) =>
  (seen: Seen): number => {
    const value = evaluate(question, seen);
    if (typeof value === 'number') return value;
    throw new CffbrwError('EXPRESSION_FAILED', `\`${text}\` gives ${JSON.stringify(value)}, and what is watched is a number`, {
      place,
    });
  };
