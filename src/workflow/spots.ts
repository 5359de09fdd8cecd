/** Where the parts of a text stand: what a reader of documents leaves behind, and how a path finds its place in it. */
import type { Place } from '../error.ts';
import type { Places } from '../expression/index.ts';
import type { Path, Source } from './source.ts';

/** A text as YAML holds it: `style` says how its characters lie in the document. */
export interface Text {
  readonly value: string;
  readonly style: 'plain' | 'quoted' | 'folded' | 'literal';
}

/** Where a value stands, by offsets, and the values inside it. Little is kept of each: most are never asked for. */
export interface Spot {
  readonly at: number;
  /** The name of the field that it is the value of. */
  readonly key: number | undefined;
  readonly text: Text | null;
  readonly inside: ReadonlyMap<string | number, Spot> | null;
}

/** What a reader of a document gives. */
export interface Found {
  readonly data: unknown;
  readonly spot: Spot;
}

export type PlaceAt = (offset: number) => Place;

export function sourceOf(file: string, { data, spot: root }: Found, placeAt: PlaceAt): Source {
  /** The spot at `path`, or the nearest one around it that the text has. */
  const find = (path: Path): { readonly spot: Spot; readonly exact: boolean } => {
    let spot = root;
    for (const part of path) {
      const next = spot.inside?.get(part);
      if (next === undefined) return { spot, exact: false };
      spot = next;
    }
    return { spot, exact: true };
  };
  return {
    file,
    data,
    placeOf: (path) => placeAt(find(path).spot.at),
    textPlaceOf(path) {
      const { spot, exact } = find(path);
      return exact && spot.text !== null ? textPlaces(spot.text, placeAt(spot.at)) : placeAt(spot.at);
    },
    keyPlaceOf(path) {
      const { spot, exact } = find(path);
      return placeAt(exact ? (spot.key ?? spot.at) : spot.at);
    },
  };
}

/** Where the characters of a text stand: behind its quote; in a block, line by line; where YAML folded or unescaped it, its start. */
function textPlaces({ value, style }: Text, start: Place): Places {
  if (style === 'plain' && !value.includes('\n')) return start;
  if (style !== 'literal') return { ...start, column: start.column + (style === 'plain' ? 0 : 1) };
  return (offset) => ({ ...start, line: start.line + value.slice(0, offset).split('\n').length, column: 1 });
}

/** Line and column of an offset, both from 1. */
export function placesOf(file: string, text: string): PlaceAt {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
