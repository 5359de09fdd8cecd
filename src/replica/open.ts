/** Opening a replica: the public face over its parts. */
import type { Backbone } from '../backbone/backbone.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Store } from '../store/store.ts';
import { type Address, addressOf, type Key } from '../strategy/address.ts';
import { type Strategies, strategyIn } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';
import { previousWindow, windowAt } from '../strategy/window.ts';
import { rightsOf, rowOf } from './bank/rights.ts';
import type { Connection } from './connection.ts';
import { type Core, createCore } from './core.ts';
import { createHandle } from './handle.ts';
import type { OwnDisk } from './identity/holder.ts';
import { openIdentity } from './identity/identity.ts';
import { listKeys } from './keys.ts';
import type { Account } from './ledger.ts';
import { begin, end } from './lifecycle.ts';
import { pendingCommit, putRecord } from './memory.ts';
import type { Alarm } from './receive.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import type { Lease, Replica, ReplicaStatus, WindowChoice } from './replica.ts';
import type { MemorySlot } from './slot.ts';
import type { Witness } from './witness.ts';

export interface ReplicaOptions {
  /** One location's name: `[a-z0-9][a-z0-9-]*`. */
  readonly name: string;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly host: Host;
  readonly store: Store;
  readonly backbone?: Backbone | null;
  /** Resolves with why, when the store is lost to this process for good: nothing can be written any more, and only a new process helps. */
  readonly lost?: Promise<CffbrwError>;
  /** What proves, outside the data directory, that the store was not set back. null: the platform itself guarantees it. */
  readonly witness?: Witness | null;
  /** An operator says: join this backbone although it is not the one that this store knows. */
  readonly adopt?: boolean;
  /** Rows are collected for so long before they are published. Default 20 ms. */
  readonly publishDelayMs?: number;
  /** Rows are published at most so often, but those that somebody waits for. Default 0: as they come. */
  readonly publishEveryMs?: number;
  /** While a take waits for rights, the bank is asked again so often; what others return is told sooner. Default 50 ms. */
  readonly bankPollMs?: number;
  /** How often the backbone is asked what only it can tell. Default 1,000 ms. */
  readonly contactMs?: number;
  /** Addresses kept in memory when idle. Default 50,000. */
  readonly memoryLimit?: number;
  /** Told what an operator should know. */
  readonly alarm?: (alarm: Alarm) => void;
}

/** What a platform may lack. */
export interface ReplicaParts {
  /** Those of the variables. */
  readonly strategies: Strategies;
  /** null: the platform guarantees its storage, and there is a backbone. */
  readonly disk: OwnDisk | null;
}

/** Opens a replica. Rejects with STORE_FAILED, STORE_CORRUPT, STORE_VERSION, INVALID_APP. */
export async function openReplica(options: ReplicaOptions & ReplicaParts): Promise<Replica> {
  const { host, store, backbone = null, witness = null, name, disk, adopt = false } = options;
  const identity = await openIdentity({ host, store, witness, backbone, name, disk, adopt });
  const core = await createCore(
    {
      ...{ host, store, backbone, witness, variables: options.variables, strategies: options.strategies },
      publishDelayMs: options.publishDelayMs ?? 20,
      publishEveryMs: options.publishEveryMs ?? 0,
      bankPollMs: options.bankPollMs,
      contactMs: options.contactMs ?? 1_000,
      memoryLimit: options.memoryLimit ?? 50_000,
      alarm: options.alarm ?? (() => {}),
    },
    identity,
  );
  void options.lost?.then((error) => loseStore(core, error));
  return faceOf(core, await begin(core));
}

/** What is in memory is read on; a health check sees that this process should be started again. */
function loseStore(core: Core, error: CffbrwError): void {
  core.memory.refusal ??= error;
  core.alarm({ kind: 'store', message: error.message });
}

