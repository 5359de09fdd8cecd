import { CffbrwError } from '../../error.ts';
import type { Json } from '../../strategy/json.ts';
import { ended, type RunFrame } from '../frame.ts';
import type { Executed } from '../plan.ts';
import type { RunAnswer } from '../result.ts';
import { asInputs, defineVerb, follow, type Inputs } from './verb.ts';

export const respondVerb = /* @__PURE__ */ defineVerb({
  verb: 'respond',
  fields: ({ z, number, value }) => {
    const headers = z.record(z.string(), value).optional();
    const answer = { status: number.optional(), headers, body: value.optional(), continue: z.boolean().optional() };
    return { respond: z.strictObject(answer).nullable() };
  },
  yields: false,
  compile(step, context) {
    const { continue: goesOn = false, ...fields } = step.respond ?? {};
    const { flow } = context;
    if (flow.silent !== null) {
      context.refuse(`\`respond\` cannot stand in ${flow.silent}.`, 'Use `return` here, and respond after it.', 'respond');
    }
    if (flow.answered || (goesOn && flow.repeats)) {
      context.refuse(
        'A run answers once, and it may have answered before it comes here.',
        'Remove one of the two `respond` steps.',
        'respond',
      );
    }
    if (typeof fields.status === 'number') checkStatus(fields.status, () => context.place('respond', 'status'));
    const inputs = context.value(fields, 'respond');
    flow.live = goesOn;
    flow.answered ||= goesOn;
    flow.answers += goesOn ? 1 : 0;
    return (frame) => follow(frame.evaluate(inputs), (given) => respond(frame, asInputs(given), goesOn));
  },
});

function respond(frame: RunFrame, given: Inputs, goesOn: boolean): Executed {
  const { run } = frame;
  run.answer = answerOf(given);
  if (!goesOn) {
    frame.signal = ended;
    return undefined;
  }
  run.early?.(run.answer);
  // The answer leaves before the run goes on.
  return Promise.resolve();
}

function answerOf(given: Inputs): RunAnswer {
  const status = given.status ?? ('body' in given || !('status' in given) ? 200 : null);
  if (typeof status !== 'number') throw refusal(`the status is ${JSON.stringify(status)}, not a number`);
  checkStatus(status);
  const headers = headersOf(given.headers);
  return 'body' in given ? { status, headers, body: given.body ?? null } : { status, headers };
}

function checkStatus(status: number, place?: () => { file: string; line: number; column: number }): void {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return;
  const message = `the status ${status} is none: statuses are 200 to 599`;
  throw place === undefined
    ? refusal(message)
    : new CffbrwError('INVALID_DOCUMENT', `${message[0]?.toUpperCase()}${message.slice(1)}.`, {
        place: place(),
        fix: 'Use 200, say.',
      });
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

function headersOf(given: Json | undefined): Readonly<Record<string, string>> {
  if (given === undefined) return noHeaders;
  const headers: Record<string, string> = {};
  for (const [name, content] of Object.entries(asInputs(given))) {
    if (content === null) continue;
    const text = typeof content === 'object' ? JSON.stringify(content) : String(content);
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw refusal(`\`${name}\` is no name of a header`);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) throw refusal(`the header ${name} has characters that no header can have`);
    headers[name.toLowerCase()] = text;
  }
  return headers;
}

const refusal = (message: string) => new CffbrwError('RUN_FAILED', message, { fix: 'Correct the `respond` step.' });
