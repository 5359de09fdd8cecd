/**
 * The contract of a reconciliation strategy, as plain data: two pure functions over rows, and what `check` may rely on.
 *
 * The state of an address is a map `replica → { version, row }`. Only replica i ever writes row i, and the join keeps, for each
 * replica, the row with the higher version. So no strategy can make replicas diverge: all meaning is in `apply` and `read`.
 *
 * A strategy never: keeps state, reads a clock, draws a random number, throws anything but a CffbrwError, changes its arguments.
 *
 * Invariants (stated as functions in laws.ts, proven for every strategy):
 *   S1  `read` depends on the rows alone: not on the order in which they arrived, nor on map order.
 *   S2  `apply` returns a new row of the writer and leaves every argument as it was.
 *   S3  A row survives JSON: parseRow(JSON.parse(canonical(row))) reads the same.
 *   S4  Where `step` answers, it equals `read` after `apply`.
 *   S5  Each trait that is claimed holds; for each that is denied there is a counterexample.
 */
import type { Stamp } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import type { Json } from './json.ts';
import type { StrategyName } from './names.ts';
import type { Variable } from './variable.ts';

export interface Entry<Row> {
  readonly version: number;
  readonly row: Row;
}

/** What all replicas have contributed to one address. */
export type Rows<Row> = ReadonlyMap<string, Entry<Row>>;

/** Who writes, and what the write may refer to. */
export interface Writer {
  readonly me: string;
  /** The commit number of the flush that will make this write durable: the version that my row will have. */
  readonly version: number;
  /** Issues a stamp that beats every stamp seen here. Only called by operations that are stamped. */
  stamp(): Stamp;
}

export type OperationName =
  | 'set'
  | 'unset'
  | 'add'
  | 'reset'
  | 'merge'
  | 'replace'
  | 'raise'
  | 'lower'
  | 'take'
  | 'give'
  | 'confirm'
  | 'mint'
  | 'burn';

/** An operation as data. `operation` names it, the other fields are its input. */
export interface Operation {
  readonly operation: OperationName;
}

/** What `check` may rely on. Every claim is proven and every denial has a counterexample in the tests. */
export interface Traits {
  /** Issued concurrently, in any order of arrival, two of them have the effect of both: neither is lost. */
  readonly commutes: boolean;
  /** Applying it behind a guard `e > value` (or `<`) that was true here stays right whatever others do at the same time. */
  readonly guardStable: boolean;
}

/** A write that was lost to one that had not seen it. `lost` and `won` are the values, in the strategy's own terms. */
export interface Conflict {
  readonly path?: string;
  readonly lost: { readonly replica: string; readonly stamp: Stamp; readonly value: Json };
  readonly won: { readonly replica: string; readonly stamp: Stamp; readonly value: Json };
}

export interface Strategy<Row extends object = object, Op extends Operation = Operation, Value extends Json = Json> {
  readonly name: StrategyName;
  readonly operations: Partial<Record<OperationName, Traits>>;
  /** Operations that issue stamps; the others are never delayed or refused by a clock. */
  readonly stamped: readonly OperationName[];
  /** The operation from untrusted input, checked. Throws INVALID_NUMBER, INVALID_VALUE, TOO_LARGE, WRONG_OPERATION. */
  parse(input: Operation & Record<string, unknown>, variable: Variable): Op;
  /** My next row; the very row before it where nothing changes, so that there is nothing to flush. Throws OUT_OF_RANGE, TOO_LARGE. */
  apply(rows: Rows<Row>, writer: Writer, operation: Op, variable: Variable): Row;
  read(rows: Rows<Row>, variable: Variable): Value;
  /** True when the rows show that nobody wrote it, or that it was unset: then `keys` does not list it. */
  absent?(rows: Rows<Row>): boolean;
  /** The value after `operation`, from the value before it, in O(1); undefined where only `read` can tell. */
  step?(value: Value, operation: Op, variable: Variable): Value | undefined;
  /** True when the operation would show as the value (`raise`, `lower`); true for all others. */
  accepts?(value: Value, operation: Op): boolean;
  /** The highest stamp in a row, or null: what the clock observes and what quarantine looks at. */
  latestStamp(row: Row): Stamp | null;
  /** The lost writes that become known when `author`'s entry replaces `before` (`rows` holds it already). */
  conflicts(rows: Rows<Row>, author: string, before: Entry<Row> | undefined): readonly Conflict[];
  /** My row without garbage, or null when there is none to drop. Rides on the next write or idle time. */
  collect?(rows: Rows<Row>, me: string): Row | null;
  /** A row from another machine, checked. Throws INVALID_VALUE: a poison row is quarantined, not joined. */
  parseRow(row: unknown): Row;
}

/** Those that there are at a place: a Worker has no others than its app declares. */
export type Strategies = Readonly<Partial<Record<StrategyName, Strategy>>>;

export function strategyIn(strategies: Strategies, name: StrategyName): Strategy {
  const strategy = strategies[name];
  if (strategy === undefined) throw new CffbrwError('INVARIANT', `${name} is declared, and is not here`);
  return strategy;
}
