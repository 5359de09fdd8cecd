import type { Fields } from '../fields.ts';
import type { RunFrame } from '../frame.ts';
import { didForGood } from '../written.ts';
import { amountOf, checkAmount } from './amount.ts';
import { asInputs, defineVerb, follow } from './verb.ts';
import { addressOf } from './writing.ts';

/** `mint` and `burn`: operators' operations on a bounded counter. */
const supplyVerb = (verb: 'mint' | 'burn') =>
  defineVerb({
    verb,
    fields: ({ number, value, variableName }) =>
      ({ [verb]: variableName, key: value.optional(), amount: number.optional() }) as Record<
        typeof verb,
        Fields['variableName']
      > & {
        key: ReturnType<Fields['value']['optional']>;
        amount: ReturnType<Fields['number']['optional']>;
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
          return supply(frame, (decided) => frame.run.replica[verb](address, units, decided));
        });
    },
  });

/** Once per keyed run: that it was decided goes into the journal in the transaction of the rows that it changes. */
async function supply({ lane, run }: RunFrame, act: (decided: () => void) => Promise<void>): Promise<void> {
  if (lane?.replaying) {
    lane.next();
    return;
  }
  let done = false;
  const decided = () => {
    lane?.check();
    lane?.record(null, true);
    done = true;
  };
  try {
    await act(decided);
  } catch (error) {
    if (!done) lane?.recordError(error);
    throw error;
  }
  didForGood(run);
}

export const mintVerb = /* @__PURE__ */ supplyVerb('mint');
export const burnVerb = /* @__PURE__ */ supplyVerb('burn');
