import { defineVerb } from './verb.ts';
import { writeStep } from './writing.ts';

export const resetVerb = /* @__PURE__ */ defineVerb({
  verb: 'reset',
  fields: ({ value, variableName }) => ({ reset: variableName, key: value.optional() }),
  yields: false,
  compile(step, context) {
    const variable = context.variable(step.reset, 'reset', 'reset');
    context.checkKey(variable, step.key, 'key');
    const inputs = context.inputs(step, 'key');
    return writeStep({ variable, inputs, operation: 'reset', fields: () => ({}) });
  },
});
