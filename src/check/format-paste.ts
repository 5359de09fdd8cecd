/** The edits of a fix as text to paste: whole lines, and which lines they take the place of. */
import { applyEdits } from './edit.ts';
import type { Edit } from './finding.ts';

export interface Paste {
  /** `In cffbrw.yaml, in place of line 5:` */
  readonly where: string;
  /** Whole lines without the last line's end; empty: delete. */
  readonly text: string;
}

/** In the order of their files and lines. A file whose text is not there has none. */
export function pastesOf(edits: readonly Edit[], texts: ReadonlyMap<string, string>): readonly Paste[] {
  const files = [...new Set(edits.map(({ place }) => place.file))].sort();
  return files.flatMap((file) => {
    const text = texts.get(file);
    const own = edits.filter(({ place }) => place.file === file);
    return text === undefined ? [] : hunksOf(own).map((hunk) => pasteOf(file, text, hunk));
  });
}

/** Edits that touch the same lines, `from` the first `to` the last of them. */
interface Hunk {
  readonly from: number;
  readonly to: number;
  readonly edits: readonly Edit[];
}

function hunksOf(edits: readonly Edit[]): readonly Hunk[] {
  const hunks: Hunk[] = [];
  for (const edit of [...edits].sort((one, other) => one.place.line - other.place.line)) {
    const last = hunks.at(-1);
    const from = edit.place.line;
    const to = lastLineOf(edit);
    if (last === undefined || from > last.to) hunks.push({ from, to, edits: [edit] });
    else hunks[hunks.length - 1] = { from: last.from, to: Math.max(last.to, to), edits: [...last.edits, edit] };
  }
  return hunks;
}

/** The end is not part of it: at the start of a line that line stays as it is. */
const lastLineOf = ({ place, end }: Edit): number => (end.column === 1 && end.line > place.line ? end.line - 1 : end.line);

function pasteOf(file: string, text: string, { from, to, edits }: Hunk): Paste {
  const all = text.split('\n');
  if (all.at(-1) === '') all.pop();
  const inserted = edits.every(({ place, end, paste }) => place.column === 1 && place.line === end.line && paste.endsWith('\n'));
  const endsAtStart = edits.every(({ end }) => end.column === 1);
  if (inserted && endsAtStart) {
    const where = from > all.length ? 'at the end' : `above line ${from}`;
    return { where: `In ${file}, ${where}:`, text: withoutEnd(edits.map(({ paste }) => paste).join('')) };
  }
  const lines = `${all.slice(from - 1, to).join('\n')}\n`;
  const shift = <At extends { readonly line: number }>(at: At): At => ({ ...at, line: at.line - from + 1 });
  const moved = edits.map(({ place, end, paste }) => ({ place: shift(place), end: shift(end), paste }));
  const which = from === to ? `line ${from}` : `lines ${from} to ${to}`;
  const written = applyEdits(file, lines, moved);
  const where = written === '' ? `remove ${which}.` : `in place of ${which}:`;
  return { where: `In ${file}, ${where}`, text: withoutEnd(written) };
}

const withoutEnd = (text: string): string => text.replace(/\n$/, '');
