import type { Fields } from '../fields.ts';
import { scalarsShape } from '../shape.ts';
import { defineVerb } from './verb.ts';
import { writeStep } from './writing.ts';

/** `raise` and `lower`: an offer. It yields whether the offer was accepted, as seen here. */
const offerVerb = (verb: 'raise' | 'lower') =>
  defineVerb({
    verb,
    fields: ({ value, variableName }) =>
      ({ [verb]: variableName, key: value.optional(), value, with: value.optional() }) as Record<
        typeof verb,
        Fields['variableName']
      > & { key: ReturnType<Fields['value']['optional']>; value: Fields['value']; with: ReturnType<Fields['value']['optional']> },
    yields: true,
    compile(step, context) {
      const variable = context.variable(step[verb], verb, verb);
      context.checkKey(variable, step.key, 'key');
      const inputs = context.inputs(step, 'key', 'value', 'with');
      const slot = context.yields(step, scalarsShape('accepted'));
      return writeStep(
        {
          variable,
          inputs,
          operation: verb,
          fields: (given) => ('with' in given ? { value: given.value, with: given.with } : { value: given.value }),
        },
        (frame, accepted) => {
          if (slot >= 0) frame.values[slot] = { accepted };
        },
      );
    },
  });

export const raiseVerb = /* @__PURE__ */ offerVerb('raise');
export const lowerVerb = /* @__PURE__ */ offerVerb('lower');
