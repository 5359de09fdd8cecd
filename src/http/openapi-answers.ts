/** What a workflow may answer, as its document shows it: the statuses of its `respond` and `fail` steps, and the form of their bodies. */
import { isObject, type Json, type JsonObject } from '../strategy/json.ts';
import type { Plan } from '../workflow/plan.ts';

interface Found {
  readonly responds: Map<string, JsonObject[]>;
  readonly fails: Map<string, string[]>;
  /** A path may end without an answer: 204. */
  ends: boolean;
}

export function answersIn(plan: Plan, workflows: ReadonlyMap<string, Plan>): JsonObject {
  const found: Found = { responds: new Map(), fails: new Map(), ends: false };
  search(plan.document.steps, found, true);
  found.ends = !alwaysAnswers(plan.document.steps.at(-1));
  for (const called of calledBy(plan, workflows)) search(called.document.steps, { ...found, responds: new Map() }, false);
  const answers: Record<string, JsonObject> = {};
  for (const [status, contents] of found.responds) answers[status] = answerOf(status, contents);
  for (const [status, titles] of found.fails) {
    answers[status] = {
      description: [...new Set(titles)].join('; ') || 'A refusal.',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  if (found.ends) answers['204'] ??= { description: 'Done; there is nothing to say.' };
  return answers;
}

function calledBy(plan: Plan, workflows: ReadonlyMap<string, Plan>, seen = new Set<string>()): readonly Plan[] {
  return [...plan.calls].flatMap((name) => {
    const called = workflows.get(name);
    if (called === undefined || seen.has(name)) return [];
    seen.add(name);
    return [called, ...calledBy(called, workflows, seen)];
  });
}

/** A last step that ends the run whichever way it goes. */
function alwaysAnswers(step: unknown): boolean {
  if (!isObject(step) || 'when' in step) return false;
  if ('respond' in step || 'fail' in step || 'return' in step) return true;
  const arms = [step.then, step.else];
  if ('if' in step) return arms.every(lastAnswers);
  const cases = Array.isArray(step.switch) ? step.switch : [];
  return 'switch' in step && lastAnswers(step.default) && cases.every((one) => isObject(one) && lastAnswers(one.do));
}

const lastAnswers = (steps: unknown): boolean => Array.isArray(steps) && alwaysAnswers(steps.at(-1));

/** Steps stand in lists, at any depth. `top`: a `return` here is the run's answer. */
function search(part: unknown, found: Found, top: boolean): void {
  if (Array.isArray(part)) {
    for (const each of part) search(each, found, top);
    return;
  }
  if (!isObject(part)) return;
  if ('respond' in part) noteRespond(isObject(part.respond) ? part.respond : {}, found);
  else if ('fail' in part && isObject(part.fail)) noteFail(part.fail, found);
  else if ('return' in part) {
    if (top) noteRespond({ body: part.return }, found);
  } else {
    const inside = top && !('each' in part) && !('parallel' in part);
    for (const inner of Object.values(part)) search(inner, found, inside);
  }
}

/** A status that is computed is any: `default` stands for it. */
const statusOf = (given: unknown): string | null =>
  typeof given === 'number' && given >= 200 && given <= 599 ? String(given) : null;

function noteRespond(respond: Readonly<Record<string, unknown>>, { responds }: Found): void {
  const status = statusOf(respond.status ?? 200);
  if (status === null) return;
  const list = responds.get(status) ?? [];
  responds.set(status, list);
  if (!('body' in respond)) return;
  const type = contentType(respond.headers) ?? 'application/json';
  list.push({ type, schema: type === 'application/json' ? formOf(respond.body) : { type: 'string' } });
}

function contentType(headers: unknown): string | null {
  if (!isObject(headers)) return null;
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  return typeof found === 'string' && !found.includes('${') ? (found.split(';')[0]?.trim() ?? null) : null;
}

function noteFail(fail: Readonly<Record<string, unknown>>, { fails }: Found): void {
  const status = statusOf(fail.status);
  if (status === null) return;
  const title = typeof fail.title === 'string' && !fail.title.includes('${') ? [fail.title] : [];
  fails.set(status, [...(fails.get(status) ?? []), ...title]);
}

function answerOf(status: string, contents: readonly JsonObject[]): JsonObject {
  const description = Number(status) < 300 ? 'The answer.' : 'An answer.';
  if (contents.length === 0) return { description };
  const types = [...new Set(contents.map(({ type }) => String(type)))];
  const content = types.map((type) => {
    const schemas = contents.filter((one) => one.type === type).map(({ schema }) => schema ?? {});
    const distinct = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
    const [first = {}] = distinct;
    return [type, { schema: distinct.length > 1 ? { anyOf: distinct } : first }] as const;
  });
  return { description, content: Object.fromEntries(content) };
}

/** The form of a literal; whatever an expression gives is anything. */
function formOf(value: unknown): Json {
  if (typeof value === 'string') return isWholeTemplate(value) ? {} : { type: 'string' };
  if (typeof value === 'number') return { type: 'number' };
  if (typeof value === 'boolean') return { type: 'boolean' };
  if (Array.isArray(value)) return { type: 'array' };
  if (!isObject(value)) return {};
  const properties = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, formOf(inner)]));
  return { type: 'object', required: Object.keys(value), properties };
}

/** `${ … }` and nothing else keeps the type of what it gives; a text with a template in it is a text. */
const isWholeTemplate = (text: string): boolean => text.startsWith('${') && text.endsWith('}');
