import type { PlannedStep } from '../plan.ts';
import { runSteps } from '../sequence.ts';
import { defineVerb, follow } from './verb.ts';

export const ifVerb = /* @__PURE__ */ defineVerb({
  verb: 'if',
  // biome-ignore lint/suspicious/noThenProperty: the field of the document, in a list of fields that nobody awaits
  fields: ({ condition, steps }) => ({ if: condition, then: steps, else: steps.optional() }),
  yields: false,
  compile(step, context) {
    const test = context.condition(step.if, 'if');
    let yes: readonly PlannedStep[] = [];
    let no: readonly PlannedStep[] = [];
    const compileThen = () => {
      yes = context.block(step.then, 'then');
    };
    const compileElse = () => {
      if (step.else !== undefined) no = context.block(step.else, 'else');
    };
    context.arms([compileThen, compileElse], true);
    return (frame) => follow(test.evaluate(frame), (holds) => runSteps(holds ? yes : no, frame));
  },
});
