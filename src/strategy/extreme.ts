/**
 * max-value and min-value: keep the most extreme number ever offered, and the JSON that came with it (the highest bid's bidder). One
 * implementation, two directions.
 *
 * Value: `{ value, with }` of the best offer of the current round; a tie goes to the earlier stamp, then to the lower replica id. The
 * declaration's `initial` is the first offer of each round.
 *
 * Invariants:
 *   E1  The current round is the highest that any row shows. Offers of older rounds never show again; those that the reset had not
 *       seen are logged (`seen` of the row that opened the round decides).
 *   E2  Two concurrent resets open one and the same round.
 *   E3  An offer that does not show changes nothing, so it costs neither a write nor a stamp.
 */
import { beats, compareStamps, type Stamp } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import { checkJson, checkNumber, type Json } from './json.ts';
import { type OperationInput, refuseRow, rowCount, rowObject, rowReplicas, rowStamp, wrongOperation } from './parsing.ts';
import type { Conflict, Entry, OperationName, Rows, Strategy, Writer } from './strategy.ts';
import type { Variable } from './variable.ts';

export interface ExtremeRow {
  readonly round: number;
  /** null: no offer of mine in this round. */
  readonly value: number | null;
  readonly with: Json;
  readonly stamp: Stamp;
  /** Present when this replica opened the round: the stamps of the rows that its reset had seen. */
  readonly seen?: Readonly<Record<string, Stamp>>;
}

export interface Extreme {
  readonly [field: string]: Json;
  readonly value: number | null;
  readonly with: Json;
}

export type ExtremeOperation =
  | { readonly operation: 'raise' | 'lower'; readonly value: number; readonly with: Json }
  | { readonly operation: 'reset' };

/** What differs between the two: the offer's name, and which of two numbers is the more extreme. */
export interface Direction {
  readonly name: 'max-value' | 'min-value';
  readonly offer: 'raise' | 'lower';
  readonly exceeds: (a: number, b: number) => boolean;
}

type Opened = ExtremeRow & { readonly seen: Readonly<Record<string, Stamp>> };

const currentRound = (rows: Rows<ExtremeRow>): number => {
  let round = 0;
  for (const { row } of rows.values()) round = Math.max(round, row.round);
  return round;
};

const extreme = (value: number | null, companion: Json): Extreme => Object.freeze({ value, with: companion });
const initialOf = (variable: Variable): Extreme => extreme(typeof variable.initial === 'number' ? variable.initial : null, null);

function readWith({ exceeds }: Direction, rows: Rows<ExtremeRow>, variable: Variable): Extreme {
  const round = currentRound(rows);
  let best: { readonly replica: string; readonly row: ExtremeRow; readonly value: number } | null = null;
  for (const [replica, { row }] of rows) {
    if (row.round !== round || row.value === null) continue;
    const ahead = best === null || exceeds(row.value, best.value);
    // The loser of a tie is the better stamp: who offered first keeps it.
    const tie = best !== null && row.value === best.value && isEarlier(row.stamp, replica, best.row.stamp, best.replica);
    if (ahead || tie) best = { replica, row, value: row.value };
  }
  const initial = initialOf(variable);
  const shows = best !== null && (initial.value === null || exceeds(best.value, initial.value));
  return shows && best !== null ? extreme(best.value, best.row.with) : initial;
}

const isEarlier = (a: Stamp, aReplica: string, b: Stamp, bReplica: string): boolean =>
  a[0] === b[0] && a[1] === b[1] ? aReplica < bReplica : beats(b, bReplica, a, aReplica);

function applyWith(
  direction: Direction,
  rows: Rows<ExtremeRow>,
  writer: Writer,
  operation: ExtremeOperation,
  variable: Variable,
): ExtremeRow {
  if (operation.operation === 'reset') return openRound(rows, writer);
  const mine = rows.get(writer.me)?.row;
  if (!acceptsWith(direction, readWith(direction, rows, variable), operation)) return mine ?? nothingOffered;
  const round = currentRound(rows);
  const opened = mine?.seen !== undefined && mine.round === round ? { seen: mine.seen } : {};
  return { round, value: operation.value, with: operation.with, stamp: writer.stamp(), ...opened };
}

/** The row of a replica whose offers never showed. */
const nothingOffered: ExtremeRow = Object.freeze({ round: 0, value: null, with: null, stamp: [0, 0] as const });

function openRound(rows: Rows<ExtremeRow>, writer: Writer): ExtremeRow {
  const round = currentRound(rows) + 1;
  if (!Number.isSafeInteger(round))
    throw new CffbrwError('OUT_OF_RANGE', 'there are no rounds left: a row claims the last one there is');
  const seen = Object.fromEntries([...rows].map(([replica, { row }]) => [replica, row.stamp]));
  return { round, value: null, with: null, stamp: writer.stamp(), seen };
}

