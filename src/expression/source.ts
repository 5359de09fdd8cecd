/** Where an expression stands, and the errors that point there. */
import { CffbrwError, type Place } from '../error.ts';

/** A text of a document, and the place of each offset in it. */
export interface Source {
  readonly text: string;
  placeAt(offset: number): Place | undefined;
}

/** A part of an expression, as it is shown in messages. */
export interface Site {
  readonly text: string;
  readonly place: Place | undefined;
}

/** The place of a text's first character, or a function that knows the place of each one (folded or escaped YAML, say). */
export type Places = Place | ((offset: number) => Place) | undefined;

const longestShown = 80;

/** `find` is asked once, and only when something is wrong or somebody looks. */
export function createSource(text: string, find: () => Places): Source {
  let places: Places | null = null;
  let lines: readonly number[] | null = null;
  return {
    text,
    placeAt(offset) {
      if (places === null) places = find();
      if (places === undefined) return undefined;
      if (typeof places === 'function') return places(offset);
      lines ??= lineStarts(text);
      return placeIn(places, lines, offset);
    },
  };
}

const lineStarts = (text: string): readonly number[] => [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];

/** The first line starts at the place of the text, all others at the first column. */
function placeIn(start: Place, lines: readonly number[], offset: number): Place {
  const line = lines.findLastIndex((from) => from <= offset);
  if (line <= 0) return { ...start, column: start.column + offset };
  return { ...start, line: start.line + line, column: offset - (lines[line] ?? 0) + 1 };
}

/** Made for every node, and looked at only when something is wrong: a class, because getters of a literal cost more than all the rest. */
class Range implements Site {
  readonly #source: Source;
  readonly #start: number;
  readonly #end: number;

  constructor(source: Source, start: number, end: number) {
    this.#source = source;
    this.#start = start;
    this.#end = end;
  }

  get text(): string {
    const text = this.#source.text.slice(this.#start, this.#end).replace(/\s+/g, ' ').trim();
    return text.length > longestShown ? `${text.slice(0, longestShown - 1)}…` : text;
  }

  get place(): Place | undefined {
    return this.#source.placeAt(this.#start);
  }
}

export const siteOf = (source: Source, start: number, end: number): Site => new Range(source, start, end);

const details = (place: Place | undefined, fix: string | undefined) => ({
  ...(place === undefined ? {} : { place }),
  ...(fix === undefined ? {} : { fix }),
});

/** What an author wrote and cannot be compiled. */
export const invalid = (site: Site, message: string, fix?: string): CffbrwError =>
  new CffbrwError('INVALID_EXPRESSION', site.text === '' ? message : `\`${site.text}\`: ${message}`, details(site.place, fix));

/** What an expression met while it ran. */
export const failed = (site: Site, message: string, fix?: string): CffbrwError =>
  new CffbrwError('EXPRESSION_FAILED', `\`${site.text}\`: ${message}`, details(site.place, fix));

export const tooCostly = (site: Site): CffbrwError =>
  new CffbrwError(
    'EXPRESSION_COST',
    `\`${site.text}\`: the run has used up its budget for expressions`,
    details(site.place, 'Work on smaller lists and texts, or split the work over several runs.'),
  );
