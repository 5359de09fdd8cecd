import { CffbrwError } from '../../error.ts';
import { anyShape } from '../../expression/expression.ts';
import type { Json } from '../../strategy/json.ts';
import { ended, going, type RunFrame } from '../frame.ts';
import type { Executed, PlannedStep } from '../plan.ts';
import { runSteps } from '../sequence.ts';
import { defineVerb, follow } from './verb.ts';

export const maxIterations = 1_000;

export const eachVerb = /* @__PURE__ */ defineVerb({
  verb: 'each',
  fields: ({ value, steps, boundName, z }) => ({
    each: value,
    item: boundName,
    do: steps,
    concurrency: z.int().min(1).max(100).optional(),
    max: z.int().min(1).max(maxIterations).optional(),
  }),
  yields: true,
  compile(step, context) {
    const list = context.value(step.each, 'each');
    const concurrency = step.concurrency ?? 1;
    const silent = concurrency > 1 ? 'an iteration that runs beside others' : null;
    const itemShape = list.shape.kind === 'list' ? list.shape.item : anyShape;
    const body = context.thread({ silent, repeats: true }, () => {
      const item = context.bind(step.item, itemShape, 'item');
      return { item, steps: context.block(step.do, 'do') };
    });
    const bound = context.yields(step, anyShape);
    const max = step.max ?? maxIterations;
    return (frame) =>
      follow(frame.evaluate(list), (found) => {
        const loop: Loop = { frame, thread: frame.nextThread(), ...body, items: listOf(found, max), results: [] };
        return follow(concurrency === 1 ? inTurn(loop, 0) : together(loop, concurrency), () => {
          if (bound >= 0) frame.values[bound] = loop.results;
        });
      });
  },
});

interface Loop {
  readonly frame: RunFrame;
  readonly thread: number;
  readonly item: number;
  readonly steps: readonly PlannedStep[];
  readonly items: readonly Json[];
  readonly results: Json[];
}

function listOf(found: Json, max: number): readonly Json[] {
  if (!Array.isArray(found)) {
    const what = found === null ? 'null' : typeof found === 'object' ? 'an object' : `a ${typeof found}`;
    throw new CffbrwError('INVALID_VALUE', `\`each\` needs a list, and this is ${what}`, {
      fix: 'Give it a list: `?? []` where there may be none.',
    });
  }
  if (found.length <= max) return found;
  throw new CffbrwError('STEP_LIMIT', `\`each\` has ${found.length} elements, and at most ${max} are allowed`, {
    fix: `Work on less at once${max < maxIterations ? ', or raise `max`' : ''}.`,
  });
}

/** One iteration, in a frame of its own; it writes down what `return` gave. */
function iterate(loop: Loop, index: number): Executed {
  const child = loop.frame.child(`${loop.thread}.${index}`);
  child.values[loop.item] = loop.items[index] ?? null;
  return follow(runSteps(loop.steps, child), () => {
    loop.results[index] = child.result;
    if (child.signal === ended) loop.frame.signal = ended;
  });
}

function inTurn(loop: Loop, from: number): Executed {
  for (let index = from; index < loop.items.length; index++) {
    const pending = iterate(loop, index);
    if (pending !== undefined) return pending.then(() => (loop.frame.signal === going ? inTurn(loop, index + 1) : undefined));
    if (loop.frame.signal !== going) return;
  }
}

/** As many at once as `concurrency` says. A failing one fails the step after the others that had begun have ended; no new ones begin. */
async function together(loop: Loop, concurrency: number): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (next < loop.items.length && failures.length === 0) {
      try {
        await iterate(loop, next++);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, loop.items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
