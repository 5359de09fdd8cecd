/**
 * Reads the plain part of YAML, to which nearly all documents keep: maps and lists by indentation, maps and lists in brackets, text with and without quotes, numbers, comments. It is there because the library's reader, which keeps to the whole of YAML, was
 * most of the start of a large app. It never reports a problem: what is wrong, surprising or merely unusual it leaves to the library.
 *
 * Invariants (proven in test/workflow/plain.test.ts):
 *   P1  What it reads, the library reads without a problem, to the same data at the same places.
 *   P2  It works in time proportional to the text, and no deeper than `maxDepth` (plain-scalars.ts).
 */
import { readBrackets } from './plain-brackets.ts';
import { bare, type Cursor, enter, isUnfitName, leave, nameAt, readQuoted, unusual } from './plain-scalars.ts';
import { isCutOff } from './scan.ts';
import type { Found, Spot } from './spots.ts';

/** The document, or null when it takes more than this to read it. */
export function readPlain(text: string): Found | null {
  if (/[\t\r]/.test(text)) return null;
  const cursor: Cursor = { text, at: 0, indent: -1, depth: 0, floor: 0 };
  try {
    toNextLine(cursor);
    const found = readBlock(cursor, undefined);
    return cursor.at === text.length ? found : null;
  } catch (error) {
    if (error === unusual) return null;
    throw error;
  }
}

/** Behind a value: only a comment may follow in its line. */
function endLine(cursor: Cursor): void {
  const { text } = cursor;
  const from = cursor.at;
  while (text[cursor.at] === ' ') cursor.at++;
  if (text[cursor.at] === '#' && cursor.at > from) toLineEnd(cursor);
  if (cursor.at < text.length && text[cursor.at++] !== '\n') leave();
  toNextLine(cursor);
}

function toLineEnd(cursor: Cursor): void {
  const end = cursor.text.indexOf('\n', cursor.at);
  cursor.at = end < 0 ? cursor.text.length : end;
}

/** From the start of a line to the first one that holds more than a comment. */
function toNextLine(cursor: Cursor): void {
  const { text } = cursor;
  for (;;) {
    const start = cursor.at;
    while (text[cursor.at] === ' ') cursor.at++;
    if (text[cursor.at] === '#') toLineEnd(cursor);
    cursor.indent = cursor.at < text.length ? cursor.at - start : -1;
    if (text[cursor.at] !== '\n') return;
    cursor.at++;
  }
}

const isItem = ({ text, at }: Cursor): boolean => text[at] === '-' && text[at + 1] === ' ';

function readBlock(cursor: Cursor, key: number | undefined): Found {
  if (isItem(cursor)) return readItems(cursor, key);
  if (nameAt(cursor) !== null) return readFields(cursor, key);
  const found = readBrackets(cursor, key);
  endLine(cursor);
  return found;
}

function readFields(cursor: Cursor, key: number | undefined): Found {
  const [at, column] = [cursor.at, cursor.indent];
  const data: Record<string, unknown> = {};
  const inside = new Map<string, Spot>();
  enter(cursor);
  while (cursor.indent === column) {
    const name = nameAt(cursor);
    if (name === null || inside.has(name) || isUnfitName(name)) return leave();
    const start = cursor.at;
    cursor.at += name.length + 1;
    cursor.floor = column + 1;
    const { data: value, spot } = readField(cursor, start, name);
    data[name] = value;
    inside.set(name, spot);
  }
  if (cursor.indent > column) leave();
  cursor.depth--;
  return { data, spot: { at, key, text: null, inside } };
}

/** What stands behind a name: in its line, or in the lines below it. */
function readField(cursor: Cursor, key: number, name: string): Found {
  const { text } = cursor;
  const [from, column] = [cursor.at, cursor.floor - 1];
  while (text[cursor.at] === ' ') cursor.at++;
  const next = text[cursor.at];
  if (next !== undefined && next !== '\n' && next !== '#') return readInline(cursor, key, name);
  cursor.at = from;
  endLine(cursor);
  // A list may stand as far to the left as the name that it belongs to.
  if (cursor.indent > column || (cursor.indent === column && isItem(cursor))) return readBlock(cursor, key);
  return leave();
}

function readItems(cursor: Cursor, key: number | undefined): Found {
  const { text } = cursor;
  const [at, column] = [cursor.at, cursor.indent];
  const data: unknown[] = [];
  const inside = new Map<number, Spot>();
  enter(cursor);
  while (cursor.indent === column && isItem(cursor)) {
    const start = cursor.at++;
    cursor.floor = column + 1;
    while (text[cursor.at] === ' ') cursor.at++;
    const { data: value, spot } = readItem(cursor, column + cursor.at - start);
    inside.set(data.push(value) - 1, spot);
  }
  if (cursor.indent > column) leave();
  cursor.depth--;
  return { data, spot: { at, key, text: null, inside } };
}

function readItem(cursor: Cursor, column: number): Found {
  if (isItem(cursor)) return leave();
  if (nameAt(cursor) === null) return readInline(cursor, undefined, '');
  cursor.indent = column;
  return readFields(cursor, undefined);
}

/** A value that ends with its line. */
function readInline(cursor: Cursor, key: number | undefined, name: string): Found {
  const first = cursor.text[cursor.at];
  const found =
    first === '{' || first === '['
      ? readBrackets(cursor, key)
      : first === '"' || first === "'"
        ? readQuoted(cursor, key)
        : readBare(cursor, key, name);
  endLine(cursor);
  return found;
}

// What may be the first character of text without quotes: nothing that YAML gives a meaning.
const barePattern = /(?:[\w$/.(+~]|-(?=[\w$/.(])|[^\0-\x7f])[^\n]*/y;

/** Text without quotes, outside of brackets. */
function readBare(cursor: Cursor, key: number | undefined, name: string): Found {
  barePattern.lastIndex = cursor.at;
  const line = barePattern.exec(cursor.text)?.[0] ?? leave();
  const comment = line.indexOf(' #');
  const source = (comment < 0 ? line : line.slice(0, comment)).replace(/ +$/, '');
  if (comment >= 0 && isCutOff(source, name)) return leave();
  if (source.includes(': ') || source.endsWith(':')) return leave();
  return bare(cursor, source, key);
}
