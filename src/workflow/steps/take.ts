import type * as z from 'zod';
import { CffbrwError } from '../../error.ts';
import { anyShape } from '../../expression/expression.ts';
import type { DecidedTake, TakeOptions, TakeRequest, TakeResult } from '../../replica/replica.ts';
import type { Json } from '../../strategy/json.ts';
import type { Variable } from '../../strategy/variable.ts';
import { durationMs } from '../duration.ts';
import type { Fields } from '../fields.ts';
import { gateOn, type Run, type RunFrame, toKey } from '../frame.ts';
import type { Executed } from '../plan.ts';
import { closed, scalarsShape } from '../shape.ts';
import { wrote } from '../written.ts';
import { amountOf, checkAmount } from './amount.ts';
import { asInputs, defineVerb, follow, type Inputs, type StepContext } from './verb.ts';
import { keyOf } from './writing.ts';

const entry = ({ z, variableName, value, number, boundName }: Fields) =>
  z.strictObject({
    take: variableName,
    key: value.optional(),
    amount: number.optional(),
    each: value.optional(),
    item: boundName.optional(),
  });
type Entry = z.infer<ReturnType<typeof entry>>;

export const takeVerb = /* @__PURE__ */ defineVerb({
  verb: 'take',
  fields(fields) {
    const { z, number, value, variableName, duration } = fields;
    return {
      take: z.union([variableName, z.array(entry(fields)).min(1)]),
      key: value.optional(),
      amount: number.optional(),
      once: value.optional(),
      strong: z.boolean().optional(),
      hold: duration.optional(),
      timeout: duration.optional(),
    };
  },
  yields: true,
  compile(step, context) {
    const list = typeof step.take === 'string' ? null : step.take;
    if (list !== null) refuseBesideList(step, context);
    const requests = list === null ? single(step, context) : many(list, context);
    if (step.once === null)
      context.refuse('`once` is null.', 'Write who may have it once: a text, an integer, or a list of them.', 'once');
    const options = optionsIn(step, context);
    const bound = context.yields(step, takeShape(list !== null));
    const receipt = step.as === undefined ? () => false : context.reads(step.as, 'receipt');
    const json = list === null ? toJson : listToJson;
    return (frame) =>
      follow(requests(frame), (wanted) =>
        follow(options(frame), (given) => take(frame, { requests: wanted, options: given, bound, json, receipt })),
      );
  },
});

const takeShape = (list: boolean) => {
  const fields = scalarsShape('ok', 'reason', 'left', 'receipt', 'repeated', 'confirmed', 'expires', 'windowEnds');
  if (!list || fields.kind !== 'object') return fields;
  return closed({ ...Object.fromEntries(fields.properties), failed: closed({ take: anyShape, key: anyShape }) });
};

type Requests = (frame: RunFrame) => readonly TakeRequest[] | Promise<readonly TakeRequest[]>;

function single(
  step: Readonly<Record<string, unknown>> & { take: unknown; amount?: number | string | undefined },
  context: StepContext,
): Requests {
  const variable = context.variable(String(step.take), 'take', 'take');
  context.checkKey(variable, step.key, 'key');
  checkAmount(step.amount, context);
  const inputs = context.inputs(step, 'key', 'amount');
  let always: Requests | null = null;
  return (frame) => {
    if (always !== null) return always(frame);
    return follow(frame.evaluate(inputs), (given) => {
      const requests = [request(variable, asInputs(given))];
      if (inputs.constant) always = () => requests;
      return requests;
    });
  };
}

function request(variable: Variable, given: Inputs): TakeRequest {
  const key = keyOf(variable, given.key);
  return { variable: variable.name, amount: amountOf(given), ...(key !== undefined && { key }) };
}

function refuseBesideList(step: Readonly<Record<string, unknown>>, context: StepContext): void {
  for (const field of ['key', 'amount', 'once', 'strong']) {
    if (step[field] === undefined) continue;
    const fix =
      field === 'once' || field === 'strong' ? 'Take one variable, or leave it out.' : 'Write it into the entries of the list.';
    context.refuse(`\`${field}\` cannot stand beside a list of takes.`, fix, field);
  }
}

