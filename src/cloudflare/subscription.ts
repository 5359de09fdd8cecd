/**
 * One subscription of a region: it fetches page by page until nothing is left, and takes what the hub sends where that follows on what is here.
 *
 * Invariant:
 *   V1  The cursor passes a row only after `receive` resolved with it.
 */
import type { Delivery } from '../backbone/backbone.ts';
import type { Cancel, Host } from '../host.ts';
import type { Page, Push } from './wire.ts';

export interface SubscriberOptions {
  readonly host: Host;
  readonly cursor: string | null;
  readonly receive: (delivery: Delivery) => Promise<void>;
  readonly fetchPage: (cursor: string | null) => Promise<FetchedPage>;
  /** All that was kept at that moment is known here. */
  readonly whole: (atMs: number) => void;
  readonly retryMs: number;
  readonly pollMs: number | null;
  readonly closed: () => void;
}

export interface FetchedPage {
  readonly page: Page;
  /** When it was asked for, on `host.elapsed`. */
  readonly atMs: number;
}

export interface Subscriber {
  caughtUp(): Promise<void>;
  close(): void;
  pushed(push: Push): void;
  /** Fetches until there is nothing left. Resolves then, or when it failed. */
  fetchNow(): Promise<void>;
  /** Resolves when what it began with is there, or failed. */
  begun(): Promise<void>;
}

export function openSubscriber({ host, receive, fetchPage, whole, ...options }: SubscriberOptions): Subscriber {
  let cursor = options.cursor;
  let closed = false;
  let running: Promise<void> | null = null;
  let again = false;
  let cancel: Cancel | null = null;
  let asked: (() => void)[] = [];

  const deliver = async ({ rows, to, identity }: Page): Promise<void> => {
    if (closed) return;
    if (rows.length > 0) await receive({ rows, identity, cursor: to });
    cursor = to;
  };
  const later = (delayMs: number | null): void => {
    if (closed || delayMs === null || cancel !== null) return;
    cancel = host.after(delayMs, () => {
      cancel = null;
      void fetchNow();
    });
  };
  async function fetchAll(): Promise<void> {
    for (;;) {
      again = false;
      const waiting = asked;
      asked = [];
      let [last, atMs] = [false, 0];
      try {
        const fetched = await fetchPage(cursor);
        const { page } = fetched;
        [last, atMs] = [page.last, fetched.atMs];
        await deliver(page);
      } catch (error) {
        asked.unshift(...waiting);
        throw error;
      }
      if (closed) return;
      if (!last) asked.unshift(...waiting);
      else {
        whole(atMs);
        for (const resolve of waiting) resolve();
        if (!again && asked.length === 0) return;
      }
    }
  }
  function fetchNow(): Promise<void> {
    if (closed) return Promise.resolve();
    again = true;
    running ??= fetchAll().then(
      () => {
        running = null;
        if (again || asked.length > 0) return fetchNow();
        later(options.pollMs);
      },
      () => {
        // Out of reach, or the receiver refused: the same rows again.
        running = null;
        later(options.retryMs);
      },
    );
    return running;
  }
  /** Where they follow on what is here, rows need not be fetched. */
  const take = async ({ page }: Push): Promise<void> => {
    try {
      await deliver(page);
    } finally {
      running = null;
    }
  };

  void fetchNow();
  return {
    caughtUp() {
      const caughtUp = new Promise<void>((resolve) => asked.push(resolve));
      void fetchNow();
      return caughtUp;
    },
    fetchNow,
    begun: () => running ?? Promise.resolve(),
    pushed(push) {
      if (running !== null || push.page.from !== cursor) {
        void fetchNow();
        return;
      }
      running = take(push).then(
        () => (again || asked.length > 0 ? fetchNow() : undefined),
        () => later(options.retryMs),
      );
    },
    close() {
      closed = true;
      cancel?.();
      options.closed();
    },
  };
}
