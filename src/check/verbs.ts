/** What each verb does to what is known: the effects that it has, the names that it binds, and how it may end. */
import type { OperationName } from '../strategy/strategy.ts';
import { walkCall, walkEach, walkIf, walkParallel, walkSwitch, walkTry } from './blocks.ts';
import type { StepRef } from './effect.ts';
import { bind, type Ending, goesOn, note, type Position, symbolOf, termAt } from './position.ts';
import type { Term } from './term.ts';

const writers: ReadonlySet<string> = new Set([
  'set',
  'replace',
  'merge',
  'raise',
  'lower',
  'add',
  'mint',
  'burn',
  'unset',
  'reset',
]);
const blocks: Readonly<Record<string, (step: StepRef, at: Position) => Ending>> = {
  if: walkIf,
  switch: walkSwitch,
  each: walkEach,
  parallel: walkParallel,
  try: walkTry,
  call: walkCall,
};

export function walkVerb(step: StepRef, at: Position): Ending {
  const { verb, data } = step;
  const block = Object.hasOwn(blocks, verb) ? blocks[verb] : undefined;
  if (block !== undefined) return block(step, at);
  if (writers.has(verb)) return walkWrite(step, at);
  switch (verb) {
    case 'take':
      return walkTake(step, at);
    case 'get':
      bind(step, at, () => readOf(step, at));
      return goesOn;
    case 'keys':
      return walkKeys(step, at);
    case 'let':
      for (const [name, value] of Object.entries(data.let as object)) at.names.set(name, termAt(value, at));
      note(step, at, { kind: 'use', value: termAt(data.let, at) });
      return goesOn;
    case 'http':
      return walkHttp(step, at);
    case 'respond':
    case 'fail':
    case 'return':
      return walkEnd(step, at);
    default:
      return walkUse(step, at);
  }
}

const optional = (data: unknown, at: Position): Term | null => (data === undefined ? null : termAt(data, at));

function readOf(step: StepRef, at: Position): Term {
  const { data } = step;
  const window = data.window === 'previous' ? 'previous' : 'current';
  return at.run.resolver.terms.read({ variable: String(data.get), key: optional(data.key, at), window });
}

function walkWrite(step: StepRef, at: Position): Ending {
  const { verb, data } = step;
  const variable = at.run.variables.get(String(data[verb]));
  if (variable === undefined) return goesOn;
  const { terms } = at.run.resolver;
  const key = optional(data.key, at);
  const value = optional(data.value ?? data.amount, at);
  const write = { variable, operation: verb as OperationName, key, value, with: optional(data.with, at) };
  note(step, at, { kind: 'write', ...write, path: optional(data.path, at), result: null });
  // Whether an offer was accepted is what was known of the value.
  bind(step, at, () => symbolOf(step, at, 'other', [terms.read({ variable: variable.name, key, window: 'current' })]));
  return goesOn;
}

function walkTake(step: StepRef, at: Position): Ending {
  const { data } = step;
  const result = symbolOf(step, at, 'take');
  const entries = Array.isArray(data.take) ? (data.take as readonly Record<string, unknown>[]) : [data];
  for (const entry of entries) {
    const variable = at.run.variables.get(String(entry.take));
    if (variable === undefined) continue;
    const inner = entry.each === undefined ? at : withItem(step, entry, at);
    const common = { variable, operation: 'take' as const, with: null, path: null, result };
    note(step, inner, { kind: 'write', ...common, key: optional(entry.key, inner), value: optional(entry.amount, inner) });
  }
  bind(step, at, () => result);
  return goesOn;
}

function withItem(step: StepRef, entry: Readonly<Record<string, unknown>>, at: Position): Position {
  const names = new Map(at.names);
  if (typeof entry.item === 'string') names.set(entry.item, symbolOf(step, at, 'other', [termAt(entry.each, at)]));
  return { ...at, names };
}

/** Which keys there are is not what is at one of them. */
function walkKeys(step: StepRef, at: Position): Ending {
  const { terms } = at.run.resolver;
  const window = step.data.window === 'previous' ? 'previous' : 'current';
  const all = terms.read({ variable: String(step.data.keys), key: terms.symbol('other', 'all keys'), window });
  bind(step, at, () => all);
  return goesOn;
}

function walkHttp(step: StepRef, at: Position): Ending {
  const { http, method = 'GET', headers, body } = step.data;
  const value = termAt({ http, ...(headers !== undefined && { headers }), ...(body !== undefined && { body }) }, at);
  note(step, at, { kind: 'send', url: termAt(http, at), value, method: termAt(method, at) });
  bind(step, at, () => symbolOf(step, at, 'http'));
  return goesOn;
}

function walkEnd(step: StepRef, at: Position): Ending {
  const { verb, data } = step;
  const value = termAt(data[verb], at);
  const answers = verb !== 'return' || (at.calls.length === 0 && at.run.root.document.on.http !== undefined);
  note(step, at, answers ? { kind: 'answer', value } : { kind: 'use', value });
  if (verb === 'respond' && (data.respond as { readonly continue?: boolean } | null)?.continue === true) return goesOn;
  return {
    exits: [{ kind: verb as 'respond' | 'fail' | 'return', guards: [] }],
    returned: verb === 'return' ? [{ value, guards: [] }] : [],
  };
}

/** `give`, `confirm`, `log`, `wait`. */
function walkUse(step: StepRef, at: Position): Ending {
  const { verb, data } = step;
  note(step, at, { kind: 'use', value: termAt(verb === 'log' || verb === 'wait' ? data[verb] : data.receipt, at) });
  bind(step, at, () => symbolOf(step, at, 'other'));
  return goesOn;
}
