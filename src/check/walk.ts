/**
 * Goes through the steps of a run in their order, into what they call as well, and notes effects with what decided them.
 *
 * A step is decided by the conditions around it, and by every step before it that may have ended the run or the block. Each step is gone
 * through once: loops once, with an element that may be any. Names are bound once, so a name is its term.
 */
import type { Path } from '../workflow/source.ts';
import { verbs } from '../workflow/steps/verbs.ts';
import type { Guard, StepRef, WorkflowSource } from './effect.ts';
import { conditionGuard, type Ending, type Exit, goesOn, type Position, type Returned, type Run, under } from './position.ts';
import type { Names } from './resolve.ts';
import type { Term } from './term.ts';
import { walkVerb } from './verbs.ts';

/** The most steps that one run is followed through. */
const maxSteps = 5_000;

/** The effects of a run that this workflow's trigger starts. */
export function walkRun(root: WorkflowSource, options: Pick<Run, 'resolver' | 'variables' | 'workflows'>): Run {
  const run: Run = { root, ...options, effects: [], called: new Set(), left: maxSteps, walk: walkBlock };
  const { terms } = options.resolver;
  const names = new Map([['request', terms.symbol('request', `request of ${root.document.workflow}`)]]);
  walkBlock(root.document.steps, ['steps'], { run, document: root, names, guards: [], lanes: [], retries: [], calls: [] });
  return run;
}

function walkBlock(steps: readonly unknown[], path: Path, at: Position): Ending {
  const exits: Exit[] = [];
  const returned: Returned[] = [];
  let guards = at.guards;
  for (const [index, data] of steps.entries()) {
    const ending = walkStep(data as StepRef['data'], [...path, index], { ...at, guards });
    returned.push(...ending.returned);
    if (ending.exits.length === 0) continue;
    exits.push(...ending.exits);
    guards = [...guards, ...ending.exits.flatMap((exit) => otherwise(exit, at) ?? [])];
  }
  return { exits, returned };
}

/** What holds after a step that may have ended the block, where it did not. */
function otherwise({ guards }: Exit, { run }: Position): Guard | undefined {
  const last = guards.at(-1);
  if (last === undefined) return undefined;
  if (guards.length === 1) return { ...last, holds: !last.holds };
  const { terms } = run.resolver;
  const parts = guards.map(({ condition, holds }) => (holds ? condition : terms.operation('not', condition)));
  const tells = guards.findLast(({ condition }) => condition.roots.size > 0) ?? last;
  return { ...tells, condition: terms.operation('&&', ...parts), holds: false, certain: guards.every((guard) => guard.certain) };
}

function walkStep(data: StepRef['data'], path: Path, at: Position): Ending {
  const { run, document } = at;
  const verb = Object.keys(data).find((name) => verbs.has(name));
  if (verb === undefined || run.left-- <= 0) return goesOn;
  const step: StepRef = { document, workflow: document.document.workflow, path, verb, data };
  const when = data.when as string | boolean | undefined;
  if (when === undefined || when === true) return walkVerb(step, at);
  const guard = conditionGuard(step, when, at, 'when');
  const before = verb === 'let' || verb === 'get' ? new Map(at.names) : null;
  const ending = walkVerb(step, { ...at, guards: [...at.guards, guard] });
  if (before !== null) bindConditionally(before, guard.condition, at);
  return under(guard, ending);
}

/** A name that may have been left out is null then. */
function bindConditionally(before: Names, condition: Term, { names, run }: Position): void {
  const { terms } = run.resolver;
  for (const [name, term] of names) {
    if (!before.has(name)) names.set(name, terms.operation('either', condition, term, terms.literal(null)));
  }
}
