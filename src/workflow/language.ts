/** Documents as their authors write them: expressions are texts, and no form is known to be right. */
import { compileExpression, compileValue } from '../expression/compile.ts';
import { schemaOf } from '../strategy/schema.ts';
import type { Language } from './compiler.ts';
import { checkForm } from './document.ts';
import { formOf } from './form.ts';
import { createPathRouter } from './path-router.ts';
import { schedules } from './schedules.ts';
import { verbs } from './steps/verbs.ts';

export const language: Language = {
  ...{ compileExpression, compileValue, verbs, schedules, compileSchema: schemaOf, createPathRouter },
  checkStep: (verb, place, data) => checkForm(formOf(verb), place, data),
};
