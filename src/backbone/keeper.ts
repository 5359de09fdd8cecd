/**
 * What a loopback keeps: rows, registers and its identity; in memory, and in a store where it is given one.
 *
 * Invariants: B2, B3 and B4 of backbone.ts, because requests are handled one after another, each is durable before it shows, and a
 * revision is random and bound to the identity. After a store failed, what it really holds is read again before the next request.
 */
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Store, StoredRecord, StoredRow } from '../store/store.ts';
import type { Register } from './backbone.ts';
import { createFeed, type Feed, type FeedPage } from './feed.ts';

/** Everything that is kept, at one instant. */
export interface LoopbackSnapshot {
  readonly identity: string;
  readonly rows: readonly StoredRow[];
  /** The highest version of each replica, of rows that were forgotten, too. */
  readonly versions: ReadonlyMap<string, number>;
  readonly registers: ReadonlyMap<string, Written>;
}

interface Written {
  readonly value: string;
  readonly token: string;
}

interface State {
  readonly identity: string;
  /** Cursors are bound to it: another epoch, another order of the rows. */
  readonly epoch: string;
  readonly feed: Feed;
  readonly registers: Map<string, Written>;
}

export interface Keeper {
  publish(rows: readonly StoredRow[]): Promise<void>;
  forget(addresses: readonly string[]): Promise<void>;
  get(name: string): Promise<Register>;
  compareAndSet(name: string, value: string | null, revision: string | null): Promise<{ done: boolean; register: Register }>;
  identity(): Promise<string>;
  latest(replica: string): Promise<number>;
  /** The rows after a cursor. A cursor of another epoch gives everything. */
  after(cursor: string | null, page: FeedPage): Promise<KeptRows>;
  snapshot(): Promise<LoopbackSnapshot>;
  /** `noticed`: whether the identity changes (B5). */
  restore(snapshot: LoopbackSnapshot, noticed: boolean): Promise<void>;
  /** Forgets what is in memory and reads the store, where there is one. */
  restart(): Promise<void>;
}

/** Oldest first. `from` and `to` are the cursors before and after them; `nextMs`: when the next row came, if there is one. */
export interface KeptRows {
  readonly rows: StoredRow[];
  readonly identity: string;
  readonly from: string;
  readonly to: string;
  readonly nextMs: number | null;
}

export interface KeeperOptions {
  readonly host: Host;
  readonly store: Store | undefined;
  /** Called whenever there are new rows. */
  readonly changed: () => void;
  /** How long a row travels. */
  readonly lagMs: () => number;
}

const pageSize = 1_000;
const identityRecord = 'identity';
const registerPrefix = 'register/';
/** The highest version of a replica, written before a row of it is forgotten. */
const versionPrefix = 'version/';

export function createKeeper({ host, store, changed, lagMs }: KeeperOptions): Keeper {
  let state: State | null = null;
  const inLine = createLine();

  const current = async (): Promise<State> => {
    state ??= stateOf(await readSnapshot(host, store), host, lagMs);
    return state;
  };
  const stored = async (work: (into: Store) => Promise<void>): Promise<void> => {
    try {
      if (store !== undefined) await work(store);
    } catch (cause) {
      state = null;
      throw storeFailed(cause);
    }
  };
  const write = (rows: readonly StoredRow[], records: readonly StoredRecord[]) => stored((into) => into.commit(rows, records));
  const publish = async (rows: readonly StoredRow[]): Promise<void> => {
    const { feed } = await current();
    const better = feed.better(rows);
    if (better.length === 0) return;
    await write(better, []);
    for (const row of better) feed.put(row, host.elapsed());
    changed();
  };
  const forget = async (addresses: readonly string[]): Promise<void> => {
    const { feed } = await current();
    await write([], versionRecords(feed.versions()));
    await stored((into) => into.forget(addresses));
    feed.forget(addresses);
  };
  const compareAndSet = async (name: string, value: string | null, revision: string | null) => {
    const { identity, registers } = await current();
    const found = registerOf(identity, registers.get(name));
    const expected = revision ?? absentIn(identity).revision;
    if (found.revision !== expected) return { done: false, register: found };
    const written = value === null ? undefined : { value, token: host.id() };
    await write([], [{ name: registerPrefix + name, value: written === undefined ? null : JSON.stringify(written) }]);
    if (written === undefined) registers.delete(name);
    else registers.set(name, written);
    return { done: true, register: registerOf(identity, written) };
  };
  const restore = async (snapshot: LoopbackSnapshot, noticed: boolean): Promise<void> => {
    const restored = { ...snapshot, identity: noticed ? host.id() : snapshot.identity };
    state = null;
    await overwrite(store, restored);
    state = stateOf(restored, host, lagMs);
    changed();
  };
  return {
    publish: (rows) => inLine(() => publish(rows)),
    forget: (addresses) => inLine(() => forget(addresses)),
    get: (name) =>
      inLine(async () => {
        const { identity, registers } = await current();
        return registerOf(identity, registers.get(name));
      }),
    compareAndSet: (name, value, revision) => inLine(() => compareAndSet(name, value, revision)),
    identity: () => inLine(async () => (await current()).identity),
    latest: (replica) => inLine(async () => (await current()).feed.latest(replica)),
    after: (cursor, page) => inLine(async () => readOn(await current(), cursor, page)),
    snapshot: () => inLine(async () => snapshotOf(await current())),
    restore: (snapshot, noticed) => inLine(() => restore(snapshot, noticed)),
    restart: () =>
      inLine(async () => {
        state = store === undefined ? stateOf(snapshotOf(await current()), host, lagMs) : null;
        changed();
      }),
  };
}

