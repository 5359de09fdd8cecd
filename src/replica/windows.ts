/**
 * Closed windows. `keep` of them stay after they have closed; older ones are tombstones: nothing is written to them any more, by nobody, and
 * what they have left behind is removed, a little at a time, here and in the backbone.
 *
 * Refusing needs only one clock that says so: this machine's, the latest stamp, or the backbone's. Removing needs all of them, and an hour
 * more: a clock that is ahead must not take away what still counts.
 *
 * Invariants:
 *   V1  What is removed is closed, and what is closed never opens again: rows of it that arrive later are not taken in.
 *   V2  Records and registers go before the rows, because the rows say where they are; and rows in the backbone go before those here, because
 *       those here say what is still to go. Each replica does it for itself: whoever comes last finds nothing, and that is no harm.
 */
import type { Backbone } from '../backbone/backbone.ts';
import type { Clock } from '../clock.ts';
import type { Cancel, Host } from '../host.ts';
import type { Store, StoredRow } from '../store/store.ts';
import { type Address, addressPrefix, addressRule, parseAddress } from '../strategy/address.ts';
import type { Variable } from '../strategy/variable.ts';
import { isTombstone } from '../strategy/window.ts';
import { createLate } from './late.ts';
import type { Memory } from './memory.ts';

export interface WindowsOptions {
  readonly host: Host;
  readonly clock: Clock;
  readonly store: Store;
  readonly memory: Memory;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly backbone: Pick<Backbone, 'forget'> | null;
  /** Makes everything durable that was written until now. */
  readonly durable: () => Promise<void>;
  /** The store knows of late rows of the last life. */
  readonly someLate: boolean;
}

export interface Windows {
  /** Nothing may be written to it. */
  isClosed(address: Address): boolean;
  /** What it held is removed, or will be. */
  isGone(address: Address): boolean;
  /** Rows of it that came from the backbone: to be noted in the transaction of their cursor. */
  late(rows: readonly StoredRow[]): void;
  /** What the backbone's clock says, and mine beside it. */
  compared(backboneMs: number): void;
  /**
   * Removes some of what is gone. `empty` removes what a bounded counter has beside its rows, some at a time, and says whether that was all.
   * Rejects with what `empty`, the backbone or the store reject with.
   */
  sweep(empty: Empty): Promise<void>;
  /** The same every minute, until it is closed. */
  sweepAlone(empty: Empty): void;
  close(): void;
}

type Empty = (address: Address) => Promise<boolean>;

const marginMs = 3_600_000;
const addressesPerSweep = 50;
const sweepMs = 60_000;

export function createWindows(options: WindowsOptions): Windows {
  const { host, clock, store, memory, variables, backbone } = options;
  const late = backbone === null ? null : createLate({ ...options, backbone, some: options.someLate });
  /** How far the backbone's clock is ahead of this one; null: not known. */
  let aheadMs: number | null = backbone === null ? 0 : null;
  let cancel: Cancel = () => {};
  let closed = false;
  const windowed = [...variables.values()].filter(({ window }) => window !== undefined);

  const ruleOf = ({ variable, strategy, rule, window }: Address) => {
    const declared = variables.get(variable);
    if (window === '' || declared?.strategy !== strategy || addressRule(declared) !== rule) return undefined;
    return declared.window;
  };
  const latestMs = (): number => Math.max(host.now(), clock.latest[0], host.now() + (aheadMs ?? 0));
  const surelyMs = (): number | null => (aheadMs === null ? null : Math.min(host.now(), host.now() + aheadMs) - marginMs);

  const isGone = (address: Address): boolean => {
    const rule = ruleOf(address);
    const sureMs = surelyMs();
    return rule !== undefined && sureMs !== null && isTombstone(rule, address.window, sureMs);
  };

  /** Of one variable the oldest come first: a window's id sorts as its time does. */
  async function gone(variable: Variable): Promise<Address[]> {
    const prefix = addressPrefix(variable, '').slice(0, -1);
    const ids = await store.scan({ prefix, limit: addressesPerSweep });
    return ids.flatMap((id) => parseAddress(id) ?? []).filter(isGone);
  }

  async function forget(addresses: readonly Address[]): Promise<void> {
    if (addresses.length === 0) return;
    await backbone?.forget(addresses.map(({ id }) => id));
    for (const { id } of addresses) {
      const slot = memory.slots.get(id);
      if (slot === undefined || slot.commit > memory.committed) continue;
      slot.dropped = true;
      memory.slots.delete(id);
    }
    await store.forget(addresses.map(({ id }) => id));
  }

  async function sweep(empty: Empty): Promise<void> {
    for (const variable of windowed) {
      const over: Address[] = [];
      for (const address of await gone(variable)) {
        if (variable.strategy === 'bounded-counter' && !(await empty(address))) break; // its rows say where the rest is
        over.push(address);
      }
      await forget(over);
    }
    await late?.forget();
  }

  function sweepAlone(empty: Empty): void {
    if (windowed.length === 0 || closed) return;
    cancel = host.after(sweepMs, () => {
      sweep(empty)
        .catch(() => {}) // a full disk: the next time
        .finally(() => sweepAlone(empty));
    });
  }

  return {
    isGone,
    sweep,
    sweepAlone,
    close() {
      closed = true;
      cancel();
    },
    late: (rows) => late?.note(rows),
    isClosed(address) {
      const rule = ruleOf(address);
      return rule !== undefined && isTombstone(rule, address.window, latestMs());
    },
    compared(backboneMs) {
      aheadMs = backboneMs - host.now();
    },
  };
}
