/** What is known where a step runs: guards, taken apart into facts, and what may be concluded from them. */
import { parseDuration } from '../expression/functions/time.ts';
import type { Guard, Write } from './effect.ts';
import { type ReadTerm, readsOf, type Term } from './term.ts';

/** `condition` came out as `holds`. */
export interface Fact {
  readonly condition: Term;
  readonly holds: boolean;
}

/** `a && b` that holds is two facts, and so is `a || b` that does not. */
export function factsOf(condition: Term, holds: boolean): readonly Fact[] {
  if (condition.kind === 'operation') {
    const { name, parts } = condition;
    if (name === 'not' && parts[0]) return factsOf(parts[0], !holds);
    if (name === (holds ? '&&' : '||')) return parts.flatMap((part) => factsOf(part, holds));
  }
  return [{ condition, holds }];
}

/** True when the two may be the same address: one that is not keyed, or one key. */
export const sameAddress = (read: ReadTerm, write: Pick<Write, 'variable' | 'key'>): boolean =>
  read.variable === write.variable.name && read.window === 'current' && (read.key ?? null) === write.key;

export interface Reading {
  readonly fact: Fact;
  readonly guard: Guard;
  readonly read: ReadTerm;
}

const readings = new WeakMap<Write, readonly Reading[]>();

/** The facts that decided a write and that read what it writes. */
export function readingFacts(write: Write): readonly Reading[] {
  const found = readings.get(write) ?? findReadings(write);
  readings.set(write, found);
  return found;
}

function findReadings(write: Write): readonly Reading[] {
  return write.guards.flatMap((guard) =>
    factsOf(guard.condition, guard.holds).flatMap((fact) => {
      const read = readsOf(fact.condition).find((one) => sameAddress(one, write));
      return read === undefined ? [] : [{ fact, guard, read }];
    }),
  );
}

/** True when the fact says that there is a value, and no more. */
export const isPresence = ({ condition, holds }: Fact, read: ReadTerm): boolean =>
  isNotNull({ condition, holds }) && condition.kind === 'operation' && condition.parts.includes(read);

/** `set: x` where x is another value already: who is told that nothing was to do came, so to say, before. */
export const isSkip = ({ condition, holds }: Fact, { operation, value }: Write, read: ReadTerm): boolean =>
  operation === 'set' &&
  value !== null &&
  condition.kind === 'operation' &&
  condition.name === (holds ? '!==' : '===') &&
  condition.parts.includes(read) &&
  condition.parts.includes(value);

/** A sum of terms with factors, and a number: `ends - now() - 60000`. */
interface Sum {
  readonly factors: ReadonlyMap<Term, number>;
  readonly constant: number;
}

const number = (constant: number): Sum => ({ factors: new Map(), constant });

function plus(one: Sum, other: Sum, times: number): Sum {
  const factors = new Map(one.factors);
  for (const [term, factor] of other.factors) {
    const sum = (factors.get(term) ?? 0) + times * factor;
    if (sum === 0) factors.delete(term);
    else factors.set(term, sum);
  }
  return { factors, constant: one.constant + times * other.constant };
}

/** A term as a sum. What is no sum is one term, with factor 1. */
export function sumOf(term: Term): Sum {
  if (term.kind === 'literal' && typeof term.value === 'number') return number(term.value);
  const whole: Sum = { factors: new Map([[term, 1]]), constant: 0 };
  if (term.kind !== 'operation') return whole;
  const [first, second] = term.parts;
  if (first === undefined) return whole;
  if (term.name === 'negate') return plus(number(0), sumOf(first), -1);
  if (term.name === 'duration()' && first.kind === 'literal') return durationOf(first.value) ?? whole;
  if (second === undefined) return whole;
  if (term.name === '+' || term.name === '-') return plus(sumOf(first), sumOf(second), term.name === '+' ? 1 : -1);
  // What stands in for a value that is not there yet.
  if (term.name === '??' && second.kind === 'literal') return sumOf(first);
  return whole;
}

function durationOf(text: unknown): Sum | undefined {
  const milliseconds = typeof text === 'string' ? parseDuration(text) : undefined;
  return typeof milliseconds === 'number' ? number(milliseconds) : undefined;
}

const comparisons: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '===', '!==']);

export const isComparison = (term: Term): boolean => term.kind === 'operation' && comparisons.has(term.name);

/** A comparison that came out so, as `less < 0` or, when not `strict`, `less <= 0`. */
export interface Order {
  readonly less: Sum;
  readonly strict: boolean;
}

export function orderOf({ condition, holds }: Fact): Order | null {
  if (condition.kind !== 'operation') return null;
  const [left, right] = condition.parts;
  if (left === undefined || right === undefined || !['<', '<=', '>', '>='].includes(condition.name)) return null;
  const strict = (condition.name === '<' || condition.name === '>') === holds;
  const smallerLeft = (condition.name === '<' || condition.name === '<=') === holds;
  const [smaller, greater] = smallerLeft ? [left, right] : [right, left];
  return { less: plus(sumOf(smaller), sumOf(greater), -1), strict };
}

/** `x === null` or `x !== null`. */
export const isNullTest = ({ condition }: Fact): boolean =>
  condition.kind === 'operation' &&
  (condition.name === '===' || condition.name === '!==') &&
  condition.parts.some((part) => part.kind === 'literal' && part.value === null);

const isNotNull = (fact: Fact): boolean =>
  isNullTest(fact) && fact.condition.kind === 'operation' && (fact.condition.name === '!==') === fact.holds;

/**
 * True when a fact that reads what an offer (`raise`, `lower`) writes stays right whatever others offer at the same time: that the offer
 * beats the value, or what later offers can only make truer.
 */
export function staysRight(fact: Fact, write: Write, read: ReadTerm): boolean {
  const ways = waysOf(fact);
  if (ways.length > 1) return ways.every((way) => isNullTest(way) || staysRight(way, write, read));
  return isNotNull(fact) || orderStaysRight(fact, write, read);
}

/** One of these is why a fact holds: `value === null || offer > value`. */
function waysOf({ condition, holds }: Fact): readonly Fact[] {
  if (condition.kind !== 'operation' || condition.name !== (holds ? '||' : '&&')) return [];
  return condition.parts.flatMap((part) => {
    const [fact, ...others] = factsOf(part, holds);
    return fact && others.length === 0 ? [fact] : [{ condition: part, holds }];
  });
}

function orderStaysRight(fact: Fact, { operation, value }: Write, read: ReadTerm): boolean {
  const order = orderOf(fact);
  const extreme = order && [...order.less.factors].find(([term]) => isValueOf(term, read));
  if (!order || !extreme || readsElsewhere(order.less, read)) return false;
  const [term, factor] = extreme;
  // Seen from `lower`, all is the other way round.
  const up = operation === 'raise' ? 1 : -1;
  if (factor * up < 0) return true;
  if (value === null) return false;
  const offer = plus(plus(number(0), { factors: new Map([[term, 1]]), constant: 0 }, up), sumOf(value), -up);
  return plus(order.less, offer, -1).factors.size === 0;
}

const isValueOf = (term: Term, read: ReadTerm): boolean =>
  term.kind === 'member' && term.name === 'value' && term.object === read;

/** True when the same value is read in another form, too. */
const readsElsewhere = (sum: Sum, read: ReadTerm): boolean =>
  [...sum.factors.keys()].filter((term) => term.roots.has(read)).length > 1;
