import type { Json } from '../../strategy/json.ts';
import { idOf } from '../frame.ts';
import { asInputs, defineVerb, follow } from './verb.ts';

export const logVerb = /* @__PURE__ */ defineVerb({
  verb: 'log',
  fields: ({ z, text, value }) => ({
    log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']), message: text, data: value.optional() }),
  }),
  yields: false,
  compile(step, context) {
    const { level, ...rest } = step.log;
    const inputs = context.value(rest, 'log');
    return (frame) =>
      follow(frame.evaluate(inputs), (value) => {
        const { message, data } = asInputs(value);
        const written = typeof message === 'string' ? message : JSON.stringify(message ?? (null as Json));
        const { log, workflow } = frame.run;
        log({ level, message: written, workflow, id: idOf(frame.run), ...(data !== undefined && { data }) });
      });
  },
});
