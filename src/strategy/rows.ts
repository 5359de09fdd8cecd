/**
 * The state of an address and its join. For each replica the row with the higher version is kept, whatever the rows contain.
 *
 * Never: looks into a row.
 *
 * Invariants:
 *   J1  The join is commutative, associative and idempotent, also where an identity was forked.
 *   J2  Equal version and different bytes is a fork: it is reported, and the larger canonical bytes win everywhere.
 */
import { canonical } from './json.ts';
import type { Entry, Rows } from './strategy.ts';

/** One replica published two rows under one version: its identity lives twice. */
export interface Fork {
  readonly replica: string;
  readonly version: number;
}

export interface Joined<Row> {
  readonly rows: Rows<Row>;
  readonly forks: readonly Fork[];
}

/** Which of two entries of one replica is kept: `fork` tells that they had one version and different bytes. */
export function choose<Row>(
  mine: Entry<Row> | undefined,
  theirs: Entry<Row>,
): { readonly entry: Entry<Row>; readonly fork: boolean } {
  if (mine === undefined || theirs.version > mine.version) return { entry: theirs, fork: false };
  if (theirs.version < mine.version || theirs === mine) return { entry: mine, fork: false };
  const [a, b] = [canonical(mine.row), canonical(theirs.row)];
  return { entry: a >= b ? mine : theirs, fork: a !== b };
}

/** The state that knows what both know. */
export function join<Row>(a: Rows<Row>, b: Rows<Row>): Joined<Row> {
  const rows = new Map(a);
  const forks: Fork[] = [];
  for (const [replica, theirs] of b) {
    const { entry, fork } = choose(rows.get(replica), theirs);
    rows.set(replica, entry);
    if (fork) forks.push({ replica, version: entry.version });
  }
  return { rows, forks };
}

/** The state as text: equal states have equal text. */
export const canonicalRows = (rows: Rows<object>): string => canonical(Object.fromEntries(rows));
