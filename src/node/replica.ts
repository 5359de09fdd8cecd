/** A replica on Node.js: SQLite in a directory, a witness outside it, and a backbone where there are others. */
import { mkdir } from 'node:fs/promises';
import type { Backbone } from '../backbone/backbone.ts';
import type { CffbrwError } from '../error.ts';
import type { Sites } from '../http/admin/sites.ts';
import { cursorRecord } from '../replica/connection.ts';
import { declareAll, openReplica as openOn, type Replica, type ReplicaOf, type ReplicaOptions } from '../replica/index.ts';
import type { Witness } from '../replica/witness.ts';
import type { Store } from '../store/store.ts';
import type { Declarations, Fitting, Variable, VariablesInput } from '../strategy/index.ts';
import type { PostgresBackbone } from './backbone.ts';
import { type Reach, tellingReach } from './backbone-reach.ts';
import type { StartingBackbone } from './backbone-start.ts';
import { nodeHost } from './host.ts';
import { openSqliteStore } from './store.ts';
import { type ObserveTime, timedBackbone, timedStore } from './timing.ts';

export interface NodeOptions extends Pick<ReplicaOptions, 'alarm'> {
  /** This location's name. Default `main`. */
  readonly name?: string;
  /** Where the data is. Default `./data`. */
  readonly directory?: string;
  /** Where the witness is: a file outside the directory. Default: under the user's state directory. */
  readonly witness?: string;
  /**
   * What connects this replica with others. A URL, `postgres://…`, opens the one in that database and closes it with the replica; the `PG*`
   * variables say what the URL leaves out.
   */
  readonly backbone?: Backbone | string | null;
  /** An operator says: join this backbone although it is not the one that this store knows. */
  readonly adopt?: boolean;
  /** Told why the backbone is not used any more: its server answers, and must not be. */
  readonly refused?: (error: CffbrwError) => void;
  /** Told when the backbone is out of reach, at the start or later, and when it answers again. */
  readonly reach?: (reach: Reach, replica: Replica) => void;
  /** Told how long commits and calls to the backbone take. */
  readonly observeTime?: ObserveTime;
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
  return (await openLocation(options)).replica;
}

/** A replica, and its connection to the others, which is closed with it where it was opened here. */
export interface Location {
  readonly replica: Replica;
  readonly backbone: Backbone | null;
  /** What operators see and do; null: this replica is alone. */
  readonly sites: Sites | null;
  /** Resolves with why, when the store's worker has died: only a new process can write again. */
  readonly lost: Promise<CffbrwError>;
}

/** The same, for who needs the connection, too. */
export async function openLocation(options: NodeOptions & { readonly variables: VariablesInput }): Promise<Location> {
  const { directory = './data', witness: witnessFile } = options;
  // What is declared wrongly is said before anything is made.
  const variables = declareAll(options.variables);
  await mkdir(directory, { recursive: true });
  const { store, witness, lost } = await openSqliteStore({
    directory,
    ...(witnessFile === undefined ? {} : { witness: witnessFile }),
  });
  const ends: (() => Promise<void>)[] = [store.close];
  // A store that is lost can't be closed; what comes after it can, and would keep the process alive.
  const close = async () => {
    const failed: unknown[] = [];
    for (const end of ends) await end().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  };
  try {
    return await openOver({ ...options, variables }, { store: { ...store, close }, witness, lost, ends });
  } catch (error) {
    await close();
    throw error;
  }
}

/** What changes after a rest goes out at once. What follows is collected: many writes are one row, and one round trip. */
const publishing = { publishDelayMs: 0, publishEveryMs: 20 };

interface Opened {
  readonly store: Store;
  readonly witness: Witness;
  readonly lost: Promise<CffbrwError>;
  /** What is ended with the replica, in this order. */
  readonly ends: (() => Promise<void>)[];
}

async function openOver(options: NodeReplicaOptions, { store, witness, lost, ends }: Opened): Promise<Location> {
  const { name = 'main', backbone: given = null, observeTime = () => {}, alarm = () => {}, variables, adopt = false } = options;
  const named = typeof given === 'string' ? await openNamed(given, store, options.refused) : null;
  if (named !== null) ends.push(named.connection.close);
  const found = typeof given === 'string' ? (named?.starting.backbone ?? null) : given;
  const reach = reachOf(options.reach);
  const backbone = found === null ? null : timedBackbone(reach.over(found), observeTime);
  const timed = timedStore(store, observeTime);
  const facts = { name, variables, host: nodeHost, store: timed, witness, lost, backbone, adopt, alarm };
  const replica = await openOn({ ...facts, ...publishing });
  reach.opened(replica);
  if (named !== null) {
    const { openSites, operationsOver } = await import('./backbone-sites.ts');
    const sites = await openSites({ replica, backbone: named.starting.backbone, host: nodeHost, alarm });
    ends.unshift(async () => sites.close());
    named.starting.started();
    return { replica, backbone, sites: operationsOver(named.connection, nodeHost), lost };
  }
  return { replica, backbone, sites: null, lost };
}

/** What is found out while the replica opens is told when it is there: then it can be asked what goes on. */
function reachOf(told: NodeOptions['reach']) {
  const early: Reach[] = [];
  let replica: Replica | null = null;
  const tell = (reach: Reach) => (replica === null ? early.push(reach) : told?.(reach, replica));
  return {
    over: (backbone: Backbone) =>
      tellingReach(backbone, { host: nodeHost, unpublished: () => replica?.status.unpublished ?? 0, tell }),
    opened(found: Replica) {
      replica = found;
      for (const reach of early) tell(reach);
    },
  };
}

interface Named {
  readonly connection: PostgresBackbone;
  readonly starting: StartingBackbone;
}

/** The client of PostgreSQL is loaded where it is used. Where the last life stopped reading tells what must still be there. */
async function openNamed(url: string, store: Store, refused: NodeOptions['refused']): Promise<Named> {
  const [{ openPostgresBackbone }, { startingBackbone }, { parseBackboneUrl }] = await Promise.all([
    import('./backbone.ts'),
    import('./backbone-start.ts'),
    import('./backbone-url.ts'),
  ]);
  const target = parseBackboneUrl(url);
  const records = await store.records({ prefix: cursorRecord });
  const cursor = records.find(({ name }) => name === cursorRecord)?.value ?? null;
  let unreached: CffbrwError | null = null;
  const tell = (error: CffbrwError) => {
    if (error.code === 'INVALID_APP') refused?.(error);
    else unreached = error;
  };
  const connection = await openPostgresBackbone({ target, cursor, refused: tell });
  return { connection, starting: startingBackbone(connection, unreached) };
}
