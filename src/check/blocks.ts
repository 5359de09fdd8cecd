/** The verbs with steps inside: decisions, loops, branches, retries and calls. */
import type { Path } from '../workflow/source.ts';
import type { Guard, StepRef } from './effect.ts';
import {
  bind,
  both,
  conditionGuard,
  type Ending,
  type Exit,
  goesOn,
  type Position,
  type Returned,
  symbolOf,
  under,
} from './position.ts';
import type { Term } from './term.ts';

type Steps = readonly unknown[];
interface Arm {
  readonly guards: readonly Guard[];
  readonly steps: Steps;
  readonly path: Path;
}

export function walkIf(step: StepRef, at: Position): Ending {
  const { data, path } = step;
  const guard = conditionGuard(step, data.if as string | boolean, at, 'if');
  return walkArms(at, [
    { guards: [guard], steps: data.then as Steps, path: [...path, 'then'] },
    { guards: [{ ...guard, holds: false }], steps: (data.else ?? []) as Steps, path: [...path, 'else'] },
  ]);
}

export function walkSwitch(step: StepRef, at: Position): Ending {
  const { data, path } = step;
  const cases = data.switch as readonly { readonly when: string | boolean; readonly do: Steps }[];
  const before: Guard[] = [];
  const arms = cases.map((one, index): Arm => {
    const guard = conditionGuard(step, one.when, at, 'switch', index, 'when');
    const guards = [...before, guard];
    before.push({ ...guard, holds: false });
    return { guards, steps: one.do, path: [...path, 'switch', index, 'do'] };
  });
  return walkArms(at, [...arms, { guards: before, steps: (data.default ?? []) as Steps, path: [...path, 'default'] }]);
}

/** At most one of them runs. A name that some of them bind is either of the values, and the conditions decide which. */
function walkArms(at: Position, arms: readonly Arm[]): Ending {
  const { terms } = at.run.resolver;
  const before = new Map(at.names);
  const bound = new Map<string, Term[]>();
  const endings = arms.map(({ guards, steps, path }) => {
    const names = new Map(before);
    const ending = at.run.walk(steps, path, { ...at, names, guards: [...at.guards, ...guards] });
    for (const [name, term] of names) if (!before.has(name)) bound.set(name, [...(bound.get(name) ?? []), term]);
    return guards.reduceRight((inner, guard) => under(guard, inner), ending);
  });
  const conditions = terms.operation('decision', ...arms.flatMap(({ guards }) => guards.map(({ condition }) => condition)));
  for (const [name, values] of bound) {
    const missing = values.length < arms.length ? [terms.literal(null)] : [];
    at.names.set(name, terms.operation('either', conditions, ...values, ...missing));
  }
  return both(...endings);
}

/** What `return` gave, as one term: the value itself where there is only one. */
function resultOf(returned: readonly Returned[], exits: readonly Exit[], { run }: Position): Term {
  const { terms } = run.resolver;
  const decided = [...returned, ...exits].flatMap(({ guards }) => guards.map(({ condition }) => condition));
  const [only] = returned;
  if (only === undefined) return terms.literal(null);
  if (returned.length === 1 && decided.length === 0) return only.value;
  return terms.operation('either', terms.operation('decision', ...decided), ...returned.map(({ value }) => value));
}

export function walkEach(step: StepRef, at: Position): Ending {
  const { data, path } = step;
  const { resolver } = at.run;
  const list = resolver.value(data.each, at.names);
  const item = symbolOf(step, at, 'other', [list]);
  const guard: Guard = { condition: list, holds: true, kind: 'loop', step, path: [...path, 'each'], certain: true };
  const beside = typeof data.concurrency === 'number' && data.concurrency > 1;
  const inner: Position = {
    ...at,
    names: new Map([...at.names, [String(data.item), item]]),
    guards: [...at.guards, guard],
    lanes: beside ? [...at.lanes, { step, branch: null, item }] : at.lanes,
  };
  const ending = at.run.walk(data.do as Steps, [...path, 'do'], inner);
  const result = resultOf(ending.returned, ending.exits, at);
  bind(step, at, () => resolver.terms.operation('list of', list, result));
  return { exits: threadExits(ending.exits, [guard], at), returned: [] };
}

