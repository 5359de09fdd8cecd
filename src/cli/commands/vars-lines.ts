/**
 * Values as lines of JSON: one per variable, key and window. They carry what is shown, not who wrote it: an import writes through ordinary
 * operations, as a user would, so it cannot forge a row, and what others write at the same time is kept as their strategies say.
 *
 * A line: `{"variable":"spins","strategy":"sum-increments","key":"ann","window":"2026-11-20","value":3}`.
 */
import { CffbrwError } from '../../error.ts';
import { checkKey, type Key } from '../../strategy/address.ts';
import { canonical, isObject, type Json } from '../../strategy/json.ts';
import { type StrategyName, strategyNames } from '../../strategy/names.ts';
import { schemaOf } from '../../strategy/schema.ts';
import { strategies } from '../../strategy/strategies.ts';
import type { OperationName } from '../../strategy/strategy.ts';
import { declareVariable, type Variable } from '../../strategy/variable.ts';
import type { ValueFacts, VariableFacts, VariableSource, WindowName } from './vars-source.ts';

export interface Line {
  readonly variable: string;
  readonly strategy: StrategyName;
  /** Left out where the variable is not keyed. */
  readonly key?: Key;
  /** Left out where it has no windows. */
  readonly window?: string;
  readonly value: Json;
}

/** What has a value, of these variables or of all. */
export async function* exportLines(source: VariableSource, names: readonly string[]): AsyncGenerator<Line> {
  const all = await source.list();
  const unknown = names.find((name) => !all.some((facts) => facts.name === name));
  if (unknown !== undefined) throw new CffbrwError('NOT_FOUND', `there is no variable ${unknown}`);
  for (const facts of all) {
    if (names.length > 0 && !names.includes(facts.name)) continue;
    const windows: readonly WindowName[] = facts.window === null ? ['current'] : ['previous', 'current'];
    for (const window of windows) yield* linesOf(source, facts, window);
  }
}

async function* linesOf(source: VariableSource, facts: VariableFacts, window: WindowName): AsyncGenerator<Line> {
  for await (const key of keysOf(source, facts, window)) {
    const found = await source.get(facts.name, { ...(key !== null && { key }), window, rows: true });
    if (!isWritten(facts, found)) continue;
    yield {
      ...{ variable: facts.name, strategy: facts.strategy },
      ...(key !== null && { key }),
      ...(facts.window !== null && { window: found.window }),
      value: found.value,
    };
  }
}

/** All keys, page by page; without keys, null once. */
export async function* keysOf(
  source: VariableSource,
  facts: VariableFacts,
  window: WindowName,
  prefix?: string,
): AsyncGenerator<Key | null> {
  if (!facts.keyed) return yield null;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await source.keys(facts.name, { window, limit: 1_000, cursor, prefix });
    yield* page.keys;
    cursor = page.cursor;
  }
}

function isWritten({ strategy }: VariableFacts, { rows = [], value }: ValueFacts): boolean {
  if (rows.length === 0) return false;
  return strategy !== 'max-value' && strategy !== 'min-value' ? true : extremeOf(value).value !== null;
}

const extremeOf = (value: Json): { readonly value: Json; readonly with: Json } =>
  isObject(value) ? { value: value.value ?? null, with: value.with ?? null } : { value: null, with: null };

export interface Problem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface NumberedLine extends Line {
  readonly number: number;
}

export interface Parsed {
  readonly lines: readonly NumberedLine[];
  readonly problems: readonly Problem[];
}

/** The lines of a text, and all that is wrong with it: nothing is to be written unless all lines are right. */
export function parseLines(text: string, declared: readonly VariableFacts[]): Parsed {
  const variables = new Map(declared.map((facts) => [facts.name, declare(facts)]));
  const lines: NumberedLine[] = [];
  const problems: Problem[] = [];
  const seen = new Map<string, number>();
  for (const [index, one] of text.split('\n').entries()) {
    if (one.trim() === '') continue;
    const number = index + 1;
    try {
      const line = parseLine(one, variables);
      const place = canonical([line.variable, line.key ?? null, line.window ?? null]);
      const before = seen.get(place);
      if (before !== undefined) throw wrong(`it is the value of line ${before} again`);
      seen.set(place, number);
      lines.push({ ...line, number });
    } catch (error) {
      if (!(error instanceof CffbrwError)) throw error;
      problems.push({ line: number, message: error.message });
    }
  }
  return { lines, problems };
}

const declare = ({ name, strategy, keyed, initial, window, schema }: VariableFacts): Variable =>
  declareVariable(name, {
    ...{ strategy, keyed },
    ...(initial !== undefined && { initial }),
    ...(window && { window }),
    ...(schema !== undefined && { schema }),
  });

const wrong = (message: string): CffbrwError => new CffbrwError('INVALID_INPUT', message);
const fields = ['variable', 'strategy', 'key', 'window', 'value'];

