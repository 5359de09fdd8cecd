/**
 * Operations on variables in this process, against a native Map (which merges nothing) and against CRDT libraries (which do). Libraries are
 * measured twice: with a transaction per operation, as callers who do not know of each other use them, and with transactions as large as
 * our flushes, as one caller who has all the operations at once can.
 */
import { LoroDoc } from 'loro-crdt';
import { createMergeableStore, createStore } from 'tinybase';
import * as Y from 'yjs';
import { nodeHost } from '../src/node/host.ts';
import { openSqliteStore } from '../src/node/store.ts';
import { openReplica } from '../src/replica/index.ts';
import type { Replica } from '../src/replica/replica.ts';
import { memoryStore } from '../src/store/memory.ts';
import type { Store } from '../src/store/store.ts';
import { declareVariable } from '../src/strategy/index.ts';
import { inTemporary } from './built.ts';
import { atLeast, atLeastTimes, type PartResult, type Row, type Table, type Target } from './figures.ts';
import { type Contender, inRounds, type Measured, of, rate } from './rounds.ts';

export interface VariableParameters {
  readonly rounds: number;
  /** Operations of a round: of ours and of a native Map, and of the others, which are slower. */
  readonly operations: number;
  readonly slowOperations: number;
  /** Operations per flush, or per transaction. */
  readonly batch: number;
}

export const parameters: Record<'small' | 'large', VariableParameters> = {
  small: { rounds: 3, operations: 200_000, slowOperations: 20_000, batch: 1_000 },
  large: { rounds: 9, operations: 1_000_000, slowOperations: 50_000, batch: 1_000 },
};

const names = {
  native: 'native Map',
  ours: 'cffbrw, memory store',
  sqlite: 'cffbrw, SQLite',
  yjs: 'Yjs',
  store: 'TinyBase store',
  mergeable: 'TinyBase mergeable store',
  loro: 'Loro',
} as const;
const libraries: readonly string[] = [names.yjs, names.store, names.mergeable, names.loro];
const batchedName = (name: string): string => `${name} (batched)`;

const variables = new Map(
  [
    declareVariable('count', { strategy: 'sum-increments' }),
    declareVariable('setting', { strategy: 'last-write-wins' }),
    declareVariable('profile', { strategy: 'merge-objects' }),
  ].map((variable) => [variable.name, variable]),
);

const open = (store: Store): Promise<Replica> => openReplica({ name: 'bench', variables, host: nodeHost, store });

/** One way to do an operation `count` times: `one` is called with 0, 1, 2 …, and `batched` runs a batch of calls. */
interface Way {
  readonly name: string;
  /** A library: slower, and measured with and without batching. */
  readonly library: boolean;
  /** A new subject, so that no round pays for what an earlier one left behind. */
  readonly start: () => Subject;
}

interface Subject {
  batch(from: number, to: number): void | Promise<void>;
  /** What it holds in the end; checked, and so never optimised away. */
  result(): unknown;
}

export const run = (options: VariableParameters): Promise<PartResult> =>
  inTemporary(async (directory) => {
    const memory = await open(memoryStore());
    const { store } = await openSqliteStore({ directory, witness: null });
    const sqlite = await open(store);
    const wrong: string[] = [];
    try {
      const replicas = { memory, sqlite };
      const tables = [
        await measure('add', addWays(replicas), { options, wrong, expected: (count) => count }),
        await measure('set', setWays(replicas), { options, wrong, expected: (count) => count - 1 }),
        await measure('merge of two fields', mergeWays(replicas), { options, wrong, expected: (count) => 2 * (count - 1) }),
        await readTable(memory, options, wrong),
      ];
      return { part: 'variables', tables, notes: notesOf(options), wrong };
    } finally {
      await memory.close();
      await sqlite.close();
      await store.close();
    }
  });

