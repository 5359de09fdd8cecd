/**
 * A cluster in memory, for the laws and models of strategies: replicas that write, flush, crash and collect garbage, and a network
 * that delivers any published row to anybody, at any time, any number of times, or never.
 *
 * It also keeps the books that no replica has: each durable operation with what its writer had seen. The models read them.
 */
import fc from 'fast-check';
import { type Clock, compareStamps, createClock, type Stamp } from '../../src/clock.ts';
import { canonical, type Json } from '../../src/strategy/json.ts';
import { canonicalRows, choose } from '../../src/strategy/rows.ts';
import type { Conflict, Entry, Operation, Rows, Strategy } from '../../src/strategy/strategy.ts';
import type { Variable } from '../../src/strategy/variable.ts';
import type { Trial } from './subjects.ts';

export const runs = (count: number): number => Math.round(count * Number(process.env.CFFBRW_RUNS ?? 1));

/** An operation that became durable, with the operations whose rows its writer held. */
export interface Done<Op> {
  readonly id: number;
  readonly replica: string;
  readonly version: number;
  readonly operation: Op;
  /** null: it issued none. */
  readonly stamp: Stamp | null;
  readonly seen: ReadonlySet<number>;
}

interface Message {
  readonly replica: string;
  readonly version: number;
  readonly bytes: string;
}

interface Member<Row, Op> {
  readonly id: string;
  clock: Clock;
  readonly skewMs: number;
  rows: Map<string, Entry<Row>>;
  durable: Map<string, Entry<Row>>;
  pending: Done<Op>[];
  dirty: boolean;
  next: number;
}

export type Step<Op> =
  | { readonly do: 'write'; readonly at: number; readonly operation: Op }
  | { readonly do: 'deliver'; readonly at: number; readonly message: number }
  /** `ownOnly`: the rows that have arrived are not durable yet, and a crash loses them. */
  | { readonly do: 'flush'; readonly at: number; readonly ownOnly?: boolean }
  | { readonly do: 'crash'; readonly at: number }
  | { readonly do: 'collect'; readonly at: number };

/** `held`: the operations whose effects stood in the rows of who logged it. */
export type Logged = Conflict & { readonly at: string; readonly held: ReadonlySet<number> };

export interface Cluster<Row extends object, Op extends Operation, Value extends Json = Json> {
  readonly done: readonly Done<Op>[];
  /** What the replicas would have logged, and which one. */
  readonly conflicts: readonly Logged[];
  run(steps: readonly Step<Op>[]): void;
  write(at: number, ...operations: readonly Op[]): void;
  /** Flushes `from`, and delivers its latest row to each of `to`. */
  send(from: number, ...to: readonly number[]): void;
  crash(at: number): void;
  read(at: number): Value;
  /** The operations whose effects a replica shows, its own pending ones included. */
  held(at: number): readonly Done<Op>[];
  rows(at: number): Rows<Row>;
  /** Flushes everybody and delivers the latest rows of all to all; garbage is left alone. */
  heal(): void;
  /** Collects, flushes and delivers, once. True when somebody had garbage. */
  sweep(): boolean;
}

