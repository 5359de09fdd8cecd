/**
 * `http`: asks another server.
 *
 * Nothing goes out before everything that the run has read or written here is durable. In a keyed run the request is announced in the
 * journal first, so that a retry knows of it: what may be repeated is sent again, with the same values, and of anything else it is
 * said that its outcome is unknown. A request that was never sent is taken back.
 */
import { CffbrwError, errorCodes } from '../../error.ts';
import type { Compiled } from '../../expression/expression.ts';
import { anyShape, scalarShape } from '../../expression/expression.ts';
import type { Json } from '../../strategy/json.ts';
import { durationMs } from '../duration.ts';
import { gateOn, type RunFrame } from '../frame.ts';
import type { Lane } from '../journal.ts';
import { closed } from '../shape.ts';
import { didForGood } from '../written.ts';
import { type Answer, AnswerFailure, kept, readAnswer } from './http-answer.ts';
import { bodyFix, checkMethod, checkUrl, isIdempotent, type Sent, sentOf } from './http-request.ts';
import { asInputs, defineVerb, follow, type Inputs, type StepContext } from './verb.ts';

const defaultTimeoutMs = 10_000;
export const maxTimeoutMs = 300_000;

export const httpVerb = /* @__PURE__ */ defineVerb({
  verb: 'http',
  fields: ({ z, duration, text, value }) => {
    const status = z.union([z.int(), z.string()]);
    return {
      http: text,
      method: text.optional(),
      headers: z.record(z.string(), value).optional(),
      body: value.optional(),
      timeout: duration.optional(),
      accept: z.union([status, z.array(status).min(1)]).optional(),
      idempotent: z.boolean().optional(),
    };
  },
  yields: true,
  compile(step, context) {
    checkLiterals(step, context);
    const sending = context.sending(step, 'http', 'headers', 'body');
    const rules = context.inputs(step, 'method', 'timeout', 'accept');
    const bound = context.yields(step, closed({ status: scalarShape, headers: anyShape, body: anyShape }));
    return async (frame) => {
      const call = await prepare(frame, { sending, rules, idempotent: step.idempotent });
      const answer = await exchange(frame, call);
      if (!succeeds(call, answer)) throw new AnswerFailure(answer);
      if (bound >= 0) frame.values[bound] = { status: answer.status, headers: answer.headers, body: answer.body };
    };
  },
});

const isTemplate = (data: unknown): boolean => JSON.stringify(data ?? null).includes('$' + '{');

/** What is known now is checked now. */
function checkLiterals(step: Readonly<Record<string, unknown>>, context: StepContext): void {
  const { method = 'GET', timeout, accept } = step;
  const attempt = (field: string, task: () => unknown): void => {
    try {
      if (!isTemplate(step[field])) task();
    } catch (error) {
      if (!(error instanceof CffbrwError)) throw error;
      context.refuse(`\`${field}\`: ${error.message}.`, error.fix ?? 'Correct it.', field);
    }
  };
  attempt('http', () => checkUrl(step.http as Json));
  attempt('method', () => checkMethod(method as Json));
  attempt('accept', () => acceptsOf(accept as Json | undefined));
  if (timeout !== undefined && !isTemplate(timeout)) context.duration(timeout, maxTimeoutMs, 'timeout');
  if (step.body !== undefined && (method === 'GET' || method === 'HEAD'))
    context.refuse(`A ${method} request has no body.`, bodyFix, 'body');
}

type Accepts = (status: number) => boolean;

function acceptsOf(accept: Json = '2xx'): Accepts {
  const list = Array.isArray(accept) ? (accept as readonly Json[]) : [accept];
  const texts = new Set(list.map(String));
  for (const one of texts) {
    if (/^[1-5](xx|\d\d)$/.test(one)) continue;
    throw new CffbrwError('INVALID_VALUE', 'what is accepted is neither a status nor a class of statuses', {
      fix: 'Write `accept: [2xx, 404]`, say.',
    });
  }
  return (found) => texts.has(String(found)) || texts.has(`${Math.floor(found / 100)}xx`);
}

function timeoutOf(given: Json = defaultTimeoutMs): number {
  const timeoutMs = typeof given === 'number' ? given : durationMs(given);
  if (timeoutMs !== undefined && Number.isSafeInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= maxTimeoutMs) return timeoutMs;
  throw new CffbrwError('INVALID_VALUE', `\`timeout\` is a duration of at most ${maxTimeoutMs / 60_000}m`, {
    fix: 'Write an integer and ms, s or m: `10s`, say.',
  });
}

interface Call {
  readonly sent: Sent;
  readonly timeoutMs: number;
  readonly accepts: Accepts;
  /** Sending it twice does what sending it once does. */
  readonly repeatable: boolean;
}

const succeeds = ({ accepts }: Call, { status, unusable }: Answer): boolean => accepts(status) && unusable === undefined;

