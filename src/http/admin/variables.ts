/** The admin API's operations on variables. */
import { CffbrwError } from '../../error.ts';
import type { DecidedTake, Replica, WindowChoice } from '../../replica/replica.ts';
import type { Address, Key } from '../../strategy/address.ts';
import { isObject, type Json, type JsonObject } from '../../strategy/json.ts';
import type { OperationName } from '../../strategy/strategy.ts';
import type { Variable } from '../../strategy/variable.ts';
import { defaultKeep } from '../../strategy/window.ts';

export function factsOf(replica: Pick<Replica, 'strategyOf'>, variable: Variable): JsonObject {
  const { name, strategy, keyed, initial, window, durability, schema } = variable;
  const rule = window && { every: window.every, timezone: window.timezone ?? 'UTC', keep: window.keep ?? defaultKeep };
  return {
    ...{ name, strategy, keyed, durability, window: rule ?? null },
    operations: Object.keys(replica.strategyOf(variable).operations),
    ...(initial !== undefined && { initial }),
    ...(schema !== undefined && { schema }),
  };
}

export function variableOf(replica: Replica, name: string): Variable {
  const variable = replica.variables.get(name);
  if (variable !== undefined) return variable;
  throw new CffbrwError('NOT_FOUND', `there is no variable ${name.slice(0, 80)}`, {
    fix: `There are: ${[...replica.variables.keys()].join(', ')}.`,
  });
}

export interface ValueQuery {
  readonly key?: string | undefined;
  readonly keyJson?: string | undefined;
  readonly window: WindowChoice;
  readonly rows: 'true' | 'false';
}

export async function readValue(replica: Replica, name: string, query: ValueQuery): Promise<JsonObject> {
  const variable = variableOf(replica, name);
  const address = replica.address(variable.name, keyOf(query), windowOf(variable, query.window));
  const { value, ageMs, rows } = await look(replica, address);
  const facts = { variable: name, key: address.key, window: address.window, value, ageMs };
  return (query.rows === 'true' ? { ...facts, rows } : facts) as JsonObject;
}

const windowOf = ({ name, window }: Variable, choice: WindowChoice): WindowChoice => {
  if (window !== undefined || choice === 'current') return choice;
  throw new CffbrwError('INVALID_INPUT', `${name} has no windows, and so none before this one`);
};

function keyOf({ key, keyJson }: Pick<ValueQuery, 'key' | 'keyJson'>): Key | undefined {
  if (keyJson === undefined) return key;
  if (key !== undefined) throw new CffbrwError('INVALID_INPUT', 'key and keyJson were given: one of them is enough');
  try {
    return JSON.parse(keyJson) as Key; // what is no key is refused where it is used
  } catch (cause) {
    throw new CffbrwError('INVALID_INPUT', 'keyJson is not JSON', { cause, fix: 'Write keyJson=42 or keyJson=["a",1].' });
  }
}

/** What this address shows here; all of it is durable. */
async function look(replica: Replica, address: Address) {
  for (let attempt = 1; ; attempt++) {
    await replica.load([address]);
    const slot = replica.peek(address);
    if (slot === undefined) {
      if (attempt === 3) throw new CffbrwError('OVERLOADED', 'the value left memory before it could be read');
      continue;
    }
    const value = replica.read(slot);
    const rows = [...replica.rows(slot)].map(([id, { version, row }]) => ({ replica: id, version, row }));
    const ageMs = replica.age(slot);
    await replica.durable(replica.commitOf(slot));
    return { value, ageMs, rows };
  }
}

export interface KeysQuery {
  readonly prefix?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly window: WindowChoice;
}

/** A page begins after a key, not at a number: keys that come or go before it move nothing. */
export async function listKeys(replica: Replica, name: string, query: KeysQuery): Promise<JsonObject> {
  const { prefix = '', limit, cursor } = query;
  const variable = variableOf(replica, name);
  if (!variable.keyed) throw new CffbrwError('INVALID_INPUT', `${name} is not keyed: it has one value for all`);
  const window = windowOf(variable, query.window);
  const windowId = () => replica.address(name, 0, window).window;
  const after = cursor === undefined ? undefined : readCursor(cursor, windowId());
  const found = await replica.keys(name, { prefix, limit: limit + 1, window, ...(after !== undefined && { after }) });
  await replica.durable(replica.pending());
  const keys = found.slice(0, limit);
  const last = keys.at(-1);
  const more = found.length > limit && last !== undefined;
  return { keys, cursor: more ? writeCursor(last, windowId()) : null } as JsonObject;
}

const writeCursor = (key: Key, window: string): string => encodeURIComponent(JSON.stringify([window, key]));

function readCursor(cursor: string, window: string): Key {
  let parts: unknown;
  try {
    parts = JSON.parse(decodeURIComponent(cursor));
  } catch {
    parts = null;
  }
  if (!Array.isArray(parts) || parts.length !== 2 || typeof parts[0] !== 'string')
    throw new CffbrwError('INVALID_INPUT', 'this is no cursor of this list', { fix: 'Send what the page before gave, or none.' });
  if (parts[0] === window) return parts[1] as Key;
  throw new CffbrwError('WINDOW_CLOSED', 'a new window has begun since the page before', {
    fix: 'Begin again without a cursor.',
  });
}

