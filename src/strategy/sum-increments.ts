/**
 * sum-increments: track increments, and sum them all. `set` and `reset` cancel what their replica has seen of every row and set a new
 * base, so an increment that they had not seen survives them.
 *
 * Value: the best-stamped base (or the initial) + Σ over replicas of (sum − cancelled).
 *
 * Invariants:
 *   I1  Per replica the cancel with the highest version counts; a replica's own cancel carries the version of the flush that commits it,
 *       and loses a tie to anyone else's, who saw that flush whole.
 *   I2  A row older than the cancel counts nothing: whoever cancelled had seen all of it. So a row may be rebased to 0 under an own cancel.
 *   I3  Two concurrent resets are one, and two concurrent `set(100)` make 100.
 *   I4  An add costs O(1): it shares the maps of the row before it.
 */
import { beats, type Stamp } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import { checkInteger } from './json.ts';
import { type OperationInput, rowCount, rowInteger, rowObject, rowReplicas, rowStamp, wrongOperation } from './parsing.ts';
import type { Rows, Strategy, Writer } from './strategy.ts';
import type { Variable } from './variable.ts';

/** What a reset had seen of one replica's row. */
export interface Cancel {
  readonly version: number;
  readonly sum: number;
}

export interface SumRow {
  readonly sum: number;
  readonly cancels: Readonly<Record<string, Cancel>>;
  readonly base: { readonly stamp: Stamp; readonly value: number } | null;
}

export type SumOperation =
  | { readonly operation: 'add'; readonly amount: number }
  | { readonly operation: 'set'; readonly value: number }
  | { readonly operation: 'reset' };

const noCancels: SumRow['cancels'] = Object.freeze({});
const initialOf = (variable: Variable): number => (typeof variable.initial === 'number' ? variable.initial : 0);

function parse(input: OperationInput): SumOperation {
  switch (input.operation) {
    case 'add':
      return { operation: 'add', amount: input.amount === undefined ? 1 : checkInteger(input.amount) };
    case 'set':
      return { operation: 'set', value: checkInteger(input.value, 'the value') };
    case 'reset':
      return { operation: 'reset' };
    default:
      throw wrongOperation('sum-increments', input.operation, ['add', 'set', 'reset']);
  }
}

function apply(rows: Rows<SumRow>, writer: Writer, operation: SumOperation, variable: Variable): SumRow {
  const mine = rows.get(writer.me)?.row;
  if (operation.operation !== 'add') {
    return rebase(rows, writer, operation.operation === 'set' ? operation.value : initialOf(variable));
  }
  const sum = (mine?.sum ?? 0) + operation.amount;
  if (!Number.isSafeInteger(sum)) throw outOfRange(variable, 'this replica’s increments');
  return { sum, cancels: mine?.cancels ?? noCancels, base: mine?.base ?? null };
}

/** My row after everything seen was cancelled: my own part starts again at 0 under a cancel of its own. */
function rebase(rows: Rows<SumRow>, writer: Writer, value: number): SumRow {
  const cancels: Record<string, Cancel> = { ...rows.get(writer.me)?.row.cancels };
  for (const [replica, { version, row }] of rows) {
    if ((cancels[replica]?.version ?? -1) <= version) cancels[replica] = { version, sum: row.sum };
  }
  cancels[writer.me] = { version: writer.version, sum: 0 };
  return { sum: 0, cancels, base: { stamp: writer.stamp(), value } };
}

/** Per replica the cancel that counts (I1). */
function winningCancels(rows: Rows<SumRow>): ReadonlyMap<string, Cancel> {
  const winners = new Map<string, Cancel & { readonly own: boolean }>();
  for (const [owner, { row }] of rows) {
    for (const replica in row.cancels) {
      const cancel = row.cancels[replica];
      const best = winners.get(replica);
      const own = owner === replica;
      if (cancel !== undefined && (best === undefined || outranks(cancel, own, best))) winners.set(replica, { ...cancel, own });
    }
  }
  return winners;
}

function outranks(cancel: Cancel, own: boolean, best: Cancel & { readonly own: boolean }): boolean {
  if (cancel.version !== best.version) return cancel.version > best.version;
  // Others that cancelled one version saw one sum, unless its identity was forked.
  return own === best.own ? cancel.sum > best.sum : best.own;
}

function read(rows: Rows<SumRow>, variable: Variable): number {
  const cancels = winningCancels(rows);
  const parts = [baseOf(rows) ?? initialOf(variable)];
  for (const [replica, { version, row }] of rows) {
    const cancel = cancels.get(replica);
    if (cancel === undefined) parts.push(row.sum);
    else if (version >= cancel.version) parts.push(row.sum, -cancel.sum);
  }
  return total(parts, variable);
}

function baseOf(rows: Rows<SumRow>): number | null {
  let best: { readonly replica: string; readonly stamp: Stamp; readonly value: number } | null = null;
  for (const [replica, { row }] of rows) {
    if (row.base !== null && (best === null || beats(row.base.stamp, replica, best.stamp, best.replica)))
      best = { replica, ...row.base };
  }
  return best?.value ?? null;
}

/** The exact sum: in numbers while they are exact, else in BigInt. */
function total(parts: readonly number[], variable: Variable): number {
  let sum = 0;
  let exact = true;
  for (const part of parts) {
    sum += part;
    exact &&= Number.isSafeInteger(sum);
  }
  if (exact) return sum;
  sum = Number(parts.reduce((whole, part) => whole + BigInt(part), 0n));
  if (!Number.isSafeInteger(sum)) throw outOfRange(variable, 'the increments of all replicas');
  return sum;
}

const outOfRange = (variable: Variable, whose: string): CffbrwError =>
  new CffbrwError('OUT_OF_RANGE', `${variable.name}: ${whose} add up beyond ±(2^53−1), where integers lose digits`, {
    fix: 'Reset it, or count in larger units or per window.',
  });

function step(value: number, operation: SumOperation, variable: Variable): number | undefined {
  if (operation.operation === 'set') return operation.value;
  if (operation.operation === 'reset') return initialOf(variable);
  const next = value + operation.amount;
  return Number.isSafeInteger(next) ? next : undefined;
}

function parseRow(input: unknown): SumRow {
  const row = rowObject(input);
  const base = row.base === null ? null : rowObject(row.base, 'its base');
  return {
    sum: rowInteger(row.sum, 'its sum'),
    cancels: rowReplicas(row.cancels, 'its cancels', parseCancel),
    base: base === null ? null : { stamp: rowStamp(base.stamp), value: rowInteger(base.value, 'its base') },
  };
}

function parseCancel(input: unknown, what: string): Cancel {
  const cancel = rowObject(input, what);
  return { version: rowCount(cancel.version, what), sum: rowInteger(cancel.sum, what) };
}

export const sumIncrements: Strategy<SumRow, SumOperation, number> = /* @__PURE__ */ Object.freeze({
  name: 'sum-increments',
  operations: {
    add: { commutes: true, guardStable: false },
    set: { commutes: false, guardStable: false },
    reset: { commutes: true, guardStable: false },
  },
  stamped: ['set', 'reset'],
  parse,
  apply,
  read,
  step,
  latestStamp: (row: SumRow) => row.base?.stamp ?? null,
  conflicts: () => [],
  parseRow,
} as const);
