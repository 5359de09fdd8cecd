/** Applies the edits of a fix to the text of a document. */
import type { Place } from '../error.ts';
import type { Edit } from './finding.ts';

/** The text of `file` after those of the edits that are in it. They must not overlap. */
export function applyEdits(file: string, text: string, edits: readonly Edit[]): string {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
  const offset = ({ line, column }: Place): number => (starts[line - 1] ?? text.length) + column - 1;
  const own = edits.filter((edit) => edit.place.file === file);
  const ordered = own.map((edit, index) => ({ ...edit, index, from: offset(edit.place), to: offset(edit.end) }));
  ordered.sort((one, other) => other.from - one.from || other.index - one.index);
  return ordered.reduce((result, { from, to, paste }) => result.slice(0, from) + paste + result.slice(to), text);
}