function faceOf(core: Core, connection: Connection | null): Replica {
  const { memory, loading, updating, flush, bank, variables, publisher } = core;
  const addressAt = (name: string, key?: Key, window?: WindowChoice) => addressNow(core, name, key, window);
  const refusals = createRefusals();
  let closing: Promise<void> | null = null;

  const replica: Replica = {
    id: core.me,
    variables,
    strategyOf: ({ strategy }) => strategyIn(core.strategies, strategy),
    conflicts: core.conflicts,
    address: addressAt,
    peek: (address) => readable(memory.slots.get(address.id)),
    load: loading.load,
    read: (slot) => updating.read(slot as MemorySlot),
    rows: (slot) => (slot as MemorySlot).rows,
    age: () => connection?.age() ?? 0,
    update: (slot, operation) => updating.update(slot as MemorySlot, operation),
    commitOf: (slot) => gateOf(slot as MemorySlot, memory.committed),
    durable: flush.durable,
    pending: () => pendingCommit(memory),
    getRecord: loading.loadRecord,
    putRecord(name, value) {
      if (memory.refusal !== null) throw memory.refusal;
      return putRecord(memory, name, value);
    },
    take: (requests, options = {}) =>
      refusals.pass(requests, options, () =>
        bank.take(
          requests.map(({ variable, key, amount = 1 }) => ({ address: addressAt(variable, key), amount })),
          options,
        ),
      ),
    withhold: refusals.withhold,
    holdTakes: refusals.hold,
    adoptBackbone: () => core.identity.adopt(),
    leases: () => leasesOf(core),
    give: (receipt) => bank.give(receipt),
    confirm: (receipt) => bank.confirm(receipt),
    mint: bank.mint,
    burn: bank.burn,
    variable: (name) =>
      createHandle({ replica, slot: (address) => readable(memory.slots.get(address.id)) }, declared(variables, name)),
    watch: (name, listener) => core.watchers.add(declared(variables, name).name, listener),
    keys: (name, page) => keysOf(core, name, page),
    get status() {
      return statusOf(core, connection, refusals);
    },
    async sync() {
      await flush.all();
      await publisher?.drain();
    },
    close() {
      closing ??= end(core, connection);
      return closing;
    },
  };
  return replica;
}

function addressNow({ variables, host }: Core, name: string, key?: Key, window: WindowChoice = 'current'): Address {
  const variable = declared(variables, name);
  return addressOf(variable, key ?? null, windowId(variable, host.now(), window));
}

function windowId({ window: rule }: Variable, nowMs: number, window: WindowChoice = 'current'): string {
  if (rule === undefined) return '';
  return (window === 'current' ? windowAt(rule, nowMs) : previousWindow(rule, nowMs)).id;
}

function keysOf(core: Core, name: string, page: Parameters<Replica['keys']>[1]): Promise<readonly Key[]> {
  const { memory, store, loading } = core;
  const variable = declared(core.variables, name);
  return listKeys(
    { memory, store, hold: loading.hold },
    {
      variable,
      window: windowId(variable, core.host.now(), page.window),
      prefix: page.prefix ?? '',
      after: page.after === undefined ? null : addressNow(core, name, page.after, page.window),
      limit: page.limit ?? 100,
    },
  );
}

/** Rights of which this replica knows: a counter that it spends of is in memory. */
function leasesOf({ memory, me }: Core): readonly Lease[] {
  const leases: Lease[] = [];
  for (const slot of memory.slots.values()) {
    const units = slot.strategy?.name === 'bounded-counter' ? rightsOf(rowOf(slot as unknown as Account, me)) : 0;
    if (units > 0) leases.push({ address: slot.address, units });
  }
  return leases;
}

const statusOf = (
  { me, memory, publisher, quarantine, identity, bank }: Core,
  connection: Connection | null,
  { counts, withheld }: Refusals,
): ReplicaStatus => ({
  id: me,
  commit: memory.committed,
  dirty: memory.dirty.slots.length,
  unpublished: publisher?.waiting ?? 0,
  quarantined: quarantine.list().length,
  loaded: memory.slots.size,
  waiting: bank.waiting(),
  urgent: bank.isCalled(),
  frozen: identity.frozen === null ? null : `${identity.frozen.message}. ${identity.frozen.fix}`,
  refused: memory.refusal?.message ?? null,
  lagMs: connection === null ? null : connection.age(),
  refusals: counts,
  withheld,
});

const readable = (slot: MemorySlot | undefined): MemorySlot | undefined => (slot?.strategy === null ? undefined : slot);

/** What a run must wait for before it tells anybody what this slot shows. */
const gateOf = (slot: MemorySlot, committed: number): number =>
  slot.commit > committed && slot.variable?.durability !== 'relaxed' ? slot.commit : 0;

function declared(variables: ReadonlyMap<string, Variable>, name: string): Variable {
  const variable = variables.get(name);
  if (variable !== undefined) return variable;
  throw new CffbrwError('UNKNOWN_VARIABLE', `there is no variable ${name}`, {
    fix: `Declare it; there are: ${[...variables.keys()].join(', ')}.`,
  });
}