/** What ends a thread by `return` ends nothing else; of what ended in one of many iterations it is known that it did in none. */
function threadExits(exits: readonly Exit[], around: readonly Guard[], { run }: Position): readonly Exit[] {
  const { terms } = run.resolver;
  return exits.flatMap((exit) => {
    if (exit.kind === 'return') return [];
    const guards = [...around, ...exit.guards];
    const [first] = guards;
    if (first === undefined) return [exit];
    const condition = terms.operation('some', ...guards.map((guard) => guard.condition));
    const tells = guards.findLast((guard) => guard.condition.roots.size > 0) ?? first;
    return [{ ...exit, guards: [{ ...tells, kind: 'condition', condition, holds: true }] }];
  });
}

export function walkParallel(step: StepRef, at: Position): Ending {
  const { data, path } = step;
  const branches = Object.entries(data.parallel as Readonly<Record<string, Steps>>);
  const walked = branches.map(([branch, steps]) => {
    const lanes = [...at.lanes, { step, branch, item: null }];
    const ending = at.run.walk(steps, [...path, 'parallel', branch], { ...at, names: new Map(at.names), lanes });
    return { branch, ending };
  });
  const fields = walked.map(({ branch, ending }) => ({ name: branch, value: resultOf(ending.returned, ending.exits, at) }));
  bind(step, at, () => at.run.resolver.terms.object(fields));
  return { exits: walked.flatMap(({ ending }) => threadExits(ending.exits, [], at)), returned: [] };
}

export function walkTry(step: StepRef, at: Position): Ending {
  const { data, path } = step;
  const retry = data.retry as { readonly attempts?: number } | undefined;
  const retries = retry !== undefined && (retry.attempts ?? 3) > 1 ? [...at.retries, step] : at.retries;
  const body = at.run.walk(data.try as Steps, [...path, 'try'], { ...at, retries });
  const caught = data.catch as { readonly as?: string; readonly do: Steps } | undefined;
  let after = goesOn;
  if (caught !== undefined) {
    const names = new Map(at.names);
    if (caught.as !== undefined) names.set(caught.as, symbolOf(step, at, 'other'));
    after = at.run.walk(caught.do, [...path, 'catch', 'do'], { ...at, names, guards: [...at.guards, ...failures(body, at)] });
  }
  const last = data.finally === undefined ? goesOn : at.run.walk(data.finally as Steps, [...path, 'finally'], at);
  return both(caught === undefined ? body : uncertain(body), uncertain(after), last);
}

/** What may have led to a `catch`. */
const failures = ({ exits }: Ending, at: Position): readonly Guard[] =>
  threadExits(
    exits.filter(({ kind }) => kind === 'fail'),
    [],
    at,
  ).flatMap(({ guards }) => guards.map((guard) => ({ ...guard, certain: false })));

/** Who comes behind a `catch` may have come around the body, and the other way round: a decision there proves nothing. */
const uncertain = ({ exits, returned }: Ending): Ending => ({
  returned,
  exits: exits.map((exit) => ({ ...exit, guards: exit.guards.map((guard) => ({ ...guard, certain: false })) })),
});

/** The longest way of calls that is followed. */
const maxCalls = 16;

export function walkCall(step: StepRef, at: Position): Ending {
  const { run } = at;
  const name = String(step.data.call);
  const called = run.workflows.get(name);
  const again = at.calls.some((call) => call.data.call === name);
  if (called === undefined || again || at.calls.length >= maxCalls || run.left <= 0) {
    bind(step, at, () => symbolOf(step, at, 'other'));
    return goesOn;
  }
  run.called.add(name);
  const { resolver } = run;
  const given = resolver.value(step.data.with ?? null, at.names);
  const names = new Map([['request', resolver.terms.object([{ name: 'with', value: given }])]]);
  const inner = { ...at, document: called, names, calls: [...at.calls, step] };
  const ending = at.run.walk(called.document.steps, ['steps'], inner);
  bind(step, at, () => resultOf(ending.returned, ending.exits, at));
  return { exits: ending.exits.filter((exit) => exit.kind === 'fail'), returned: [] };
}
