/** Which names can be bound: those that an expression can then write. */
import { forbiddenKeys } from '../strategy/json.ts';

const reserved: ReadonlySet<string> = new Set(
  (
    'vars secrets undefined NaN Infinity arguments eval async await yield let static ' +
    'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in ' +
    'instanceof new null return super switch this throw true try typeof var void while with'
  ).split(' '),
);

/** Why `name` cannot be bound by `let`, `as` or `item`; null when it can. Functions live apart: `as: keys` is fine. */
export function nameProblem(name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name))
    return 'a name is 1 to 64 letters, digits and `_`, and does not start with a digit';
  if (reserved.has(name) || forbiddenKeys.has(name)) return `\`${name}\` means something else in expressions`;
  return null;
}
