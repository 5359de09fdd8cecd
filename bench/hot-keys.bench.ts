/** The cost of an operation on 1,000 hot keys, with few and with many keys stored: SQLite, each flush synced. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openReplica } from '../src/node/replica.ts';
import type { Replica } from '../src/replica/replica.ts';
import { declareVariable } from '../src/strategy/index.ts';
import type { Operation } from '../src/strategy/strategy.ts';
import { inTemporary } from './built.ts';
import { type PartResult, type Row, type Table, within } from './figures.ts';
import { fill, keyOf } from './fill.ts';
import { type Contender, inRounds, type Measured, of } from './rounds.ts';

export interface HotKeysParameters {
  readonly rounds: number;
  readonly hot: number;
  readonly stored: readonly [few: number, many: number];
  /** Times that all hot keys are written and read before a flush is awaited. */
  readonly passes: number;
}

export const parameters: Record<'small' | 'large', HotKeysParameters> = {
  small: { rounds: 5, hot: 1_000, stored: [1_000, 50_000], passes: 50 },
  large: { rounds: 15, hot: 1_000, stored: [1_000, 1_000_000], passes: 100 },
};

const variables = new Map([['visits', declareVariable('visits', { strategy: 'sum-increments', keyed: true })]]);

const add: Operation & Readonly<Record<string, unknown>> = { operation: 'add', amount: 1 };

interface Subject {
  readonly name: string;
  readonly replica: Replica;
  /** Spread over everything that is stored. */
  readonly keys: readonly string[];
  /** What each hot key was read as in the end. */
  total: number;
  adds: number;
}

export const run = (options: HotKeysParameters): Promise<PartResult> =>
  inTemporary(async (directory) => {
    const subjects: Subject[] = [];
    try {
      for (const stored of options.stored) subjects.push(await prepare(directory, stored, options.hot));
      const steady = await measure(subjects, options, options.passes);
      const each = await measure(subjects, options, 1);
      return {
        part: 'hot-keys',
        tables: [
          tableOf(`add + read of ${options.hot} hot keys, ${options.passes} of each per flush`, steady, true),
          tableOf(`add + read of ${options.hot} hot keys, 1 of each per flush`, each, false),
        ],
        notes: [
          `The hot keys are spread evenly over what is stored; ${options.rounds} rounds in turns; each round ends when its flushes are durable.`,
          'With one operation per key and flush the disk decides: a synced transaction of as many rows as there are hot keys, each in a page of its own where many are stored.',
          'The first use of a key, which loads it, is not in these figures.',
        ],
        wrong: subjects
          .filter(({ total, adds }) => total !== adds)
          .map(({ name, total, adds }) => `${name}: ${total}, not ${adds}`),
      };
    } finally {
      for (const { replica } of subjects) await replica.close();
    }
  });

async function prepare(parent: string, stored: number, hot: number): Promise<Subject> {
  const directory = join(parent, `stored-${stored}`);
  await mkdir(directory);
  const options = { variables, directory, witness: join(parent, `witness-${stored}`) };
  const filling = await openReplica(options);
  await fill(filling, { variable: 'visits', keys: stored, operation: () => add });
  await filling.close();
  const replica = await openReplica(options);
  const keys = Array.from({ length: hot }, (_, at) => keyOf(Math.floor((at * stored) / hot)));
  await replica.load(keys.map((key) => replica.address('visits', key)));
  return { name: `${stored.toLocaleString('en')} keys stored`, replica, keys, total: hot, adds: hot };
}

function measure(
  subjects: readonly Subject[],
  { rounds, hot }: HotKeysParameters,
  passes: number,
): Promise<Map<string, Measured>> {
  const contenders = subjects.map(
    (subject): Contender => ({
      name: subject.name,
      async measure() {
        const turns = passes === 1 ? 20 : 1;
        const start = performance.now();
        for (let turn = 0; turn < turns; turn += 1) await addAndRead(subject, passes);
        return ((performance.now() - start) / (hot * passes * turns)) * 1_000_000;
      },
    }),
  );
  return inRounds(contenders, 'ns', rounds);
}

/** As a workflow does it: the address, the slot, the update, the value; then the gate. */
async function addAndRead(subject: Subject, passes: number): Promise<void> {
  const { replica, keys } = subject;
  let total = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    total = 0;
    for (const key of keys) {
      const slot = replica.peek(replica.address('visits', key));
      if (slot === undefined) throw new Error(`${key} is not in memory`);
      replica.update(slot, add);
      total += replica.read(slot) as number;
    }
  }
  subject.total = total;
  subject.adds += keys.length * passes;
  await replica.durable(replica.pending());
}

function tableOf(title: string, all: ReadonlyMap<string, Measured>, targeted: boolean): Table {
  const [few, many] = [...all.keys()].map((name) => of(all, name));
  if (few === undefined || many === undefined) throw new Error('two sizes are compared');
  const ratio = many.times(few);
  const rows: Row[] = [
    { name: few.name, unit: 'ns', figure: few.figure, ratios: [], targets: [] },
    {
      ...{ name: many.name, unit: 'ns', figure: many.figure, ratios: [ratio] },
      targets: targeted ? [within(ratio.times, 20, few.name)] : [],
    },
  ];
  return { title, rows };
}