/** An entry with `each` is one take per element, with the element bound to `item`. */
function many(list: readonly Entry[], context: StepContext): Requests {
  const parts = list.map((one, index) => compileEntry(one, index, context));
  return (frame) => collect(frame, parts, 0, []);
}

function compileEntry(one: Entry, index: number, context: StepContext): Requests {
  const variable = context.variable(one.take, 'take', 'take', index, 'take');
  context.checkKey(variable, one.key, 'take', index, 'key');
  checkAmount(one.amount, context, 'take', index);
  const compile = () => {
    const fields = { ...(one.key !== undefined && { key: one.key }), ...(one.amount !== undefined && { amount: one.amount }) };
    return context.value(fields, 'take', index);
  };
  if (one.each === undefined) {
    if (one.item !== undefined)
      context.refuse('`item` names the element of `each`, and there is none.', 'Add `each: list`.', 'take', index, 'item');
    const inputs = compile();
    return (frame) => follow(frame.evaluate(inputs), (given) => [request(variable, asInputs(given))]);
  }
  const elements = context.value(one.each, 'take', index, 'each');
  const itemShape = elements.shape.kind === 'list' ? elements.shape.item : anyShape;
  return context.scope.inner(() => {
    const slot = one.item === undefined ? -1 : context.bind(one.item, itemShape, 'take', index, 'item');
    const inputs = compile();
    const perItem = (frame: RunFrame, item: Json) => {
      if (slot >= 0) frame.values[slot] = item;
      return follow(frame.evaluate(inputs), (given) => [request(variable, asInputs(given))]);
    };
    return (frame) =>
      follow(frame.evaluate(elements), (found) => {
        const items = listOf(found);
        return collect(
          frame,
          items.map((item) => (inner: RunFrame) => perItem(inner, item)),
          0,
          [],
        );
      });
  });
}

function listOf(found: Json): readonly Json[] {
  if (Array.isArray(found) && found.length <= maxTakes) return found;
  const what = Array.isArray(found)
    ? `a list of ${found.length} elements, and at most ${maxTakes} can be taken at once`
    : 'no list';
  throw new CffbrwError('INVALID_VALUE', `\`each\` is ${what}`, { fix: 'Give it a list, or `[]` when there is none.' });
}
const maxTakes = 1_000;

function collect(
  frame: RunFrame,
  parts: readonly Requests[],
  from: number,
  found: TakeRequest[],
): readonly TakeRequest[] | Promise<readonly TakeRequest[]> {
  for (let index = from; index < parts.length; index++) {
    const requests = parts[index]?.(frame) ?? [];
    if (requests instanceof Promise) {
      return requests.then((loaded) => collect(frame, parts, index + 1, [...found, ...loaded]));
    }
    found.push(...requests);
  }
  return found;
}

const noOptions: TakeOptions = Object.freeze({});
const onlyStrong: TakeOptions = Object.freeze({ strong: true });

function optionsIn(
  step: Readonly<Record<string, unknown>>,
  context: StepContext,
): (frame: RunFrame) => TakeOptions | Promise<TakeOptions> {
  const inputs = context.inputs(step, 'once', 'hold', 'timeout');
  const strong = step.strong === true;
  const fields = [step.once, step.hold, step.timeout].some((field) => field !== undefined);
  if (!fields) return () => (strong ? onlyStrong : noOptions);
  return (frame) => follow(frame.evaluate(inputs), (given) => optionsOf(asInputs(given), strong));
}

function optionsOf(given: Inputs, strong: boolean): TakeOptions {
  return {
    ...(strong && { strong }),
    ...('once' in given && { once: toKey(given.once, '`once`') }),
    ...('hold' in given && { holdMs: msOf(given.hold, 'hold') }),
    ...('timeout' in given && { timeoutMs: msOf(given.timeout, 'timeout') }),
  };
}

function msOf(given: Json | undefined, field: string): number {
  const milliseconds = typeof given === 'number' ? given : durationMs(given);
  if (Number.isSafeInteger(milliseconds) && (milliseconds as number) >= 0) return milliseconds as number;
  throw new CffbrwError('INVALID_VALUE', `\`${field}\` is no duration: ${JSON.stringify(given)}`, {
    fix: 'Write an integer and ms, s, m, h or d.',
  });
}

