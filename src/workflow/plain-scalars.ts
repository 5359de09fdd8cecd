/** The cursor of the reader of plain YAML, and what it reads without lists and maps: names, quoted text, bare text, numbers. */
import { forbiddenKeys } from '../strategy/json.ts';
import type { Found, Text } from './spots.ts';

/** Thrown, and caught below: this text is the library's. */
export const unusual = new Error('not the plain part of YAML');

/** Deeper ones are the library's: whoever scans for it bounds the nesting at 64 columns and brackets, and this is at most half of that. */
const maxDepth = 24;

export interface Cursor {
  readonly text: string;
  /** The next character; between lines, the first one of the next line that holds something. */
  at: number;
  /** The column of that line's first character; −1: there is no more line. */
  indent: number;
  depth: number;
  /** What is in brackets and goes over line ends stands at least so far to the right. */
  floor: number;
}

export const leave = (): never => {
  throw unusual;
};

export function enter(cursor: Cursor): void {
  if (++cursor.depth > maxDepth) leave();
}

export const isUnfitName = (name: string): boolean => forbiddenKeys.has(name) || /^null$/i.test(name);

const namePattern = /([A-Za-z_][\w-]{0,99}):(?=[ \n])/y;

/** The name at the cursor, with its colon; null: there is none. */
export function nameAt(cursor: Cursor): string | null {
  namePattern.lastIndex = cursor.at;
  return namePattern.exec(cursor.text)?.[1] ?? null;
}

export function readQuoted(cursor: Cursor, key: number | undefined): Found {
  const at = cursor.at;
  const value = quotedAt(cursor);
  return { data: value, spot: { at, key, text: { value, style: 'quoted' }, inside: null } };
}

const doublePattern = /"(?:[^"\\\n]|\\["\\/bfnrt])*"/y;
const singlePattern = /'(?:[^'\n]|'')*'/y;

export function quotedAt(cursor: Cursor): string {
  const double = cursor.text[cursor.at] === '"';
  const pattern = double ? doublePattern : singlePattern;
  pattern.lastIndex = cursor.at;
  const source = pattern.exec(cursor.text)?.[0] ?? leave();
  cursor.at += source.length;
  const inner = source.slice(1, -1);
  if (double) return inner.includes('\\') ? JSON.parse(source) : inner;
  return inner.includes("'") ? inner.replaceAll("''", "'") : inner;
}

export function bare(cursor: Cursor, source: string, key: number | undefined): Found {
  const { at } = cursor;
  cursor.at += source.length;
  const value = scalarOf(source);
  const text: Text | null = typeof value === 'string' ? { value, style: 'plain' } : null;
  return { data: value, spot: { at, key, text, inside: null } };
}

const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['null', null],
  ['true', true],
  ['false', false],
]);
const trickyWord = /^(?:~|null|true|false|yes|no|on|off)$/i;
/** So short that it is exact. */
const plainNumber = /^-?(?:0|[1-9]\d{0,13}|(?:0|[1-9]\d{0,7})\.\d{1,6})$/;
const likeNumber = /^[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[-+]?\d+)?$|^[-+]?0[xo][\da-f]*$|^[-+]?\.(?:inf|nan)$/i;

/** What text without quotes stands for. */
function scalarOf(source: string): unknown {
  if (words.has(source)) return words.get(source);
  if (plainNumber.test(source)) return Number(source) || 0;
  return trickyWord.test(source) || likeNumber.test(source) ? leave() : source;
}
