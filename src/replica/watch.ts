/**
 * Watching variables. A watcher is told what became durable, never what is only in memory: the value is read when the flush begins, and
 * told when it is committed.
 */
import type { Json } from '../strategy/json.ts';
import type { Change } from './replica.ts';
import type { MemorySlot } from './slot.ts';

export interface Watchers {
  add(variable: string, listener: (change: Change) => void): () => void;
  /** The changes that these slots show now; call the result once they are durable. */
  capture(slots: readonly MemorySlot[]): () => void;
}

const nothing = () => {};

/** `failed` is told what a listener threw: it is the listener's own, and stops nobody. */
export function createWatchers(read: (slot: MemorySlot) => Json, failed: (error: unknown) => void): Watchers {
  const byVariable = new Map<string, Set<(change: Change) => void>>();

  function tell(listener: (change: Change) => void, change: Change): void {
    try {
      listener(change);
    } catch (error) {
      failed(error);
    }
  }

  function changeOf(slot: MemorySlot): Change | null {
    const { variable, key, window } = slot.address;
    try {
      return { variable, key, window, value: read(slot) };
    } catch {
      return null; // a sum out of range has no value to show; who reads it gets the error
    }
  }

  return {
    add(variable, listener) {
      const listeners = byVariable.get(variable) ?? new Set();
      byVariable.set(variable, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && byVariable.get(variable) === listeners) byVariable.delete(variable);
      };
    },
    capture(slots) {
      if (byVariable.size === 0) return nothing;
      const watched = slots.filter((slot) => slot.variable !== null && byVariable.has(slot.address.variable));
      const changes = watched.map(changeOf).filter((change) => change !== null);
      return () => {
        for (const change of changes) for (const listener of byVariable.get(change.variable) ?? []) tell(listener, change);
      };
    },
  };
}
