/** R3: a decision on a count controls an answer, or a request to another server. It is reported where the decision stands. */
import type { Answer, Guard, Model, Send, Write } from '../effect.ts';
import { factsOf, isComparison, isNullTest, readingFacts, sameAddress } from '../fact.ts';
import type { Edit, Finding } from '../finding.ts';
import { escrow } from '../repair/escrow.ts';
import { found, oncePerStep, type Rule } from '../report.ts';
import { type ReadTerm, readsOf, within } from '../term.ts';
import { conditionText, doing, stepText, twoUsers } from '../words.ts';
import { isCounterLike } from './counter-like.ts';

export const staleDecision: Rule = (model) => {
  const told = model.effects.filter((effect): effect is Answer | Send => effect.kind === 'answer' || effect.kind === 'send');
  const decided = told.flatMap((effect) =>
    effect.guards.flatMap((guard) => {
      const read = countIn(model, guard);
      return read === undefined ? [] : [{ step: guard.step, effect, guard, read }];
    }),
  );
  const repairs = repairsOf(model);
  const promised = told.flatMap((effect) => {
    const read = countToldOf(model, effect);
    return read === undefined ? [] : [{ step: effect.step, effect, read }];
  });
  return [
    ...oncePerStep(decided).map((one) => report(model, one, repairs)),
    ...oncePerStep(promised).map((one) => reportPromise(model, one)),
  ];
};

/** `won: vars.sold < 10` in an answer is a decision, where the run itself counts in what it compares. */
function countToldOf(model: Model, { kind, value, run }: Answer | Send): ReadTerm | undefined {
  if (kind === 'send' || readsOf(value).length === 0) return undefined;
  const compared = [...within(value)].filter(isComparison);
  return compared.flatMap(readsOf).find((read) => {
    const variable = model.app.variables.get(read.variable);
    const counts = (write: Write): boolean => write.run === run && write.operation !== 'take' && sameAddress(read, write);
    return variable !== undefined && isCounterLike(model, variable) && model.writes.some(counts);
  });
}

/** The count that a decision reads. Whether there is a value at all does not change back. */
function countIn(model: Model, { condition, holds, kind }: Guard): ReadTerm | undefined {
  if (kind === 'loop') return undefined;
  const facts = factsOf(condition, holds).filter((fact) => !isNullTest(fact));
  return facts
    .flatMap((fact) => readsOf(fact.condition))
    .find((read) => {
      const variable = model.app.variables.get(read.variable);
      return variable !== undefined && !isListOfKeys(read) && isCounterLike(model, variable);
    });
}

const isListOfKeys = ({ key }: ReadTerm): boolean => key?.kind === 'symbol' && key.name === 'all keys';

interface Decided {
  readonly effect: Answer | Send;
  readonly guard: Guard;
  readonly read: ReadTerm;
}

const reportPromise = (model: Model, { effect, read }: Omit<Decided, 'guard'>): Finding =>
  found('R3', effect.step, {
    story: `${twoUsers(effect)}: both are counted in ${read.variable}, each answer compares what is known of it at one location, and both may be told what is true of one of them.`,
    summary: adviceFor(model, read),
  });

function report(model: Model, { effect, guard, read }: Decided, repairs: Repairs): Finding {
  const what = effect.kind === 'send' ? `the request of ${stepText(effect.step)} goes out` : 'the answer is given';
  return found('R3', guard.step, {
    story: `One user has just changed ${read.variable} at another location, and another ${doing(effect.run)} here: \`${conditionText(guard)}\` decides on a value that is not the latest, and ${what} all the same.`,
    edits: repairs.get(guard.step)?.() ?? [],
    summary: adviceFor(model, read),
  });
}

type Repairs = ReadonlyMap<Guard['step'], () => readonly Edit[]>;

/** Where the same decision controls a write, what repairs that repairs this. */
function repairsOf(model: Model): Repairs {
  const repairs = new Map<Guard['step'], () => readonly Edit[]>();
  for (const write of model.writes) {
    for (const reading of readingFacts(write)) {
      const { step } = reading.guard;
      if (!repairs.has(step)) repairs.set(step, () => escrow(model, write, reading));
    }
  }
  return repairs;
}

function adviceFor(model: Model, read: ReadTerm): string {
  const strategy = model.app.variables.get(read.variable)?.strategy;
  if (strategy === 'bounded-counter') return advice.bounded;
  return strategy === 'max-value' || strategy === 'min-value' ? advice.offer : advice.count;
}

const advice = {
  bounded: 'Decide with what `take` says, not with what is left: that is an estimate. Or accept it: `# cffbrw-ignore R3: why`.',
  offer:
    'Say in the answer that it is what this location knows, or ask `age(vars.…)` first. Or accept it: `# cffbrw-ignore R3: why`.',
  count: 'Decide with a `take` from a bounded-counter. Or accept it: `# cffbrw-ignore R3: why`.',
};