/** One after another. */
function createLine() {
  let tail: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = tail.then(work, work);
    tail = mine.catch(() => {});
    return mine;
  };
}

/** A revision names the identity, so that none from before a restore holds after it. */
const registerOf = (identity: string, written: Written | undefined): Register =>
  written === undefined ? absentIn(identity) : { value: written.value, revision: `${identity}.${written.token}`, identity };

const absentIn = (identity: string): Register => ({ value: null, revision: `${identity}.`, identity });

function readOn({ identity, epoch, feed }: State, cursor: string | null, page: FeedPage): KeptRows {
  const [ofEpoch, text] = cursor?.split('.') ?? [];
  const place = ofEpoch === epoch ? Number(text) : 0;
  const { rows, end, nextMs } = feed.after(place, page);
  return { rows, identity, from: `${epoch}.${place}`, to: `${epoch}.${end}`, nextMs };
}

const snapshotOf = ({ identity, feed, registers }: State): LoopbackSnapshot => ({
  identity,
  rows: feed.rows(),
  versions: new Map(feed.versions()),
  registers: new Map(registers),
});

const versionRecords = (versions: ReadonlyMap<string, number>): StoredRecord[] =>
  [...versions].map(([replica, version]) => ({ name: versionPrefix + replica, value: String(version) }));

function stateOf({ identity, rows, versions, registers }: LoopbackSnapshot, host: Host, lagMs: () => number): State {
  const feed = createFeed(lagMs, versions);
  for (const row of rows) feed.put(row, host.elapsed());
  return { identity, epoch: host.id(), feed, registers: new Map(registers) };
}

const storeFailed = (cause: unknown) =>
  new CffbrwError('UNREACHABLE', 'the loopback backbone’s store failed, so the outcome is unknown', { cause });

async function readSnapshot(host: Host, store: Store | undefined): Promise<LoopbackSnapshot> {
  const empty: LoopbackSnapshot = { identity: host.id(), rows: [], versions: new Map(), registers: new Map() };
  if (store === undefined) return empty;
  try {
    const kept = await readStore(store);
    if (kept === null) await store.commit([], [{ name: identityRecord, value: empty.identity }]);
    return kept ?? empty;
  } catch (cause) {
    throw storeFailed(cause);
  }
}

async function readStore(store: Store): Promise<LoopbackSnapshot | null> {
  let identity: string | null = null;
  const versions = new Map<string, number>();
  const registers = new Map<string, Written>();
  for await (const { name, value } of everyRecord(store)) {
    if (name === identityRecord) identity = value;
    else if (name.startsWith(versionPrefix)) versions.set(name.slice(versionPrefix.length), Number(value));
    else if (name.startsWith(registerPrefix)) registers.set(name.slice(registerPrefix.length), JSON.parse(value) as Written);
  }
  if (identity === null) return null;
  const rows: StoredRow[] = [];
  for await (const address of everyAddress(store)) rows.push(...((await store.load([address]))[0] ?? []));
  return { identity, rows, versions, registers };
}

async function* everyRecord(store: Store) {
  for (let after = ''; ; ) {
    const page = await store.records({ prefix: '', after, limit: pageSize });
    yield* page;
    if (page.length < pageSize) return;
    after = page.at(-1)?.name ?? '';
  }
}

async function* everyAddress(store: Store) {
  for (let after = ''; ; ) {
    const page = await store.scan({ prefix: '', after, limit: pageSize });
    yield* page;
    if (page.length < pageSize) return;
    after = page.at(-1) ?? '';
  }
}

async function overwrite(store: Store | undefined, { identity, rows, versions, registers }: LoopbackSnapshot): Promise<void> {
  if (store === undefined) return;
  const records = new Map<string, string | null>();
  for await (const { name } of everyRecord(store)) records.set(name, null);
  for (const [name, written] of registers) records.set(registerPrefix + name, JSON.stringify(written));
  for (const { name, value } of versionRecords(versions)) records.set(name, value);
  records.set(identityRecord, identity);
  const addresses: string[] = [];
  for await (const address of everyAddress(store)) addresses.push(address);
  await store.forget(addresses);
  await store.commit(
    rows,
    [...records].map(([name, value]) => ({ name, value })),
  );
}