const notesOf = ({ batch, rounds }: VariableParameters): string[] => [
  `One variable; ${rounds} rounds in turns, each library on fresh data. Ours: one call per operation, of which ${batch} share a flush and its promise. Libraries: a transaction per operation, or “batched”, ${batch} operations in one.`,
  'cffbrw on SQLite waits for every flush to be synced before it starts the next; on the memory store for every flush to be committed.',
  'A Map, a Yjs map and a TinyBase cell count by reading and writing: of two such counts at once, in two places, one is lost. Loro’s counter and ours keep both.',
  'Not measured: the size of what is sent and kept, and merging itself.',
];

interface MeasureOptions {
  readonly options: VariableParameters;
  readonly wrong: string[];
  readonly expected: (count: number) => number;
}

async function measure(title: string, ways: readonly Way[], { options, wrong, expected }: MeasureOptions): Promise<Table> {
  const contender = (name: string, { start, library }: Way, batch: number): Contender => ({
    name,
    async measure() {
      const count = library ? options.slowOperations : options.operations;
      const subject = start();
      globalThis.gc?.();
      const figure = await rate(count, () => inBatches(subject, count, batch));
      if (subject.result() !== expected(count))
        wrong.push(`${title}, ${name}: ${String(subject.result())}, not ${expected(count)}`);
      return figure;
    },
  });
  const contenders = ways.flatMap((way) => [
    contender(way.name, way, way.library ? 1 : options.batch),
    ...(way.library ? [contender(batchedName(way.name), way, options.batch)] : []),
  ]);
  const all = await inRounds(contenders, 'operations/s', options.rounds);
  return { title, rows: contenders.map(({ name }) => rowOf(title, of(all, name), all)) };
}

async function inBatches(subject: Subject, count: number, batch: number): Promise<void> {
  for (let from = 0; from < count; from += batch) {
    const flushed = subject.batch(from, Math.min(from + batch, count));
    if (flushed !== undefined) await flushed;
  }
}

function rowOf(title: string, mine: Measured, all: ReadonlyMap<string, Measured>): Row {
  const best = bestOf(libraries, all);
  const others =
    mine.name === names.ours || mine.name === names.sqlite
      ? [of(all, names.native), best, bestOf(libraries.map(batchedName), all)]
      : [];
  const ratios = others.map((other) => mine.times(other));
  const targets: Target[] = [];
  if (title === 'add' && mine.name === names.ours)
    targets.push(atLeast(mine.figure, mine.unit, 3_000_000), atLeastTimes({ ratios }, best.name, 10));
  return { name: mine.name, unit: mine.unit, figure: mine.figure, ratios, targets };
}

const bestOf = (some: readonly string[], all: ReadonlyMap<string, Measured>): Measured =>
  some.map((name) => of(all, name)).reduce((a, b) => (a.figure > b.figure ? a : b));

interface Replicas {
  readonly memory: Replica;
  readonly sqlite: Replica;
}

function addWays({ memory, sqlite }: Replicas): Way[] {
  return [
    {
      ...{ name: names.native, library: false },
      start: () => {
        const map = new Map<string, number>();
        return {
          batch(from, to) {
            for (let at = from; at < to; at += 1) map.set('count', (map.get('count') ?? 0) + 1);
          },
          result: () => map.get('count'),
        };
      },
    },
    { name: names.ours, library: false, start: () => addTo(memory) },
    { name: names.sqlite, library: false, start: () => addTo(sqlite) },
    {
      ...{ name: names.yjs, library: true },
      start: () => {
        const document = new Y.Doc();
        const map = document.getMap<number>('m');
        return {
          batch: (from, to) =>
            document.transact(() => {
              for (let at = from; at < to; at += 1) map.set('count', (map.get('count') ?? 0) + 1);
            }),
          result: () => map.get('count'),
        };
      },
    },
    ...tinyBaseWays(
      (store, from, to) => {
        for (let at = from; at < to; at += 1) store.setCell('t', 'r', 'count', (value) => Number(value ?? 0) + 1);
      },
      (store) => store.getCell('t', 'r', 'count'),
    ),
    {
      ...{ name: names.loro, library: true },
      start: () => {
        const document = new LoroDoc();
        const counter = document.getCounter('count');
        return {
          batch(from, to) {
            for (let at = from; at < to; at += 1) counter.increment(1);
            document.commit();
          },
          result: () => counter.value,
        };
      },
    },
  ];
}

