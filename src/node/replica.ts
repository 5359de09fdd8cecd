/** A replica on Node.js: SQLite in a directory, a witness outside it. */
import { mkdir } from 'node:fs/promises';
import type { Backbone } from '../backbone/backbone.ts';
import { openReplica as openOn, type Replica, type ReplicaOptions } from '../replica/index.ts';
import { nodeHost } from './host.ts';
import { openSqliteStore } from './store.ts';

export interface NodeReplicaOptions extends Pick<ReplicaOptions, 'variables' | 'alarm'> {
  /** This location's name. Default `main`. */
  readonly name?: string;
  /** Where the data is. Default `./data`. */
  readonly directory?: string;
  /** Where the witness is: a file outside the directory. Default: under the user's state directory. */
  readonly witness?: string;
  readonly backbone?: Backbone | null;
}

/** Opens a replica over a directory. Rejects with STORE_FAILED, STORE_CORRUPT, STORE_VERSION, DISK_FULL. */
export async function openReplica(options: NodeReplicaOptions): Promise<Replica> {
  const { name = 'main', directory = './data', backbone = null, witness: witnessFile, ...rest } = options;
  await mkdir(directory, { recursive: true });
  const { store, witness } = await openSqliteStore({ directory, ...(witnessFile === undefined ? {} : { witness: witnessFile }) });
  try {
    return await openOn({ ...rest, name, host: nodeHost, store, witness, backbone });
  } catch (error) {
    await store.close();
    throw error;
  }
}
