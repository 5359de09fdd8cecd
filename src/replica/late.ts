/**
 * Late rows: they came from the backbone, and their window was removed here before. They are not taken in, and the backbone is told to forget
 * them, too: whoever published them did not know that the window was over, and may be gone by now.
 *
 * Invariants:
 *   L1  A late row's address is written down in the commit of the cursor that passes it: nobody else would say it again.
 *   L2  It is crossed out once the backbone has forgotten it after the last of its rows came here.
 */
import type { Backbone } from '../backbone/backbone.ts';
import type { Store, StoredRow } from '../store/store.ts';
import { type Memory, putRecord } from './memory.ts';

export interface LateOptions {
  readonly memory: Memory;
  readonly store: Store;
  readonly backbone: Pick<Backbone, 'forget'>;
  /** Makes everything durable that was written until now. */
  readonly durable: () => Promise<void>;
  /** The store has some of the last life. */
  readonly some: boolean;
}

export interface Late {
  /** In the transaction of the cursor that they came with. */
  note(rows: readonly StoredRow[]): void;
  /** Has the backbone forget some of them. Rejects with UNREACHABLE, or what the store rejects with. */
  forget(): Promise<void>;
}

/** Beside the record of the cursor, so that one look finds both. */
export const latePrefix = 'cursor/late/';
const addressesAtOnce = 500;

export function createLate({ memory, store, backbone, durable, some: had }: LateOptions): Late {
  let some = had;
  /** Noted since the last of them was looked for; null: nobody looks. */
  let since: Set<string> | null = null;

  async function forgetSome(): Promise<void> {
    since = new Set();
    await durable();
    const page = await store.records({ prefix: latePrefix, limit: addressesAtOnce });
    some = page.length > 0 || since.size > 0;
    if (page.length === 0) return;
    await backbone.forget(page.map(({ name }) => name.slice(latePrefix.length)));
    for (const { name } of page) if (!since.has(name)) putRecord(memory, name, null);
  }

  return {
    note(rows) {
      for (const { address } of rows) {
        putRecord(memory, latePrefix + address, '1');
        since?.add(latePrefix + address);
        some = true;
      }
    },
    async forget() {
      if (!some) return;
      try {
        await forgetSome();
      } finally {
        since = null;
      }
    },
  };
}
