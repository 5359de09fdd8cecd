/** R10: a variable without a strategy is last-write-wins, and its author may not know. */
import { declarationOf, redeclare } from '../repair/declaration.ts';
import { foundIn, type Rule } from '../report.ts';

export const implicitDefault: Rule = (model) =>
  [...model.app.implicit].flatMap((name) => {
    const variable = model.app.variables.get(name);
    if (variable === undefined) return [];
    return foundIn('R10', model, ['variables', name], {
      story: `${name} has no strategy, so it is last-write-wins: where two users write it at the same moment, one of the two writes is lost.`,
      summary:
        'Say so, `strategy: last-write-wins`, if it is a setting; for counts, stocks, objects and records choose the one that fits.',
      edits: redeclare(model, variable, { strategy: 'last-write-wins', ...declarationOf(model, variable) }) ?? [],
    });
  });
