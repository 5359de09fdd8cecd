/** A replica on Node.js: SQLite in a directory, a witness outside it. */
import { mkdir } from 'node:fs/promises';
import type { Backbone } from '../backbone/backbone.ts';
import { declareAll, openReplica as openOn, type Replica, type ReplicaOf, type ReplicaOptions } from '../replica/index.ts';
import type { Declarations, Fitting, Variable, VariablesInput } from '../strategy/index.ts';
import { nodeHost } from './host.ts';
import { openSqliteStore } from './store.ts';

export interface NodeOptions extends Pick<ReplicaOptions, 'alarm'> {
  /** This location's name. Default `main`. */
  readonly name?: string;
  /** Where the data is. Default `./data`. */
  readonly directory?: string;
  /** Where the witness is: a file outside the directory. Default: under the user's state directory. */
  readonly witness?: string;
  readonly backbone?: Backbone | null;
}

export interface NodeReplicaOptions extends NodeOptions {
  /** Declared variables: an app's, say. */
  readonly variables: ReadonlyMap<string, Variable>;
}

/** Declarations as they would stand in `cffbrw.yaml`: `{ visits: { strategy: 'sum-increments' } }`. */
export interface TypedNodeReplicaOptions<All> extends NodeOptions {
  readonly variables: All & Fitting<All>;
}

/** Opens a replica over a directory. Rejects with INVALID_APP, STORE_FAILED, STORE_CORRUPT, STORE_VERSION, DISK_FULL. */
export function openReplica(options: NodeReplicaOptions): Promise<Replica>;
export function openReplica<const All extends Declarations>(options: TypedNodeReplicaOptions<All>): Promise<ReplicaOf<All>>;
export async function openReplica(options: NodeOptions & { readonly variables: VariablesInput }): Promise<unknown> {
  const { name = 'main', directory = './data', backbone = null, witness: witnessFile, ...rest } = options;
  // What is declared wrongly is said before anything is made.
  const variables = declareAll(options.variables);
  await mkdir(directory, { recursive: true });
  const { store, witness } = await openSqliteStore({ directory, ...(witnessFile === undefined ? {} : { witness: witnessFile }) });
  try {
    return await openOn({ ...rest, variables, name, host: nodeHost, store, witness, backbone });
  } catch (error) {
    await store.close();
    throw error;
  }
}
