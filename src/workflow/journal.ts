/**
 * What a keyed run has done so far, as a record that becomes durable in the transaction of what it did. After a crash a retry replays it:
 * the same seed and time, the same values read, and no effect twice.
 *
 * A journal is made of lanes, one per thread of the run; within a lane things happen in one order, so an entry is found by its position.
 * It is text of one JSON line per entry, which only grows, so that a step costs its own entry and not the whole journal.
 *
 * Invariants:
 *   J1  An effect and its entry are written in one synchronous block, so both are durable or neither.
 *   J2  Nothing is written after a commit that this run stands on has failed.
 */
import { CffbrwError, type ErrorCode, errorCodes } from '../error.ts';
import type { Json } from '../strategy/json.ts';

export interface Lane {
  /** True while there are entries of an earlier attempt to go through. */
  readonly replaying: boolean;
  /** The next entry of the earlier attempt: its value, or its error thrown again. */
  next(): Json;
  /** Notes what happened; `effect` writes it down (J1). */
  record(value: Json, effect: boolean): void;
  recordError(error: unknown): void;
  /** Throws STORE_FAILED when a commit that this run stands on has failed (J2), TOO_LARGE when there may be no room for one more entry. */
  check(): void;
}

export interface Journal {
  lane(name: string): Lane;
  /** Writes down what there is. */
  save(): void;
}

export interface JournalOptions {
  /** The entries of the earlier attempt, as `put` got them; '' for a new run. */
  readonly text: string;
  /** Keeps the text, in the transaction of what is written in the same synchronous block. */
  readonly put: (text: string) => void;
  readonly check: () => void;
}

type Entry = readonly [lane: string, kind: 'v' | 'e', value: Json];

/** What a keyed run may read and write, as text. */
export const maxJournalLength = 4_194_304;
/** More than the entry of any decision: what has been checked in one synchronous block can be recorded in it. */
const roomForDecision = 16_384;

export function createJournal(options: JournalOptions): Journal {
  let text = options.text;
  const earlier = new Map<string, Entry[]>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const entry = JSON.parse(line) as Entry;
    const list = earlier.get(entry[0]);
    if (list) list.push(entry);
    else earlier.set(entry[0], [entry]);
  }
  const checkRoom = (room: number): void => {
    if (text.length + room <= maxJournalLength) return;
    throw new CffbrwError('TOO_LARGE', 'this run has read and written more than its journal can hold (4 MB)', {
      fix: 'Read less in a run with an idempotency key, or split it.',
    });
  };
  const append = (entry: Entry): void => {
    text += `${JSON.stringify(entry)}\n`;
    checkRoom(0);
  };
  return {
    save: () => options.put(text),
    lane(name) {
      const entries = earlier.get(name) ?? [];
      let position = 0;
      return {
        get replaying() {
          return position < entries.length;
        },
        next: () => replay(entries[position++]),
        record(value, effect) {
          append([name, 'v', value]);
          if (effect) options.put(text);
        },
        recordError: (error) => append([name, 'e', errorData(error)]),
        check() {
          options.check();
          checkRoom(roomForDecision);
        },
      };
    },
  };
}

function replay(entry: Entry | undefined): Json {
  if (entry === undefined) throw new CffbrwError('INVARIANT', 'a journal was read beyond its end');
  if (entry[1] === 'v') return entry[2];
  const { code, message, fix } = entry[2] as { code: string; message: string; fix?: string };
  throw new CffbrwError(code in errorCodes ? (code as ErrorCode) : 'INVARIANT', message, fix === undefined ? {} : { fix });
}

function errorData(error: unknown): Json {
  if (!(error instanceof CffbrwError)) return { code: 'INVARIANT', message: String(error) };
  return { code: error.code, message: error.message, ...(error.fix !== undefined && { fix: error.fix }) };
}
