/**
 * A backbone inside one process: for development and tests, for one machine, and for the simulator, which breaks it on purpose.
 *
 * Without a store it forgets everything with its process; with one its rows and registers survive restarts. Loopbacks share nothing.
 * All its time and all its chance are the host's.
 */
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Store } from '../store/store.ts';
import type { Backbone } from './backbone.ts';
import { createKeeper, type Keeper, type LoopbackSnapshot } from './keeper.ts';
import { openSubscriber, type Subscriber } from './subscription.ts';
import { createWire, type Direction, type Network, quietNetwork, type Wire } from './wire.ts';

export interface LoopbackOptions extends Partial<Network> {
  readonly host: Host;
  /** Its own store, shared with nobody; whoever gave it closes it. */
  readonly store?: Store;
}

export interface Loopback {
  /** Set its fields at any time. */
  readonly network: Network;
  /** One replica's connection. `name` is what `cut` and `heal` mean. */
  connect(name: string): Backbone;
  cut(name: string, direction?: Direction): void;
  /** One replica's connection, or all. */
  heal(name?: string): void;
  /** Loses what is on its way; rows and registers stay. */
  restart(): Promise<void>;
  snapshot(): Promise<LoopbackSnapshot>;
  /** Puts a snapshot back. `noticed: false` keeps the identity: the rollback that nobody notices. */
  restore(snapshot: LoopbackSnapshot, options?: { readonly noticed?: boolean }): Promise<void>;
  /** Forgets all rows and registers. */
  empty(options?: { readonly noticed?: boolean }): Promise<void>;
  /** Ends every connection. */
  close(): Promise<void>;
}

export function createLoopback({ host, store, ...network }: LoopbackOptions): Loopback {
  const wire = createWire(host, { ...quietNetwork, ...network });
  const subscribers = new Set<Subscriber>();
  const wakeAll = () => {
    for (const subscriber of subscribers) subscriber.wake();
  };
  const keeper = createKeeper({ host, store, changed: wakeAll, lagMs: () => wire.network.lagMs });
  const restore = async (snapshot: LoopbackSnapshot, noticed = true) => {
    wire.reset();
    await keeper.restore(snapshot, noticed);
  };
  return {
    network: wire.network,
    connect: (name) => connect(name, { host, wire, keeper, subscribers }),
    cut: (name, direction = 'both') => wire.cut(name, direction),
    heal(name) {
      wire.heal(name);
      wakeAll();
    },
    restart() {
      wire.reset();
      return keeper.restart();
    },
    snapshot: () => keeper.snapshot(),
    restore: (snapshot, options) => restore(snapshot, options?.noticed),
    async empty(options) {
      const identity = await keeper.identity();
      await restore({ identity, rows: [], versions: new Map(), registers: new Map() }, options?.noticed);
    },
    async close() {
      for (const subscriber of subscribers) subscriber.close();
    },
  };
}

interface Parts {
  readonly host: Host;
  readonly wire: Wire;
  readonly keeper: Keeper;
  readonly subscribers: Set<Subscriber>;
}

const never = () => new Promise<void>(() => {});

function connect(name: string, { host, wire, keeper, subscribers }: Parts): Backbone {
  const mine = new Set<Subscriber>();
  let closed = false;

  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) throw new CffbrwError('CLOSED', `the connection of ${name} to the loopback backbone is closed`);
    return wire.request(name, work);
  };
  return {
    registers: {
      get: (register) => ask(() => keeper.get(register)),
      compareAndSet: (register, value, revision) => ask(() => keeper.compareAndSet(register, value, revision)),
    },
    identity: () => ask(() => keeper.identity()),
    now: () => ask(async () => host.now() + wire.network.skewMs),
    latest: (replica) => ask(() => keeper.latest(replica)),
    publish(rows) {
      const kept = rows.map((row) => ({ ...row }));
      if (!closed && wire.chance(wire.network.duplication)) {
        host.after(wire.delay(wire.network.timeoutMs), () => void keeper.publish(kept).catch(() => {}));
      }
      return ask(() => keeper.publish(kept));
    },
    forget: (addresses) => ask(() => keeper.forget(addresses)),
    subscribe(cursor, receive) {
      if (closed) return { close() {}, caughtUp: never };
      const subscriber = openSubscriber({ name, host, wire, keeper, cursor, receive, closed: () => forget(subscriber) });
      const forget = (gone: Subscriber) => {
        mine.delete(gone);
        subscribers.delete(gone);
      };
      mine.add(subscriber);
      subscribers.add(subscriber);
      return { close: () => subscriber.close(), caughtUp: () => subscriber.caughtUp() };
    },
    async close() {
      closed = true;
      for (const subscriber of mine) subscriber.close();
    },
  };
}
