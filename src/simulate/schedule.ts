/**
 * A schedule: all that happens to a cluster from outside, drawn from a scenario and a seed. Plain data, so that it can be written down,
 * replayed and made shorter. With the same app and the same seed it gives the same run.
 */
import type { Direction } from '../backbone/index.ts';
import type { Json } from '../strategy/json.ts';

/** How long something takes: always so long, or by chance (log-normal) with this median and this 99th percentile. Milliseconds. */
export interface Spread {
  readonly medianMs: number;
  readonly p99Ms: number;
}

export interface NetworkSettings {
  /** From the moment that a row is kept by the backbone to its delivery to another replica. */
  readonly lag: Spread;
  /** A request to the backbone and its answer. */
  readonly rtt: Spread;
  readonly jitterMs: number;
  readonly timeoutMs: number;
  readonly retryMs: number;
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
  readonly lateness: number;
  /** How often replicas look at the backbone by themselves. */
  readonly contactMs: number;
}

export interface DiskSettings {
  readonly syncMs: number;
  readonly readMs: number;
  /** False: acknowledges before it has synced; a power cut then loses what was not. */
  readonly syncs: boolean;
}

interface Timed {
  readonly atMs: number;
}

export interface RequestAction extends Timed {
  readonly kind: 'request';
  readonly region: string;
  /** The number of the user, from 0. */
  readonly user: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; null: none. */
  readonly body: Json;
}

/** What is done to one replica. */
export type ReplicaFault = Timed & { readonly region: string } & (
    | {
        readonly kind: 'crash' | 'power-cut' | 'start' | 'stop' | 'pause' | 'resume' | 'backup' | 'twin' | 'join' | 'retire';
      }
    /** Its disk is put back; `missing`: the note outside of it is gone, too. */
    | { readonly kind: 'restore'; readonly witness?: 'missing' }
    | { readonly kind: 'crash-at'; readonly await: number; readonly when: 'before' | 'during' | 'after' }
    | { readonly kind: 'cut'; readonly direction: Direction }
    | { readonly kind: 'heal' }
    | { readonly kind: 'clock'; readonly skewMs: number }
    | {
        readonly kind: 'disk';
        readonly full: boolean;
        readonly syncMs: number;
        readonly syncFailure: number;
        readonly syncs: boolean;
      }
  );

/** What is done to the backbone. `restore`: back to the last `keep`; `unnoticed`: without another identity. */
export type BackboneFault = Timed & { readonly region: 'backbone' } & (
    | { readonly kind: 'backbone-restart' | 'backbone-keep' | 'backbone-cut' | 'backbone-heal' }
    | { readonly kind: 'backbone-restore' | 'backbone-empty'; readonly noticed: boolean }
    | { readonly kind: 'backbone-lateness'; readonly lateness: number }
  );

export type Fault = ReplicaFault | BackboneFault;
export type Action = RequestAction | Fault;

export interface Schedule {
  readonly seed: string;
  readonly regions: readonly string[];
  readonly network: NetworkSettings;
  readonly disk: DiskSettings;
  /** Where actions end and healing begins. */
  readonly durationMs: number;
  /** In the order of time. */
  readonly actions: readonly Action[];
}
