/**
 * A disk with a store on it, in virtual time.
 *
 * Invariants:
 *   D1  A commit whose promise resolved is on the disk (unless `faults.syncs` is false: that disk lies).
 *   D2  A commit in flight at a crash is wholly there or wholly lost, by seed; whatever was queued behind it is lost.
 *   D3  No promise of a store settles after its crash.
 *   D4  A snapshot is what is on the disk at that instant.
 */
import { CffbrwError } from '../error.ts';
import { memoryStore, type Store, type StoredRecord, type StoredRow } from '../store/index.ts';
import type { World } from './host.ts';
import { createJobs, type Job } from './jobs.ts';
import type { Random } from './random.ts';

/** Set these at any time. */
export interface DiskFaults {
  /** Reads take about so long, milliseconds. */
  readMs: number;
  /** Commits take about so long, milliseconds (half to one and a half of it). */
  syncMs: number;
  /** Commits are refused with DISK_FULL. */
  full: boolean;
  /** The probability that a sync fails: STORE_FAILED, and the commit took effect or did not, by seed. */
  syncFailure: number;
  /** False: commits are acknowledged without a sync, and a power cut loses all since the last one that was synced. */
  syncs: boolean;
}

export interface SimulatedStore extends Store {
  /** The death of its process. */
  crash(): void;
}

/** Everything on a disk at one instant. */
export interface DiskSnapshot {
  readonly rows: readonly StoredRow[];
  readonly records: readonly StoredRecord[];
}

export interface SimulatedDisk {
  readonly faults: DiskFaults;
  /** A store on this disk. Several may be open at once, as when one disk is started twice. */
  open(): SimulatedStore;
  /** The rows on it: address → replica → row. Not to be changed, and different after the next event. */
  rows(): ReadonlyMap<string, ReadonlyMap<string, StoredRow>>;
  /** A backup. */
  snapshot(): DiskSnapshot;
  /** Crashes what is open and puts a backup back. */
  restore(snapshot: DiskSnapshot): void;
  /** A power cut: crashes what is open, and what was not synced is lost. */
  crash(): void;
  /** Another disk with the same content. */
  clone(name: string): SimulatedDisk;
}

export interface DiskOptions extends Partial<DiskFaults> {
  /** Told of the rows of each commit, when it takes effect. */
  readonly written?: (rows: readonly StoredRow[]) => void;
}

const defaults: DiskFaults = { readMs: 0.1, syncMs: 1, full: false, syncFailure: 0, syncs: true };

/** An empty disk. Its name gives it random numbers of its own. */
export function createSimulatedDisk(world: World, name: string, options: DiskOptions = {}): SimulatedDisk {
  const { written = () => {}, ...given } = options;
  const faults: DiskFaults = { ...defaults, ...given };
  const open = new Set<SimulatedStore>();
  const platter = createPlatter(written);
  const part = { faults, platter, host: world.host(`disk/${name}`), random: world.random.fork(`disk/${name}`) };
  const crashAll = () => {
    for (const store of open) store.crash();
  };
  return {
    faults,
    open() {
      const store = openStore(part, () => open.delete(store));
      open.add(store);
      return store;
    },
    rows: () => platter.rows,
    snapshot: () => platter.image(),
    restore(snapshot) {
      crashAll();
      platter.overwrite(snapshot);
    },
    crash() {
      crashAll();
      platter.losePower();
    },
    clone(cloneName) {
      const copy = createSimulatedDisk(world, cloneName, faults);
      copy.restore(platter.image());
      return copy;
    },
  };
}

interface Change {
  readonly rows: readonly StoredRow[];
  readonly records: readonly StoredRecord[];
  readonly forgotten: readonly string[];
}

/** What readers see (a memory store) and what a power cut leaves (the image). */
interface Platter {
  readonly seen: Store;
  write(change: Change, synced: boolean): void;
  readonly rows: ReadonlyMap<string, ReadonlyMap<string, StoredRow>>;
  image(): DiskSnapshot;
  overwrite(snapshot: DiskSnapshot): void;
  losePower(): void;
}

