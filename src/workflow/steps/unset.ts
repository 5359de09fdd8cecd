import { defineVerb } from './verb.ts';
import { writeStep } from './writing.ts';

export const unsetVerb = /* @__PURE__ */ defineVerb({
  verb: 'unset',
  fields: ({ value, variableName, text }) => ({ unset: variableName, key: value.optional(), path: text.optional() }),
  yields: false,
  compile(step, context) {
    const variable = context.variable(step.unset, 'unset', 'unset');
    context.checkKey(variable, step.key, 'key');
    if (variable.strategy === 'merge-objects' && step.path === undefined) {
      context.refuse('`unset` of merge-objects needs a `path`.', 'Add `path: field`, or use `reset` to remove all.', 'unset');
    }
    if (variable.strategy !== 'merge-objects' && step.path !== undefined) {
      context.refuse(`\`path\` has no meaning for ${variable.strategy}.`, 'Remove it: `unset` removes the whole value.', 'path');
    }
    const inputs = context.inputs(step, 'key', 'path');
    return writeStep({ variable, inputs, operation: 'unset', fields: (given) => ('path' in given ? { path: given.path } : {}) });
  },
});