function addTo(replica: Replica): Subject {
  const handle = replica.variable('count');
  const slot = () => replica.read(slotOf(replica, 'count')) as number;
  let before = 0;
  return {
    async batch(from, to) {
      if (from === 0) before = (await handle.get()) as number;
      let flushed: Promise<void> | undefined;
      for (let at = from; at < to; at += 1) flushed = handle.add(1);
      await flushed;
    },
    result: () => slot() - before,
  };
}

function slotOf(replica: Replica, name: string) {
  const slot = replica.peek(replica.address(name));
  if (slot === undefined) throw new Error(`${name} is not in memory`);
  return slot;
}

function setWays({ memory, sqlite }: Replicas): Way[] {
  return [
    {
      ...{ name: names.native, library: false },
      start: () => {
        const map = new Map<string, number>();
        return {
          batch(from, to) {
            for (let at = from; at < to; at += 1) map.set('setting', at);
          },
          result: () => map.get('setting'),
        };
      },
    },
    { name: names.ours, library: false, start: () => setOn(memory) },
    { name: names.sqlite, library: false, start: () => setOn(sqlite) },
    {
      ...{ name: names.yjs, library: true },
      start: () => {
        const document = new Y.Doc();
        const map = document.getMap<number>('m');
        return {
          batch: (from, to) =>
            document.transact(() => {
              for (let at = from; at < to; at += 1) map.set('setting', at);
            }),
          result: () => map.get('setting'),
        };
      },
    },
    ...tinyBaseWays(
      (store, from, to) => {
        for (let at = from; at < to; at += 1) store.setCell('t', 'r', 'setting', at);
      },
      (store) => store.getCell('t', 'r', 'setting'),
    ),
    {
      ...{ name: names.loro, library: true },
      start: () => {
        const document = new LoroDoc();
        const map = document.getMap('m');
        return {
          batch(from, to) {
            for (let at = from; at < to; at += 1) map.set('setting', at);
            document.commit();
          },
          result: () => map.get('setting'),
        };
      },
    },
  ];
}

function setOn(replica: Replica): Subject {
  const handle = replica.variable('setting');
  return {
    async batch(from, to) {
      let flushed: Promise<void> | undefined;
      for (let at = from; at < to; at += 1) flushed = handle.set(at);
      await flushed;
    },
    result: () => replica.read(slotOf(replica, 'setting')),
  };
}

interface Profile {
  readonly wins: number;
  readonly last: number;
}

function mergeWays({ memory, sqlite }: Replicas): Way[] {
  return [
    {
      ...{ name: names.native, library: false },
      start: () => {
        const map = new Map<string, Profile>();
        return {
          batch(from, to) {
            for (let at = from; at < to; at += 1) map.set('profile', { ...map.get('profile'), wins: at, last: at });
          },
          result: () => totalOf(map.get('profile')),
        };
      },
    },
    { name: names.ours, library: false, start: () => mergeInto(memory) },
    { name: names.sqlite, library: false, start: () => mergeInto(sqlite) },
    {
      ...{ name: names.yjs, library: true },
      start: () => {
        const document = new Y.Doc();
        const map = document.getMap<number>('m');
        return {
          batch: (from, to) =>
            document.transact(() => {
              for (let at = from; at < to; at += 1) {
                map.set('wins', at);
                map.set('last', at);
              }
            }),
          result: () => totalOf({ wins: map.get('wins') ?? 0, last: map.get('last') ?? 0 }),
        };
      },
    },
    ...tinyBaseWays(
      (store, from, to) => {
        for (let at = from; at < to; at += 1) store.setPartialRow('t', 'r', { wins: at, last: at });
      },
      (store) => totalOf(store.getRow('t', 'r') as unknown as Profile),
    ),
    {
      ...{ name: names.loro, library: true },
      start: () => {
        const document = new LoroDoc();
        const map = document.getMap('m');
        return {
          batch(from, to) {
            for (let at = from; at < to; at += 1) {
              map.set('wins', at);
              map.set('last', at);
            }
            document.commit();
          },
          result: () => totalOf(map.toJSON() as Profile),
        };
      },
    },
  ];
}

