/** The parts of a replica, put together: who calls whom. Nothing here decides anything. */
import type { Backbone } from '../backbone/backbone.ts';
import { type Clock, createClock, type Stamp } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Store } from '../store/store.ts';
import type { Strategies } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';
import { windowOf } from '../strategy/window.ts';
import { createLedger, readAll } from './account.ts';
import { type Bank, createBank } from './bank/bank.ts';
import { type ConflictLog, createConflictLog } from './conflicts.ts';
import { backboneRecord, cursorRecord, wholeRecord } from './connection.ts';
import { registersIn } from './epoch.ts';
import { createFlush, type Flush } from './flush.ts';
import type { Identity } from './identity/identity.ts';
import { parseMark, readMark } from './identity/incarnation.ts';
import { writtenOffAtBirth } from './identity/recover.ts';
import { latePrefix } from './late.ts';
import { createLoading, type Loading, readRecord } from './loading.ts';
import { createMemory, type Memory, putRecord, sweep } from './memory.ts';
import { createPublisher, type Publisher, publishedRecord } from './publish.ts';
import { createQuarantine, type Quarantine, quarantinePrefix } from './quarantine.ts';
import { type Alarm, unthrowing } from './receive.ts';
import { createUpdating, type Updating } from './update.ts';
import { createWatchers, type Watchers } from './watch.ts';
import { createWindows, type Windows } from './windows.ts';
import type { Witness } from './witness.ts';

export interface CoreOptions {
  readonly host: Host;
  readonly store: Store;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly strategies: Strategies;
  readonly backbone: Backbone | null;
  readonly witness: Witness | null;
  readonly publishDelayMs: number;
  readonly publishEveryMs: number;
  readonly bankPollMs: number | undefined;
  readonly contactMs: number;
  readonly memoryLimit: number;
  readonly alarm: (alarm: Alarm) => void;
}

export interface Core extends CoreOptions {
  readonly me: string;
  readonly identity: Identity;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly loading: Loading;
  readonly updating: Updating;
  readonly watchers: Watchers;
  readonly conflicts: ConflictLog;
  readonly quarantine: Quarantine;
  readonly flush: Flush;
  readonly publisher: Publisher | null;
  readonly bank: Bank;
  readonly windows: Windows;
  /** Where the last life stopped reading the backbone. */
  readonly cursor: string | null;
  /** When the last life knew all that others had published, milliseconds since 1970. */
  readonly wholeAt: number | null;
  /** The identity of the backbone that has everything of this store. */
  readonly knownIdentity: string | null;
  /** My rows up to this commit were kept by the backbone in the last life; null: this incarnation has had none. */
  readonly published: number | null;
}

const clockRecord = 'clock';

export async function createCore(given: CoreOptions, identity: Identity): Promise<Core> {
  const options = { ...given, alarm: unthrowing(given.alarm) };
  const { host, store, variables, strategies } = options;
  const stored = await readStored(store);
  const me = identity.me;
  const clock = createClock(() => host.now(), stored.clock);
  const memory = createMemory(stored.commit);
  const quarantine = createQuarantine(memory, stored.quarantined);
  const loading = createLoading({
    memory,
    store,
    clock,
    variables,
    strategies,
    quarantine,
    host,
    isOwn: (replica) => isOwn(identity, replica),
  });
  const updating = createUpdating({ memory, host, clock, me });
  const listenerFailed = (error: unknown) => options.alarm({ kind: 'listener', message: `a listener failed: ${String(error)}` });
  const watchers = createWatchers(updating.read, listenerFailed);
  const published = stored.published?.id === me ? stored.published.commit : null;
  const windows = createWindows({ ...options, clock, memory, someLate: stored.someLate, durable: () => flush.all() });
  const publisher = publisherOf(options, { memory, identity, published: published ?? 0, isUrgent: () => bank.isCalled() });
  const saveClock = clockSaver(clock, memory);
  const flush = createFlush({
    ...{ memory, store, host, me, witness: options.witness, capture: watchers.capture },
    prepare() {
      publisher?.remember();
      saveClock.prepare();
    },
    failed() {
      quarantine.revert();
      saveClock.failed();
      publisher?.recheck();
    },
    committed(written) {
      publisher?.add(written);
      sweep(memory, options.memoryLimit, (slot) => bank.holds(slot.address));
    },
  });
  const registers = options.backbone === null ? null : registersIn(options.backbone.registers, () => identity.epoch);
  const frozen = () => identity.frozen?.reason ?? null;
  const ledger = createLedger({ me, host, registers, memory, store, flush, loading, frozen });
  const bank = createBank(ledger, {
    activeReplicas: () => identity.activeReplicas(),
    epoch: () => identity.epoch,
    bornEmpty: ({ variable, address }) => writtenOffAtBirth(identity.recoveredAt, windowStart(variable, address.window)),
    members: () => unretired(identity),
    recovery: identity.recovery,
    isClosed: windows.isClosed,
    ...(options.bankPollMs !== undefined && { pollMs: options.bankPollMs }),
    alarm: (error) => bankAlarm(options, identity, error),
  });
  return {
    ...options,
    ...{ me, identity, memory, clock, loading, updating, watchers, flush, publisher, bank, windows },
    conflicts: createConflictLog(listenerFailed),
    quarantine,
    cursor: stored.cursor,
    wholeAt: stored.wholeAt,
    knownIdentity: stored.knownIdentity,
    published,
  };
}

