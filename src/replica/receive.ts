/**
 * Receiving: check → join → notify. A row from another machine is checked, joined by version, and marked for the next flush, in one
 * transaction with the cursor that it came with.
 *
 * It never joins a row that it does not understand, never lets a remote clock move ours beyond the quarantine bound, and never takes a
 * row of this replica's own from outside.
 *
 * Invariants:
 *   R1  Per replica the row with the higher version wins, whatever the order of arrival.
 *   R2  Equal version and different bytes can only be a forked identity: alarm, and the larger canonical bytes win everywhere.
 *   R3  A row of mine that I did not write proves that another process is me: this one stops writing.
 */
import { type Clock, isAhead } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { StoredRow } from '../store/store.ts';
import { canonical } from '../strategy/json.ts';
import type { Entry } from '../strategy/strategy.ts';
import type { ConflictLog } from './conflicts.ts';
import { type Memory, markChanged } from './memory.ts';
import type { Quarantine } from './quarantine.ts';
import type { MemorySlot } from './slot.ts';

export interface Alarm {
  readonly kind:
    | 'fork'
    | 'second-self'
    | 'regression'
    | 'bank'
    | 'listener'
    | 'poison'
    | 'clock'
    | 'store'
    | 'declaration'
    | 'frozen'
    | 'locked';
  readonly message: string;
}

/** What an operator's listener throws is the listener's own: it must not stop what was being told of. */
export const unthrowing =
  <Told>(alarm: (told: Told) => void): ((told: Told) => void) =>
  (told) => {
    try {
      alarm(told);
    } catch {
      // There is nobody left to tell.
    }
  };

export interface ReceiveOptions {
  readonly memory: Memory;
  readonly host: Host;
  readonly clock: Clock;
  readonly conflicts: ConflictLog;
  readonly quarantine: Quarantine;
  /** Ids that only this process may write. */
  readonly mine: (replica: string) => boolean;
  readonly alarm: (alarm: Alarm) => void;
  /** A row of a bounded counter changed. */
  readonly boundedChanged: (slot: MemorySlot) => void;
}

/** Joins rows into slots that are in memory (the caller loaded them). Returns how many were new. */
export function joinRows(options: ReceiveOptions, rows: readonly StoredRow[]): number {
  let joined = 0;
  for (const row of rows) {
    const slot = options.memory.slots.get(row.address);
    if (slot !== undefined && joinRow(options, slot, row)) joined += 1;
  }
  return joined;
}

function joinRow(options: ReceiveOptions, slot: MemorySlot, received: StoredRow): boolean {
  const { memory, host, clock, quarantine } = options;
  const before = slot.rows.get(received.replica);
  if (before !== undefined && !isNewer(options, before, received)) return false;
  if (options.mine(received.replica)) return rejectOwn(options, received);

  const row = understand(options, slot, received);
  if (row === null) return false;
  const stamp = slot.strategy?.latestStamp(row) ?? null;
  if (stamp !== null && isAhead(stamp, host.now())) {
    quarantine.hold(received, stamp[0]);
    return false;
  }
  if (stamp !== null) clock.observe(stamp);
  slot.rows.set(received.replica, { version: received.version, row });
  slot.value = undefined;
  markChanged(memory, slot, received.replica, received.bytes);
  quarantine.release(received.address, received.replica, received.version);
  logConflicts(options, slot, received.replica, before);
  if (slot.strategy?.name === 'bounded-counter') options.boundedChanged(slot);
  return true;
}

/** R1 and R2. */
function isNewer(options: ReceiveOptions, before: Entry<object>, received: StoredRow): boolean {
  if (received.version !== before.version) return received.version > before.version;
  const mine = canonical(before.row);
  if (mine === received.bytes) return false;
  options.alarm({
    kind: 'fork',
    message: `two different rows of ${received.replica} carry version ${received.version} at ${received.address}: one identity was used twice`,
  });
  return received.bytes > mine;
}

/** R3: the backbone shows a row of mine that I did not write. */
function rejectOwn(options: ReceiveOptions, received: StoredRow): false {
  const { memory } = options;
  const known = memory.flying === 0 ? memory.committed : memory.flying;
  if (received.version > known) {
    const message = `the backbone holds commit ${received.version} of ${received.replica}, but this process is at ${known}: another process uses its identity`;
    memory.refusal ??= new CffbrwError('FENCED', message, { fix: 'Stop one of the two, then restart this one.' });
    options.alarm({ kind: 'second-self', message });
  }
  return false;
}

function understand(options: ReceiveOptions, slot: MemorySlot, received: StoredRow): object | null {
  try {
    const row: unknown = JSON.parse(received.bytes);
    if (slot.strategy !== null) return slot.strategy.parseRow(row);
    if (typeof row === 'object' && row !== null) return row;
  } catch (error) {
    options.alarm({
      kind: 'poison',
      message: `a row of ${received.replica} at ${received.address} is not understood: ${String(error)}`,
    });
  }
  options.quarantine.hold(received, null);
  return null;
}

function logConflicts(options: ReceiveOptions, slot: MemorySlot, author: string, before: Entry<object> | undefined): void {
  if (slot.strategy === null) return;
  const { variable, key, window } = slot.address;
  for (const conflict of slot.strategy.conflicts(slot.rows, author, before)) {
    options.conflicts.add({ ...conflict, at: options.host.now(), variable, key, window });
  }
}
