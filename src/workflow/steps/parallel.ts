import { anyShape } from '../../expression/expression.ts';
import type { Json } from '../../strategy/json.ts';
import type { RunFrame } from '../frame.ts';
import type { PlannedStep } from '../plan.ts';
import { runSteps } from '../sequence.ts';
import { closed } from '../shape.ts';
import { defineVerb } from './verb.ts';

type Branch = readonly [name: string, steps: readonly PlannedStep[]];

export const parallelVerb = /* @__PURE__ */ defineVerb({
  verb: 'parallel',
  fields: ({ steps, z }) => ({ parallel: z.record(z.string(), steps), settle: z.enum(['all', 'first', 'any']).optional() }),
  yields: true,
  compile(step, context) {
    const names = Object.keys(step.parallel);
    if (names.length === 0) context.refuse('`parallel` has no branches.', 'Write `parallel: { name: [steps] }`.', 'parallel');
    const branches = names.map((name): Branch => {
      const list = step.parallel[name] ?? [];
      return [
        name,
        context.thread({ silent: 'a branch of `parallel`', repeats: false }, () => context.block(list, 'parallel', name)),
      ];
    });
    const bound = context.yields(step, closed(Object.fromEntries(names.map((name) => [name, anyShape]))));
    const settle = step.settle ?? 'all';
    return async (frame) => {
      const results = await run(frame, branches, settle);
      if (bound >= 0) frame.values[bound] = results;
    };
  },
});

interface Outcome {
  readonly name: string;
  readonly result: Json;
  readonly failure: { readonly error: unknown } | null;
}

/** All branches come to their end before the step does. `first` and `any` say whose result counts; the other results are null. */
async function run(frame: RunFrame, branches: readonly Branch[], settle: 'all' | 'first' | 'any'): Promise<Json> {
  const thread = frame.nextThread();
  const inOrder: Outcome[] = [];
  await Promise.all(
    branches.map(async ([name, list]) => {
      const child = frame.child(`${thread}.${name}`);
      let failure: Outcome['failure'] = null;
      try {
        await runSteps(list, child);
      } catch (error) {
        failure = { error };
      }
      inOrder.push({ name, result: child.result, failure });
    }),
  );
  // Which one was first is a fact of this run: a replay must not find another.
  const order = (await frame.onceWaiting<Json>(async () => inOrder.map((one) => one.name), false)) as readonly string[];
  const sorted = order.flatMap((name) => inOrder.filter((one) => one.name === name));
  const counted = settle === 'all' ? sorted : sorted.filter((one) => settle === 'first' || one.failure === null).slice(0, 1);
  const failed = (settle === 'any' && counted.length === 0 ? sorted : counted).find((one) => one.failure !== null);
  if (failed?.failure) throw failed.failure.error;
  return Object.fromEntries(branches.map(([name]) => [name, counted.find((one) => one.name === name)?.result ?? null]));
}
