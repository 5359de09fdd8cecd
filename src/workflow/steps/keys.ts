import { CffbrwError } from '../../error.ts';
import { anyShape } from '../../expression/expression.ts';
import type { Json } from '../../strategy/json.ts';
import { gateOn, toKey } from '../frame.ts';
import { asInputs, defineVerb, follow, type Inputs } from './verb.ts';

const maxLimit = 1_000;

export const keysVerb = /* @__PURE__ */ defineVerb({
  verb: 'keys',
  fields: ({ number, value, variableName, windowChoice, z }) => ({
    keys: variableName,
    prefix: z.string().optional(),
    after: value.optional(),
    limit: number.optional(),
    window: windowChoice.optional(),
  }),
  yields: true,
  compile(step, context) {
    const variable = context.variable(step.keys, 'keys', 'keys');
    if (!variable.keyed)
      context.refuse(`\`${variable.name}\` is not keyed, so it has no keys.`, 'Declare it with `keyed: true`.', 'keys');
    const inputs = context.inputs(step, 'prefix', 'after', 'limit');
    const bound = context.yields(step, { kind: 'list', item: anyShape });
    const window = step.window === undefined ? {} : { window: step.window };
    return (frame) =>
      follow(frame.evaluate(inputs), async (given) => {
        const { run } = frame;
        const page = { ...pageOf(asInputs(given)), ...window };
        const found = await frame.onceWaiting<Json>(() => run.replica.keys(variable.name, page), false);
        gateOn(run, run.replica.pending());
        if (bound >= 0) frame.values[bound] = found;
      });
  },
});

function pageOf(given: Inputs): { prefix?: string; after?: ReturnType<typeof toKey>; limit: number } {
  const { prefix, after, limit = 100 } = given;
  if (prefix !== undefined && typeof prefix !== 'string') throw refusal('`prefix` is no text');
  if (!Number.isSafeInteger(limit) || (limit as number) < 1 || (limit as number) > maxLimit)
    throw refusal(`\`limit\` is not 1 to ${maxLimit}`);
  return {
    limit: limit as number,
    ...(prefix !== undefined && { prefix }),
    // `after: null` is the first page: where a query parameter was left out.
    ...(after !== undefined && after !== null && { after: toKey(after, '`after`') }),
  };
}

const refusal = (message: string) => new CffbrwError('INVALID_VALUE', message, { fix: 'Check it in the schema of the request.' });
