/**
 * Publishing: committed rows on their way to the backbone. Only the latest per (address, replica) waits, so an outage costs memory by what
 * changed, not by how often. Beyond a bound the outbox forgets and reads the store again later.
 *
 * Invariants:
 *   P1  Only committed bytes are published.
 *   P2  A row leaves the outbox only when the backbone keeps it; what is lost with the process is found again in the store.
 *   P3  After a commit of unknown outcome the store is asked what it kept: nothing is durable here for ever and unknown elsewhere.
 */
import type { Backbone } from '../backbone/backbone.ts';
import type { Cancel, Host } from '../host.ts';
import type { Store, StoredRow } from '../store/store.ts';
import { markText } from './identity/incarnation.ts';
import { type Memory, putRecord } from './memory.ts';

export interface PublishOptions {
  readonly memory: Memory;
  readonly store: Store;
  readonly host: Host;
  readonly backbone: Backbone;
  readonly me: string;
  /** My rows up to this commit are kept by the backbone already. */
  readonly published: number;
  /** The incarnations whose rows this process writes. */
  readonly mine: () => readonly string[];
  /** Collect rows for so long before a round trip, milliseconds. */
  readonly delayMs: number;
  /** Round trips begin at least so far apart, milliseconds; 0: as they come. */
  readonly everyMs: number;
  /** True while somebody waits here for what the rows will bring about: then they go at once. */
  readonly isUrgent: () => boolean;
}

export interface Publisher {
  add(rows: readonly StoredRow[]): void;
  /** Looks in the store for rows of mine that may not be published yet: at the start, and after a commit of unknown outcome. */
  recheck(): void;
  /** Publishes every row in the store: the backbone is new, or lost something. */
  addAll(): Promise<void>;
  /** Resolves when everything added is kept by the backbone; rejects with UNREACHABLE, after a try of its own. */
  drain(): Promise<void>;
  readonly waiting: number;
  /** Writes down how far publishing came. Rides on a flush: losing it only means publishing some rows twice. */
  remember(): void;
  close(): void;
}

const batchRows = 1_000;
/** Tries that fail begin so far apart: one that nobody answered for as long is followed by the next at once. */
const retryMs = 250;
const retryMaxMs = 1_000;

export const publishedRecord = 'published';

const nameOf = ({ replica, address }: StoredRow): string => `${replica}\n${address}`;

export function createPublisher(options: PublishOptions): Publisher {
  const { host, memory, backbone } = options;
  const outbox = new Map<string, StoredRow>();
  let running: Promise<void> | null = null;
  let cancel: Cancel | null = null;
  /** What is planned waits for no round trip's turn. */
  let isSoon = false;
  let delayMs = options.delayMs;
  let startedMs = Number.NEGATIVE_INFINITY;
  /** How far apart the tries begin that fail; 0: the last did not. */
  let apartMs = 0;
  let closed = false;
  let published = options.published;
  let remembered = published;
  let uncertain = false;

  function put(row: StoredRow): void {
    const name = nameOf(row);
    const waiting = outbox.get(name);
    if (waiting === undefined || waiting.version <= row.version) outbox.set(name, row);
  }

  function schedule(): void {
    if (closed || running !== null || (outbox.size === 0 && !uncertain)) return;
    const urgent = apartMs === 0 && options.isUrgent();
    if (cancel !== null && (isSoon || !urgent)) return;
    cancel?.();
    const restMs = urgent ? 0 : startedMs + options.everyMs - host.elapsed();
    isSoon = restMs <= delayMs;
    cancel = host.after(Math.max(delayMs, restMs), () => {
      cancel = null;
      start().catch(() => {}); // out of reach: the outbox waits, and the next try is scheduled
    });
  }

  function start(): Promise<void> {
    startedMs = host.elapsed();
    running ??= publishAll().finally(() => {
      running = null;
      schedule();
    });
    return running;
  }

  async function publishAll(): Promise<void> {
    const upTo = memory.committed;
    const beganMs = host.elapsed();
    try {
      while (uncertain) await findUnpublished();
      // What is added meanwhile goes with the next round trip: else there would always be one under way while much is written.
      const names = [...outbox.keys()];
      for (let at = 0; at < names.length; at += batchRows) await publishBatch(names.slice(at, at + batchRows));
    } catch (error) {
      apartMs = Math.min(retryMaxMs, Math.max(retryMs, apartMs * 2));
      delayMs = Math.max(options.delayMs, beganMs + apartMs - host.elapsed());
      throw error;
    }
    apartMs = 0;
    delayMs = options.delayMs;
    published = Math.max(published, upTo);
  }

  async function findUnpublished(): Promise<void> {
    uncertain = false;
    try {
      for (const replica of options.mine()) await addSince(replica);
    } catch (error) {
      uncertain = true;
      throw error;
    }
  }

  async function addSince(replica: string): Promise<void> {
    for (let after = published; ; ) {
      const rows = await options.store.since(replica, after);
      for (const row of rows) put(row);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.version;
    }
  }

  async function publishBatch(names: readonly string[]): Promise<void> {
    const rows = names.flatMap((name) => outbox.get(name) ?? []);
    await backbone.publish(rows);
    for (const row of rows) if (outbox.get(nameOf(row)) === row) outbox.delete(nameOf(row));
  }

  return {
    get waiting() {
      return outbox.size;
    },
    remember() {
      if (published === remembered) return;
      remembered = published;
      putRecord(memory, publishedRecord, markText(options.me, published));
    },
    add(rows) {
      for (const row of rows) put(row);
      schedule();
    },
    recheck() {
      uncertain = true;
      schedule();
    },
    async addAll() {
      let after = '';
      for (;;) {
        const addresses = await options.store.scan({ prefix: '', after, limit: batchRows });
        const last = addresses.at(-1);
        if (last === undefined) break;
        for (const rows of await options.store.load(addresses)) for (const row of rows) put(row);
        after = last;
      }
      schedule();
    },
    async drain() {
      cancel?.();
      cancel = null;
      // What was asked before may fail of an outage that is over.
      await running?.catch(() => {});
      while (running !== null || outbox.size > 0 || uncertain) await start();
    },
    close() {
      closed = true;
      cancel?.();
      cancel = null;
    },
  };
}
