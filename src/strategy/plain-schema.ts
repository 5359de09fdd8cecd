/**
 * The plain part of JSON Schema, to which nearly all schemas of apps keep: types, properties, items and bounds, as closures. It is there
 * because the library's check, which keeps to the whole of the standard, is a tenth of a small Worker, and the slower of the two. It never
 * says that a schema is wrong: what it does not know it leaves to the library.
 *
 * Invariants (proven in test/strategy/plain-schema.test.ts):
 *   S1  Of a value it says what the library says of it: the same path, the same words.
 */
import type { JsonObject } from './json.ts';

/** Where a value breaks a schema: `path` is a JSON Pointer ('' for the whole value). */
export interface SchemaProblem {
  readonly path: string;
  readonly message: string;
}

export type SchemaCheck = (value: unknown) => SchemaProblem | null;

/** What is wrong with a value, if it is; `at` is a JSON Pointer. The last thing that the library finds is its reason. */
type Check = (value: unknown, at: string) => SchemaProblem | null;

/** null: it takes more than this. */
export function plainSchema(schema: JsonObject): SchemaCheck | null {
  const check = compile(schema, 0);
  return check && ((value) => check(value, ''));
}

const maxDepth = 32;
const allowed: Check = () => null;
const forbidden: Check = (_value, path) => ({ path, message: 'False boolean schema.' });

function compile(schema: unknown, depth: number): Check | null {
  if (typeof schema === 'boolean') return schema ? allowed : forbidden;
  if (!isMap(schema) || depth > maxDepth) return null;
  const given = new Map(Object.entries(schema).filter(([keyword]) => !annotations.has(keyword)));
  const checks: Check[] = [];
  for (const [keyword, make] of keywords) {
    const operand = given.get(keyword);
    if (operand === undefined) continue;
    const check = make(operand, schema, depth + 1);
    if (check === null) return null;
    given.delete(keyword);
    checks.push(check);
  }
  return given.size > 0 ? null : lastOf(checks);
}

const lastOf =
  (checks: readonly Check[]): Check =>
  (value, at) => {
    let found: SchemaProblem | null = null;
    for (const check of checks) found = check(value, at) ?? found;
    return found;
  };

const annotations: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
]);

type Make = (operand: unknown, schema: Value, depth: number) => Check | null;
type Value = Readonly<Record<string, unknown>>;

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
const isMap = (value: unknown): value is Value => typeOf(value) === 'object';
const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;
const isCount = (value: unknown): value is number => Number.isInteger(value);
const lengthOf = (text: string): number => {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
};
const pointer = (at: string, name: string): string =>
  `${at}/${encodeURI(name.replace(/~/g, '~0').replace(/\//g, '~1')).replace(/#/g, '%23')}`;

const types: Make = (operand) => {
  const names: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  if (names.length === 0 || names.some((name) => typeof name !== 'string')) return null;
  const fits = (value: unknown) =>
    names.includes(typeOf(value)) || (names.includes('integer') && typeof value === 'number' && value % 1 === 0);
  return (value, path) =>
    fits(value) ? null : { path, message: `Instance type "${typeOf(value)}" is invalid. Expected "${names.join('", "')}".` };
};

const constant: Make = (operand) =>
  isScalar(operand)
    ? (value, path) => (value === operand ? null : { path, message: `Instance does not match ${JSON.stringify(operand)}.` })
    : null;

const choice: Make = (operand) =>
  Array.isArray(operand) && operand.every(isScalar)
    ? (value, path) =>
        operand.includes(value) ? null : { path, message: `Instance does not match any of ${JSON.stringify(operand)}.` }
    : null;

const required: Make = (operand) =>
  Array.isArray(operand) && operand.every((name) => typeof name === 'string')
    ? (value, path) => {
        if (!isMap(value)) return null;
        const missing = operand.findLast((name) => !Object.hasOwn(value, name));
        return missing === undefined ? null : { path, message: `Instance does not have required property "${missing}".` };
      }
    : null;

