/**
 * The laws of strategies, as functions that need no test framework: each takes one instance and answers null, or how it is broken.
 * Run them over many generated instances. A trait that is denied must have a counterexample among them.
 *
 * Laws of the join: commutative, associative, idempotent. Laws of a strategy: S1 to S5 of strategy.ts.
 */
import type { Stamp } from '../clock.ts';
import { canonical, equal, type Json } from './json.ts';
import { canonicalRows, join } from './rows.ts';
import type { Entry, Operation, Rows, Strategy, Writer } from './strategy.ts';
import type { Variable } from './variable.ts';

/** How a law is broken, as text for people. */
export interface Counterexample {
  readonly law: string;
  readonly detail: string;
}

/** A strategy on trial. */
export interface Subject<Row extends object = object, Op extends Operation = Operation, Value extends Json = Json> {
  readonly strategy: Strategy<Row, Op, Value>;
  readonly variable: Variable;
  /** When two values count as the same effect. Default: equal. Extremes compare their numbers: of a tie either companion may stay. */
  readonly same?: (a: Value, b: Value) => boolean;
  /** The guard behind which the operation would be issued: `e > value` or `e < value`. */
  readonly guard?: (operation: Op, value: Value) => boolean;
}

const broken = (law: string, parts: Readonly<Record<string, unknown>>): Counterexample => ({
  law,
  detail: Object.entries(parts)
    .map(([name, part]) => `${name}: ${part instanceof Map ? canonicalRows(part) : canonical(part)}`)
    .join('\n'),
});

// ── The join. ──

export function joinLaws(a: Rows<object>, b: Rows<object>, c: Rows<object>): Counterexample | null {
  const text = (rows: Rows<object>): string => canonicalRows(rows);
  const ab = join(a, b).rows;
  if (text(ab) !== text(join(b, a).rows)) return broken('the join is commutative', { a, b });
  if (text(join(ab, c).rows) !== text(join(a, join(b, c).rows).rows)) return broken('the join is associative', { a, b, c });
  if (text(join(ab, b).rows) !== text(ab)) return broken('the join is idempotent', { a, b });
  return null;
}

// ── S1 to S4. ──

/** S1: the value does not depend on the order in which rows arrived. */
export function readLaw<Row extends object>({ strategy, variable }: Subject<Row>, rows: Rows<Row>): Counterexample | null {
  const value = attempt(() => strategy.read(rows, variable));
  const entries = [...rows];
  for (let turn = 0; turn < entries.length; turn++) {
    const turned = [...entries.slice(turn), ...entries.slice(0, turn)];
    for (const order of [turned, turned.toReversed()]) {
      const other = attempt(() => strategy.read(new Map(order), variable));
      if (!equal(value, other)) return broken('S1: read depends on the rows alone', { rows, value, other });
    }
  }
  return null;
}

/** S2: apply leaves its arguments as they were. */
export function applyLaw<Row extends object, Op extends Operation>(
  { strategy, variable }: Subject<Row, Op>,
  rows: Rows<Row>,
  operation: Op,
  me = 'a',
): Counterexample | null {
  const before = canonicalRows(rows) + canonical(operation);
  attempt(() => strategy.apply(rows, writerOn(strategy, rows, me), operation, variable));
  const after = canonicalRows(rows) + canonical(operation);
  return before === after ? null : broken('S2: apply changes no argument', { before, after });
}

/** S3: rows survive JSON, and being parsed as a stranger's. */
export function rowLaw<Row extends object>({ strategy, variable }: Subject<Row>, rows: Rows<Row>): Counterexample | null {
  const parsed = new Map<string, Entry<Row>>();
  for (const [replica, { version, row }] of rows) {
    const text = canonical(row);
    const again = strategy.parseRow(JSON.parse(text));
    if (canonical(again) !== text) return broken('S3: a row survives JSON', { row, again });
    parsed.set(replica, { version, row: again });
  }
  const [value, other] = [rows, parsed].map((state) => attempt(() => strategy.read(state, variable)));
  return equal(value, other) ? null : broken('S3: rows read the same after JSON', { rows, value, other });
}

