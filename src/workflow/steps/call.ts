import { CffbrwError } from '../../error.ts';
import { anyShape } from '../../expression/expression.ts';
import type { Json } from '../../strategy/json.ts';
import type { RunFrame } from '../frame.ts';
import { runSteps } from '../sequence.ts';
import { defineVerb, follow } from './verb.ts';

export const callVerb = /* @__PURE__ */ defineVerb({
  verb: 'call',
  fields: ({ value, z }) => ({ call: z.string(), with: value.optional() }),
  yields: true,
  compile(step, context) {
    const target = context.workflow(step.call, 'call');
    const given = context.value(step.with ?? null, 'with');
    const bound = context.yields(step, anyShape);
    return (frame) =>
      follow(frame.evaluate(given), (input) => {
        const called = enter(frame, input);
        return follow(runSteps(target().steps, called), () => {
          if (bound >= 0) frame.values[bound] = called.result;
        });
      });
  },
});

/** The called workflow's frame: it sees its request and nothing of the caller. */
function enter(frame: RunFrame, input: Json): RunFrame {
  const { run, depth } = frame;
  if (depth >= run.limits.depth) {
    throw new CffbrwError('STEP_LIMIT', `workflows call each other more than ${run.limits.depth} deep`, {
      fix: 'Look for a workflow that calls itself.',
    });
  }
  return frame.child(`${frame.nextThread()}`, [{ with: input }], depth + 1);
}
