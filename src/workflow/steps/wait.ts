import { CffbrwError } from '../../error.ts';
import { durationMs } from '../duration.ts';
import type { RunFrame } from '../frame.ts';
import { defineVerb, follow } from './verb.ts';

export const maxWaitMs = 30_000;

export const waitVerb = /* @__PURE__ */ defineVerb({
  verb: 'wait',
  fields: ({ duration }) => ({ wait: duration }),
  yields: false,
  compile(step, context) {
    const source = step.wait;
    if (typeof source !== 'string' || !source.includes('$' + '{')) context.duration(source, maxWaitMs, 'wait');
    const compiled = context.value(source, 'wait');
    return (frame) =>
      follow(frame.evaluate(compiled), async (given) => {
        const delayMs = typeof given === 'number' ? given : durationMs(given);
        if (delayMs === undefined || !Number.isSafeInteger(delayMs) || delayMs < 0 || delayMs > maxWaitMs) {
          throw new CffbrwError('INVALID_VALUE', `\`wait\` takes 0 to 30s, not ${JSON.stringify(given)}`, {
            fix: 'Write a shorter duration.',
          });
        }
        await frame.onceWaiting(() => pause(frame, delayMs), false);
      });
  },
});

const pause = (frame: RunFrame, delayMs: number): Promise<null> =>
  new Promise((resolve) => {
    frame.run.host.after(delayMs, () => resolve(null));
  });
