/**
 * From text to trees: finds the expressions, has acorn parse each, and makes acorn's errors ours.
 */
import * as acorn from 'acorn';
import { CffbrwError } from '../error.ts';
import type { Parser } from './compiler.ts';
import { convert } from './convert.ts';
import { maxNesting, parserOptions, scan } from './scan.ts';
import { invalid, type Site, type Source, siteOf } from './source.ts';
import type { Template, Tree } from './tree.ts';

/** The most `${ … }` in one string. */
const maxParts = 1_000;

export function parseExpression(source: Source): Tree {
  if (source.text.trim() === '') {
    throw invalid(siteOf(source, 0, 0), 'the expression is empty', 'Write a condition such as `vars.stock > 0`.');
  }
  if (source.text.trimStart().startsWith('${')) {
    const site = siteOf(source, 0, source.text.length);
    throw invalid(
      site,
      'a condition is an expression as a whole',
      `Write it without \`\${\` and \`}\`: ${unwrapped(site.text)}.`,
    );
  }
  return parseRange(source, 0, false).tree;
}

const unwrapped = (text: string): string => `\`${text.replace(/^\$\{\s*/, '').replace(/\s*\}$/, '')}\``;

/** `$${` stands for a literal `${`. */
export function parseTemplate(source: Source): Template {
  const { text } = source;
  const texts: string[] = [];
  const parts: Tree[] = [];
  let current = '';
  let position = 0;
  for (;;) {
    const next = text.indexOf('${', position);
    if (next === -1) break;
    if (text[next - 1] === '$') {
      current += `${text.slice(position, next - 1)}\${`;
      position = next + 2;
      continue;
    }
    texts.push(current + text.slice(position, next));
    current = '';
    const { tree, end } = parseRange(source, next + 2, true);
    parts.push(tree);
    position = end + 1;
    if (parts.length > maxParts) throw invalid(siteOf(source, next, next + 40), `more than ${maxParts} expressions in one text`);
  }
  texts.push(current + text.slice(position));
  return { texts, parts };
}

export const acornParser: Parser = { expression: parseExpression, template: parseTemplate };

function parseRange(source: Source, start: number, inTemplate: boolean): { tree: Tree; end: number } {
  const end = plainEnd(source.text, start, inTemplate);
  const tree = end === null ? null : (chain(source.text, start, end) ?? attempt(source, start, end));
  return tree === null || end === null ? parseScanned(source, start, inTemplate) : { tree, end };
}

/**
 * The end of a short expression, where finding it takes no scan. What has at most half as many characters as the nesting that is allowed
 * cannot be nested deeper. In a template it ends at the first `}`, if no brace opens before: should that one stand in a text, what is
 * before it is no expression, and the scan decides.
 */
function plainEnd(text: string, start: number, inTemplate: boolean): number | null {
  const end = inTemplate ? text.indexOf('}', start) : text.length;
  if (end < 0 || end - start > maxNesting / 2) return null;
  const inner = text.slice(start, end);
  return (inTemplate ? bracesOrComments : comments).test(inner) ? null : end;
}

const comments = /\/[/*]|--/;
const bracesOrComments = /[{`]|\/[/*]|--/;

/** `request.body.user`: most expressions are no more than that. Null: it is something else. */
function chain(text: string, start: number, end: number): Tree | null {
  chainPattern.lastIndex = start;
  const match = chainPattern.exec(text);
  if (match === null || match.index + match[0].length !== end) return null;
  const [, before = '', names = ''] = match;
  const [first = '', ...members] = names.split('.');
  if (words.has(first)) return null;
  const from = start + before.length;
  let to = from + first.length;
  let tree: Tree = { kind: 'name', name: first, start: from, end: to };
  for (const name of members) {
    to += 1 + name.length;
    tree = { kind: 'member', object: tree, name, optional: false, start: from, end: to };
  }
  return tree;
}

const chainPattern = /(\s*)([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)\s*/y;
/** What is no name in JavaScript, or not everywhere. */
const words: ReadonlySet<string> = new Set(
  (
    'arguments async await break case catch class const continue debugger default delete do else enum eval export extends false finally ' +
    'for function if implements import in instanceof interface let new null package private protected public return static super ' +
    'switch this throw true try typeof var void while with yield'
  ).split(' '),
);

/** Null: it is wrong somehow; those who scan it first say better how. */
function attempt(source: Source, start: number, end: number): Tree | null {
  try {
    return parseInner(source, start, end);
  } catch {
    return null;
  }
}

function parseScanned(source: Source, start: number, inTemplate: boolean): { tree: Tree; end: number } {
  try {
    const { end } = scan(source, start, inTemplate);
    if (source.text.slice(start, end).trim() === '')
      throw invalid(siteOf(source, start - 2, end + 1), 'there is no expression', 'To have a literal `${`, write `$${`.');
    return { tree: parseInner(source, start, end), end };
  } catch (error) {
    throw syntaxError(error, source, start);
  }
}

function parseInner(source: Source, start: number, end: number): Tree {
  const inner = source.text.slice(start, end);
  const node = acorn.parseExpressionAt(`(${inner}\n)`, 0, { ...parserOptions, preserveParens: true });
  if (node.type !== 'ParenthesizedExpression' || node.end !== inner.length + 3)
    throw invalid(siteOf(source, start, end), 'more than one expression', 'Write one expression.');
  return convert(node.expression, source, start - 1);
}

/** Acorn's errors, and a stack overflow (which the limits of scan.ts leave no room for), as ours. */
function syntaxError(error: unknown, source: Source, start: number): unknown {
  if (error instanceof CffbrwError) return error;
  if (error instanceof RangeError) return invalid(siteOf(source, start, start + 40), 'the expression is too deeply nested');
  if (!(error instanceof SyntaxError)) return error;
  const position = 'pos' in error && typeof error.pos === 'number' ? error.pos : 1;
  const at = Math.min(start + Math.max(0, position - 1), source.text.length);
  const what = error.message.replace(/ \(\d+:\d+\)$/, '');
  const shown = `${what.slice(0, 1).toLowerCase()}${what.slice(1)}`;
  const site: Site = { text: siteOf(source, start, source.text.length).text, place: source.placeAt(at) };
  const near = siteOf(source, at, at + 20).text;
  return invalid(
    site,
    near === '' ? `${shown} at its end` : `${shown} at \`${near}\``,
    wordOperators.get(/^\w+/.exec(near)?.[0].toLowerCase() ?? '') ??
      'Expressions have values, members, operators and calls of listed functions, as in JavaScript.',
  );
}

const wordOperators: ReadonlyMap<string, string> = new Map([
  ['and', 'Write `&&`.'],
  ['or', 'Write `||`.'],
  ['not', 'Write `!`.'],
  ['is', 'Write `===`.'],
  ['then', 'Write `a ? b : c`.'],
]);
