import type { Fields } from '../fields.ts';
import { defineVerb } from './verb.ts';
import { writeStep } from './writing.ts';

/** `set`, `replace` and `merge` differ only in what the strategy does. */
const valueVerb = (verb: 'set' | 'replace' | 'merge') =>
  defineVerb({
    verb,
    fields: ({ value, variableName }) =>
      ({ [verb]: variableName, key: value.optional(), value }) as Record<typeof verb, Fields['variableName']> & {
        key: ReturnType<Fields['value']['optional']>;
        value: Fields['value'];
      },
    yields: false,
    compile(step, context) {
      const variable = context.variable(step[verb], verb, verb);
      context.checkKey(variable, step.key, 'key');
      const inputs = context.inputs(step, 'key', 'value');
      return writeStep({ variable, inputs, operation: verb, fields: (given) => ({ value: given.value }) });
    },
  });

export const setVerb = /* @__PURE__ */ valueVerb('set');
export const replaceVerb = /* @__PURE__ */ valueVerb('replace');
export const mergeVerb = /* @__PURE__ */ valueVerb('merge');
