/** What may be wrong with a declaration. */
import { CffbrwError } from '../error.ts';
import { type Declaration, type Declare, declare } from './declaration.ts';
import { checkJson, describe, isObject, type Json, type JsonObject } from './json.ts';
import { isVariableName, type StrategyName, strategyNames } from './names.ts';
import type { CompileSchema } from './schema-check.ts';
import { isTimezone, type WindowRule } from './window.ts';

const fields = ['strategy', 'keyed', 'initial', 'window', 'schema', 'durability', 'writers'];
const windowFields = ['every', 'timezone', 'keep'];
const periods = ['hour', 'day', 'week', 'month'];
export const maxKeep = 10_000;

/** Throws INVALID_APP, with what to write instead. */
export const declareChecked: Declare = (compileSchema, name, declaration) => {
  checkName(name);
  if (!isPlain(declaration))
    throw refuse(name, `is declared as ${describe(declaration)}, not as an object`, 'Write { strategy: … }.');
  checkFields(name, declaration, fields);
  const strategy = checkChoice(name, 'strategy', declaration.strategy ?? 'last-write-wins', strategyNames);
  checkChoice(name, 'durability', declaration.durability ?? 'durable', ['durable', 'relaxed']);
  const keyed = declaration.keyed ?? false;
  if (typeof keyed !== 'boolean') throw refuse(name, `has keyed: ${describe(keyed)}`, 'Write keyed: true or leave it out.');
  checkFit(name, strategy, declaration);
  const { initial, window, schema, writers } = declaration;
  if (window !== undefined) checkWindow(name, window);
  if (writers !== undefined) checkChoice(name, 'writers', writers, ['any']);
  return declare(compileSchema, name, {
    ...declaration,
    ...(initial !== undefined && { initial: checkInitial(name, strategy, initial) }),
    ...(schema !== undefined && { schema: checkSchema(name, { schema, initial, compileSchema }) }),
  });
};

function checkName(name: string): void {
  if (typeof name === 'string' && isVariableName(name)) return;
  throw new CffbrwError('INVALID_APP', `"${String(name).slice(0, 80)}" is no name for a variable`, {
    fix: 'Begin with a lower-case letter; then letters, digits, _ and -, at most 64 in all.',
  });
}

function checkFields(name: string, given: object, known: readonly string[]): void {
  for (const field of Object.keys(given)) {
    if (!known.includes(field)) throw refuse(name, `has a field "${field}" that nothing reads`, `Use ${known.join(', ')}.`);
  }
}

function checkChoice<Choice extends string>(name: string, field: string, given: string, known: readonly Choice[]): Choice {
  const choice = known.find((one) => one === given);
  if (choice === undefined) throw refuse(name, `has ${field}: ${String(given)}`, `Use ${known.join(', ')}.`);
  return choice;
}

/** Options that contradict the strategy. */
function checkFit(name: string, strategy: StrategyName, { durability, schema, writers }: Declaration): void {
  if (durability === 'relaxed' && strategy === 'bounded-counter') {
    throw refuse(
      name,
      'is a bounded-counter with durability: relaxed',
      'Leave durability out: a unit given out and forgotten is oversold.',
    );
  }
  if (writers !== undefined && strategy !== 'last-write-wins') {
    throw refuse(
      name,
      `is ${strategy} and says writers: any`,
      'Leave writers out: only last-write-wins loses writes of several writers.',
    );
  }
  if (schema !== undefined && (strategy === 'sum-increments' || strategy === 'bounded-counter')) {
    throw refuse(
      name,
      `is ${strategy} and has a schema, which increments made elsewhere at the same time could break`,
      'Leave the schema out; for a sum with a bound use strategy: bounded-counter.',
    );
  }
}

function checkWindow(name: string, window: WindowRule): void {
  if (!isPlain(window))
    throw refuse(name, `has window: ${describe(window)}`, 'Write window: { every: day, timezone: Europe/Paris }.');
  checkFields(name, window, windowFields);
  checkChoice(name, 'window.every', window.every, periods);
  const { timezone, keep } = window;
  if (timezone !== undefined && (typeof timezone !== 'string' || !isTimezone(timezone))) {
    throw refuse(
      name,
      `has window.timezone: ${String(timezone)}, which is no IANA time zone`,
      'Use a name like Asia/Ho_Chi_Minh or UTC.',
    );
  }
  if (keep !== undefined && !(Number.isInteger(keep) && keep >= 0 && keep <= maxKeep)) {
    throw refuse(name, `has window.keep: ${String(keep)}`, `Use an integer from 0 to ${maxKeep}.`);
  }
}

interface SchemaOptions {
  readonly schema: unknown;
  readonly initial: Json | undefined;
  readonly compileSchema: CompileSchema;
}

function checkSchema(name: string, { schema, initial, compileSchema }: SchemaOptions): JsonObject | boolean {
  const copy = typeof schema === 'boolean' ? schema : plain(name, 'schema', schema);
  if (typeof copy !== 'boolean' && !isObject(copy))
    throw refuse(name, `has schema: ${describe(schema)}`, 'Write a JSON Schema object.');
  const check = compileSchema(copy as JsonObject | boolean);
  const problem = initial === undefined ? null : check(initial);
  if (problem !== null) {
    throw refuse(
      name,
      `has an initial value that breaks its schema at "${problem.path}": ${problem.message}`,
      'Correct one of them.',
    );
  }
  return copy as JsonObject | boolean;
}

function plain(name: string, field: string, value: unknown): Json {
  try {
    return checkJson(value);
  } catch (cause) {
    throw refuse(
      name,
      `has a bad ${field}: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Use plain JSON data.',
      cause,
    );
  }
}

function checkInitial(name: string, strategy: StrategyName, given: unknown): Json {
  const initial = plain(name, 'initial', given);
  const expected = expectations[strategy];
  if (expected.fits(initial)) return initial;
  throw refuse(
    name,
    `is ${strategy} and has an initial of ${JSON.stringify(initial).slice(0, 80)}`,
    `Use ${expected.text}, or leave it out.`,
  );
}

/** As isObject, but it keeps the declared type. */
const isPlain = (value: object): boolean => isObject(value);

const integer = (value: Json): value is number => Number.isSafeInteger(value);
const offer = (value: Json): boolean => typeof value === 'number';

const expectations: Record<StrategyName, { readonly text: string; readonly fits: (value: Json) => boolean }> = {
  'last-write-wins': { text: 'any JSON value', fits: () => true },
  'sum-increments': { text: 'an integer', fits: integer },
  'merge-objects': { text: 'an object or null', fits: (value) => value === null || isObject(value) },
  'max-value': { text: 'a number', fits: offer },
  'min-value': { text: 'a number', fits: offer },
  'bounded-counter': { text: 'an integer, 0 or more', fits: (value) => integer(value) && value >= 0 },
};

const refuse = (name: string, what: string, fix: string, cause?: unknown): CffbrwError =>
  new CffbrwError('INVALID_APP', `the variable ${name} ${what}`, { fix, cause });
