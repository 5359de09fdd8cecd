/**
 * How far somebody has seen the backbone: what must still be there later. It goes into cursors, so that it survives this process, and to the
 * server with each entrance, which compares.
 */
import type { Answer } from './backbone-connection.ts';

export interface Mark {
  readonly identity: string | null;
  /** The start of the server in which it was seen. */
  readonly boot: string | null;
  /** Where the server's log was durable. null: it does not say. */
  readonly log: number | null;
  /** The highest place among the rows. */
  readonly place: number | null;
}

export interface Marks {
  readonly seen: Mark;
  /** The same, with where the log was durable later; nothing but the identity, if that is another one. */
  saw(identity: string, log: Answer[string] | undefined): Mark;
  /** What `enter` answered. */
  entered(answer: Answer | undefined): Mark;
}

const nothing: Mark = { identity: null, boot: null, log: null, place: null };

export function createMarks(cursor: string | null): Marks {
  let seen = cursor === null ? nothing : { ...nothing, ...parseCursor(cursor) };
  return {
    get seen() {
      return seen;
    },
    saw(identity, log) {
      if (seen.identity !== identity) return { ...nothing, identity };
      seen = { ...seen, log: larger(seen.log, count(log)) };
      return seen;
    },
    entered(answer) {
      const found = {
        identity: text(answer?.identity),
        boot: text(answer?.boot),
        log: count(answer?.log),
        place: count(answer?.place),
      };
      const same = seen.identity === found.identity && seen.boot === found.boot;
      // Answers of two sessions may cross.
      seen = same ? { ...found, log: larger(seen.log, found.log), place: larger(seen.place, found.place) } : found;
      return seen;
    },
  };
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const count = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value));
const larger = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.max(one, other);

/** A cursor: the mark, with the place until which rows were delivered. */
export const printCursor = ({ identity, boot, log }: Mark, place: number): string =>
  JSON.stringify({ identity, boot, log, place });

export function parseCursor(cursor: string): Mark | null {
  try {
    const { identity, boot, log, place } = JSON.parse(cursor) as Mark;
    return { identity: text(identity), boot: text(boot), log: count(log), place: count(place) };
  } catch {
    return null; // of another backbone
  }
}
