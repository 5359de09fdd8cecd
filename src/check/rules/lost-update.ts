/**
 * R1: a write made of a read of what it writes. Of two that read the same value, one is lost.
 *
 * It is one where the operation does not commute, and where an offer is computed from the value that it wants to beat: the second of two
 * equal offers does nothing.
 */
import { strategies } from '../../strategy/strategies.ts';
import type { Model, Write } from '../effect.ts';
import { readingFacts, sameAddress } from '../fact.ts';
import type { Edit } from '../finding.ts';
import { addInstead, mergeInstead } from '../repair/commuting.ts';
import { escrow } from '../repair/escrow.ts';
import { found, oncePerStep, type Rule } from '../report.ts';
import { type Field, type ReadTerm, readsOf, type Term, within } from '../term.ts';
import { keyed, stepText, twoUsers } from '../words.ts';
import { isCounterLike } from './counter-like.ts';

export const lostUpdate: Rule = (model) => [...computed(model), ...numbered(model)];

/** What is written under a number that was counted: two that see the same count write under the same number. */
const numbered: Rule = (model) =>
  oncePerStep(model.writes.filter((write) => countInKey(model, write) !== undefined)).map((write) => {
    const count = countInKey(model, write)?.variable;
    return found('R1', write.step, {
      story: `${twoUsers(write)}: both count in ${count} before they have heard of each other, and both make the same key of it. One of the two writes overwrites the other, and its change is gone.`,
      summary: `Make the key of something that nobody else has: \`uuid()\`, or an id of the request. ${count} may still be shown.`,
    });
  });

function countInKey(model: Model, { variable, operation, key, run }: Write): ReadTerm | undefined {
  if (key === null || strategies[variable.strategy].operations[operation]?.commutes !== false) return undefined;
  return readsOf(key).find((read) => {
    const count = model.app.variables.get(read.variable);
    const counts = (one: Write): boolean => one.run === run && sameAddress(read, one);
    return count !== undefined && isCounterLike(model, count) && model.writes.some(counts);
  });
}

const computed: Rule = (model) =>
  oncePerStep(model.writes.filter((write) => sourceOf(write) !== undefined)).map((write) => {
    const read = sourceOf(write) as ReadTerm;
    const edits = repair(model, write, read);
    const { verb } = write.step;
    return found('R1', write.step, {
      story: `${twoUsers(write)}: both read ${keyed(write)} before the other's ${stepText(write.step)} has arrived, and both compute theirs from what they read. ${lossOf[verb] ?? lossOf.set}`,
      summary: edits.length > 0 ? summaries.edits : (summaries[verb] ?? summaries.set),
      edits,
    });
  });

const lossOf: Readonly<Record<string, string>> = {
  set: 'One of the two writes overwrites the other, and its change is gone.',
  raise: 'They offer the same value, so two changes count as one.',
  lower: 'They offer the same value, so two changes count as one.',
};

const summaries = {
  edits: 'Say what changes, not what comes out: then both changes count.',
  set: 'Say what changes, not what comes out: `add` to sum-increments, `merge` into merge-objects, `take` from a bounded-counter.',
  merge:
    'Keep what is computed from itself in a variable of its own: sum-increments and `add` for a count, with the field in the key.',
  raise: 'Count with sum-increments and `add`; for numbers that nobody may get twice, give each location its own prefix.',
} as Readonly<Record<string, string>> & { readonly edits: string; readonly set: string };

function repair(model: Model, write: Write, read: ReadTerm): readonly Edit[] {
  if (write.operation === 'merge') return [];
  const [guarded] = readingFacts(write);
  const units = guarded && write.variable.strategy === 'last-write-wins' ? escrow(model, write, guarded) : [];
  if (units.length > 0) return units;
  const added = addInstead(model, write, read);
  return added.length > 0 ? added : mergeInstead(model, write);
}

/** The read that the write is made of. */
function sourceOf(write: Write): ReadTerm | undefined {
  const { variable, operation, value } = write;
  if (value === null) return undefined;
  const traits = strategies[variable.strategy].operations[operation];
  if (operation === 'merge') return mergedFrom(write, value);
  if (operation === 'raise' || operation === 'lower') return offeredFrom(write, value);
  return traits?.commutes === false ? readIn(write, value) : undefined;
}

const readIn = (write: Write, value: Term): ReadTerm | undefined => readsOf(value).find((read) => sameAddress(read, write));

/** An offer that is at least the value is an offer like any other: `max(vars.x.value, y)`. */
function offeredFrom(write: Write, value: Term): ReadTerm | undefined {
  const keeps = write.operation === 'raise' ? 'max()' : 'min()';
  const made = value.kind === 'operation' && value.name === keeps ? value.parts : [value];
  return made.filter((part) => !isValue(part)).flatMap((part) => readIn(write, part) ?? [])[0];
}

const isValue = (term: Term): boolean =>
  (term.kind === 'member' && term.name === 'value' && term.object.kind === 'read') ||
  (term.kind === 'operation' && term.name === '??' && term.parts[0] !== undefined && isValue(term.parts[0]));

type Step = string | Term;

/** A `merge` loses what is read of the very fields that it writes. */
function mergedFrom(write: Write, value: Term, path: readonly Step[] = []): ReadTerm | undefined {
  if (value.kind !== 'object') return usesOf(write, value).find(({ at }) => meet(at, path))?.read;
  for (const field of value.fields) {
    const inside = field.name === null ? path : [...path, ...stepsOf(field)];
    const read = mergedFrom(write, field.value, inside);
    if (read !== undefined) return read;
  }
  return undefined;
}

const stepsOf = ({ name }: Field): readonly Step[] => (name === null ? [] : [name]);

interface FieldRead {
  readonly read: ReadTerm;
  readonly at: readonly Step[];
}

/** Every read of the variable in a term, with the fields of it that are looked at. */
function usesOf(write: Write, value: Term): readonly FieldRead[] {
  const whole = [...within(value)].flatMap((term) => fieldRead(write, term) ?? []);
  const longer = (one: FieldRead) =>
    whole.some(({ read, at }) => read === one.read && at.length > one.at.length && meet(at, one.at));
  const uses = whole.filter((one) => !longer(one));
  // What is behind a name that is not looked into (an element of a list) may be any part of it.
  const seen = new Set(uses.map(({ read }) => read));
  return [...uses, ...readsOf(value).flatMap((read) => (sameAddress(read, write) && !seen.has(read) ? [{ read, at: [] }] : []))];
}

function fieldRead(write: Write, term: Term): FieldRead | null {
  if (term.kind === 'read') return sameAddress(term, write) ? { read: term, at: [] } : null;
  if (term.kind === 'member') return longerRead(fieldRead(write, term.object), term.name);
  if (term.kind !== 'operation' || term.parts[0] === undefined) return null;
  if (term.name === 'index') return longerRead(fieldRead(write, term.parts[0]), term.parts[1] ?? '');
  // `(vars.x ?? {}).field`
  return term.name === '??' ? fieldRead(write, term.parts[0]) : null;
}

const longerRead = (inner: FieldRead | null, step: Step): FieldRead | null => inner && { ...inner, at: [...inner.at, step] };

/** True when one of two paths may lead into the other. */
const meet = (one: readonly Step[], other: readonly Step[]): boolean =>
  one.every((step, index) => {
    const across = other[index];
    return across === undefined || step === across || typeof step !== typeof across;
  });