function parseLine(text: string, variables: ReadonlyMap<string, Variable>): Line {
  const data = parseJson(text);
  const strange = Object.keys(data).find((field) => !fields.includes(field));
  if (strange !== undefined) throw wrong(`a line has no field ${strange}`);
  const { variable: name, strategy, key, window, value } = data;
  const variable = variables.get(String(name));
  if (typeof name !== 'string' || variable === undefined) throw wrong(`there is no variable ${JSON.stringify(name)}`);
  if (strategyNames.find((one) => one === strategy) !== variable.strategy)
    throw wrong(`${name} is ${variable.strategy} here, and ${JSON.stringify(strategy)} in this line`);
  if ((key !== undefined) !== variable.keyed) throw wrong(variable.keyed ? `${name} needs a key` : `${name} has no keys`);
  if ((window !== undefined) !== (variable.window !== undefined) || (window !== undefined && typeof window !== 'string'))
    throw wrong(variable.window === undefined ? `${name} has no windows` : `${name} needs the id of a window`);
  if (value === undefined) throw wrong('it has no value');
  checkValue(variable, value);
  return {
    ...{ variable: name, strategy: variable.strategy, value },
    ...(key !== undefined && { key: checkKey(key) }),
    ...(window !== undefined && { window }),
  };
}

function parseJson(text: string): Readonly<Record<string, Json | undefined>> {
  try {
    const data = JSON.parse(text) as Json;
    if (isObject(data)) return data;
  } catch {
    throw wrong('it is not JSON');
  }
  throw wrong('it is not an object');
}

/** Throws what the operation would be refused with. */
function checkValue(variable: Variable, value: Json): void {
  const { strategy, schema } = variable;
  if (strategy === 'bounded-counter' || strategy === 'sum-increments') {
    if (!Number.isSafeInteger(value) || (strategy === 'bounded-counter' && (value as number) < 0))
      throw wrong(`${variable.name} is ${strategy}, and ${JSON.stringify(value)} is no value of it`);
    return;
  }
  const { operation, input } = operationFor(strategy, value, undefined) ?? { operation: 'set', input: { value } };
  strategies[strategy].parse({ ...input, operation }, variable);
  const problem = schema === undefined ? null : schemaOf(schema)(value);
  if (problem !== null) throw wrong(`${variable.name}${problem.path}: ${problem.message}`);
}

export interface PlannedOperation {
  readonly operation: OperationName;
  readonly input: Readonly<Record<string, Json>>;
}

/** What makes `current` (undefined: never written) show `value`; null: nothing is to be done. What is more than `value` already (a field, a higher bid) stays. */
export function operationFor(strategy: StrategyName, value: Json, current: Json | undefined): PlannedOperation | null {
  if (current !== undefined && canonical(value) === canonical(current)) return null;
  switch (strategy) {
    case 'last-write-wins':
      return { operation: 'set', input: { value } };
    case 'merge-objects':
      return { operation: 'merge', input: { value } };
    case 'max-value':
      return { operation: 'raise', input: { ...extremeOf(value) } };
    case 'min-value':
      return { operation: 'lower', input: { ...extremeOf(value) } };
    case 'sum-increments':
      return { operation: 'add', input: { amount: Number(value) - Number(current) } };
    case 'bounded-counter': {
      const more = Number(value) - Number(current);
      return { operation: more > 0 ? 'mint' : 'burn', input: { amount: Math.abs(more) } };
    }
  }
}

/** A value that was never written is another thing than the same one written: it is among the keys. Numbers begin from what they show. */
const isNew = (strategy: StrategyName, { rows = [] }: ValueFacts): boolean =>
  rows.length === 0 && strategy !== 'sum-increments' && strategy !== 'bounded-counter';

export interface Imported {
  readonly lines: number;
  readonly written: number;
  readonly unchanged: number;
  /** Of windows that are over, or not begun. */
  readonly skipped: readonly Problem[];
  readonly failed: readonly Problem[];
}

/** Writes every line, and says of each that it could not what became of it. Asking again is harmless. */
export async function importLines(source: VariableSource, lines: readonly NumberedLine[], dryRun: boolean): Promise<Imported> {
  let [written, unchanged] = [0, 0];
  const skipped: Problem[] = [];
  const failed: Problem[] = [];
  for (const { number, variable, strategy, key, window, value } of lines) {
    try {
      const now = await source.get(variable, { ...(key !== undefined && { key }), rows: true });
      if (window !== undefined && window !== now.window) {
        skipped.push({ line: number, message: `${variable}: the window ${window} is not the current one, ${now.window}` });
        continue;
      }
      const planned = operationFor(strategy, value, isNew(strategy, now) ? undefined : now.value);
      if (planned === null) unchanged += 1;
      else {
        if (!dryRun) await source.operate(variable, planned.operation, { ...planned.input, ...(key !== undefined && { key }) });
        written += 1;
      }
    } catch (error) {
      if (!(error instanceof CffbrwError)) throw error;
      failed.push({ line: number, message: `${variable}: ${error.message} (${error.code})` });
    }
  }
  return { lines: lines.length, written, unchanged, skipped, failed };
}
