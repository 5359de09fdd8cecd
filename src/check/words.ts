/** The words of a story: what a run, a value and a condition are called in it. */
import type { Path } from '../workflow/source.ts';
import type { Effect, Guard, StepRef, WorkflowSource, Write } from './effect.ts';

/** What one user does, and what two do: `sends POST /wheel/spin`. */
function phrase({ document }: WorkflowSource, many: boolean): string {
  const { http, cron } = document.on;
  if (http !== undefined) return `${many ? 'send' : 'sends'} ${http.method} ${http.path}`;
  if (cron !== undefined) return `${many ? 'meet' : 'meets'} a run of the schedule ${document.workflow}`;
  return `${many ? 'reach' : 'reaches'} the workflow ${document.workflow}`;
}

export const doing = (run: WorkflowSource): string => phrase(run, false);

export const twoUsers = ({ run }: Pick<Effect, 'run'>): string => `Two users ${phrase(run, true)} at the same moment`;

/** `set: stock`, as the document has it. */
export function stepText({ verb, data }: StepRef): string {
  const operand = data[verb];
  return typeof operand === 'string' ? `\`${verb}: ${operand}\`` : `\`${verb}\``;
}

export const isSameStep = (one: StepRef, other: StepRef): boolean =>
  one.document === other.document && one.path.join() === other.path.join();

/** What the document says at a path. */
export function dataAt(document: WorkflowSource, path: Path): unknown {
  let data: unknown = document.document;
  for (const part of path) data = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[part] : undefined;
  return data;
}

const longest = 80;

export const shorten = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);

/** The condition of a guard, as the document has it. */
export function conditionText({ step, path }: Guard): string {
  const data = dataAt(step.document, path);
  return shorten(typeof data === 'string' ? data.replace(/\s+/g, ' ') : JSON.stringify(data ?? null));
}

export const keyed = ({ variable }: Pick<Write, 'variable'>): string =>
  variable.keyed ? `one key of ${variable.name}` : variable.name;
