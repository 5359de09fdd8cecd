/** What may be a name that a document binds. */
import { CffbrwError } from '../error.ts';
import { type CheckName, requestName } from './scope.ts';

const reserved: ReadonlySet<string> = new Set([
  'vars',
  'request',
  'secrets',
  'undefined',
  'NaN',
  'Infinity',
  'arguments',
  'eval',
]);
// Words that JavaScript's grammar keeps for itself: an expression could never refer to them.
const keywords: ReadonlySet<string> = new Set(
  (
    'break case catch class const continue debugger default delete do else enum export extends false finally for function if implements ' +
    'import in instanceof interface let new null package private protected public return static super switch this throw true try typeof ' +
    'var void while with yield await async of'
  ).split(' '),
);

export const checkName: CheckName = (name, place, before) => {
  const fix = 'Choose another name.';
  if (before !== undefined && name !== requestName) {
    const where = before.place ? ` in line ${before.place.line}` : '';
    throw new CffbrwError('INVALID_DOCUMENT', `The name \`${name}\` is bound already${where}; names are bound once.`, {
      place,
      fix,
    });
  }
  if (!/^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/.test(name)) {
    const message = `\`${name}\` cannot be a name: names are letters, digits, _ and $, at most 64, and start with no digit.`;
    throw new CffbrwError('INVALID_DOCUMENT', message, { place, fix });
  }
  if (reserved.has(name) || keywords.has(name) || name === '__proto__' || name === 'constructor' || name === 'prototype') {
    throw new CffbrwError('INVALID_DOCUMENT', `\`${name}\` cannot be a name: it has a meaning of its own.`, { place, fix });
  }
};
