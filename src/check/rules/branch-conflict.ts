/** R5: branches of one run, or iterations beside each other, write one address with an operation that does not commute. */
import { strategies } from '../../strategy/strategies.ts';
import type { Lane, Model, Write } from '../effect.ts';
import type { Finding } from '../finding.ts';
import { found, oncePerStep, placeOf, type Rule } from '../report.ts';
import type { Term } from '../term.ts';
import { keyed, stepText } from '../words.ts';

export const branchConflict: Rule = (model) =>
  oncePerStep(model.writes.flatMap((write) => conflictOf(model, write) ?? [])).map(report);

interface Conflict {
  readonly step: Write['step'];
  readonly write: Write;
  readonly lane: Lane;
  /** Null: it meets itself, in another iteration. */
  readonly other: Write | null;
}

function conflictOf(model: Model, write: Write): Conflict | undefined {
  for (const lane of write.lanes) {
    if (lane.branch === null) {
      if (!commutes(write) && !differs(write, lane)) return { step: write.step, write, lane, other: null };
      continue;
    }
    const other = model.writes.find((one) => isBeside(one, write, lane) && !(commutes(one) && commutes(write)));
    if (other !== undefined && other.order < write.order) return { step: write.step, write, lane, other };
  }
  return undefined;
}

const commutes = ({ variable, operation }: Write): boolean =>
  strategies[variable.strategy].operations[operation]?.commutes ?? true;

/** Each iteration writes something of its own: its element is in the key, or in the name of a field around everything that is merged. */
function differs({ key, value, operation }: Write, { item }: Lane): boolean {
  const byItem = (term: Term): boolean => item?.kind === 'symbol' && term.roots.has(item);
  if (key !== null && byItem(key)) return true;
  const apart = (term: Term): boolean =>
    term.kind === 'object' &&
    term.fields.every(({ name, value: inner }) => (typeof name === 'object' && name !== null && byItem(name)) || apart(inner));
  return operation === 'merge' && value !== null && apart(value);
}

/** In another branch of the same step, and at the same address; of a `merge`, at a field of the same name. */
function isBeside(one: Write, write: Write, lane: Lane): boolean {
  if (one.variable !== write.variable || one.key !== write.key || one.run !== write.run) return false;
  const across = one.lanes.find(({ step }) => step === lane.step);
  return across !== undefined && across.branch !== lane.branch && shareField(one, write);
}

function shareField(one: Write, other: Write): boolean {
  const [fields, others] = [fieldsOf(one), fieldsOf(other)];
  return fields === null || others === null || fields.some((name) => others.includes(name));
}

/** The fields that a `merge` writes; null: any. */
function fieldsOf({ operation, value }: Write): readonly string[] | null {
  if (operation !== 'merge' || value?.kind !== 'object') return null;
  const names = value.fields.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  return names.length === value.fields.length ? names : null;
}

function report({ write, lane, other }: Conflict): Finding {
  const who =
    other === null
      ? 'Iterations of one run, beside each other,'
      : `The branches ${branchOf(other, lane)} and ${lane.branch} of one run`;
  return found('R5', write.step, {
    story: `${who} both do ${stepText(write.step)}: which of the two values stays is chance, and two users of the same data see different ones.`,
    summary: `Return the values, and write ${keyed(write)} once, behind the ${lane.step.verb} step; or give each a key of its own.`,
    related: other === null ? [] : [{ place: placeOf(other.step), message: 'the other write' }],
  });
}

const branchOf = (write: Write, { step }: Lane): string => write.lanes.find((lane) => lane.step === step)?.branch ?? '';