/** Whom a recovery of the backbone waits for: every incarnation ever known, however long absent. */
function unretired({ members, me }: Identity): readonly string[] {
  return [me, ...[...members].filter(([id, { state }]) => id !== me && state !== 'retired').map(([id]) => id)];
}

/** Milliseconds since 1970; null without a window. */
const windowStart = ({ window: rule }: Variable, id: string): number | null =>
  rule === undefined ? null : (windowOf(rule, id)?.startsMs ?? null);

/** A lease or return of mine that this store knows nothing of shows that the disk is not the newest: this process stops. */
function bankAlarm({ alarm }: CoreOptions, identity: Identity, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const fenced = error instanceof CffbrwError && error.code === 'FENCED';
  alarm({ kind: fenced ? 'second-self' : 'bank', message });
  if (fenced) identity.disprove(message).catch(() => {}); // what it can't write down now it finds again at the next start
}

async function readStored(store: Store) {
  const [commit, clock, cursors, wholeAt, knownIdentity, published, quarantined] = await Promise.all([
    readMark(store),
    readRecord(store, clockRecord),
    store.records({ prefix: cursorRecord, limit: 2 }),
    readRecord(store, wholeRecord),
    readRecord(store, backboneRecord),
    readRecord(store, publishedRecord),
    readAll(store, quarantinePrefix),
  ]);
  return {
    commit: commit?.commit ?? 0,
    clock: clock === null ? undefined : (JSON.parse(clock) as Stamp),
    cursor: cursors.find(({ name }) => name === cursorRecord)?.value ?? null,
    someLate: cursors.some(({ name }) => name.startsWith(latePrefix)),
    wholeAt: wholeAt === null ? null : Number(wholeAt),
    knownIdentity,
    published: published === null ? null : parseMark(published),
    quarantined,
  };
}

interface Publishing {
  readonly memory: Memory;
  readonly identity: Identity;
  readonly published: number;
  readonly isUrgent: () => boolean;
}

function publisherOf(options: CoreOptions, { identity, ...what }: Publishing): Publisher | null {
  const { store, host, backbone, publishDelayMs: delayMs, publishEveryMs: everyMs } = options;
  if (backbone === null) return null;
  const mine = () => [identity.me, ...identity.old.map(({ id }) => id).filter(identity.owns)];
  return createPublisher({ ...what, store, host, backbone, me: identity.me, mine, delayMs, everyMs });
}

const isOwn = ({ me, old }: Identity, replica: string): boolean => replica === me || old.some(({ id }) => id === replica);

/** The clock is remembered with every flush that moved it, so that stamps increase over restarts, too. */
function clockSaver(clock: Clock, memory: Memory) {
  let saved: Stamp | null = clock.latest;
  return {
    prepare() {
      if (clock.latest === saved) return;
      saved = clock.latest;
      putRecord(memory, clockRecord, JSON.stringify(saved));
    },
    /** Stamps were issued all the same, and somebody may have seen them: the next commit says so. */
    failed() {
      saved = null;
    },
  };
}
