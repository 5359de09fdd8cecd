/**
 * What is looked at before a document is parsed: its size, its characters, and its nesting. Works on the lexer's tokens, which are found without
 * recursion, so a hostile document costs time in proportion to its size and no stack.
 */
import { CST } from 'yaml';

export const maxDocumentBytes = 65_536;
export const maxNesting = 64;

export interface Trap {
  /** Where in the text, in code units. */
  readonly offset: number;
  readonly message: string;
  readonly fix?: string;
}

export interface Token {
  readonly kind: string;
  readonly text: string;
  readonly offset: number;
}

export function checkText(text: string): Trap | undefined {
  const bytes = text.length > maxDocumentBytes ? text.length : new TextEncoder().encode(text).length;
  if (bytes > maxDocumentBytes) {
    return {
      offset: 0,
      message: `This document has more than ${maxDocumentBytes / 1024} KB.`,
      fix: 'Split it into several workflows.',
    };
  }
  if (text.startsWith('\uFEFF')) {
    return { offset: 0, message: 'The file starts with a byte order mark.', fix: 'Save it as UTF-8 without BOM.' };
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\uFEFF]|\r(?!\n)/.exec(text);
  if (control) {
    const code = control[0].charCodeAt(0).toString(16).padStart(4, '0');
    return { offset: control.index, message: `The file contains the control character U+${code}.`, fix: 'Remove it.' };
  }
  if (/\p{Surrogate}/u.test(text)) {
    return { offset: 0, message: 'The file is not valid Unicode.', fix: 'Save it as UTF-8.' };
  }
  if (/^(?:\s|#.*|---)*$/.test(text)) {
    return { offset: 0, message: 'The file is empty.', fix: 'Start with `cffbrw: 1`.' };
  }
  return undefined;
}

export function tokensOf(lexemes: readonly string[]): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  let scalar = false;
  for (const part of lexemes) {
    if (part === CST.DOCUMENT || part === CST.FLOW_END) continue;
    if (part === CST.SCALAR) {
      scalar = true;
      continue;
    }
    tokens.push({ kind: scalar ? 'scalar' : (CST.tokenType(part) ?? 'other'), text: part, offset });
    offset += part.length;
    scalar = false;
  }
  return tokens;
}

/** Block levels are a stack of columns; flow levels count brackets. */
export function checkNesting(text: string, tokens: readonly Token[]): Trap | undefined {
  const columns: number[] = [];
  let flow = 0;
  for (const token of tokens) {
    if (token.kind === 'flow-map-start' || token.kind === 'flow-seq-start') flow++;
    else if (token.kind === 'flow-map-end' || token.kind === 'flow-seq-end') flow = Math.max(0, flow - 1);
    else if (flow === 0 && opensBlock.has(token.kind)) pushColumn(columns, token.offset - lineStart(text, token.offset));
    if (columns.length + flow > maxNesting) {
      return {
        offset: token.offset,
        message: `Lists and maps are nested more than ${maxNesting} deep here.`,
        fix: 'Name parts with `let`.',
      };
    }
  }
  return undefined;
}

const opensBlock = new Set([
  'scalar',
  'single-quoted-scalar',
  'double-quoted-scalar',
  'seq-item-ind',
  'explicit-key-ind',
  'map-value-ind',
]);

function pushColumn(columns: number[], column: number): void {
  while (columns.length > 0 && (columns.at(-1) ?? 0) > column) columns.pop();
  if (columns.at(-1) !== column) columns.push(column);
}

const lineStart = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1;

export const lineEnd = (text: string, offset: number): number => {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end;
};
