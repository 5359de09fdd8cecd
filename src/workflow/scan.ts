/** The traps of YAML: where the text that an author wrote is not the text that YAML reads. Each comes with the text that would be right. */
import { Lexer } from 'yaml';
import { maxProblems } from './source.ts';
import { checkNesting, lineEnd, type Token, type Trap, tokensOf } from './tokens.ts';

export { maxDocumentBytes, maxNesting } from './tokens.ts';

export interface Scanned {
  /** Everything that makes the text unfit for parsing, in the order of the text; at most one per line. */
  readonly traps: readonly Trap[];
  /** What the lexer found, for the parser: lexing is a third of the work. */
  readonly lexemes: readonly string[];
}

/** `text` has passed `checkText`. */
export function scan(text: string): Scanned {
  const lexemes = [...new Lexer().lex(text)];
  const tokens = tokensOf(lexemes);
  const deep = checkNesting(text, tokens);
  return { traps: deep ? [deep] : findTraps(text, tokens), lexemes };
}

/** What the rules know about the tokens before the one that they look at. */
interface Reading {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** For each open bracket: whether a colon was seen since the last comma. */
  readonly flow: boolean[];
  /** Offsets, in the current line, of the value's start and of its colon; −1: none yet. */
  valueStart: number;
  colons: number;
  lastName: string;
  documents: number;
  content: boolean;
}

function findTraps(text: string, tokens: readonly Token[]): Trap[] {
  const reading: Reading = { text, tokens, flow: [], valueStart: -1, colons: 0, lastName: '', documents: 0, content: false };
  const traps: Trap[] = [];
  let end = -1;
  for (const [index, token] of tokens.entries()) {
    // Of each line only the first is told: looking for the others would take as long as the line is, for each of its words.
    const trap = token.offset < end ? undefined : trapAt(reading, index, token);
    if (trap && trap.offset >= end) {
      traps.push(trap);
      end = lineEnd(text, trap.offset);
    }
    if (traps.length === maxProblems) break;
    advance(reading, index, token);
  }
  return traps;
}

function advance(reading: Reading, index: number, token: Token): void {
  const { flow } = reading;
  switch (token.kind) {
    case 'newline':
      if (flow.length === 0) [reading.valueStart, reading.colons] = [-1, 0];
      return;
    case 'flow-map-start':
    case 'flow-seq-start':
      startValue(reading, token);
      flow.push(false);
      return;
    case 'flow-map-end':
    case 'flow-seq-end':
      flow.pop();
      return;
    case 'comma':
      if (flow.length > 0) flow[flow.length - 1] = false;
      reading.valueStart = -1;
      return;
    case 'map-value-ind':
      if (flow.length > 0) flow[flow.length - 1] = true;
      reading.colons++;
      reading.valueStart = -1;
      reading.lastName = previousText(reading.tokens, index);
      return;
    case 'seq-item-ind':
      [reading.valueStart, reading.lastName] = [-1, ''];
      return;
    case 'space':
    case 'comment':
      return;
    default:
      startValue(reading, token);
      if (token.text.includes('\n') && flow.length === 0) [reading.valueStart, reading.colons] = [-1, 0];
  }
}

function startValue(reading: Reading, token: Token): void {
  if (reading.valueStart < 0) reading.valueStart = token.offset;
  reading.content = true;
}

function previousText(tokens: readonly Token[], index: number): string {
  let at = index - 1;
  while (tokens[at]?.kind === 'space') at--;
  return tokens[at]?.text ?? '';
}

function trapAt(reading: Reading, index: number, token: Token): Trap | undefined {
  switch (token.kind) {
    case 'tag':
      return quoteIt(reading, token, `YAML reads \`${token.text}\` as a tag, not as text.`);
    case 'anchor':
    case 'alias':
      return quoteIt(reading, token, `YAML reads \`${token.text}\` as an ${token.kind}, and documents have none.`);
    case 'space':
      return tabTrap(reading, index, token);
    case 'comment':
      return commentTrap(reading, index, token);
    case 'scalar':
      return scalarTrap(reading, index, token);
    case 'flow-map-start':
    case 'flow-seq-start':
      return bracketTrap(reading, index, token);
    case 'map-value-ind':
      return colonTrap(reading, index, token);
    default:
      return documentTrap(reading, token);
  }
}

function documentTrap(reading: Reading, token: Token): Trap | undefined {
  if (token.kind === 'directive-line')
    return { offset: token.offset, message: 'YAML directives (`%…`) are not used here.', fix: 'Remove the line.' };
  if (token.kind === 'explicit-key-ind') return quoteIt(reading, token, 'YAML reads `?` here as the start of a complex key.');
  const second = token.kind === 'doc-start' && (reading.content || ++reading.documents > 1);
  if (!second) return undefined;
  return { offset: token.offset, message: 'This file holds several YAML documents.', fix: 'Put each into its own file.' };
}

