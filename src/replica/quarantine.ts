/**
 * Quarantine: a row whose stamp is more than 60 s ahead of this machine's clock, or that cannot be understood, is kept whole and
 * forwarded, but not in force: the last good row stays, and the clock does not move.
 *
 * Invariants:
 *   Q1  At most one quarantined row per address and replica: the one with the highest version.
 *   Q2  A row leaves quarantine when its time has come, or when a later row of the same replica is in force.
 *   Q3  After a failed commit it holds what the store holds.
 */
import { quarantineAheadMs } from '../clock.ts';
import type { StoredRow } from '../store/store.ts';
import { type Memory, putRecord } from './memory.ts';

export interface Quarantined extends StoredRow {
  /** When it may be looked at again, milliseconds since 1970; null: never by time (it was not understood). */
  readonly until: number | null;
}

export interface Quarantine {
  hold(row: StoredRow, stampMs: number | null): void;
  /** A row of this address and replica with this version is in force now. */
  release(address: string, replica: string, version: number): void;
  /** Rows whose time has come. */
  due(now: number): readonly Quarantined[];
  list(): readonly Quarantined[];
  /** A commit failed: what it and everything since changed is undone. */
  revert(): void;
}

export const quarantinePrefix = 'quarantine/';

export function createQuarantine(memory: Memory, stored: readonly { readonly value: string }[]): Quarantine {
  const rows = new Map<string, Quarantined>();
  let undo: { readonly name: string; readonly before: Quarantined | undefined; readonly commit: number }[] = [];

  function change(name: string, after: Quarantined | undefined): void {
    undo = undo.filter(({ commit }) => commit > memory.committed);
    undo.push({ name, before: rows.get(name), commit: memory.next });
    put(name, after);
    putRecord(memory, name, after === undefined ? null : JSON.stringify(after));
  }

  function put(name: string, row: Quarantined | undefined): void {
    if (row === undefined) rows.delete(name);
    else rows.set(name, row);
  }

  const nameOf = (row: { address: string; replica: string }) => `${quarantinePrefix}${row.replica}/${row.address}`;
  for (const { value } of stored) {
    const row = JSON.parse(value) as Quarantined;
    rows.set(nameOf(row), row);
  }
  return {
    hold(row, stampMs) {
      const name = nameOf(row);
      const held = rows.get(name);
      if (held !== undefined && held.version >= row.version) return;
      const quarantined = { ...row, until: stampMs === null ? null : stampMs - quarantineAheadMs };
      change(name, quarantined);
    },
    release(address, replica, version) {
      if (rows.size === 0) return;
      const name = nameOf({ address, replica });
      const held = rows.get(name);
      if (held === undefined || held.version > version) return;
      change(name, undefined);
    },
    due: (now) => [...rows.values()].filter((row) => row.until !== null && row.until <= now),
    revert() {
      for (const { name, before, commit } of undo.reverse()) if (commit > memory.committed) put(name, before);
      undo = [];
    },
    list: () => [...rows.values()],
  };
}
