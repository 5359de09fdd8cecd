/**
 * Where the parts of a document stand in the TypeScript that it was written in: reads object and list literals, and skips whatever else
 * stands in them. It needs no parser of TypeScript, because literals are the same in all of its dialects; what is not written as a
 * literal has the place of the nearest part around it that is.
 */
import type { Place } from '../error.ts';
import { dataSource, type Path, type Source } from './source.ts';

interface Spot {
  /** Where the value stands, and the name of its field. */
  readonly at: number;
  readonly key: number;
  readonly inside: ReadonlyMap<string | number, Spot>;
}

/**
 * What a document that a program built carries: the file of the program. A registered symbol, for the package of the program and that of
 * the command may be two copies; not enumerable, for the document is data.
 */
export const definedIn = Symbol.for('cffbrw.defined-in');

/** A program that built documents. */
export interface Program {
  readonly file: string;
  readonly text: string;
}

/** A document that a program built, with places in the program: in the literal that has the same `workflow`, or the same `app`. */
export function programSource(name: string, data: unknown, { file, text }: Program): Source {
  const { workflow, app } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const root = typeof workflow === 'string' ? rootOf(text, 'workflow', workflow) : rootOf(text, 'app', String(app));
  if (root === null) return dataSource(name, data);
  const nearest = (path: Path): Spot => {
    let spot = root;
    for (const part of path) {
      const next = spot.inside.get(part);
      if (next === undefined) return spot;
      spot = next;
    }
    return spot;
  };
  const quoted = (at: number): number => (/["'`]/.test(text[at] ?? '') ? at + 1 : at);
  return {
    ...{ file: name, data },
    placeOf: (path) => placeAt(file, text, nearest(path).at),
    textPlaceOf: (path) => placeAt(file, text, quoted(nearest(path).at)),
    keyPlaceOf: (path) => placeAt(file, text, nearest(path).key),
  };
}

function placeAt(file: string, text: string, offset: number): Place {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The innermost literal around `field: 'name'`. */
function rootOf(text: string, field: string, name: string): Spot | null {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const wanted = new RegExp(`(?<![\\w$.])(["']?)${field}\\1\\s*:\\s*(["'\`])${escaped}\\2`, 'y');
  const open: number[] = [];
  for (let at = 0; at < text.length; at = afterToken(text, at)) {
    if (text[at] === '{') open.push(at);
    if (text[at] === '}') open.pop();
    wanted.lastIndex = at;
    const start = open.at(-1);
    if (start !== undefined && wanted.test(text)) return readValue(text, start, start).spot;
  }
  return null;
}

/** Behind a string, a comment, or one character. */
function afterToken(text: string, at: number): number {
  const character = text[at];
  if (character === '"' || character === "'" || character === '`') return afterString(text, at, character);
  if (text.startsWith('//', at)) return endOr(text, text.indexOf('\n', at));
  return text.startsWith('/*', at) ? endOr(text, text.indexOf('*/', at + 2), 2) : at + 1;
}

const endOr = (text: string, found: number, more = 0): number => (found < 0 ? text.length : found + more);

/** Strings in templates may hold templates; `${` of a string is plain text. */
function afterString(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) return at + 1;
    else if (quote === '`' && text.startsWith('${', at)) at = afterBrackets(text, at + 1) - 1;
  }
  return text.length;
}

/** Behind the bracket that closes the one at `from`. */
function afterBrackets(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; ) {
    if ('{[('.includes(text[at] ?? ' ')) depth++;
    if ('}])'.includes(text[at] ?? ' ') && --depth === 0) return at + 1;
    at = afterToken(text, at);
  }
  return text.length;
}

function afterBlank(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text[at] ?? '') || text.startsWith('//', at) || text.startsWith('/*', at)) at = afterToken(text, at);
  return at;
}

/** Behind an expression: at the comma or the bracket that ends it. */
function afterExpression(text: string, from: number): number {
  let at = from;
  while (at < text.length && !',}])'.includes(text[at] ?? ',')) {
    at = '{[('.includes(text[at] ?? ' ') ? afterBrackets(text, at) : afterToken(text, at);
  }
  return at;
}

interface Read {
  readonly spot: Spot;
  readonly end: number;
}

function readValue(text: string, at: number, key: number): Read {
  const inside = new Map<string | number, Spot>();
  const opens = text[at];
  if (opens === '{' || opens === '[') readParts(text, at + 1, opens === '[', inside);
  return { spot: { at, key, inside }, end: afterExpression(text, at) };
}

const fieldName = /(?:([A-Za-z_$][\w$]*)|"([^"\\]*)"|'([^'\\]*)')\s*(:?)/y;

/** The parts of a literal, as far as they can be counted: behind a spread in a list nobody knows which is which. */
function readParts(text: string, from: number, isList: boolean, inside: Map<string | number, Spot>): void {
  for (let at = afterBlank(text, from), index = 0; at < text.length && !'}]'.includes(text[at] ?? '}'); index++) {
    if (isList && text.startsWith('...', at)) return;
    fieldName.lastIndex = at;
    const named = isList ? null : fieldName.exec(text);
    const value = named?.[4] === ':' ? afterBlank(text, fieldName.lastIndex) : at;
    const read = readValue(text, value, at);
    const name = isList ? index : (named?.[1] ?? named?.[2] ?? named?.[3]);
    if (name !== undefined) inside.set(name, read.spot);
    at = read.end;
    if (text[at] !== ',') return;
    at = afterBlank(text, at + 1);
  }
}
