/** R4: several workflows write one last-write-wins variable, and whichever comes last undoes the others. */

import type { Variable } from '../../strategy/variable.ts';
import type { Model, StepRef } from '../effect.ts';
import type { Finding } from '../finding.ts';
import { declarationOf, redeclare } from '../repair/declaration.ts';
import { foundIn, oncePerStep, placeOf, type Rule } from '../report.ts';
import { stepText } from '../words.ts';

export const manyWriters: Rule = (model) =>
  [...model.app.variables.values()].flatMap((variable) => {
    if (variable.strategy !== 'last-write-wins' || variable.writers === 'any') return [];
    const steps = oncePerStep(model.writes.filter((write) => write.variable === variable)).map(({ step }) => step);
    const workflows = [...new Set(steps.map(({ workflow }) => workflow))];
    return workflows.length < 2 ? [] : [report(model, variable, steps, workflows)];
  });

function report(model: Model, variable: Variable, steps: readonly StepRef[], workflows: readonly string[]): Finding {
  const { name } = variable;
  const [one, other] = workflows;
  return foundIn('R4', model, ['variables', name], {
    story: `One user runs ${one} and another ${other} at the same moment: both write ${name}, and the later write undoes the other.`,
    summary: `Let one workflow write ${name}, or declare it as merge-objects; \`writers: any\` says that it is meant to be so.`,
    edits: redeclare(model, variable, { strategy: 'last-write-wins', ...declarationOf(model, variable), writers: 'any' }) ?? [],
    related: steps.map((step) => ({ place: placeOf(step), message: `${stepText(step)} in ${step.workflow}` })),
  });
}
