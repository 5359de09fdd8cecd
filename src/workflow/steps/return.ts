import { returned } from '../frame.ts';
import { defineVerb, follow } from './verb.ts';

export const returnVerb = /* @__PURE__ */ defineVerb({
  verb: 'return',
  fields: ({ value }) => ({ return: value }),
  yields: false,
  compile(step, context) {
    const compiled = context.value(step.return, 'return');
    context.flow.live = false;
    return (frame) =>
      follow(frame.evaluate(compiled), (result) => {
        frame.result = result;
        frame.signal = returned;
      });
  },
});