/** The properties that the schema lists, then all others: these only where those are right. */
const properties: Make = (operand, { additionalProperties = true }, depth) => {
  if (!isMap(operand)) return null;
  const rest = compile(additionalProperties, depth);
  const listed = Object.entries(operand).map(([name, schema]) => [name, compile(schema, depth)] as const);
  if (rest === null || listed.some(([, check]) => check === null)) return null;
  const known = new Set(Object.keys(operand));
  return (value, at) => {
    if (!isMap(value)) return null;
    for (const [name, check] of listed) {
      const found = Object.hasOwn(value, name) ? check?.(value[name], pointer(at, name)) : null;
      if (found) return found;
    }
    return rest === allowed ? null : lastOther(value, at, { known, rest });
  };
};

function lastOther(value: Value, at: string, { known, rest }: { known: ReadonlySet<string>; rest: Check }): SchemaProblem | null {
  let found: SchemaProblem | null = null;
  for (const name of Object.keys(value)) if (!known.has(name)) found = rest(value[name], pointer(at, name)) ?? found;
  return found;
}

/** Beside `properties` it is that one's part. */
const additional: Make = (_operand, schema, depth) => (schema.properties === undefined ? properties({}, schema, depth) : allowed);

const items: Make = (operand, _schema, depth) => {
  const check = compile(operand, depth);
  return (
    check &&
    ((value, at) => {
      if (!Array.isArray(value)) return null;
      for (let index = 0; index < value.length; index++) {
        const found = check(value[index], `${at}/${index}`);
        if (found !== null) return found;
      }
      return null;
    })
  );
};

const counted =
  (
    wrong: (count: number, bound: number) => boolean,
    measure: (value: unknown) => number | null,
    say: (count: number, bound: number) => string,
  ): Make =>
  (operand) =>
    isCount(operand)
      ? (value, path) => {
          const count = measure(value);
          return count !== null && wrong(count, operand) ? { path, message: say(count, operand) } : null;
        }
      : null;

const numbers =
  (wrong: (value: number, bound: number) => boolean, words: string): Make =>
  (operand) =>
    typeof operand === 'number'
      ? (value, path) =>
          typeof value === 'number' && wrong(value, operand) ? { path, message: `${value} is ${words} ${operand}.` } : null
      : null;

const pattern: Make = (operand) => {
  if (typeof operand !== 'string') return null;
  const expression = new RegExp(operand, 'u');
  return (value, path) =>
    typeof value === 'string' && !expression.test(value) ? { path, message: 'String does not match pattern.' } : null;
};

const inList = (value: unknown) => (Array.isArray(value) ? value.length : null);
const inText = (value: unknown) => (typeof value === 'string' ? lengthOf(value) : null);
const more = (count: number, bound: number) => count > bound;
const fewer = (count: number, bound: number) => count < bound;

/** In the order in which the library looks at them. */
const keywords: readonly (readonly [keyword: string, make: Make])[] = [
  ['type', types],
  ['const', constant],
  ['enum', choice],
  ['required', required],
  ['properties', properties],
  ['additionalProperties', additional],
  ['maxItems', counted(more, inList, (count, bound) => `Array has too many items (${count} > ${bound}).`)],
  ['minItems', counted(fewer, inList, (count, bound) => `Array has too few items (${count} < ${bound}).`)],
  ['items', items],
  ['minimum', numbers(fewer, 'less than')],
  ['maximum', numbers(more, 'greater than')],
  ['exclusiveMinimum', numbers((value, bound) => value <= bound, 'less than')],
  ['exclusiveMaximum', numbers((value, bound) => value >= bound, 'greater than or equal to')],
  ['minLength', counted(fewer, inText, (count, bound) => `String is too short (${count} < ${bound}).`)],
  ['maxLength', counted(more, inText, (count, bound) => `String is too long (${count} > ${bound}).`)],
  ['pattern', pattern],
];
