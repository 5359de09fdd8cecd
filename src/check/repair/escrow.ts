/**
 * The repair of check-then-act on a number: units of a bounded counter, which are taken first and promised afterwards.
 *
 * A stock that is counted down to nothing becomes the bounded counter itself. A count that goes up to a limit stays, and a counter of
 * what is left of the limit stands beside it. What may happen once (nobody has it yet) is a counter of one.
 */
import type { Tree, TreeOf } from '../../expression/tree.ts';
import type { Guard, Model, StepRef, Write } from '../effect.ts';
import { factsOf, isNullTest, orderOf, type Reading, sumOf } from '../fact.ts';
import type { Edit } from '../finding.ts';
import type { Term } from '../term.ts';
import { dataAt, isSameStep } from '../words.ts';
import { declarationOf, declareBeside, freeName, redeclare } from './declaration.ts';
import { editorOf, flow, together } from './text.ts';

/** The edits, or none where the shape is another one. */
export function escrow(model: Model, write: Write, { fact, guard, read }: Reading): readonly Edit[] {
  if (factsOf(guard.condition, guard.holds).length !== 1 || guard.kind === 'loop' || !fits(model, write, guard)) return [];
  if (isNullTest(fact)) return claim(model, write, guard);
  const change = changeOf(write, read);
  const order = orderOf(fact);
  if (change === null || order === null || change.step === 0) return [];
  const sign = Math.sign(change.step);
  // After the write: `value + step`. The guard says how far that can go.
  if (order.less.factors.size !== 1 || order.less.factors.get(change.value) !== sign) return [];
  const limit = -sign * (order.less.constant - change.step * sign + (order.strict ? 1 : 0));
  if (sign > 0) return countedUp(model, write, guard, { limit, units: change.step });
  return limit === 0 ? countedDown(model, write, guard, -change.step) : [];
}

interface Change {
  readonly value: Term;
  readonly step: number;
}

/** By how much the write changes what it writes, where that is a number of the document. */
export function changeOf({ operation, value }: Write, read: Term): Change | null {
  const sum = value === null ? null : sumOf(value);
  if (operation === 'add') {
    if (sum !== null && (sum.factors.size > 0 || !Number.isSafeInteger(sum.constant))) return null;
    return { value: read, step: sum?.constant ?? 1 };
  }
  const [[from, factor] = [], another] = sum?.factors ?? [];
  if (sum === null || from === undefined || factor !== 1 || another !== undefined || !Number.isSafeInteger(sum.constant))
    return null;
  const seen = from === read || (from.kind === 'member' && from.name === 'value' && from.object === read);
  return seen ? { value: from, step: sum.constant } : null;
}

/** A key that is bound only after the guard cannot be taken before it. */
function fits({ resolver }: Model, { step, variable }: Write, guard: Guard): boolean {
  // A `switch` has nothing in front of one of its conditions.
  if (step.document !== guard.step.document || guard.step.verb === 'switch') return false;
  if (!variable.keyed) return true;
  const asks = resolver.trees(String(dataAt(guard.step.document, guard.path)), true);
  const known = new Set(['request', ...namesIn(asks)]);
  const keys = [step.data.key].flat().flatMap((part) => (typeof part === 'string' ? resolver.trees(part, false) : []));
  return [...namesIn(keys)].every((name) => known.has(name));
}

function namesIn(trees: readonly Tree[]): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (tree: unknown): void => {
    if (typeof tree !== 'object' || tree === null) return;
    const { kind, name } = tree as Partial<TreeOf<'name'>>;
    if (kind === 'name' && name !== undefined) names.add(name);
    Object.values(tree).forEach(visit);
  };
  trees.forEach(visit);
  return names;
}

function countedDown(model: Model, write: Write, guard: Guard, units: number): readonly Edit[] {
  const { variable, step } = write;
  const declared = declarationOf(model, variable);
  const { initial = 0 } = declared;
  if (model.writes.some((one) => one.variable === variable && !isSameStep(one.step, step))) return [];
  if (!Number.isSafeInteger(initial) || Number(initial) < 0) return [];
  const { durability: _, writers: __, schema: ___, ...kept } = declared;
  return together(
    redeclare(model, variable, { ...kept, strategy: 'bounded-counter' }),
    ...takeInstead(write, guard, { name: variable.name, units, keeps: false }),
  );
}

function countedUp(
  model: Model,
  write: Write,
  guard: Guard,
  { limit, units }: { readonly limit: number; readonly units: number },
): readonly Edit[] {
  if (limit < 1 || units < 1) return [];
  return beside(model, write, guard, { suffix: 'Left', initial: limit, units });
}

/** Nobody has it yet, and somebody gets it. What is given back later would have to be given back to the counter, too. */
function claim(model: Model, write: Write, guard: Guard): readonly Edit[] {
  const frees = model.writes.some(({ variable, operation }) => {
    return variable === write.variable && (operation === 'unset' || operation === 'reset');
  });
  const { condition } = guard;
  const isAbsent = condition.kind === 'operation' && (condition.name === '===') === guard.holds;
  return frees || !isAbsent ? [] : beside(model, write, guard, { suffix: 'Free', initial: 1, units: 1 });
}

interface Beside {
  readonly suffix: string;
  readonly initial: number;
  readonly units: number;
}

function beside(model: Model, write: Write, guard: Guard, { suffix, initial, units }: Beside): readonly Edit[] {
  const { variable } = write;
  const { window } = declarationOf(model, variable);
  const name = freeName(model, `${variable.name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}${suffix}`);
  const fields = {
    strategy: 'bounded-counter',
    ...(variable.keyed && { keyed: true }),
    initial,
    ...(window !== undefined && { window }),
  };
  const take = takeInstead(write, guard, { name, units, keeps: true });
  return together(declareBeside(model, variable, name, fields), ...take);
}

interface Take {
  readonly name: string;
  readonly units: number;
  /** The write stays, as a count. */
  readonly keeps: boolean;
}

/** Takes before the guard, which then asks for what the take gave. */
function takeInstead({ step }: Write, guard: Guard, { name, units, keeps }: Take): readonly (readonly Edit[] | null)[] {
  const editor = editorOf(step.document);
  if (editor === null) return [null];
  const result = freshName(step, 'taken');
  const key = step.data.key === undefined ? '' : `\nkey: ${flow(step.data.key)}`;
  const take = `take: ${name}${key}${units === 1 ? '' : `\namount: ${units}`}\nas: ${result}`;
  if (!isSameStep(guard.step, step)) {
    const asks = guard.holds ? `${result}.ok` : `"!${result}.ok"`;
    const without = keeps ? [] : [editor.removeStep(step.path)];
    return [editor.insertBefore(guard.step.path, [take]), editor.replace(guard.path, asks), ...without];
  }
  const refusal = `fail: { status: 409, type: exhausted, title: Nothing is left }\nwhen: "!${result}.ok"`;
  if (!keeps) return [editor.replaceStep(step.path, [take, refusal])];
  return [editor.insertBefore(step.path, [take, refusal]), editor.replace(guard.path, `${result}.ok`)];
}

function freshName({ document }: StepRef, wanted: string): string {
  const text = JSON.stringify(document.document.steps);
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}${count}`;
    if (!new RegExp(`\\b${name}\\b`).test(text)) return name;
  }
}
