/** R2: a decision on a value controls a write of it, and the decision may be wrong by the time that the write happens. */
import { strategies } from '../../strategy/strategies.ts';
import type { Guard, Model, Write } from '../effect.ts';
import { type Fact, isComparison, isPresence, isSkip, type Reading, readingFacts, sameAddress, staysRight } from '../fact.ts';
import type { Finding } from '../finding.ts';
import { escrow } from '../repair/escrow.ts';
import { found, oncePerStep, placeOf, type Rule, relatedGuard } from '../report.ts';
import { type ReadTerm, readsOf, type Term, within } from '../term.ts';
import { conditionText, isSameStep, keyed, stepText, twoUsers } from '../words.ts';
import { isCounterLike } from './counter-like.ts';

export const checkThenAct: Rule = (model) => {
  const direct = model.writes.flatMap((write) => {
    const reading = racing(model, write);
    return reading === undefined ? [] : [{ step: write.step, finding: () => inOneRun(model, write, reading) }];
  });
  const computed = model.writes.flatMap((write) => {
    return amountIsRead(write) ? [{ step: write.step, finding: () => inTheAmount(write) }] : [];
  });
  const decisions = decisionsOf(model);
  const split = model.writes.flatMap((write) => {
    const way = throughAnother(model, write, decisions);
    return way === undefined ? [] : [{ step: write.step, finding: () => inTwoRuns(write, way) }];
  });
  return oncePerStep([...direct, ...computed, ...split]).map(({ finding }) => finding());
};

const isStable = ({ variable, operation }: Write): boolean =>
  strategies[variable.strategy].operations[operation]?.guardStable ?? false;

/** The first decision on what the write writes that others may make wrong. */
function racing(model: Model, write: Write): Reading | undefined {
  const readings = readingFacts(write);
  if (readings.length === 0) return undefined;
  if (!isStable(write)) return readings.find(({ fact, read }) => !isHarmless(model, write, fact, read));
  if (write.operation !== 'raise' && write.operation !== 'lower') return undefined;
  const resets = model.writes.some(({ variable, operation }) => variable === write.variable && operation === 'reset');
  return resets ? readings[0] : readings.find(({ fact, read }) => !staysRight(fact, write, read));
}

/** What is there cannot go where nothing takes it away, and to take away what is gone is nothing. */
function isHarmless(model: Model, write: Write, fact: Fact, read: ReadTerm): boolean {
  if (isSkip(fact, write, read)) return true;
  if (!isPresence(fact, read)) return false;
  const { variable } = write;
  const goes = (one: Write): boolean => one.variable === variable && (takesAway.has(one.operation) || mayBeNull(one.value));
  return takesAway.has(write.operation) || (variable.window === undefined && !model.writes.some(goes));
}

const takesAway: ReadonlySet<string> = new Set(['unset', 'reset']);

/** A value that is not written out as something may be nothing. */
const mayBeNull = (value: Term | null): boolean =>
  value !== null && [...within(value)].some((term) => term.kind === 'literal' && term.value === null);

function inOneRun(model: Model, write: Write, reading: Reading): Finding {
  const edits = escrow(model, write, reading);
  const { guard } = reading;
  const passed = guard.kind === 'loop' ? 'both go by' : 'both get past';
  return found('R2', write.step, {
    story: `${twoUsers(write)}: ${passed} \`${conditionText(guard)}\`, because neither has heard of the other, and both do ${stepText(write.step)}. What the condition was to prevent for ${keyed(write)} happens.`,
    summary: edits.length > 0 ? decideFirst : adviceFor(write),
    edits,
    related: [relatedGuard(guard)],
  });
}

const decideFirst = 'Decide first, promise afterwards: `take` a unit of a bounded-counter, and go by what it says.';

const adviceFor = ({ variable }: Write): string =>
  variable.strategy === 'max-value' || variable.strategy === 'min-value'
    ? `${decideFirst} An offer may stand behind a condition only where it beats the value, and nothing resets it.`
    : `${decideFirst} With \`once: <key>\` only one user gets it, wherever they are.`;

/** `add: x` by what x lacks: two see the same lack. A `take` of all that is left is refused where it is not there. */
const amountIsRead = (write: Write): boolean =>
  ['add', 'mint', 'burn'].includes(write.operation) &&
  write.value !== null &&
  readsOf(write.value).some((read) => sameAddress(read, write));

const inTheAmount = (write: Write): Finding =>
  found('R2', write.step, {
    story: `${twoUsers(write)}: both compute the amount of ${stepText(write.step)} from the same old value of ${keyed(write)}, and both amounts count.`,
    summary: 'Let the amount come from the request or from the document, not from the value that it changes.',
  });

interface Way {
  readonly asked: Guard;
  readonly decided: Guard;
  readonly between: Write;
}

/** By what was decided on and what was written because of it: two steps are enough, as one of them may be the one that asks. */
type Decided = ReadonlyMap<string, readonly Omit<Way, 'asked'>[]>;

const wayOf = (from: string, to: string): string => `${from} ${to}`;

function decisionsOf({ writes }: Model): Decided {
  const all = new Map<string, Omit<Way, 'asked'>[]>();
  for (const between of writes) {
    for (const decided of [...between.guards, ...decisionsIn(between)]) {
      for (const { variable } of readsOf(decided.condition)) {
        const id = wayOf(variable, between.variable.name);
        const ways = all.get(id) ?? [];
        if (ways.length >= 2 || ways.some((way) => isSameStep(way.between.step, between.step))) continue;
        all.set(id, [...ways, { decided, between }]);
      }
    }
  }
  return all;
}

/** `set: open` to `vars.sold < 10` is a decision like any other. */
function decisionsIn({ step, value }: Write): readonly Guard[] {
  if (value === null || readsOf(value).length === 0) return [];
  const asks = [...within(value)].filter(isComparison);
  return asks.map((condition) => ({
    ...{ condition, step, holds: true, kind: 'condition', certain: true },
    path: [...step.path, 'value'],
  }));
}

/** The decision stood in another run, perhaps of the same workflow: it decided what this one goes by. */
function throughAnother(model: Model, write: Write, decisions: Decided): Way | undefined {
  if (isStable(write) || !isCounterLike(model, write.variable)) return undefined;
  const { name } = write.variable;
  for (const asked of write.guards) {
    for (const { variable } of readsOf(asked.condition)) {
      const ways = variable === name ? undefined : decisions.get(wayOf(name, variable));
      const way = ways?.find(({ between }) => !isSameStep(between.step, write.step));
      if (way !== undefined) return { asked, ...way };
    }
  }
  return undefined;
}

const inTwoRuns = (write: Write, { asked, decided, between }: Way): Finding =>
  found('R2', write.step, {
    story: `${twoUsers(between)}: both get past \`${conditionText(decided)}\`, so ${stepText(between.step)} lets both on to ${stepText(write.step)}. What the condition was to prevent for ${keyed(write)} happens, only later.`,
    summary: `${decideFirst} Take it where the condition stands now, with \`hold\` if it is used later, and \`confirm\` it here.`,
    related: [relatedGuard(decided), { place: placeOf(between.step), message: 'and lets this be written' }, relatedGuard(asked)],
  });