interface Take {
  readonly requests: readonly TakeRequest[];
  readonly options: TakeOptions;
  readonly bound: number;
  readonly json: ToJson;
  /** Whether anything in the workflow may read the receipt: naming and signing it is most of a plain take's cost. */
  readonly receipt: () => boolean;
}

type ToJson = (result: TakeResult, requests: readonly TakeRequest[], receipt: boolean) => Json;

/** Decides once per keyed run: the decision goes into the journal in the transaction of the rows that it changes. */
function take(frame: RunFrame, { requests, options, bound, json, receipt }: Take): Executed {
  const { lane, run } = frame;
  const bind = (result: DecidedTake): void => {
    gateOn(run, result.commit);
    if (result.ok && !result.repeated) wrote(run, result.commit);
    if (bound >= 0) frame.values[bound] = json(result, requests, receipt());
  };
  if (lane === null) return follow(run.replica.take(requests, options), bind);
  if (lane.replaying) {
    const before = lane.next();
    if (bound >= 0) frame.values[bound] = before;
    return undefined;
  }
  lane.check();
  return takeKeyed(frame, { requests, options, bind, json });
}

interface KeyedTake {
  readonly requests: readonly TakeRequest[];
  readonly options: TakeOptions;
  readonly bind: (result: DecidedTake) => void;
  readonly json: ToJson;
}

function takeKeyed(frame: RunFrame, { requests, options, bind, json }: KeyedTake): Executed {
  const { lane, run } = frame;
  let unwritten: { readonly error: unknown } | null = null;
  const decided = (result: TakeResult) => {
    try {
      lane?.record(json(result, requests, true), true);
    } catch (error) {
      unwritten = { error };
    }
  };
  return follow(
    takeNoting(frame, () => run.replica.take(requests, { ...options, decided, deciding: () => lane?.check() })),
    (result) => (unwritten === null ? bind(result) : undo(frame, result, unwritten.error)),
  );
}

/**
 * While the take waited for the backbone (`once`, `strong`), a commit that the run stands on has failed: the retry will not know of this
 * take, so it goes back, as soon as that can be written. Any other take asks before it takes (`deciding`), and takes nothing then.
 */
async function undo({ run }: RunFrame, { receipt, repeated }: TakeResult, error: unknown): Promise<void> {
  if (receipt !== null && !repeated) {
    await run.replica.give(receipt).catch(() => run.background(giveLater(run, receipt)));
  }
  throw error;
}

async function giveLater(run: Run, receipt: string): Promise<void> {
  for (let waitMs = 100; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    await new Promise<void>((resolve) => run.host.after(waitMs, resolve));
    const result = await run.replica.give(receipt).catch(() => null);
    if (result !== null || waitMs === longestWaitMs) return;
  }
}

/** A store that fails for longer is a machine that somebody is about to restart. */
const longestWaitMs = 60_000;

/** A take that is refused with an error (a wrong amount, say) leaves it in the journal, for a `try` may go on from it. */
function takeNoting(frame: RunFrame, act: () => DecidedTake | Promise<DecidedTake>): DecidedTake | Promise<DecidedTake> {
  const note = (error: unknown): never => {
    frame.lane?.recordError(error);
    throw error;
  };
  try {
    const result = act();
    return result instanceof Promise ? result.catch(note) : result;
  } catch (error) {
    return note(error);
  }
}

function toJson(result: TakeResult, _requests: readonly TakeRequest[], receipt: boolean): Json {
  const { ok, reason, left, repeated, confirmed, expires, windowEnds, failed } = result;
  const text = receipt ? result.receipt : null;
  const json = { ok, reason, left, receipt: text, repeated, confirmed, expires, windowEnds };
  return failed === undefined ? json : { ...json, failed: { take: failed.take, key: failed.key } };
}

/** A list of one entry is a list, too: it says what failed. */
function listToJson(result: TakeResult, requests: readonly TakeRequest[], receipt: boolean): Json {
  const [only] = requests;
  if (result.ok || result.failed !== undefined || only === undefined) return toJson(result, requests, receipt);
  return toJson({ ...result, failed: { take: only.variable, key: only.key ?? null } }, requests, receipt);
}
