/** Documents as their authors write them: expressions are texts, and no form is known to be right. */
import { compileExpression, compileValue } from '../expression/compile.ts';
import { suggestion } from '../expression/suggest.ts';
import { declareChecked } from '../strategy/declaration-checks.ts';
import { schemaOf } from '../strategy/schema.ts';
import { strategies } from '../strategy/strategies.ts';
import { checks } from './checks.ts';
import type { Language, Step, StepPlace } from './compiler.ts';
import { checkForm } from './document.ts';
import { formOf } from './form.ts';
import { guardOutbound } from './outbound.ts';
import { createPathRouter } from './path-router.ts';
import { schedules } from './schedules.ts';
import { isMap, kindOf } from './source.ts';
import type { Verb } from './steps/verb.ts';
import { verbs } from './steps/verbs.ts';

export const language: Language = {
  ...{
    compileExpression,
    compileValue,
    schedules,
    compileSchema: schemaOf,
    declare: declareChecked,
    strategies,
    checks,
    createPathRouter,
    guardOutbound,
  },
  readStep(data, place) {
    const verb = verbOf(data, place);
    const step = verb && checkForm(formOf(verb), { ...place, what: `The step \`${verb.verb}\`` }, data);
    return verb && step && { verb, step: step as Step };
  },
};

/** What stands beside verbs. */
const commonNames: ReadonlySet<string> = new Set(['id', 'when', 'ignore', 'as']);

function verbOf(data: unknown, { source, problems, path }: StepPlace): Verb | undefined {
  if (!isMap(data)) {
    problems.add(source.placeOf(path), `A step is a map with one verb, not ${kindOf(data)}.`, 'Write `- add: visits`, say.');
    return undefined;
  }
  const found = Object.keys(data).filter((name) => verbs.has(name));
  if (found.length === 1) return verbs.get(found[0] ?? '');
  if (found.length > 1) {
    const message = `This step has ${found.length} verbs: ${found.map((name) => `\`${name}\``).join(' and ')}.`;
    problems.add(source.keyPlaceOf([...path, found[1] ?? '']), message, 'Make it one step per verb.');
    return undefined;
  }
  const unknown = Object.keys(data).find((name) => !commonNames.has(name));
  if (unknown === undefined) problems.add(source.placeOf(path), 'This step has no verb.', 'Write `- add: visits`, say.');
  else problems.add(source.keyPlaceOf([...path, unknown]), `There is no verb \`${unknown}\`.`, suggestion(unknown, verbs.keys()));
  return undefined;
}
