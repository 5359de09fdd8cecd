/**
 * last-write-wins: whatever wrote last is the truth. The best stamp shows: the later time, then the higher counter, then the lower
 * replica id. Good for settings and flags, and for nothing critical: of two writes at the same time one is lost (and logged).
 *
 * Invariants:
 *   L1  A write issued after another was seen shows instead of it, even when this machine's clock is behind (by K2 of clock.ts).
 *   L2  A write is lost only to one that has the better stamp; it is a conflict exactly when the winner's `seen` lacks it.
 */
import { beats, type Stamp } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import { checkJson, type Json } from './json.ts';
import { type OperationInput, rowCount, rowObject, rowReplicas, rowStamp, wrongOperation } from './parsing.ts';
import type { Conflict, Entry, Operation, Rows, Strategy, Writer } from './strategy.ts';
import type { Variable } from './variable.ts';

export interface LastWriteRow {
  readonly stamp: Stamp;
  /** Absent: it was unset. */
  readonly value?: Json;
  /** The versions of the other rows that this write had seen. */
  readonly seen: Readonly<Record<string, number>>;
}

export type LastWriteOperation = { readonly operation: 'set'; readonly value: Json } | { readonly operation: 'unset' };

interface Candidate {
  readonly replica: string;
  readonly version: number;
  readonly row: LastWriteRow;
}

/** The row that shows, leaving out the one of `except`. */
function best(rows: Rows<LastWriteRow>, except?: string): Candidate | null {
  let found: Candidate | null = null;
  for (const [replica, { version, row }] of rows) {
    if (replica === except) continue;
    if (found === null || beats(row.stamp, replica, found.row.stamp, found.replica)) found = { replica, version, row };
  }
  return found;
}

function parse(input: OperationInput): LastWriteOperation {
  if (input.operation === 'set') return { operation: 'set', value: checkJson(input.value) };
  if (input.operation !== 'unset') throw wrongOperation('last-write-wins', input.operation, ['set', 'unset']);
  if (input.path === undefined) return { operation: 'unset' };
  throw new CffbrwError('INVALID_VALUE', 'last-write-wins unsets the whole value, and a path was given', {
    fix: 'Leave the path out, or declare strategy: merge-objects.',
  });
}

function apply(rows: Rows<LastWriteRow>, writer: Writer, operation: LastWriteOperation): LastWriteRow {
  const stamp = writer.stamp();
  const seen = seenBy(rows, writer.me);
  return operation.operation === 'set' ? { stamp, value: operation.value, seen } : { stamp, seen };
}

/** The versions of the others' rows; the map of my last row again when nothing has arrived since. */
function seenBy(rows: Rows<LastWriteRow>, me: string): Readonly<Record<string, number>> {
  const last = rows.get(me)?.row.seen ?? nothingSeen;
  let changed = false;
  for (const [replica, { version }] of rows) changed ||= replica !== me && last[replica] !== version;
  if (!changed) return last;
  return Object.fromEntries([...rows].filter(([replica]) => replica !== me).map(([replica, { version }]) => [replica, version]));
}

const nothingSeen: Readonly<Record<string, number>> = Object.freeze({});

const initialOf = (variable: Variable): Json => variable.initial ?? null;

/**
 * `author`'s row meets the best of the others: one of the two is lost. Where author's row before had beaten that other one already,
 * the loss is an old story.
 */
function conflicts(rows: Rows<LastWriteRow>, author: string, before: Entry<LastWriteRow> | undefined): readonly Conflict[] {
  const entry = rows.get(author);
  const other = best(rows, author);
  if (entry === undefined || other === null) return [];
  const mine: Candidate = { replica: author, ...entry };
  const mineWins = beats(mine.row.stamp, author, other.row.stamp, other.replica);
  const [won, lost] = mineWins ? [mine, other] : [other, mine];
  if ((won.row.seen[lost.replica] ?? -1) >= lost.version) return [];
  if (mineWins && before !== undefined && beats(before.row.stamp, author, other.row.stamp, other.replica)) return [];
  return [{ lost: side(lost), won: side(won) }];
}

const side = ({ replica, row }: Candidate): Conflict['lost'] => ({ replica, stamp: row.stamp, value: row.value ?? null });

function parseRow(input: unknown): LastWriteRow {
  const row = rowObject(input);
  const stamp = rowStamp(row.stamp);
  const seen = rowReplicas(row.seen, 'what it has seen', rowCount);
  return row.value === undefined ? { stamp, seen } : { stamp, value: checkJson(row.value), seen };
}

export const lastWriteWins: Strategy<LastWriteRow, LastWriteOperation> = /* @__PURE__ */ Object.freeze({
  name: 'last-write-wins',
  operations: {
    set: { commutes: false, guardStable: false },
    unset: { commutes: true, guardStable: false },
  },
  stamped: ['set', 'unset'],
  parse,
  apply,
  read: (rows: Rows<LastWriteRow>, variable: Variable) => {
    const value = best(rows)?.row.value;
    return value === undefined ? initialOf(variable) : value;
  },
  absent: (rows: Rows<LastWriteRow>) => best(rows)?.row.value === undefined,
  step: (_value: Json, operation: LastWriteOperation & Operation, variable: Variable) =>
    operation.operation === 'set' ? operation.value : initialOf(variable),
  latestStamp: (row: LastWriteRow) => row.stamp,
  conflicts,
  parseRow,
} as const);
