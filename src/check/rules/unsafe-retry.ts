/** R8: a step that a `retry` would do again, where doing it twice is not doing it once. */
import { isIdempotent } from '../../workflow/steps/http-request.ts';
import type { AnyEffect, Model, StepRef } from '../effect.ts';
import { found, oncePerStep, placeOf, type Rule } from '../report.ts';
import { stepText, twoUsers } from '../words.ts';

export const unsafeRetry: Rule = (model) =>
  oncePerStep(model.effects.filter((effect) => effect.retries.some((retry) => isRepeated(model, effect, retry)))).map(
    (effect) => {
      const [retry] = effect.retries.slice(-1);
      return found('R8', effect.step, {
        story: `${twoUsers(effect)}: for one of them a step of the \`try\` fails after ${stepText(effect.step)} was done, and the retry does it a second time.`,
        summary: adviceFor(effect),
        related: retry ? [{ place: placeOf(retry), message: 'the steps that are tried again' }] : [],
      });
    },
  );

function adviceFor({ step }: AnyEffect): string {
  if (step.verb === 'http')
    return 'Say `idempotent: true` and send an idempotency key that stays the same, if the other side knows one; or leave it out of the `try`.';
  if (step.verb === 'take')
    return 'Add `once: <key>`, so that a second take answers with the first; or move it out of the `try`.';
  return 'Move it behind the `try`: only what may fail belongs into it.';
}

/** Repeatable: a second time changes nothing, or nothing behind it can fail. */
function isRepeated(model: Model, effect: AnyEffect, retry: StepRef): boolean {
  const { verb, data } = effect.step;
  if (effect.kind === 'send') return data.idempotent !== true && !isIdempotentMethod(data.method);
  if (effect.kind !== 'write') return false;
  if (verb === 'take' ? data.once !== undefined : !['add', 'mint', 'burn'].includes(verb)) return false;
  return model.effects.some(
    (later) => later.run === effect.run && later.order > effect.order && later.retries.includes(retry) && mayFail(later),
  );
}

const isIdempotentMethod = (method: unknown): boolean =>
  method === undefined || (typeof method === 'string' && isIdempotent(method));

const mayFail = ({ kind, step }: AnyEffect): boolean =>
  kind === 'send' || step.verb === 'fail' || ['take', 'give', 'confirm', 'mint', 'burn'].includes(step.verb);
