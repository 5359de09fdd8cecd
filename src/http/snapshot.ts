/** What the variables of an event stream hold now: read in memory, told once it is durable. */
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Change, Replica } from '../replica/replica.ts';
import type { Address, Key } from '../strategy/address.ts';
import type { Log } from './problem.ts';

export type WatchedReplica = Pick<
  Replica,
  'variables' | 'address' | 'peek' | 'load' | 'read' | 'commitOf' | 'durable' | 'watch' | 'keys'
>;

export interface EventsOptions {
  readonly host: Host;
  readonly replica: WatchedReplica;
  readonly path: string;
  readonly variables: readonly string[];
  readonly log?: Log | undefined;
  /** Whether idle streams are kept alive with comments. Default true. */
  readonly beats?: boolean | undefined;
  /** Default 1,000. */
  readonly maxClients?: number;
  /** Keys of one variable in a snapshot. Default 1,000. */
  readonly maxKeys?: number;
}

/** One address's latest value as an event. */
export interface Told {
  readonly id: string;
  readonly variable: string;
  readonly text: string;
}

export const eventText = (variable: string, key: Change['key'], value: Change['value']): string =>
  `event: ${variable}\ndata: ${JSON.stringify({ key, value })}\n\n`;

export interface Snapshots {
  /** Remembers the windows of now: `rolled` tells what came after. */
  start(): void;
  /** Resolves with every variable's value; of a keyed one those whose keys have this prefix. */
  take(prefix: string): Promise<readonly Told[]>;
  /** A key that clients know of: they are told its value when its window ends. */
  note(variable: string, key: Key | null): void;
  /** For each variable whose window has ended since the last call: the values in its new one. */
  rolled(): readonly Promise<readonly Told[]>[];
}

const chunkSize = 100;
const attempts = 3;
const maxNoted = 10_000;

export function createSnapshots({ replica, variables, maxKeys = 1000, log }: EventsOptions): Snapshots {
  const windows = new Map<string, string>();
  const noted = new Map<string, Map<string, Key>>();

  const readChunk = (addresses: readonly Address[], list: Told[]): number => {
    let commit = 0;
    for (const address of addresses) {
      const slot = replica.peek(address);
      if (slot === undefined) continue;
      try {
        const value = replica.read(slot);
        list.push({ id: address.id, variable: address.variable, text: eventText(address.variable, address.key, value) });
        commit = Math.max(commit, replica.commitOf(slot));
      } catch (error) {
        log?.({ level: 'warn', message: `the value of ${address.id} cannot be told`, cause: error });
      }
    }
    return commit;
  };

  /** A commit that fails takes back what was read: then it is read again. */
  const readDurable = async (addresses: readonly Address[]): Promise<readonly Told[]> => {
    for (let attempt = 1; ; attempt++) {
      const list: Told[] = [];
      await replica.load(addresses);
      try {
        await replica.durable(readChunk(addresses, list));
        return list;
      } catch (error) {
        if (attempt === attempts) throw error;
      }
    }
  };

  const readAll = async (addresses: readonly Address[]): Promise<readonly Told[]> => {
    const list: Told[] = [];
    for (let at = 0; at < addresses.length; at += chunkSize)
      list.push(...(await readDurable(addresses.slice(at, at + chunkSize))));
    return list;
  };

  const addressesOf = async (name: string, prefix: string): Promise<readonly Address[]> => {
    if (replica.variables.get(name)?.keyed !== true) return [replica.address(name)];
    const keys = await replica.keys(name, { prefix, limit: maxKeys });
    for (const key of keys) note(name, key);
    return keys.map((key) => replica.address(name, key));
  };

  const windowOf = (name: string): string => {
    const variable = replica.variables.get(name);
    if (variable?.window === undefined) return '';
    return replica.address(name, variable.keyed ? 0 : undefined).window;
  };

  function note(name: string, key: Key | null): void {
    if (key === null || replica.variables.get(name)?.window === undefined) return;
    const keys = noted.get(name) ?? new Map<string, Key>();
    noted.set(name, keys);
    if (keys.size < maxNoted) keys.set(JSON.stringify(key), key);
  }

  return {
    start() {
      noted.clear();
      for (const name of variables) {
        if (!replica.variables.has(name))
          throw new CffbrwError('UNKNOWN_VARIABLE', `the event stream names ${name}, which is no variable`);
        windows.set(name, windowOf(name));
      }
    },
    async take(prefix) {
      const list: Told[] = [];
      for (const name of variables) list.push(...(await readAll(await addressesOf(name, prefix))));
      return list;
    },
    note,
    rolled() {
      const ended = variables.filter((name) => windowOf(name) !== windows.get(name));
      return ended.map((name) => {
        windows.set(name, windowOf(name));
        const keys = [...(noted.get(name)?.values() ?? [])];
        const keyed = replica.variables.get(name)?.keyed === true;
        return readAll(keyed ? keys.map((key) => replica.address(name, key)) : [replica.address(name)]);
      });
    },
  };
}
