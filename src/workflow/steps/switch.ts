import type { RunFrame } from '../frame.ts';
import type { Condition, Executed, PlannedStep } from '../plan.ts';
import { runSteps } from '../sequence.ts';
import { defineVerb, follow } from './verb.ts';

interface Arm {
  readonly test: Condition;
  readonly steps: readonly PlannedStep[];
}

export const switchVerb = /* @__PURE__ */ defineVerb({
  verb: 'switch',
  fields: ({ z, condition, steps }) => ({
    switch: z.array(z.strictObject({ when: condition, do: steps })).min(1),
    default: steps.optional(),
  }),
  yields: false,
  compile(step, context) {
    const arms: Arm[] = [];
    let otherwise: readonly PlannedStep[] = [];
    const compiles = step.switch.map((one, index) => () => {
      const test = context.condition(one.when, 'switch', index, 'when');
      arms.push({ test, steps: context.block(one.do, 'switch', index, 'do') });
    });
    const compileDefault = () => {
      if (step.default !== undefined) otherwise = context.block(step.default, 'default');
    };
    context.arms([...compiles, compileDefault], true);
    return (frame) => runFirst(frame, arms, 0, otherwise);
  },
});

/** The first arm whose condition holds. */
function runFirst(frame: RunFrame, arms: readonly Arm[], index: number, otherwise: readonly PlannedStep[]): Executed {
  const arm = arms[index];
  if (arm === undefined) return runSteps(otherwise, frame);
  return follow(arm.test.evaluate(frame), (holds) =>
    holds ? runSteps(arm.steps, frame) : runFirst(frame, arms, index + 1, otherwise),
  );
}
