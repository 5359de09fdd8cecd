/**
 * The connection to the backbone: rows come in through a subscription that resumes at its cursor; once a second the replica looks at
 * everything that only the backbone can tell (its identity, its clock, my own entries there, what the bank has to do).
 *
 * Invariants:
 *   C1  Received rows and the cursor behind them are one commit; rows that could not be committed are delivered again.
 *   C2  That a backbone was told everything here is remembered only when it was, and forgotten in the commit of a row that came from another.
 *   C3  A received row is not published back to the backbone that it came from: every change would cross the network once per replica.
 */
import type { Backbone, Delivery } from '../backbone/backbone.ts';
import { quarantineAheadMs } from '../clock.ts';
import type { Cancel, Host } from '../host.ts';
import type { StoredRow } from '../store/store.ts';
import { parseAddress } from '../strategy/address.ts';
import type { Flush } from './flush.ts';
import { addressesOf, type Loading } from './loading.ts';
import { type Memory, pendingCommit, putRecord } from './memory.ts';
import type { Publisher } from './publish.ts';
import type { Quarantine } from './quarantine.ts';
import { joinRows, type ReceiveOptions } from './receive.ts';
import type { Windows } from './windows.ts';

export interface ConnectionOptions extends ReceiveOptions {
  readonly memory: Memory;
  readonly host: Host;
  readonly flush: Flush;
  readonly loading: Loading;
  readonly publisher: Publisher;
  readonly quarantine: Quarantine;
  readonly backbone: Backbone;
  /** Where the last life stopped reading; null: it has read nothing of this backbone. */
  readonly cursor: string | null;
  /** When the last life knew all that others had published, milliseconds since 1970; null: never. */
  readonly wholeAt: number | null;
  /** The backbone that has everything of this store; null: none yet. */
  readonly knownIdentity: string | null;
  readonly contactMs: number;
  readonly windows: Pick<Windows, 'compared' | 'isGone' | 'late'>;
  /** What identity and bank do on every contact. Rejects with UNREACHABLE. */
  readonly contact: () => Promise<void>;
  /** True when a contact would find nothing to do, but what others changed: it need not wake a platform that sleeps. */
  readonly isIdle: () => boolean;
  /** False while others wait for what a contact does: after the backbone lost something, or was out of reach at the start. */
  readonly isSettled: () => boolean;
}

export interface Connection {
  /** Milliseconds since a time at which all that others had published was known here. */
  age(): number;
  close(): void;
}

const unsettledMs = 1_000;

export const cursorRecord = 'cursor';
export const backboneRecord = 'backbone';
/** When all that others had published was known here, milliseconds since 1970. */
export const wholeRecord = 'whole';

export function connect(options: ConnectionOptions): Connection {
  const { host, memory, backbone } = options;
  // What the last life knew was all that was known when it said so; who has never known all, knows nothing of others.
  let wholeMs = options.wholeAt === null ? Number.NEGATIVE_INFINITY : host.elapsed() - Math.max(0, host.now() - options.wholeAt);
  let isAsking = false;
  /** The backbone that was told everything (C2), and the one that was or is being told; null: none. */
  let told = options.knownIdentity;
  let telling = told;
  let cancel: Cancel | null = null;
  let closed = false;
  /** The next contact does not wake a platform that sleeps. */
  let isResting = false;

  function close(): void {
    closed = true;
    cancel?.();
    subscription.close();
  }

  async function receive(delivery: Delivery): Promise<void> {
    if (memory.refusal !== null) {
      close(); // it could never be committed, and so would be delivered for ever
      throw memory.refusal;
    }
    const late = new Set(delivery.rows.filter(isLate));
    const rows = delivery.rows.filter((row) => !late.has(row));
    await options.loading.hold(addressesOf(rows));
    joinRows(options, rows);
    if (delivery.identity !== telling) forgetTold();
    options.windows.late([...late]);
    putRecord(memory, cursorRecord, delivery.cursor);
    if (wholeMs > Number.NEGATIVE_INFINITY) putRecord(memory, wholeRecord, String(Math.round(host.now() - age())));
    await options.flush.durable(pendingCommit(memory));
  }

  /** The next contact tells everything again. */
  function forgetTold(): void {
    told = telling = null;
    putRecord(memory, backboneRecord, null);
  }

  const age = (): number => Math.max(0, Math.round(Math.min(host.elapsed() - wholeMs, host.now())));

  /** Once everything that is kept now has been received, what is known here is as old as this moment. */
  function askWhole(): void {
    if (isAsking) return;
    isAsking = true;
    const askedMs = host.elapsed();
    subscription
      .caughtUp()
      .then(() => {
        wholeMs = askedMs;
      })
      .catch(() => {})
      .finally(() => {
        isAsking = false;
      });
  }

  /** Of a window that was removed here. */
  function isLate(row: StoredRow): boolean {
    const address = parseAddress(row.address);
    return address !== null && options.windows.isGone(address);
  }

  async function contact(): Promise<void> {
    const asked = backbone.identity();
    askWhole();
    const identity = await asked;
    const backboneMs = await backbone.now();
    const skewMs = host.now() - backboneMs;
    options.windows.compared(backboneMs);
    if (Math.abs(skewMs) > quarantineAheadMs) {
      options.alarm({
        kind: 'clock',
        message: `this machine’s clock differs from the backbone’s by ${Math.round(skewMs / 1000)} s: set it (NTP)`,
      });
    }
    if (identity !== told) await publishAll(identity);
    await options.contact();
  }

  /** A new backbone, or one that lost rows, shows another identity: whoever holds a row that it lacks publishes it (C2). */
  async function publishAll(identity: string): Promise<void> {
    forgetTold();
    telling = identity;
    await options.flush.all(); // what was received is in the store, so it is not missed there
    options.publisher.add(options.quarantine.list().map(({ until: _, ...row }) => row));
    await options.publisher.addAll();
    await options.publisher.drain();
    if (telling !== identity) return; // meanwhile something came of another backbone
    told = identity;
    putRecord(memory, backboneRecord, identity);
  }

  async function recheckQuarantine(): Promise<void> {
    const due = options.quarantine.due(host.now());
    if (due.length === 0) return;
    await options.loading.hold(addressesOf(due));
    joinRows(options, due);
  }

  function schedule(delayMs: number): void {
    if (closed) return;
    isResting = host.whenAwake !== undefined && options.isIdle();
    const later = isResting ? (host.whenAwake ?? host.after) : host.after;
    cancel = later(delayMs, () => {
      isResting = false;
      contact()
        .catch(() => {}) // out of reach: the age grows, and the next contact tries again
        .then(recheckQuarantine)
        .catch(() => {}) // the store failed: they are due at the next contact, too
        .finally(() => schedule(options.isSettled() ? options.contactMs : Math.min(options.contactMs, unsettledMs)));
    });
  }

  const { wake } = memory;
  memory.wake = () => {
    wake();
    if (!isResting || options.isIdle()) return;
    cancel?.();
    schedule(options.contactMs);
  };
  schedule(options.cursor === null ? 0 : options.contactMs);
  const subscription = backbone.subscribe(options.cursor, receive);
  return {
    age,
    close,
  };
}
