import type * as z from 'zod';
import { CffbrwError } from '../../error.ts';
import type { Fields } from '../fields.ts';
import { scalarsShape } from '../shape.ts';
import { didForGood } from '../written.ts';
import { asInputs, defineVerb, follow } from './verb.ts';

/** `give` and `confirm` settle a receipt. Asking again is harmless, and answers what happened. */
const settleVerb = (verb: 'give' | 'confirm') =>
  defineVerb({
    verb,
    fields: ({ value, variableName, z }) =>
      ({ [verb]: z.union([variableName, z.array(variableName).min(1)]), receipt: value }) as Record<
        typeof verb,
        z.ZodUnion<[Fields['variableName'], z.ZodArray<Fields['variableName']>]>
      > & { receipt: Fields['value'] },
    yields: true,
    compile(step, context) {
      const named = step[verb];
      const names = typeof named === 'string' ? [named] : named;
      for (const [index, name] of names.entries())
        context.variable(name, verb, verb, ...(typeof named === 'string' ? [] : [index]));
      const inputs = context.inputs(step, 'receipt');
      const bound = context.yields(step, scalarsShape('ok', 'reason', 'repeated'));
      return (frame) =>
        follow(frame.evaluate(inputs), async (given) => {
          const { run } = frame;
          const receipt = receiptOf(asInputs(given).receipt, verb);
          const result = await frame.onceWaiting(async () => {
            const { ok, reason, repeated } = await run.replica[verb](receipt);
            if (ok && !repeated) didForGood(run);
            return { ok, reason, repeated };
          }, true);
          if (bound >= 0) frame.values[bound] = result;
        });
    },
  });

function receiptOf(receipt: unknown, verb: string): string {
  if (typeof receipt === 'string' && receipt !== '') return receipt;
  throw new CffbrwError('INVALID_VALUE', `the receipt to ${verb} is ${receipt === null ? 'null' : 'not text'}`, {
    fix: 'Use the receipt of a take whose `ok` is true.',
  });
}

export const giveVerb = /* @__PURE__ */ settleVerb('give');
export const confirmVerb = /* @__PURE__ */ settleVerb('confirm');