interface Parts {
  /** The address, headers and body: secrets may be in them. */
  readonly sending: Compiled;
  readonly rules: Compiled;
  readonly idempotent: boolean | undefined;
}

function prepare(frame: RunFrame, { sending, rules, idempotent }: Parts): Call | Promise<Call> {
  return follow(frame.evaluate(rules), (found) =>
    follow(frame.evaluate(sending), (given): Call => {
      const { method = 'GET', timeout, accept }: Inputs = asInputs(found);
      const sent = sentOf(asInputs(given), checkMethod(method));
      const repeatable = idempotent ?? isIdempotent(sent.method);
      return { sent, timeoutMs: timeoutOf(timeout), accepts: acceptsOf(accept), repeatable };
    }),
  );
}

/** Nothing leaves before everything that it may show is durable. */
async function gate({ run }: RunFrame): Promise<void> {
  await Promise.all(run.gates);
}

async function exchange(frame: RunFrame, call: Call): Promise<Answer> {
  const { lane } = frame;
  if (lane !== null) return exchangeOnce(frame, lane, call);
  await gate(frame);
  return send(frame, call);
}

/** What a lane holds of one request: `sent`, then its answer or its error; before an error also `unsent`, if nothing had left. */
const sentMark = 'sent';
const unsentMark = 'unsent';

async function exchangeOnce(frame: RunFrame, lane: Lane, call: Call): Promise<Answer> {
  let sent = false;
  while (lane.replaying) {
    const before = lane.next();
    if (before !== sentMark && before !== unsentMark) return before as unknown as Answer;
    sent = before === sentMark;
  }
  try {
    if (sent && !call.repeatable) throw outcomeUnknown();
    lane.check();
    // Durable before it is sent, with every value that it was made of: what is sent again is the same.
    if (!sent) keep(frame, lane, sentMark);
    await gate(frame);
    const answer = kept(await send(frame, call));
    // A failure that may pass is kept only if the run goes on from it: else a retry asks again.
    if (!call.repeatable || succeeds(call, answer)) keep(frame, lane, answer as unknown as Json);
    else lane.record(answer as unknown as Json, false);
    return answer;
  } catch (error) {
    if (neverSent(error)) keep(frame, lane, unsentMark);
    lane.recordError(error);
    throw error;
  }
}

/** In the journal, and durable before the run tells anybody anything. */
function keep({ run }: RunFrame, lane: Lane, entry: Json): void {
  lane.record(entry, true);
  gateOn(run, run.replica.pending());
}

const neverSent = (error: unknown): boolean =>
  error instanceof CffbrwError && (error.code === 'UNREACHABLE' || error.code === 'FORBIDDEN_ADDRESS');

const outcomeUnknown = () =>
  new CffbrwError('HTTP_FAILED', 'the request was sent before, and what became of it is unknown', {
    fix:
      'If the other side takes repeats, say `idempotent: true`, and send a key that stays the same: `idempotency-key: $' +
      '{ uuid() }`.',
  });

/** One request, and its whole answer, within the time. */
async function send({ run }: RunFrame, { sent, timeoutMs, repeatable }: Call): Promise<Answer> {
  if (!repeatable) didForGood(run);
  const { url, method, headers, body } = sent;
  const abort = new AbortController();
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = run.host.after(timeoutMs, () => {
      reject(timedOut(timeoutMs));
      abort.abort();
    });
  });
  const request = new Request(url.href, { method, headers, body, redirect: 'manual', signal: abort.signal });
  const answer = run.host.fetch(request).then(readAnswer).catch(rethrow);
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel();
  }
}

const timedOut = (timeoutMs: number) =>
  new CffbrwError('TIMEOUT', `the other server has not answered within ${timeoutMs} ms`, {
    fix: 'It may or may not have done what it was asked to. Raise `timeout` if it needs longer.',
  });

/** Whatever the platform says, in our words: its own may hold the address, and so a secret. */
function rethrow(error: unknown): never {
  const reason = reasonOf(error);
  const because = reason === null ? '' : ` (${reason})`;
  const code = error instanceof CffbrwError ? error.code : 'HTTP_FAILED';
  if (code === 'FORBIDDEN_ADDRESS') {
    const fix =
      'If the app is meant to reach it, name its host or range in cffbrw.yaml: `outbound: { allow: [billing.internal] }`.';
    throw new CffbrwError(code, 'the address is not one of the public Internet', { fix });
  }
  if (code === 'UNREACHABLE') {
    throw new CffbrwError(code, `the other server cannot be reached${because}`, {
      fix: 'Check the address; or try again later.',
    });
  }
  throw new CffbrwError('HTTP_FAILED', `no whole answer could be read${because}`, {
    fix: 'The other server may or may not have done what it was asked to.',
  });
}

/** `ECONNREFUSED`, say: the innermost code of a platform's error. */
function reasonOf(error: unknown): string | null {
  let found: string | null = null;
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) && !(code in errorCodes)) found = code;
  }
  return found;
}
