/**
 * Finds where an expression ends and bounds how deep it is nested, token by token, before anything recursive looks at it: five
 * kilobytes of `((((` must be an error, not a crash.
 */
import { type Token, tokenizer, tokTypes } from 'acorn';
import { invalid, type Source, siteOf } from './source.ts';

/** The longest source of one expression. */
export const maxSourceLength = 16_384;
/** How many brackets, operators and members may enclose or chain onto each other. */
export const maxNesting = 200;
export const parserOptions = { ecmaVersion: 2023, sourceType: 'script' } as const;

interface Level {
  readonly opening: string;
  readonly at: number;
  operators: number;
  members: number;
}

const closes: Record<string, string> = { '(': ')', '[': ']', '{': '}', '${': '}', '`': '`' };

export interface Scanned {
  /** The expression is text[start, end). */
  readonly end: number;
}

/**
 * Reads tokens from `start` on. A bare expression reaches to the end of the text; one in a template ends at the first `}` that closes
 * nothing inside it. The first token is a bracket of our own, so that `{ a: 1 }` is an object and not a block.
 */
export function scan(source: Source, start: number, inTemplate: boolean): Scanned {
  const rest = source.text.slice(start, start + maxSourceLength + 1);
  const tokens = tokenizer(`(${rest}${inTemplate ? '' : '\n)'}`, {
    ...parserOptions,
    onComment: (_block, _text, from, to) => {
      throw invalid(
        siteOf(source, start + from - 1, start + to - 1),
        'a comment inside an expression',
        'Put the comment into the document, outside the expression.',
      );
    },
  });
  if (!inTemplate && rest.length > maxSourceLength) throw tooLong(source, start);
  const nesting = new Nesting(source, start);
  for (;;) {
    const token = tokens.getToken();
    if (token.type === tokTypes.eof) throw rest.length > maxSourceLength ? tooLong(source, start) : nesting.unclosed();
    if (inTemplate && token.type === tokTypes.braceR && nesting.outermost) return { end: start + token.start - 1 };
    if (!inTemplate && token.start === rest.length + 2) {
      if (nesting.outermost) return { end: source.text.length };
      throw nesting.unclosed();
    }
    nesting.take(token);
  }
}

const tooLong = (source: Source, start: number) =>
  invalid(
    siteOf(source, start, start + 40),
    `an expression of more than ${maxSourceLength} characters, or one whose end is missing`,
    'Split it over several `let` steps.',
  );

/** The brackets that are open, and what has piled up inside each. */
class Nesting {
  readonly #levels: Level[] = [];
  readonly #source: Source;
  readonly #start: number;
  #depth = 0;

  constructor(source: Source, start: number) {
    this.#source = source;
    this.#start = start;
  }

  /** True when only our own bracket is open. */
  get outermost(): boolean {
    return this.#levels.length === 1;
  }

  take(token: Token): void {
    const top = this.#levels.at(-1);
    const label = token.type.label;
    if (label === '`') {
      if (top?.opening === '`') this.#close(token, top);
      else this.#open(token, '`');
    } else if (label === '(' || label === '[' || label === '{' || label === '${') this.#open(token, label);
    else if (label === ')' || label === ']' || label === '}') this.#close(token, top);
    else if (top !== undefined) this.#count(token, top);
    if (this.#depth > maxNesting) throw this.#tooDeep(token);
  }

  unclosed(): Error {
    const level = this.#levels.at(-1);
    const innermost = level === undefined || this.#levels.length === 1 ? null : level;
    const at = innermost === null ? this.#start : this.#start + innermost.at - 1;
    const what = innermost === null ? 'the expression is not closed' : `this \`${innermost.opening}\` is never closed`;
    const missing = innermost === null ? '}' : closes[innermost.opening];
    return invalid(siteOf(this.#source, at, at + 40), what, `Add the missing \`${missing}\`.`);
  }

  #open(token: Token, opening: string): void {
    const outer = this.#levels.at(-1);
    if (outer !== undefined && opening !== '${' && opening !== '`') {
      outer.members += 1;
      this.#depth += 1;
    }
    this.#levels.push({ opening, at: token.start, operators: 0, members: 0 });
    this.#depth += 1;
  }

  #close(token: Token, top: Level | undefined): void {
    const closing = token.type.label;
    if (top === undefined || closes[top.opening] !== closing || this.#levels.length === 1) {
      const at = this.#start + token.start - 1;
      throw invalid(
        siteOf(this.#source, at, at + 40),
        `this \`${closing}\` closes nothing`,
        `Remove it, or add what it should close.`,
      );
    }
    this.#levels.pop();
    this.#depth -= 1 + top.operators + top.members;
  }

  #count(token: Token, top: Level): void {
    const { type } = token;
    if (type === tokTypes.comma) {
      this.#depth -= top.operators + top.members;
      top.operators = 0;
      top.members = 0;
    } else if (type === tokTypes.dot || type === tokTypes.questionDot) {
      top.members += 1;
      this.#depth += 1;
    } else if (nests(token)) {
      this.#depth += 1 - top.members;
      top.operators += 1;
      top.members = 0;
    }
  }

  #tooDeep(token: Token): Error {
    const at = this.#start + token.start - 1;
    return invalid(
      siteOf(this.#source, at, at + 40),
      `here the expression is nested or chained more than ${maxNesting} deep`,
      'Split it over several `let` steps.',
    );
  }
}

/** What acorn knows of a token's type; its declarations leave these out. */
interface TokenTraits {
  readonly binop: number | null;
  readonly prefix: boolean;
  readonly isAssign: boolean;
}

/** Operators and keywords: each may put what follows one level deeper. */
function nests({ type }: Token): boolean {
  const { binop, prefix, isAssign } = type as unknown as TokenTraits;
  const enclosing =
    type === tokTypes.starstar || type === tokTypes.question || type === tokTypes.colon || type === tokTypes.arrow;
  return enclosing || binop !== null || prefix || isAssign || type.keyword !== undefined;
}
