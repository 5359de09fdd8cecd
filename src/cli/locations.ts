/** The replicas of one process: one for `start`, with a backbone if it has one; as many as asked for `dev`, joined by a loopback with lag. */
import { join } from 'node:path';
import type { App } from '../app.ts';
import { type Backbone, createLoopback } from '../backbone/index.ts';
import type { CffbrwError } from '../error.ts';
import type { Sites } from '../http/admin/sites.ts';
import { nodeHost } from '../node/host.ts';
import { type NodeOptions, openLocation, openReplica } from '../node/replica.ts';
import { openSqliteStore } from '../node/store.ts';
import type { ObserveTime } from '../node/timing.ts';
import type { Alarm, Replica } from '../replica/index.ts';

export interface LocationOptions {
  readonly data: string;
  /** Default 1: then there is a backbone only if one is named. */
  readonly replicas?: number;
  /** This location's name, and the database through which it meets others. */
  readonly site?: { readonly name: string; readonly backbone: string; readonly adopt: boolean };
  /** How long rows take from one replica to the others, milliseconds. */
  readonly lagMs?: number;
  /** How long a register takes there and back, milliseconds. */
  readonly rttMs?: number;
  readonly alarm: (alarm: Alarm) => void;
  /** Told why the backbone is not used. */
  readonly refused?: (error: CffbrwError) => void;
  /** Told when the backbone is out of reach, and when it answers again. */
  readonly reach?: NodeOptions['reach'];
  /** Told how long commits and calls to the backbone take. */
  readonly observeTime?: ObserveTime;
}

export interface Locations {
  readonly replicas: readonly Replica[];
  /** The connection of each, in the same order; null: there is none. */
  readonly backbones: readonly (Backbone | null)[];
  /** What operators see and do; null: there is no backbone that others share. */
  readonly sites: Sites | null;
  /** Resolves with why, when nothing can be written any more and only a new process helps; null: nobody would start one. */
  readonly lost: Promise<CffbrwError> | null;
  /** Returns rights, flushes, closes. */
  close(): Promise<void>;
}

export function openLocations(app: App, options: LocationOptions): Promise<Locations> {
  return (options.replicas ?? 1) === 1 ? openOne(app, options) : openSeveral(app, options);
}

async function openOne(app: App, { data, alarm, refused, reach, observeTime, site }: LocationOptions): Promise<Locations> {
  const told = { alarm, ...(refused && { refused }), ...(reach && { reach }), ...(observeTime && { observeTime }) };
  const { replica, backbone, sites, lost } = await openLocation({
    variables: app.variables,
    directory: data,
    ...told,
    ...(site ?? {}),
  });
  return { replicas: [replica], backbones: [backbone], sites, lost, close: () => replica.close() };
}

async function openSeveral(app: App, options: LocationOptions): Promise<Locations> {
  const { data, alarm, replicas: count = 1, lagMs = 0, rttMs = 0 } = options;
  const { store } = await openSqliteStore({ directory: join(data, 'backbone') });
  const loopback = createLoopback({ host: nodeHost, store, lagMs, rttMs });
  const replicas: Replica[] = [];
  const backbones: Backbone[] = [];
  const close = async () => {
    await Promise.allSettled(replicas.map((replica) => replica.close()));
    await loopback.close();
    await store.close();
  };
  try {
    for (let number = 1; number <= count; number += 1) {
      const name = `r${number}`;
      const backbone = loopback.connect(name);
      backbones.push(backbone);
      replicas.push(await openReplica({ name, variables: app.variables, directory: join(data, name), backbone, alarm }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { replicas, backbones, sites: null, lost: null, close };
}
