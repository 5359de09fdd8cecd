/**
 * One subscriber of a loopback: rows travel to it for `lagMs`, one delivery at a time, at least once, from its cursor on.
 *
 * Invariants:
 *   U1  The cursor passes a row only after `receive` resolved with that row in its delivery.
 *   U2  While there are rows that it has not passed, an attempt is planned, in progress, or waiting for a cut to heal.
 */
import type { Host } from '../host.ts';
import type { StoredRow } from '../store/store.ts';
import type { Delivery, Subscription } from './backbone.ts';
import type { Keeper, KeptRows } from './keeper.ts';
import type { Wire } from './wire.ts';

export interface Subscriber extends Subscription {
  /** There may be new rows, or a way to them. */
  wake(): void;
}

export interface SubscriberOptions {
  readonly name: string;
  readonly host: Host;
  readonly wire: Wire;
  readonly keeper: Keeper;
  readonly cursor: string | null;
  readonly receive: (delivery: Delivery) => Promise<void>;
  readonly closed: () => void;
}

const batchRows = 500;
const rememberedRows = 20;
/** Times are sums of fractions: without a tolerance a row could stay one rounding error away from ripe. */
const toleranceMs = 0.001;

export function openSubscriber(options: SubscriberOptions): Subscriber {
  const { name, host, wire, keeper, receive } = options;
  const { network } = wire;
  const distort = createDistortion(wire, host);
  let cursor = options.cursor;
  let state: 'idle' | 'planned' | 'busy' | 'closed' = 'idle';
  let wokenWhileBusy = false;
  let asked: { readonly atMs: number; readonly resolve: () => void }[] = [];
  let cancel = () => {};

  const plan = (delayMs: number) => {
    if (state === 'closed') return;
    state = 'planned';
    cancel = host.after(wire.delay(delayMs), () => void attempt());
  };
  const rest = (nextMs: number | null) => {
    if (state === 'closed') return;
    state = 'idle';
    if (nextMs !== null) plan(Math.max(0, nextMs + network.lagMs - host.elapsed()));
    else if (wokenWhileBusy) plan(network.lagMs);
  };
  /** All that was kept before `nextMs` has been received. */
  const pass = (to: string, nextMs: number | null) => {
    cursor = to;
    const waiting = asked;
    asked = [];
    for (const each of waiting) {
      if (nextMs === null || nextMs > each.atMs) each.resolve();
      else asked.push(each);
    }
  };
  const deliver = async ({ rows, identity, from, to, nextMs }: KeptRows): Promise<void> => {
    const delivery = distort(rows, identity);
    await receive({ rows: delivery.rows, identity, cursor: delivery.whole ? to : from });
    if (delivery.whole) pass(to, nextMs);
    rest(delivery.whole ? nextMs : host.elapsed());
  };
  const attempt = async (): Promise<void> => {
    state = 'busy';
    wokenWhileBusy = false;
    if (wire.isCut(name, 'in')) return rest(null);
    if (wire.chance(network.loss)) return plan(network.retryMs);
    try {
      const kept = await keeper.after(cursor, { limit: batchRows, untilMs: host.elapsed() - network.lagMs + toleranceMs });
      if ((state as string) === 'closed') return;
      if (kept.rows.length > 0) return await deliver(kept);
      pass(kept.to, kept.nextMs);
      rest(kept.nextMs);
    } catch {
      // The receiver refused, or the store failed: the same rows again.
      plan(network.retryMs);
    }
  };
  const subscriber: Subscriber = {
    caughtUp() {
      const caughtUp = new Promise<void>((resolve) => asked.push({ atMs: host.elapsed(), resolve }));
      subscriber.wake();
      return caughtUp;
    },
    wake() {
      if (state === 'idle') plan(network.lagMs);
      else wokenWhileBusy = true;
    },
    close() {
      state = 'closed';
      cancel();
      options.closed();
    },
  };
  // What is there already has travelled: the first delivery takes one way of a request.
  plan(network.rttMs / 2);
  return subscriber;
}

/** What the network does to a delivery. `whole`: it holds every row that it should, so that the cursor may pass them. */
function createDistortion(wire: Wire, host: Host) {
  let past: StoredRow[] = [];
  let pastIdentity = '';
  let wholeNext = false;

  const shuffle = (rows: readonly StoredRow[]) =>
    rows
      .map((row) => ({ row, order: host.random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ row }) => row);

  return (rows: readonly StoredRow[], identity: string): { rows: readonly StoredRow[]; whole: boolean } => {
    if (identity !== pastIdentity) past = [];
    pastIdentity = identity;
    const repeated = wire.chance(wire.network.duplication) ? past : [];
    const partly = !wholeNext && wire.chance(wire.network.reordering);
    wholeNext = partly;
    past = wire.network.duplication > 0 ? [...past, ...rows].slice(-rememberedRows) : [];
    if (!partly) return { rows: repeated.length === 0 ? rows : [...rows, ...repeated], whole: true };
    const shuffled = shuffle(rows);
    return { rows: [...shuffled.slice(0, Math.ceil(shuffled.length / 2)), ...repeated], whole: false };
  };
}
