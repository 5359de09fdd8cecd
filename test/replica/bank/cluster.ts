/** Several replicas' banks, each on a disk and in a process that can die at any await, around one loopback that can do anything. */
import { createLoopback, type Loopback } from '../../../src/backbone/index.ts';
import { CffbrwError } from '../../../src/error.ts';
import { type Bank, type BankBug, createBank } from '../../../src/replica/bank/bank.ts';
import { createSimulatedHost, type World } from '../../../src/simulate/host.ts';
import { createSimulatedProcess, type KillAt, type SimulatedProcess } from '../../../src/simulate/process.ts';
import { createSimulatedDisk, type DiskSnapshot, type SimulatedDisk } from '../../../src/simulate/store.ts';
import type { StoredRow } from '../../../src/store/index.ts';
import { type Address, addressOf } from '../../../src/strategy/address.ts';
import type { Variable } from '../../../src/strategy/variable.ts';
import { createTestLedger, type TestLedger } from './ledger.ts';
import { createObserver, type Observer } from './observer.ts';

const drain = () => new Promise<void>((resolve) => setImmediate(resolve));

export interface Place {
  readonly id: string;
  readonly disk: SimulatedDisk;
  process: SimulatedProcess;
  /** null while it starts or is dead. */
  running: { readonly ledger: TestLedger; readonly bank: Bank } | null;
}

export interface Cluster {
  readonly world: World;
  readonly loopback: Loopback;
  readonly observer: Observer;
  readonly places: readonly Place[];
  readonly addresses: readonly Address[];
  /** What went wrong in the background. */
  readonly errors: unknown[];
  start(place: Place, killAt?: KillAt): void;
  kill(place: Place): void;
  disks(): ReadonlyMap<string, DiskSnapshot>;
}

export interface ClusterOptions {
  readonly seed: string | number;
  readonly replicas: number;
  readonly initial: number;
  readonly bugs?: ReadonlySet<BankBug>;
  readonly contactMs?: number;
  readonly counters?: number;
  /** False: one replica, whose bank is in its own store. */
  readonly backbone?: boolean;
}

export function createCluster({
  seed,
  replicas,
  initial,
  bugs,
  contactMs = 400,
  counters = 2,
  backbone: connected = true,
}: ClusterOptions): Cluster {
  const world = createSimulatedHost({ seed, drain });
  const variables = Array.from(
    { length: counters },
    (_, i): Variable => ({ name: `stock${i}`, strategy: 'bounded-counter', keyed: false, initial, durability: 'durable' }),
  );
  const addresses = variables.map((variable) => addressOf(variable));
  const byId = new Map(addresses.map((address) => [address.id, address]));
  const variableOf = (address: Address): Variable => variables.find(({ name }) => name === address.variable) as Variable;
  const errors: unknown[] = [];
  const places: Place[] = Array.from({ length: replicas }, (_, i) => ({
    id: `r${i}.1`,
    disk: createSimulatedDisk(world, `r${i}`),
    process: createSimulatedProcess(world.host(`r${i}`)),
    running: null,
  }));
  const disks = () => new Map(places.map((place) => [place.id, place.disk.snapshot()]));
  const guard = (check: () => void) => {
    try {
      check();
    } catch (error) {
      errors.push(error);
    }
  };
  const observer = createObserver(
    addresses.map(({ id }) => id),
    initial,
    disks,
    connected,
  );
  const loopback = createLoopback({ host: world.host('backbone'), store: guarded(observer.store, errors) });

  async function run(place: Place, process: SimulatedProcess): Promise<void> {
    const store = process.store(place.disk.open());
    const backbone = process.backbone(loopback.connect(place.id));
    const commit = Number((await store.records({ prefix: 'commit' })).find(({ name }) => name === 'commit')?.value ?? 0);
    const unsent = new Map<string, StoredRow>();
    let sending = false;
    let epoch: string | null = null;
    const send = async () => {
      if (sending || !connected) return;
      sending = true;
      while (unsent.size > 0) {
        const rows = [...unsent.values()];
        try {
          await backbone.publish(rows);
          for (const row of rows) if (unsent.get(nameOf(row)) === row) unsent.delete(nameOf(row));
        } catch {
          await new Promise<void>((resolve) => process.host.after(100, resolve));
        }
      }
      sending = false;
    };
    const resend = async () => {
      for (const row of await store.since(place.id, 0)) unsent.set(nameOf(row), row);
      void send();
    };
    const ledger = createTestLedger({
      me: place.id,
      host: process.host,
      store,
      registers: connected ? backbone.registers : null,
      variable: variableOf,
      commit,
      reverted: () => void resend(),
      committed(rows) {
        guard(() => observer.committed(disks()));
        for (const row of rows) unsent.set(nameOf(row), row);
        void send();
      },
    });
    const bank = createBank(ledger, {
      activeReplicas: () => replicas,
      epoch: () => epoch,
      members: () => places.map(({ id }) => id),
      alarm: (error) => {
        if (!(error instanceof CffbrwError) || !['DISK_FULL', 'STORE_FAILED'].includes(error.code)) errors.push(error);
      },
      ...(bugs === undefined ? {} : { bugs }),
    });
    await resend();
    await bank.start();
    place.running = { ledger, bank };
    if (connected)
      backbone.subscribe(null, async ({ rows }) => {
        for (const row of rows) {
          const address = byId.get(row.address);
          if (address !== undefined && row.replica !== place.id && (await ledger.receive(row, address)))
            bank.rowsChanged(address);
        }
        await ledger.flush();
      });
    const contact = () => {
      backbone
        .identity()
        .then((identity) => {
          epoch = identity;
          return bank.contact();
        })
        .catch((error: unknown) => {
          if (!(error instanceof CffbrwError) || !['UNREACHABLE', 'DISK_FULL', 'STORE_FAILED'].includes(error.code))
            errors.push(error);
        })
        .finally(() => process.host.after(contactMs, contact));
    };
    contact();
  }

  return {
    world,
    loopback,
    observer,
    places,
    addresses,
    errors,
    disks,
    start(place, killAt) {
      place.process.kill();
      place.running = null;
      const process = createSimulatedProcess(world.host(place.id), killAt);
      place.process = process;
      const begin = () => {
        run(place, process).catch(() => {
          if (process.alive) process.host.after(50, () => this.start(place));
        });
      };
      begin();
    },
    kill(place) {
      place.process.kill();
      place.running = null;
    },
  };
}

const nameOf = (row: StoredRow): string => `${row.replica} ${row.address}`;

/** A violation that shows in the backbone must not be answered as a failed write. */
function guarded<S extends Observer['store']>(store: S, errors: unknown[]): S {
  return {
    ...store,
    async commit(rows: Parameters<S['commit']>[0], records: Parameters<S['commit']>[1]) {
      try {
        await store.commit(rows, records);
      } catch (error) {
        errors.push(error);
        throw error;
      }
    },
  };
}