export function createCluster<Row extends object, Op extends Operation, Value extends Json>(
  strategy: Strategy<Row, Op, Value>,
  variable: Variable,
  size: number,
): Cluster<Row, Op, Value> {
  let wallMs = 1_000;
  let steps = 0;
  const done: Done<Op>[] = [];
  let conflicts: Logged[] = [];
  const published: Message[] = [];
  let operations = 0;
  const members = Array.from({ length: size }, (_, i): Member<Row, Op> => {
    const skewMs = [0, 7, -7, 1_000, -900][i] ?? 0;
    const clock = createClock(() => wallMs + skewMs);
    return { id: `r${i}.1`, clock, skewMs, rows: new Map(), durable: new Map(), pending: [], dirty: false, next: 1 };
  });
  const member = (at: number): Member<Row, Op> => {
    const found = members[at % size];
    if (found === undefined) throw new Error('no such replica');
    return found;
  };

  /** The operations whose effects these rows hold. */
  const heldBy = ({ rows, pending }: Member<Row, Op>): readonly Done<Op>[] => [
    ...done.filter(({ replica, version }) => (rows.get(replica)?.version ?? 0) >= version),
    ...pending,
  ];

  function write(who: Member<Row, Op>, operation: Op): void {
    let stamp: Stamp | null = null;
    const seen = new Set(heldBy(who).map(({ id }) => id));
    const writer = {
      me: who.id,
      version: who.next,
      stamp: () => {
        stamp = who.clock.issue();
        return stamp;
      },
    };
    const row = strategy.apply(who.rows, writer, operation, variable);
    who.rows.set(who.id, { version: who.next, row });
    who.pending.push({ id: operations++, replica: who.id, version: who.next, operation, stamp, seen });
    who.dirty = true;
  }

  function flush(who: Member<Row, Op>, ownOnly = false): void {
    const entry = who.rows.get(who.id);
    if (who.dirty && entry !== undefined) {
      published.push({ replica: who.id, version: entry.version, bytes: canonical(entry.row) });
      done.push(...who.pending);
      who.pending = [];
      who.dirty = false;
      who.next++;
    }
    if (!ownOnly) who.durable = new Map(who.rows);
    else if (entry !== undefined) who.durable.set(who.id, entry);
  }

  /**
   * What was not flushed is gone, and with it what was logged of it: the clock remembers what the rows hold, so a stamp that is gone may be
   * issued again.
   */
  function crash(who: Member<Row, Op>): void {
    const isGone = ({ replica, stamp }: Conflict['lost']) =>
      who.pending.some((one) => one.replica === replica && one.stamp !== null && compareStamps(one.stamp, stamp) === 0);
    conflicts = conflicts.filter(({ lost, won }) => !isGone(lost) && !isGone(won));
    who.rows = new Map(who.durable);
    who.pending = [];
    who.dirty = false;
    who.clock = createClock(() => wallMs + who.skewMs);
    for (const { row } of who.rows.values()) observe(who, row);
  }

  function observe(who: Member<Row, Op>, row: Row): void {
    const stamp = strategy.latestStamp(row);
    if (stamp !== null) who.clock.observe(stamp);
  }

  function deliver(who: Member<Row, Op>, { replica, version, bytes }: Message): void {
    if (replica === who.id) return;
    const before = who.rows.get(replica);
    const theirs = { version, row: strategy.parseRow(JSON.parse(bytes)) };
    const { entry, fork } = choose(before, theirs);
    if (fork) throw new Error('a fork where nobody forked');
    if (entry !== theirs || before?.version === version) return;
    who.rows.set(replica, entry);
    observe(who, entry.row);
    for (const conflict of strategy.conflicts(who.rows, replica, before)) {
      conflicts.push({ ...conflict, at: who.id, held: new Set(heldBy(who).map(({ id }) => id)) });
    }
  }

  function collect(who: Member<Row, Op>): boolean {
    const row = strategy.collect?.(who.rows, who.id) ?? null;
    if (row === null) return false;
    who.rows.set(who.id, { version: who.next, row });
    who.dirty = true;
    return true;
  }

  function take(step: Step<Op>): void {
    // Often two steps at one instant, so that stamps tie.
    if (++steps % 2 === 0) wallMs += 7;
    const who = member(step.at);
    if (step.do === 'write') write(who, step.operation);
    else if (step.do === 'flush') flush(who, step.ownOnly);
    else if (step.do === 'crash') crash(who);
    else if (step.do === 'collect') collect(who);
    else {
      const message = published[published.length - 1 - (step.message % Math.max(published.length, 1))];
      if (message !== undefined) deliver(who, message);
    }
  }

  const spread = (): void => {
    for (const who of members) flush(who);
    for (const who of members) for (const message of published) deliver(who, message);
    for (const who of members) flush(who);
  };

  return {
    done,
    get conflicts() {
      return conflicts;
    },
    run: (steps) => steps.forEach(take),
    write(at, ...operations) {
      for (const operation of operations) take({ do: 'write', at, operation });
    },
    send(from, ...to) {
      take({ do: 'flush', at: from });
      const latest = published.findLast(({ replica }) => replica === member(from).id);
      if (latest !== undefined) for (const at of to) deliver(member(at), latest);
    },
    crash: (at) => take({ do: 'crash', at }),
    read: (at) => strategy.read(member(at).rows, variable),
    held: (at) => heldBy(member(at)),
    rows: (at) => member(at).rows,
    heal: spread,
    sweep() {
      const garbage = members.map(collect).includes(true);
      spread();
      return garbage;
    },
  };
}

/** A history over `size` replicas: mostly writes, flushes and deliveries of recent rows. */
export function history<Op>(operation: fc.Arbitrary<Op>, size: number, maxLength = 40): fc.Arbitrary<Step<Op>[]> {
  const at = fc.nat({ max: size - 1 });
  const plain = <Kind extends 'crash' | 'collect'>(kind: Kind) =>
    fc.record({ do: fc.constant(kind), at }) as fc.Arbitrary<Step<Op>>;
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), at, operation }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('flush' as const), at, ownOnly: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), at, message: fc.nat({ max: 12 }) }) },
    { weight: 1, arbitrary: plain('crash') },
    { weight: 1, arbitrary: plain('collect') },
  );
  return fc.array(step, { maxLength, size: 'max' });
}

/** A cluster after a random history, healed or not. */
export function clusterOf<Row extends object, Op extends Operation, Value extends Json>(
  { strategy, variable, operation }: Trial<Row, Op, Value>,
  excluded: readonly Step<Op>['do'][] = [],
): fc.Arbitrary<Cluster<Row, Op, Value> & { readonly size: number }> {
  return fc
    .integer({ min: 2, max: 5 })
    .chain((size) =>
      history(operation, size).map((steps) => ({ size, steps: steps.filter((step) => !excluded.includes(step.do)) })),
    )
    .map(({ size, steps }) => {
      const cluster = createCluster(strategy, variable, size);
      cluster.run(steps);
      return Object.assign(cluster, { size, toString: () => JSON.stringify(steps) });
    });
}

/** The text of each replica's rows: one text when they have converged. */
export const states = (cluster: Cluster<object, Operation> & { readonly size: number }): ReadonlySet<string> =>
  new Set(Array.from({ length: cluster.size }, (_, at) => canonicalRows(cluster.rows(at))));