function tabTrap({ text }: Reading, index: number, token: Token): Trap | undefined {
  const atLineStart = index === 0 || text[token.offset - 1] === '\n';
  if (!atLineStart || !token.text.includes('\t')) return undefined;
  const offset = token.offset + token.text.indexOf('\t');
  return { offset, message: 'A tab indents this line, and YAML allows only spaces.', fix: 'Replace the tab with two spaces.' };
}

/** ` #` starts a comment, also in the middle of a condition or template. */
function commentTrap(reading: Reading, index: number, token: Token): Trap | undefined {
  const [space, value] = [reading.tokens[index - 1], reading.tokens[index - 2]];
  if (space?.kind !== 'space' || value?.kind !== 'scalar' || value.text.includes('\n')) return undefined;
  if (!isCutOff(value.text, reading.lastName)) return undefined;
  return quoteIt(reading, token, 'YAML reads everything after ` #` as a comment, and that cuts this value off.');
}

/** True for the value of a field that a comment has cut off. */
export function isCutOff(value: string, name: string): boolean {
  const template = value.lastIndexOf('${');
  return name === 'if' || name === 'when' ? isOpen(value) : template >= 0 && !value.slice(template).includes('}');
}

/** True for an expression that cannot end here: an open quote or bracket, or an operator at the end. */
function isOpen(source: string): boolean {
  let quote = '';
  let depth = 0;
  for (const letter of source) {
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === "'" || letter === '"' || letter === '`') quote = letter;
    else if ('([{'.includes(letter)) depth++;
    else if (')]}'.includes(letter)) depth--;
  }
  return quote !== '' || depth > 0 || /[=<>&|+*/%!?:.,-]\s*$/.test(source);
}

function scalarTrap(reading: Reading, index: number, token: Token): Trap | undefined {
  let before = index - 1;
  while (reading.tokens[before]?.kind === 'space') before--;
  const left = reading.tokens[before];
  if (left?.kind === 'single-quoted-scalar' || left?.kind === 'double-quoted-scalar') {
    return quoteIt(reading, token, 'This value starts with a quote, so YAML ends it at the next one, and more text follows.');
  }
  const opened = (token.text.match(/\(/g) ?? []).length;
  if (reading.flow.length > 0 && opened > (token.text.match(/\)/g) ?? []).length) return flowTrap(reading, token);
  const merge = token.text === '<<' && reading.tokens[index + 1]?.kind === 'map-value-ind';
  return merge
    ? { offset: token.offset, message: 'YAML merge keys (`<<`) are not used here.', fix: 'Write the fields out.' }
    : undefined;
}

function bracketTrap(reading: Reading, index: number, token: Token): Trap | undefined {
  return reading.tokens[index - 1]?.kind === 'scalar' ? flowTrap(reading, token) : undefined;
}

const flowTrap = (reading: Reading, token: Token): Trap =>
  quoteIt(reading, token, 'Between { } or [ ], YAML ends unquoted text at a bracket or a comma.');

/** `? :` and every other `: ` in unquoted text. */
function colonTrap(reading: Reading, index: number, token: Token): Trap | undefined {
  const twice = reading.flow.length > 0 ? reading.flow.at(-1) : reading.colons > 0;
  const afterText = reading.tokens[index - 1]?.kind !== 'newline' && reading.valueStart >= 0;
  if (!twice || !afterText || reading.tokens[index - 1]?.kind === 'flow-map-end') return undefined;
  return quoteIt(reading, token, 'YAML reads `: ` as the end of a field’s name, and this text has one inside.');
}

/** A trap whose way out is to quote the whole value. */
function quoteIt(reading: Reading, token: Token, message: string): Trap {
  const start = reading.valueStart < 0 ? token.offset : reading.valueStart;
  const end = lineEnd(reading.text, start);
  const value = (reading.flow.length > 0 ? flowValue(reading.text.slice(start, end)) : reading.text.slice(start, end)).trim();
  return { offset: start, message, fix: `Put it in quotes: ${quoted(value)}` };
}

/** The text up to the comma or bracket that ends a value between brackets. */
function flowValue(rest: string): string {
  let depth = 0;
  for (let index = 0; index < rest.length; index++) {
    const letter = rest.charAt(index);
    if ('([{'.includes(letter)) depth++;
    else if (')]}'.includes(letter) && --depth < 0) return rest.slice(0, index);
    else if (letter === ',' && depth === 0) return rest.slice(0, index);
  }
  return rest;
}

/** Text as a YAML scalar in quotes: double ones where that needs no escaping. */
export const quoted = (value: string): string => (/["\\]/.test(value) ? `'${value.replaceAll("'", "''")}'` : `"${value}"`);