const acceptsWith = ({ exceeds }: Direction, shown: Extreme, operation: ExtremeOperation): boolean =>
  operation.operation === 'reset' || shown.value === null || exceeds(operation.value, shown.value);

/**
 * The offers of older rounds that no reset into the current one had seen. They become known when author's row opens the round, or when
 * it is such an offer itself.
 */
function conflicts(rows: Rows<ExtremeRow>, author: string, before: Entry<ExtremeRow> | undefined): readonly Conflict[] {
  const entry = rows.get(author);
  const round = currentRound(rows);
  if (entry === undefined || round === 0) return [];
  const openers = [...rows].filter(
    (pair): pair is [string, Entry<Opened>] => pair[1].row.round === round && pair[1].row.seen !== undefined,
  );
  const late = entry.row.round < round ? [author] : opensRound(rows, author, before) ? [...rows.keys()] : [];
  const [opener] = openers.sort(([a], [b]) => (a < b ? -1 : 1));
  if (opener === undefined) return [];
  const won = { replica: opener[0], stamp: opener[1].row.stamp, value: null };
  return late.flatMap((replica): Conflict[] => {
    const offer = rows.get(replica);
    if (offer === undefined || offer.row.value === null || offer.row.round === round) return [];
    if (openers.some(([, { row }]) => hasSeen(row, replica, offer.row.stamp))) return [];
    return [{ lost: { replica, stamp: offer.row.stamp, value: extreme(offer.row.value, offer.row.with) }, won }];
  });
}

/** By stamps, not by versions: a row may be published again with the same offer in it. */
function hasSeen({ seen }: Opened, replica: string, offer: Stamp): boolean {
  const stamp = seen[replica];
  return stamp !== undefined && compareStamps(stamp, offer) >= 0;
}

/** True when author's row is the first one known here of the current round. */
function opensRound(rows: Rows<ExtremeRow>, author: string, before: Entry<ExtremeRow> | undefined): boolean {
  const round = rows.get(author)?.row.round;
  if (round === undefined || before?.row.round === round) return false;
  for (const [replica, { row }] of rows) if (replica !== author && row.round === round) return false;
  return true;
}

function parseWith({ name, offer }: Direction, input: OperationInput): ExtremeOperation {
  if (input.operation === 'reset') return { operation: 'reset' };
  if (input.operation !== offer) throw wrongOperation(name, input.operation, [offer, 'reset']);
  return { operation: offer, value: checkNumber(input.value), with: checkJson(input.with ?? null) };
}

function parseRow(input: unknown): ExtremeRow {
  const row = rowObject(input);
  const value = row.value;
  if (value !== null && typeof value !== 'number') throw refuseRow('its value is no number');
  const parsed = {
    round: rowCount(row.round, 'its round'),
    value: value === null ? null : checkNumber(value),
    with: checkJson(row.with),
    stamp: rowStamp(row.stamp),
  };
  return row.seen === undefined ? parsed : { ...parsed, seen: rowReplicas(row.seen, 'what it has seen', rowStamp) };
}

export function extremeStrategy(direction: Direction): Strategy<ExtremeRow, ExtremeOperation, Extreme> {
  const operations: Strategy['operations'] = {
    [direction.offer satisfies OperationName]: { commutes: true, guardStable: true },
    reset: { commutes: true, guardStable: false },
  };
  const accepts = (shown: Extreme, operation: ExtremeOperation): boolean => acceptsWith(direction, shown, operation);
  return Object.freeze({
    name: direction.name,
    operations,
    stamped: [direction.offer, 'reset'] as const,
    parse: (input: OperationInput) => parseWith(direction, input),
    apply: (rows: Rows<ExtremeRow>, writer: Writer, operation: ExtremeOperation, variable: Variable) =>
      applyWith(direction, rows, writer, operation, variable),
    read: (rows: Rows<ExtremeRow>, variable: Variable) => readWith(direction, rows, variable),
    absent,
    step: (shown: Extreme, operation: ExtremeOperation, variable: Variable) => {
      if (operation.operation === 'reset') return initialOf(variable);
      return accepts(shown, operation) ? extreme(operation.value, operation.with) : shown;
    },
    accepts,
    latestStamp: (row: ExtremeRow) => row.stamp,
    conflicts,
    parseRow,
  });
}

/** True when nobody has made an offer in the current round. */
function absent(rows: Rows<ExtremeRow>): boolean {
  const round = currentRound(rows);
  for (const { row } of rows.values()) if (row.round === round && row.value !== null) return false;
  return true;
}
