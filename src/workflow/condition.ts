/** Conditions: anything but true or false is an error, known when the document is compiled or when the run is there. */
import { CffbrwError } from '../error.ts';
import { constantFrame } from '../expression/context.ts';
import type { Compiled } from '../expression/index.ts';
import type { Json } from '../strategy/json.ts';
import type { RunFrame } from './frame.ts';
import type { Condition, Touch } from './plan.ts';
import { placed } from './source.ts';

export function createCondition(compiled: Compiled, text: string, place: Touch['place']): Condition {
  const check = (value: Json): boolean => {
    if (value === true || value === false) return value;
    throw notBoolean('EXPRESSION_FAILED', text, value);
  };
  if (compiled.shape.kind === 'object') throw placed(notBoolean('INVALID_EXPRESSION', text, {}), place);
  if (compiled.constant) checkConstant(compiled.evaluate(constantFrame()), text, place);
  return {
    compiled,
    evaluate(frame: RunFrame) {
      const value = frame.evaluate(compiled);
      return value instanceof Promise ? value.then(check) : check(value);
    },
  };
}

function checkConstant(value: Json, text: string, place: Touch['place']): void {
  if (typeof value !== 'boolean') throw placed(notBoolean('INVALID_EXPRESSION', text, value), place);
}

function notBoolean(code: 'EXPRESSION_FAILED' | 'INVALID_EXPRESSION', text: string, value: Json): CffbrwError {
  const found =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'a list'
        : typeof value === 'object'
          ? 'an object'
          : `the ${typeof value} ${JSON.stringify(value).slice(0, 40)}`;
  return new CffbrwError(code, `\`${text}\` must be true or false, and it is ${found}`, {
    fix: "Compare it with something: `=== null`, `> 0`, `!== ''`.",
  });
}
