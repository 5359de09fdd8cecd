import { amountOf, checkAmount } from './amount.ts';
import { defineVerb } from './verb.ts';
import { writeStep } from './writing.ts';

export const addVerb = /* @__PURE__ */ defineVerb({
  verb: 'add',
  fields: ({ number, value, variableName }) => ({ add: variableName, key: value.optional(), amount: number.optional() }),
  yields: false,
  compile(step, context) {
    const variable = context.variable(step.add, 'add', 'add');
    context.checkKey(variable, step.key, 'key');
    checkAmount(step.amount, context);
    const inputs = context.inputs(step, 'key', 'amount');
    return writeStep({ variable, inputs, operation: 'add', fields: (given) => ({ amount: amountOf(given) }) });
  },
});
