/**
 * Reading and updating a slot in memory: stamp → apply → mark dirty. Synchronous, and O(1) where the strategy knows the next value.
 *
 * Invariants:
 *   U1  Only my own row changes, and it carries the commit number of the next flush.
 *   U2  An operation that is refused (number, size, schema, clock, closed window) changes nothing.
 *   U3  A value kept in memory equals what the rows read as.
 */
import type { Clock } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Json } from '../strategy/json.ts';
import { checkOf } from '../strategy/schema-check.ts';
import type { Operation, Writer } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';
import { isTombstone } from '../strategy/window.ts';
import { checkWritable, type Memory, markChanged } from './memory.ts';
import type { MemorySlot } from './slot.ts';

export interface UpdateOptions {
  readonly memory: Memory;
  readonly host: Host;
  readonly clock: Clock;
  readonly me: string;
}

export interface Updating {
  read(slot: MemorySlot): Json;
  /** The commit that makes it durable; 0: it changed nothing. */
  update(slot: MemorySlot, operation: Operation): number;
  /** Refuses a window that is closed for good: a slow clock or a paused run can't open one again. */
  checkWindow(slot: MemorySlot): void;
}

const maxDirtySlots = 100_000;

export function createUpdating({ memory, host, clock, me }: UpdateOptions): Updating {
  const writer: Writer = {
    me,
    get version() {
      return memory.next;
    },
    stamp: () => clock.issue(),
  };

  function read(slot: MemorySlot): Json {
    if (slot.value !== undefined) return slot.value;
    const { strategy, variable } = known(slot);
    slot.value = strategy.read(slot.rows, variable);
    return slot.value;
  }

  function checkWindow(slot: MemorySlot): void {
    const rule = slot.variable?.window;
    if (rule === undefined || !isTombstone(rule, slot.address.window, Math.max(host.now(), clock.latest[0]))) return;
    throw new CffbrwError('WINDOW_CLOSED', `the window ${slot.address.window} of ${slot.address.variable} is closed`, {
      fix: 'Nothing can be written to it any more. If this is the current window, this machine’s clock is behind: set it (NTP).',
    });
  }

  function update(slot: MemorySlot, operation: Operation): number {
    checkWritable(memory, slot);
    const { strategy, variable } = known(slot);
    if (variable.window !== undefined) checkWindow(slot);
    if (memory.dirty.slots.length >= maxDirtySlots) throw overloaded();

    const before = slot.value;
    const row = strategy.apply(slot.rows, writer, operation, variable);
    const previous = slot.rows.get(me);
    if (previous !== undefined && row === previous.row) return 0; // nothing changed (an offer that loses): nothing to write
    slot.rows.set(me, { version: memory.next, row });
    slot.value = before === undefined ? undefined : strategy.step?.(before, operation, variable);
    if (variable.schema !== undefined) {
      try {
        if (strategy.absent?.(slot.rows) !== true) checkSchema(variable, read(slot));
      } catch (error) {
        if (previous === undefined) slot.rows.delete(me);
        else slot.rows.set(me, previous);
        slot.value = before;
        throw error;
      }
    }
    if (slot.ownCommit !== memory.next) {
      slot.ownCommit = memory.next;
      markChanged(memory, slot, me, null);
    }
    return memory.next;
  }

  return { read, update, checkWindow };
}

function known(slot: MemorySlot) {
  const { strategy, variable } = slot;
  if (strategy === null || variable === null) {
    throw new CffbrwError('UNKNOWN_VARIABLE', `this app does not declare ${slot.address.id}`, {
      fix: 'Declare the variable with the strategy and window that its address names.',
    });
  }
  slot.used = true;
  return { strategy, variable };
}

function checkSchema(variable: Variable, value: Json): void {
  const problem = variable.schema === undefined ? null : checkOf(variable.schema)(value);
  if (problem === null) return;
  throw new CffbrwError('SCHEMA_MISMATCH', `${variable.name}${problem.path}: ${problem.message}`, {
    fix: 'Write a value that fits the schema of the variable, or change the schema.',
  });
}

const overloaded = () =>
  new CffbrwError('OVERLOADED', 'more addresses are waiting to be written than this replica lets pile up', {
    fix: 'Retry in a second.',
  });