const totalOf = (profile: Profile | undefined): number => (profile?.wins ?? 0) + (profile?.last ?? 0);

function mergeInto(replica: Replica): Subject {
  const handle = replica.variable('profile');
  return {
    async batch(from, to) {
      let flushed: Promise<void> | undefined;
      for (let at = from; at < to; at += 1) flushed = handle.merge({ wins: at, last: at });
      await flushed;
    },
    result: () => totalOf(replica.read(slotOf(replica, 'profile')) as unknown as Profile),
  };
}

type TinyBase = ReturnType<typeof createStore>;

function tinyBaseWays(batch: (store: TinyBase, from: number, to: number) => void, result: (store: TinyBase) => unknown): Way[] {
  const makers: [string, () => TinyBase][] = [
    [names.store, createStore],
    [names.mergeable, () => createMergeableStore('bench') as unknown as TinyBase],
  ];
  return makers.map(([name, create]) => ({
    ...{ name, library: true },
    start: () => {
      const store = create();
      return {
        batch: (from, to) => {
          store.transaction(() => batch(store, from, to));
        },
        result: () => result(store),
      };
    },
  }));
}

/** Reading what is in memory: as the workflow engine does, and through a handle, which is asynchronous because it may have to load. */
async function readTable(replica: Replica, { operations, rounds }: VariableParameters, wrong: string[]): Promise<Table> {
  await replica.variable('count').add(1);
  const handle = replica.variable('count');
  const value = (await handle.get()) as number;
  const map = new Map([['count', value]]);
  const check = (name: string, sum: number): void => {
    if (sum !== value * operations) wrong.push(`read, ${name}: ${sum}, not ${value * operations}`);
  };
  const reader = (name: string, read: () => number | Promise<number>): Contender => ({
    name,
    measure: () => rate(operations, async () => check(name, await read())),
  });
  const readings = {
    open: 'cffbrw, value of an opened handle',
    sync: 'cffbrw, replica.read',
    handle: 'cffbrw, await handle.get()',
  } as const;
  const opened = await handle.open();
  const all = await inRounds(
    [
      reader(names.native, () => {
        let sum = 0;
        for (let at = 0; at < operations; at += 1) sum += map.get('count') ?? 0;
        return sum;
      }),
      reader(readings.open, () => {
        let sum = 0;
        for (let at = 0; at < operations; at += 1) sum += opened.value as number;
        return sum;
      }),
      reader(readings.sync, () => {
        let sum = 0;
        for (let at = 0; at < operations; at += 1) {
          const slot = replica.peek(replica.address('count'));
          if (slot !== undefined) sum += replica.read(slot) as number;
        }
        return sum;
      }),
      reader(readings.handle, async () => {
        let sum = 0;
        for (let at = 0; at < operations; at += 1) sum += (await handle.get()) as number;
        return sum;
      }),
    ],
    'operations/s',
    rounds,
  );
  opened.close();
  const native = of(all, names.native);
  const rows = [native, of(all, readings.open), of(all, readings.sync), of(all, readings.handle)].map((mine): Row => {
    const { name, unit, figure } = mine;
    const ratios = mine === native ? [] : [mine.times(native)];
    return {
      name,
      unit,
      figure,
      ratios,
      targets: name === readings.open || name === readings.sync ? [atLeast(figure, unit, 10_000_000)] : [],
    };
  });
  return { title: 'read a warm value', rows };
}
