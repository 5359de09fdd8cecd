/** How a rule says what it has found. */
import type { Place } from '../error.ts';
import { type Path, pathText } from '../workflow/source.ts';
import type { Effect, Guard, Model, StepRef } from './effect.ts';
import { type Edit, type Finding, type Related, type RuleId, rules } from './finding.ts';
import { conditionText } from './words.ts';

/** What a rule looks at, and what it finds. */
export type Rule = (model: Model) => readonly Finding[];

interface Report {
  readonly story: string;
  readonly summary: string;
  readonly edits?: readonly Edit[];
  readonly related?: readonly Related[];
}

export function found(rule: RuleId, step: StepRef, report: Report): Finding {
  const place = step.document.source.placeOf(step.path);
  return finding(rule, { workflow: step.workflow, place, path: pathText(step.path) }, report);
}

/** About a declaration in `cffbrw.yaml`. */
export function foundIn(rule: RuleId, { settings }: Model, path: Path, report: Report): Finding {
  const place = settings?.source.keyPlaceOf(path) ?? { file: 'cffbrw.yaml', line: 1, column: 1 };
  return finding(rule, { workflow: null, place, path: pathText(path) }, report);
}

interface Where {
  readonly workflow: string | null;
  readonly place: Place;
  readonly path: string;
}

export function finding(rule: RuleId, where: Where, { story, summary, edits = [], related = [] }: Report): Finding {
  return { rule, ...rules[rule], ...where, story, fix: { summary, edits }, related };
}

export const placeOf = ({ document, path }: StepRef): Place => document.source.placeOf(path);

export const relatedGuard = (guard: Guard): Related => ({
  place: guard.step.document.source.placeOf(guard.path),
  message: `\`${conditionText(guard)}\` decides here, on what is known at this location`,
});

/** Each step once, whatever leads to it: the effect that a finding is told of is the first. */
export function oncePerStep<One extends Pick<Effect, 'step'>>(effects: readonly One[]): readonly One[] {
  const seen = new Set<string>();
  return effects.filter(({ step }) => {
    const id = `${step.document.source.file} ${step.path.join('.')}`;
    return !seen.has(id) && seen.add(id);
  });
}
