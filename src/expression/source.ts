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

export function createSource(text: string, places: Places): Source {
  if (typeof places === 'function') return { text, placeAt: places };
  if (places === undefined) return { text, placeAt: () => undefined };
  return { text, placeAt: (offset) => advance(places, text, offset) };
}

function advance(start: Place, text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lines = before.split('\n').length - 1;
  if (lines === 0) return { ...start, column: start.column + offset };
  return { ...start, line: start.line + lines, column: offset - before.lastIndexOf('\n') };
}

export function siteOf(source: Source, start: number, end: number): Site {
  const text = source.text.slice(start, end).replace(/\s+/g, ' ').trim();
  const shown = text.length > longestShown ? `${text.slice(0, longestShown - 1)}…` : text;
  return { text: shown, place: source.placeAt(start) };
}

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
