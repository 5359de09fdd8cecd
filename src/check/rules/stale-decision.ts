/** R3: a decision on a count controls an answer, or a request to another server. It is reported where the decision stands. */
import type { Answer, Guard, Model, Send } from '../effect.ts';
import { factsOf, isNullTest, readingFacts } from '../fact.ts';
import type { Edit, Finding } from '../finding.ts';
import { escrow } from '../repair/escrow.ts';
import { found, oncePerStep, type Rule } from '../report.ts';
import { type ReadTerm, readsOf } from '../term.ts';
import { conditionText, doing, stepText } from '../words.ts';
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
  return oncePerStep(decided).map((one) => report(model, one, repairs));
};

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

function report(model: Model, { effect, guard, read }: Decided, repairs: Repairs): Finding {
  const strategy = model.app.variables.get(read.variable)?.strategy;
  const what = effect.kind === 'send' ? `the request of ${stepText(effect.step)} goes out` : 'the answer is given';
  return found('R3', guard.step, {
    story: `One user has just changed ${read.variable} at another location, and another ${doing(effect.run)} here: \`${conditionText(guard)}\` decides on a value that is not the latest, and ${what} all the same.`,
    edits: repairs.get(guard.step)?.() ?? [],
    summary:
      strategy === 'bounded-counter'
        ? advice.bounded
        : strategy === 'max-value' || strategy === 'min-value'
          ? advice.offer
          : advice.count,
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

const advice = {
  bounded: 'Decide with what `take` says, not with what is left: that is an estimate. Or accept it: `# cffbrw-ignore R3: why`.',
  offer:
    'Say in the answer that it is what this location knows, or ask `age(vars.…)` first. Or accept it: `# cffbrw-ignore R3: why`.',
  count: 'Decide with a `take` from a bounded-counter. Or accept it: `# cffbrw-ignore R3: why`.',
};