export interface Input {
  readonly key?: Key | undefined;
  readonly receipt?: string | undefined;
  readonly amount?: number | undefined;
  readonly once?: Key | undefined;
  readonly holdMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly strong?: boolean | undefined;
  readonly value?: unknown;
  readonly with?: unknown;
  readonly path?: string | undefined;
}

/** Which fields of the body an operation reads; others are a mistake, and are refused as one. */
const fieldsOf: Readonly<Record<OperationName, readonly (keyof Input)[]>> = {
  set: ['key', 'value'],
  replace: ['key', 'value'],
  merge: ['key', 'value'],
  unset: ['key', 'path'],
  reset: ['key'],
  add: ['key', 'amount'],
  raise: ['key', 'value', 'with'],
  lower: ['key', 'value', 'with'],
  take: ['key', 'amount', 'once', 'holdMs', 'timeoutMs', 'strong'],
  give: ['receipt'],
  confirm: ['receipt'],
  mint: ['key', 'amount'],
  burn: ['key', 'amount'],
};

export async function operate(replica: Replica, name: string, named: string, input: Input): Promise<JsonObject> {
  const variable = variableOf(replica, name);
  const operation = operationOf(replica, variable, named);
  const strange = Object.keys(input).filter((field) => !fieldsOf[operation].some((known) => known === field));
  if (strange.length > 0) {
    const known = fieldsOf[operation].join(', ');
    throw new CffbrwError('INVALID_INPUT', `${operation} reads no ${strange.join(', ')}`, { fix: `It reads ${known}.` });
  }
  if (operation === 'give' || operation === 'confirm') return settle(replica, variable, operation, input.receipt);
  const address = replica.address(name, input.key);
  const { commit, ...result } = await act(replica, address, operation, input);
  await replica.durable(commit);
  const { value } = await look(replica, address).catch(doneAllTheSame);
  return { variable: name, operation, key: address.key, value, ...('ok' in result && { result }) } as JsonObject;
}

/** It is done; only what others wrote since could not be shown. */
function doneAllTheSame(cause: unknown): never {
  throw new CffbrwError('STORE_FAILED', 'it was done, and the value after it could not be read', { cause });
}

function operationOf(replica: Replica, variable: Variable, named: string): OperationName {
  const known = Object.keys(replica.strategyOf(variable).operations) as OperationName[];
  const operation = known.find((one) => one === named);
  if (operation !== undefined) return operation;
  throw new CffbrwError('NOT_FOUND', `${variable.name} is ${variable.strategy}, which has no ${named.slice(0, 40)}`, {
    fix: `It has ${known.join(', ')}.`,
  });
}

async function settle(replica: Replica, { name }: Variable, operation: 'give' | 'confirm', receipt = ''): Promise<JsonObject> {
  if (receipt === '')
    throw new CffbrwError('INVALID_INPUT', `${operation} needs a receipt`, { fix: 'Send { "receipt": "…" } of a take.' });
  const result = await replica[operation](receipt);
  return { variable: name, operation, key: null, value: null, result: { ...result } };
}

async function act(replica: Replica, address: Address, operation: OperationName, input: Input): Promise<Acted> {
  const { variable, key } = address;
  const amount = input.amount ?? 1;
  if (operation === 'take') {
    const { once, holdMs, timeoutMs, strong } = input;
    const result = await replica.take([{ variable, amount, ...(key !== null && { key }) }], {
      ...(once !== undefined && { once }),
      ...(holdMs !== undefined && { holdMs }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(strong !== undefined && { strong }),
    });
    return { ...result, receipt: result.receipt };
  }
  if (operation !== 'mint' && operation !== 'burn') return { commit: await apply(replica, address, operation, input) };
  await replica[operation](address, amount);
  return { commit: 0 };
}

/** When it is durable; of a take, also what it gave. */
type Acted = Pick<DecidedTake, 'commit'> & Partial<DecidedTake>;

async function apply(replica: Replica, address: Address, operation: OperationName, input: Input): Promise<number> {
  const declared = variableOf(replica, address.variable);
  const { key: _, ...fields } = input;
  const given = operation === 'add' ? { amount: 1, ...fields } : fields;
  if (fieldsOf[operation].includes('value') && !('value' in fields))
    throw new CffbrwError('INVALID_INPUT', `${operation} needs a value`, { fix: 'Send { "value": … }.' });
  if (operation === 'merge' && !isObject(fields.value))
    throw new CffbrwError('INVALID_VALUE', 'merge takes an object', { fix: 'Send { "value": { … } }.' });
  const parsed = replica.strategyOf(declared).parse({ ...(given as Record<string, Json>), operation }, declared);
  await replica.load([address]);
  const slot = replica.peek(address);
  if (slot === undefined) throw new CffbrwError('OVERLOADED', 'the value left memory before it could be written');
  return replica.update(slot, parsed);
}
