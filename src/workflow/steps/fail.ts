import type { Json } from '../../strategy/json.ts';
import { Failure } from '../result.ts';
import { asInputs, defineVerb, follow, type Inputs } from './verb.ts';

export const failVerb = /* @__PURE__ */ defineVerb({
  verb: 'fail',
  fields: ({ z, number, text }) => ({
    fail: z.strictObject({ status: number, type: text, title: text, detail: text.optional() }),
  }),
  yields: false,
  compile(step, context) {
    const { status } = step.fail;
    const wrong = typeof status === 'number' ? !isFailure(status) : !status.includes('$' + '{');
    if (wrong)
      context.refuse(`The status of a \`fail\` is 400 to 599, not ${status}.`, 'Use 409 for a conflict, say.', 'fail', 'status');
    const inputs = context.value(step.fail, 'fail');
    context.flow.live = false;
    return (frame) =>
      follow(frame.evaluate(inputs), (given) => {
        throw failure(asInputs(given));
      });
  },
});

const isFailure = (status: Json | undefined): status is number =>
  typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599;

function failure(given: Inputs): Failure {
  const detail = given.detail === undefined || given.detail === null ? {} : { detail: asText(given.detail) };
  // A status that is none would hide the failure: it stays one, of the server.
  const status = isFailure(given.status) ? given.status : 500;
  return new Failure({ status, type: asText(given.type), title: asText(given.title), ...detail });
}

const asText = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
