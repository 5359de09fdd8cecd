import { number, value, variableName } from '../fields.ts';
import { gateOn, type RunFrame } from '../frame.ts';
import { amountOf, checkAmount } from './amount.ts';
import { asInputs, defineVerb, follow } from './verb.ts';
import { addressOf, withSlot } from './writing.ts';

/** `mint` and `burn`: operators' operations on a bounded counter. */
const supplyVerb = (verb: 'mint' | 'burn') =>
  defineVerb({
    verb,
    fields: { [verb]: variableName, key: value.optional(), amount: number.optional() } as Record<
      typeof verb,
      typeof variableName
    > & {
      key: ReturnType<typeof value.optional>;
      amount: ReturnType<typeof number.optional>;
    },
    yields: false,
    compile(step, context) {
      const variable = context.variable(step[verb], verb, verb);
      context.checkKey(variable, step.key, 'key');
      checkAmount(step.amount, context);
      const inputs = context.inputs(step, 'key', 'amount');
      return (frame) =>
        follow(frame.evaluate(inputs), (values) => {
          const given = asInputs(values);
          const [address, units] = [addressOf(frame, variable, given.key), amountOf(given)];
          // Loaded first, so that little time lies between the announcement and the decision.
          return withSlot(frame, address, () => supply(frame, () => frame.run.replica[verb](address, units)));
        });
    },
  });

/**
 * Announced in the journal before it is done, so that a retry never does it twice: units too many would be sold. A death between the
 * two loses it, for the replica does not say when it has decided, as it does for a take.
 */
async function supply(frame: RunFrame, act: () => Promise<void>): Promise<void> {
  const { run } = frame;
  let acting: Promise<void> | undefined;
  frame.once(() => {
    acting = act();
    return null;
  }, true);
  await frame.onceWaiting(async () => {
    await acting;
    return null;
  }, false);
  gateOn(run, run.replica.pending());
}

export const mintVerb = supplyVerb('mint');
export const burnVerb = supplyVerb('burn');
