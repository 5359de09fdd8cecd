/** Lists and maps in brackets, for the reader of plain YAML. */
import { bare, type Cursor, enter, isUnfitName, leave, nameAt, quotedAt, readQuoted } from './plain-scalars.ts';
import type { Found, Spot } from './spots.ts';

const emptySpots: ReadonlyMap<string | number, Spot> = new Map();

export function readBrackets(cursor: Cursor, key: number | undefined): Found {
  enter(cursor);
  const first = cursor.text[cursor.at];
  if (first !== '{' && first !== '[') return leave();
  const found = first === '{' ? readMap(cursor, key) : readList(cursor, key);
  cursor.depth--;
  return found;
}

/** To the next character between brackets. */
function skip(cursor: Cursor): string | undefined {
  const { text } = cursor;
  while (text[cursor.at] === ' ') cursor.at++;
  while (text[cursor.at] === '\n') {
    const start = ++cursor.at;
    while (text[cursor.at] === ' ') cursor.at++;
    if (cursor.at - start < cursor.floor) leave();
  }
  return text[cursor.at];
}

/** Behind a value between brackets: true when another follows. */
function another(cursor: Cursor, closing: string): boolean {
  const next = skip(cursor);
  if (next !== closing && next !== ',') leave();
  cursor.at++;
  if (next === closing || skip(cursor) !== closing) return next === ',';
  cursor.at++;
  return false;
}

function readList(cursor: Cursor, key: number | undefined): Found {
  const at = cursor.at++;
  const data: unknown[] = [];
  if (skip(cursor) === ']') {
    cursor.at++;
    return { data, spot: { at, key, text: null, inside: emptySpots } };
  }
  const inside = new Map<number, Spot>();
  do {
    const { data: value, spot } = nameAt(cursor) === null ? readBracketed(cursor, undefined) : readPair(cursor);
    inside.set(data.push(value) - 1, spot);
  } while (another(cursor, ']'));
  return { data, spot: { at, key, text: null, inside } };
}

function readMap(cursor: Cursor, key: number | undefined): Found {
  const at = cursor.at++;
  const data: Record<string, unknown> = {};
  const inside = new Map<string, Spot>();
  if (skip(cursor) === '}') {
    cursor.at++;
    return { data, spot: { at, key, text: null, inside } };
  }
  do {
    const start = cursor.at;
    const name = bracketedName(cursor);
    if (inside.has(name) || isUnfitName(name)) return leave();
    skip(cursor);
    const { data: value, spot } = readBracketed(cursor, start);
    data[name] = value;
    inside.set(name, spot);
  } while (another(cursor, '}'));
  return { data, spot: { at, key, text: null, inside } };
}

/** `[name: value]`: a list of a map with one field. */
function readPair(cursor: Cursor): Found {
  const at = cursor.at;
  const name = bracketedName(cursor);
  if (isUnfitName(name)) return leave();
  while (cursor.text[cursor.at] === ' ') cursor.at++;
  const { data: value, spot } = readBracketed(cursor, at);
  return { data: { [name]: value }, spot: { at, key: undefined, text: null, inside: new Map([[name, spot]]) } };
}

function bracketedName(cursor: Cursor): string {
  const quote = cursor.text[cursor.at];
  if (quote !== '"' && quote !== "'") {
    const name = nameAt(cursor) ?? leave();
    cursor.at += name.length + 1;
    return name;
  }
  const name = quotedAt(cursor);
  return cursor.text[cursor.at++] === ':' && name.length < 100 ? name : leave();
}

const bracketedPattern = /(?:[\w/.+]|-(?=[\w.]))[^\n,[\]{}:#(]*/y;

function readBracketed(cursor: Cursor, key: number | undefined): Found {
  const first = cursor.text[cursor.at];
  if (first === '{' || first === '[') return readBrackets(cursor, key);
  if (first === '"' || first === "'") return readQuoted(cursor, key);
  bracketedPattern.lastIndex = cursor.at;
  const source = bracketedPattern.exec(cursor.text)?.[0] ?? leave();
  return bare(cursor, source.replace(/ +$/, ''), key);
}
