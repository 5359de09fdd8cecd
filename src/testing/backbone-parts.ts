/** What the cases of the backbone's contract are made of. */
import type { Backbone, Delivery, Registers } from '../backbone/backbone.ts';
import type { Host } from '../host.ts';
import type { StoredRow } from '../store/store.ts';
import { type Case, same } from './contract.ts';

/** One backbone that holds nothing yet, and what can be done to it. */
export interface BackboneBench {
  readonly host: Host;
  /** The connection of one replica. */
  connect(name: string): Backbone;
  /** Cuts a replica's connection; `heal` brings back all. */
  cut?(name: string): void;
  heal?(): void;
  restart?(): Promise<void>;
  /** Takes a backup. What it resolves with puts it back. */
  backup?(): Promise<() => Promise<void>>;
  empty?(): Promise<void>;
  close(): Promise<void>;
}

export type BackboneFault = 'cut' | 'restart' | 'backup' | 'empty';

/** A new backbone that holds nothing yet. */
export type OpenBackbone = () => Promise<BackboneBench>;

export interface BackboneCase extends Case<OpenBackbone> {
  /** What the bench must be able to do for this case. */
  readonly needs: readonly BackboneFault[];
}

export const rowOf = (address: string, replica: string, version: number): StoredRow => ({
  address,
  replica,
  version,
  bytes: JSON.stringify({ version }),
});

/** Remembers what a subscription gets. */
export function follow(backbone: Backbone, cursor: string | null = null) {
  const versions = new Map<string, number>();
  const deliveries: Delivery[] = [];
  const subscription = backbone.subscribe(cursor, async (delivery) => {
    deliveries.push(delivery);
    for (const row of delivery.rows) {
      const name = `${row.address} ${row.replica}`;
      versions.set(name, Math.max(row.version, versions.get(name) ?? 0));
    }
  });
  return {
    versions,
    deliveries,
    cursor: () => deliveries.at(-1)?.cursor ?? null,
    caughtUp: () => subscription.caughtUp(),
    close: () => subscription.close(),
  };
}

export const pause = (host: Host, delayMs: number) => new Promise<void>((resolve) => void host.after(delayMs, resolve));

/** Waits until it holds; rejects after ten seconds. */
export async function eventually(host: Host, holds: () => boolean, what: string): Promise<void> {
  const start = host.elapsed();
  while (!holds()) {
    same(host.elapsed() - start < 10_000, true, `after ten seconds still not: ${what}`);
    await pause(host, 10);
  }
}

export type Outcome = Awaited<ReturnType<Registers['compareAndSet']>>;
type Body = (bench: BackboneBench) => Promise<void>;

/** A case over a bench of its own, which is closed afterwards. */
export const over = (title: string, needs: readonly BackboneFault[], body: Body): BackboneCase => ({
  title,
  needs,
  async run(open) {
    const bench = await open();
    try {
      await body(bench);
    } finally {
      await bench.close();
    }
  },
});