/** S4: where `step` answers, it equals `read` after `apply`. */
export function stepLaw<Row extends object, Op extends Operation>(
  { strategy, variable }: Subject<Row, Op>,
  rows: Rows<Row>,
  operation: Op,
  me = 'a',
): Counterexample | null {
  const value = attempt(() => strategy.read(rows, variable));
  if (strategy.step === undefined || isRefusal(value)) return null;
  const stepped = strategy.step(value, operation, variable);
  const after = attempt(() => issue({ strategy, variable }, rows, me, operation));
  if (stepped === undefined || isRefusal(after)) return null;
  const read = attempt(() => strategy.read(after, variable));
  return equal(stepped, read) ? null : broken('S4: step equals read after apply', { rows, operation, stepped, read });
}

// ── S5: traits. ──

/** Two operations, issued concurrently on one state, have the effect of both: the same as one after the other, in either order. */
export function commutesLaw<Row extends object, Op extends Operation, Value extends Json>(
  subject: Subject<Row, Op, Value>,
  rows: Rows<Row>,
  operations: readonly [Op, Op],
): Counterexample | null {
  const { strategy, variable, same = equal } = subject;
  const [first, second] = operations;
  const a = issue(subject, rows, 'a', first);
  const b = issue(subject, rows, 'b', second);
  const together = strategy.read(join(a, b).rows, variable);
  const orders = [
    strategy.read(issue(subject, a, 'b', second), variable),
    strategy.read(issue(subject, b, 'a', first), variable),
  ];
  if (orders.every((value) => same(value, together))) return null;
  return broken(`S5: ${first.operation} commutes`, { rows, first, second, together, orders });
}

/**
 * An operation behind a guard that was true here, while others did something at the same time: the outcome is as if the guard had been
 * asked last (where it is false by then: as if the operation had not been issued). Resets of others are left to `check`.
 */
export function guardStableLaw<Row extends object, Op extends Operation, Value extends Json>(
  subject: Subject<Row, Op, Value>,
  rows: Rows<Row>,
  operation: Op,
  others: readonly Op[],
): Counterexample | null {
  const { strategy, variable, same = equal, guard = () => false } = subject;
  if (!guard(operation, strategy.read(rows, variable))) return null;
  const theirs = others.reduce((state, other) => issue(subject, state, 'b', other), rows);
  const value = strategy.read(theirs, variable);
  const outcome = strategy.read(join(issue(subject, rows, 'a', operation), theirs).rows, variable);
  const expected = guard(operation, value) ? strategy.read(issue(subject, theirs, 'a', operation), variable) : value;
  if (same(outcome, expected)) return null;
  return broken(`S5: ${operation.operation} is guard-stable`, { rows, operation, others, outcome, expected });
}

// ── Issuing operations. ──

/** The state after `me` issued an operation on it. */
export function issue<Row extends object, Op extends Operation>(
  { strategy, variable }: Pick<Subject<Row, Op>, 'strategy' | 'variable'>,
  rows: Rows<Row>,
  me: string,
  operation: Op,
): Rows<Row> {
  const writer = writerOn(strategy, rows, me);
  const row = strategy.apply(rows, writer, operation, variable);
  return new Map(rows).set(me, { version: writer.version, row });
}

/** A writer whose stamps beat all that these rows hold, and whose version is its next one. */
function writerOn<Row extends object>(strategy: Pick<Strategy<Row>, 'latestStamp'>, rows: Rows<Row>, me: string): Writer {
  const latest = (row: Row): Stamp => strategy.latestStamp(row) ?? [0, 0];
  let timeMs = [...rows.values()].reduce((highest, { row }) => Math.max(highest, latest(row)[0]), 0);
  return { me, version: (rows.get(me)?.version ?? 0) + 1, stamp: () => [++timeMs, 0] };
}

interface Refusal {
  readonly refused: string;
}

/** What the task gives, or the code of its refusal: laws hold for refusals too. */
function attempt<Result>(task: () => Result): Result | Refusal {
  try {
    return task();
  } catch (error) {
    return { refused: String((error as { code?: unknown }).code) };
  }
}

const isRefusal = (result: unknown): result is Refusal => typeof result === 'object' && result !== null && 'refused' in result;
