import { readSlot } from '../frame.ts';
import { valueShape } from '../value-shape.ts';
import { asInputs, defineVerb, follow } from './verb.ts';
import { addressOf, withSlot } from './writing.ts';

export const getVerb = /* @__PURE__ */ defineVerb({
  verb: 'get',
  fields: ({ value, variableName, windowChoice }) => ({
    get: variableName,
    key: value.optional(),
    window: windowChoice.optional(),
  }),
  yields: true,
  compile(step, context) {
    const variable = context.variable(step.get, 'get', 'get');
    context.checkKey(variable, step.key, 'key');
    if (step.window !== undefined && variable.window === undefined) {
      context.refuse(`\`${variable.name}\` has no windows.`, 'Remove `window`, or declare the variable with one.', 'window');
    }
    const inputs = context.inputs(step, 'key');
    const bound = context.yields(step, valueShape(variable));
    return (frame) =>
      follow(frame.evaluate(inputs), (given) =>
        withSlot(frame, addressOf(frame, variable, asInputs(given).key, step.window), (slot) => {
          const found = frame.once(() => readSlot(frame, slot), false);
          if (bound >= 0) frame.values[bound] = found;
        }),
      );
  },
});
