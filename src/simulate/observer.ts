/**
 * Sees all disks at once: everything that any replica ever made durable, joined. Knows nothing of how replicas, banks or backbones work.
 *
 * Invariants:
 *   O1  Its state is, per address and replica, the row with the highest version that ever reached a disk.
 *   O2  It changes nothing and draws nothing.
 */
import type { StoredRow } from '../store/index.ts';
import { type Address, addressOf, type Key } from '../strategy/address.ts';
import type { BoundedRow } from '../strategy/bounded-counter.ts';
import type { Entry, Json, Variable } from '../strategy/index.ts';
import { strategies, windowAt } from '../strategy/index.ts';

export interface Observer {
  /** Rows reached a disk. */
  written(rows: readonly StoredRow[]): void;
  /** What every replica would read if each knew all that is durable anywhere. Throws INVALID_KEY, OUT_OF_RANGE. */
  read(variable: Variable, key: Key | null, nowMs: number): Json;
  /** The first bounded counter of which more was taken than there was, as a sentence; null: none. */
  readonly oversold: string | null;
}

interface Seen {
  version: number;
  bytes: string;
  /** Parsed when it is read. */
  entry: Entry<object> | null;
}

interface Known {
  readonly rows: Map<string, Seen>;
  /** Units taken beyond those that were minted: only of bounded counters. */
  out: number;
}

const isBounded = (address: string): boolean => address.split(':', 2)[1] === 'bounded-counter';

/** What a row of a bounded counter adds to the units that are out, beyond the initial ones. */
function outOf(bytes: string): number {
  const { taken, given, minted, burned } = JSON.parse(bytes) as BoundedRow;
  return taken - given - minted + burned;
}

export function createObserver(variables: ReadonlyMap<string, Variable>): Observer {
  const addresses = new Map<string, Known>();
  let oversold: string | null = null;

  function put(known: Known, { address, replica, version, bytes }: StoredRow): void {
    const before = known.rows.get(replica);
    if (before !== undefined && before.version >= version) return;
    known.rows.set(replica, { version, bytes, entry: null });
    if (!isBounded(address)) return;
    known.out += outOf(bytes) - (before === undefined ? 0 : outOf(before.bytes));
    const initial = initialOf(known, variables.get(address.slice(0, address.indexOf(':'))));
    if (known.out > initial) oversold ??= `${known.out} units of ${address} were taken, and there were ${initial}`;
  }

  return {
    written(rows) {
      for (const row of rows) {
        let known = addresses.get(row.address);
        if (known === undefined) {
          known = { rows: new Map(), out: 0 };
          addresses.set(row.address, known);
        }
        put(known, row);
      }
    },
    read(variable, key, nowMs) {
      const known = addresses.get(addressNow(variable, key, nowMs).id);
      const strategy = strategies[variable.strategy];
      const rows = new Map<string, Entry<object>>();
      for (const [replica, seen] of known?.rows ?? []) {
        seen.entry ??= { version: seen.version, row: strategy.parseRow(JSON.parse(seen.bytes)) };
        rows.set(replica, seen.entry);
      }
      return strategy.read(rows, variable);
    },
    get oversold() {
      return oversold;
    },
  };
}

const addressNow = (variable: Variable, key: Key | null, nowMs: number): Address =>
  addressOf(variable, key, variable.window === undefined ? '' : windowAt(variable.window, nowMs).id);

/** The bank was created once: whoever has seen it says with how much. */
function initialOf({ rows }: Known, variable: Variable | undefined): number {
  for (const { bytes } of rows.values()) {
    const { initial } = JSON.parse(bytes) as BoundedRow;
    if (initial !== null) return initial;
  }
  return typeof variable?.initial === 'number' ? variable.initial : 0;
}

export type DiskRows = ReadonlyMap<string, ReadonlyMap<string, StoredRow>>;

/** Without what incarnations of these machines wrote. */
export function rowsWithout(rows: DiskRows, machines: ReadonlySet<string>): DiskRows {
  if (machines.size === 0) return rows;
  const kept = [...rows].map(([address, ofAddress]) => {
    const others = [...ofAddress].filter(([replica]) => !machines.has(replica.split('.')[0] ?? ''));
    return [address, new Map(others)] as const;
  });
  return new Map(kept);
}

/** The first difference between two disks, byte by byte, as a sentence; null: there is none. */
export function differenceOf([a, left]: readonly [string, DiskRows], [b, right]: readonly [string, DiskRows]): string | null {
  for (const [address, ofAddress] of left) {
    for (const [replica, row] of ofAddress) {
      const other = right.get(address)?.get(replica);
      if (other === undefined) return `${b} lacks the row of ${replica} for ${address} that ${a} holds`;
      if (other.version !== row.version || other.bytes !== row.bytes)
        return `the row of ${replica} for ${address} is v${row.version} ${row.bytes} at ${a} and v${other.version} ${other.bytes} at ${b}`;
    }
  }
  return null;
}