function createPlatter(written: (rows: readonly StoredRow[]) => void): Platter {
  let seen = memoryStore();
  let rows = new Map<string, Map<string, StoredRow>>();
  let records = new Map<string, StoredRecord>();
  let unsynced: Change[] = [];

  const show = ({ rows: changedRows, records: changedRecords, forgotten }: Change) => {
    // The memory store takes effect when it is called.
    void seen.commit(changedRows, changedRecords);
    void seen.forget(forgotten);
  };
  const burnIn = (change: Change) => {
    for (const row of change.rows) {
      const ofAddress = rows.get(row.address) ?? new Map<string, StoredRow>();
      rows.set(row.address, ofAddress.set(row.replica, row));
    }
    for (const record of change.records) {
      if (record.value === null) records.delete(record.name);
      else records.set(record.name, record);
    }
    for (const address of change.forgotten) rows.delete(address);
  };
  const image = () => ({
    rows: [...rows.values()].flatMap((ofAddress) => [...ofAddress.values()]),
    records: [...records.values()],
  });
  const overwrite = (snapshot: DiskSnapshot) => {
    seen = memoryStore();
    rows = new Map();
    records = new Map();
    unsynced = [];
    const change = { ...snapshot, forgotten: [] };
    show(change);
    burnIn(change);
  };
  return {
    get seen() {
      return seen;
    },
    write(change, synced) {
      show(change);
      unsynced.push(change);
      if (change.rows.length > 0) written(change.rows);
      if (!synced) return;
      for (const each of unsynced) burnIn(each);
      unsynced = [];
    },
    get rows() {
      return rows;
    },
    image,
    overwrite,
    losePower: () => overwrite(image()),
  };
}

interface DiskPart {
  readonly faults: DiskFaults;
  readonly platter: Platter;
  readonly host: ReturnType<World['host']>;
  readonly random: Random;
}

function openStore({ faults, platter, host, random }: DiskPart, released: () => void): SimulatedStore {
  const jobs = createJobs(host);
  let closed = false;

  const about = (durationMs: number) => durationMs * (0.5 + random.next());
  const ask = async <T>(job: Omit<Job<T>, 'durationMs'>, durationMs: number): Promise<T> => {
    if (closed) throw new CffbrwError('CLOSED', 'this simulated store is closed');
    return jobs.add({ ...job, durationMs: about(durationMs) });
  };
  const read = <T>(effect: (seen: Store) => Promise<T>) => ask({ effect: () => effect(platter.seen) }, faults.readMs);
  const write = (change: Change) =>
    ask(
      {
        async effect() {
          if (faults.full) throw new CffbrwError('DISK_FULL', 'the simulated disk is full', { fix: 'Set faults.full to false.' });
          const fails = random.chance(faults.syncFailure);
          if (!fails || random.chance(0.5)) platter.write(change, faults.syncs);
          if (fails) throw new CffbrwError('STORE_FAILED', 'the simulated disk could not sync: the commit is there or not');
        },
        // D2: what a crash in the middle of it leaves.
        interrupted() {
          if (!faults.full && random.chance(0.5)) platter.write(change, faults.syncs);
        },
      },
      faults.syncMs,
    );
  return {
    load: (addresses) => read((seen) => seen.load(addresses)),
    scan: (page) => read((seen) => seen.scan(page)),
    records: (page) => read((seen) => seen.records(page)),
    since: (replica, version, limit) => read((seen) => seen.since(replica, version, limit)),
    commit: (rows, records) => write({ rows: [...rows], records: [...records], forgotten: [] }),
    forget: (addresses) => write({ rows: [], records: [], forgotten: [...addresses] }),
    async close() {
      if (closed) return;
      closed = true;
      await jobs.add({ durationMs: 0, effect: async () => released() });
    },
    crash() {
      closed = true;
      jobs.abandon();
      released();
    },
  };
}
