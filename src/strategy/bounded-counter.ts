/**
 * bounded-counter: a stock that never goes below its bound. The row is one replica's part; the rights come from the bank.
 *
 * Never: decides anything. The bank writes the rows (replica/bank.ts), this file only adds them up.
 *
 * Invariants:
 *   N1  The value is what is left as the known rows show it, never below 0: units taken elsewhere and not yet known here are missing.
 *   N2  Every field is a total that only grows, but `wants`.
 */
import { CffbrwError } from '../error.ts';
import { checkInteger } from './json.ts';
import { type OperationInput, rowCount, rowObject, wrongOperation } from './parsing.ts';
import type { OperationName, Rows, Strategy } from './strategy.ts';
import type { Variable } from './variable.ts';

export interface BoundedRow {
  /** Total units ever leased to this replica, as the bank showed them. */
  readonly leased: number;
  /** Total units this replica has handed back: decided here first, then shown by the bank. */
  readonly returned: number;
  readonly taken: number;
  readonly given: number;
  /** Units that takes waiting here lack; others that hold idle rights return them. */
  readonly wants: number;
  /** Units of `taken` that came straight from the bank (`strong`), never through a lease. */
  readonly strong: number;
  /** Totals that this replica has minted and burned: decided here first, then shown by the bank. */
  readonly minted: number;
  readonly burned: number;
  /** The units that the bank was created with, as the bank showed it here; null: not seen yet. */
  readonly initial: number | null;
}

/** Operations on a bounded counter as data; the replica carries them out (`replica.take`, `give`, `confirm`, `mint`, `burn`). */
export interface BoundedOperation {
  readonly operation: 'take' | 'give' | 'confirm' | 'mint' | 'burn';
  /** A positive safe integer. */
  readonly amount: number;
}

const operationNames = ['take', 'give', 'confirm', 'mint', 'burn'] as const;

function parse(input: OperationInput): BoundedOperation {
  const operation = operationNames.find((name) => name === input.operation);
  if (operation === undefined) throw wrongOperation('bounded-counter', input.operation, operationNames);
  const amount = input.amount === undefined ? 1 : checkInteger(input.amount);
  if (amount > 0) return { operation, amount };
  throw new CffbrwError('INVALID_NUMBER', `the amount is ${amount}, not a positive integer`, {
    fix: 'Use give to hand units back.',
  });
}

function apply(): never {
  throw new CffbrwError('WRONG_OPERATION', 'the rows of a bounded-counter are written by its bank alone', {
    fix: 'Call take, give, confirm, mint or burn of the replica.',
  });
}

function read(rows: Rows<BoundedRow>, variable: Variable): number {
  let initial: number | null = null;
  let left = 0n;
  for (const { row } of rows.values()) {
    left += BigInt(row.minted) - BigInt(row.burned) - BigInt(row.taken) + BigInt(row.given);
    // The bank was created once, so all rows that know its initial agree; the highest makes the order irrelevant.
    if (row.initial !== null && (initial === null || row.initial > initial)) initial = row.initial;
  }
  left += BigInt(initial ?? declaredInitial(variable));
  if (left > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new CffbrwError('OUT_OF_RANGE', `${variable.name}: more than 2^53−1 units are left`, { fix: 'Burn some.' });
  }
  return left < 0n ? 0 : Number(left);
}

const declaredInitial = (variable: Variable): number => (typeof variable.initial === 'number' ? variable.initial : 0);

function parseRow(input: unknown): BoundedRow {
  const row = rowObject(input);
  return {
    leased: rowCount(row.leased, 'what was leased'),
    returned: rowCount(row.returned, 'what was returned'),
    taken: rowCount(row.taken, 'what was taken'),
    given: rowCount(row.given, 'what was given'),
    wants: rowCount(row.wants, 'what is wanted'),
    strong: rowCount(row.strong, 'what was taken from the bank'),
    minted: rowCount(row.minted, 'what was minted'),
    burned: rowCount(row.burned, 'what was burned'),
    initial: row.initial === null ? null : rowCount(row.initial, 'the initial'),
  };
}

/** A take carries its own guard: it is refused where the rights are missing, so it stays right behind any other. */
const operations: Readonly<Record<(typeof operationNames)[number], Strategy['operations'][OperationName]>> = {
  take: { commutes: true, guardStable: true },
  give: { commutes: true, guardStable: false },
  confirm: { commutes: true, guardStable: true },
  mint: { commutes: true, guardStable: false },
  burn: { commutes: true, guardStable: false },
};

export const boundedCounter: Strategy<BoundedRow, BoundedOperation, number> = /* @__PURE__ */ Object.freeze({
  name: 'bounded-counter',
  operations: operations as Strategy['operations'],
  stamped: [],
  parse,
  apply,
  read,
  latestStamp: () => null,
  conflicts: () => [],
  parseRow,
} as const);
