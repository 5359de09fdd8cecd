/**
 * The tail of a take when the load is given, and far from what the processes can do: three replicas against one machine. All share the cores
 * of this one, so two measurements between these tell what the backbone costs from what it costs to have three processes for one: one
 * machine with the backbone, and three machines side by side without one. All four are loaded in turns.
 */
import type { ChildProcess } from 'node:child_process';
import { onStage, type Stage } from './cluster.ts';
import { costNote, type Loading, leftAt, leftsAre, load, p50Of, type Subject, subjectOf, withClient } from './cluster-load.ts';
import { atMostTimes, type PartResult, type Row } from './figures.ts';
import type { ServerProcess } from './processes.ts';
import { type Measured, measured } from './rounds.ts';
import { stock } from './servers/answer.ts';

export interface ClusterTailParameters {
  /** Of several replicas, and of several machines side by side. */
  readonly size: number;
  readonly rounds: number;
  readonly durationMs: number;
  readonly connections: number;
  readonly perSecond: number;
  /** Each is first loaded with all that it can do for so long. */
  readonly warmUpMs: number;
}

export const parameters: Record<'small' | 'large', ClusterTailParameters> = {
  small: { size: 3, rounds: 1, durationMs: 300, connections: 100, perSecond: 500, warmUpMs: 200 },
  // A round is short: rights that nobody uses for five seconds go back, so all four have to be measured within that time.
  large: { size: 3, rounds: 12, durationMs: 1_000, connections: 100, perSecond: 1_000, warmUpMs: 3_000 },
};

export const run = (options: ClusterTailParameters): Promise<PartResult> =>
  onStage((stage) =>
    withClient(async (client) => {
      const subjects = await subjectsOn(stage, options);
      const wrong = await measureAll({ stage, client, subjects, options });
      return {
        part: 'cluster-tail',
        tables: [{ title: titleOf(options), rows: rowsOf(subjects) }],
        notes: notesOf(options),
        wrong,
      };
    }),
  );

const titleOf = ({ perSecond }: ClusterTailParameters): string =>
  `The p99 of a take at ${perSecond.toLocaleString('en')} takes/s`;

async function subjectsOn(stage: Stage, { size }: ClusterTailParameters): Promise<readonly Subject[]> {
  const sideBySide: ServerProcess[] = [];
  for (let count = 0; count < size; count += 1) sideBySide.push(await stage.alone());
  const all: readonly (readonly [name: string, servers: readonly ServerProcess[]])[] = [
    ['one machine', [await stage.alone()]],
    ['one machine with the backbone', await stage.replicas(1, await stage.database('tail_one'))],
    [`${size} machines side by side, no backbone`, sideBySide],
    [`${size} replicas`, await stage.replicas(size, await stage.database('tail_several'))],
  ];
  return all.map(([name, servers]) => subjectOf({ name, servers, path: '/spin', counter: 'vouchers' }));
}

interface Measuring {
  readonly stage: Stage;
  readonly client: ChildProcess;
  readonly subjects: readonly Subject[];
  readonly options: ClusterTailParameters;
}

/** Resolves with what was answered or counted wrong. */
async function measureAll({ stage, client, subjects, options }: Measuring): Promise<string[]> {
  const { rounds, warmUpMs: durationMs, connections } = options;
  const answered = new Map<Subject, number>();
  const wrong: string[] = [];
  const loadOnce = async (loading: Loading): Promise<void> => {
    const { subject } = loading;
    const result = await load(loading);
    answered.set(subject, (answered.get(subject) ?? 0) + result.answered);
    if (result.wrong !== null) wrong.push(`${subject.name} answered: ${result.wrong.slice(0, 500)}`);
  };
  for (const subject of subjects) await loadOnce({ stage, client, subject, connections, durationMs, counts: false });
  for (let round = -1; round < rounds; round += 1) {
    for (const subject of subjects) await loadOnce({ stage, client, subject, ...options, counts: round >= 0 });
  }
  for (const [subject, count] of answered) {
    const problem = await miscounted(subject, count);
    if (problem !== null) wrong.push(`${subject.name}: ${problem}`);
  }
  return wrong;
}

/** Replicas all show what is left of one stock; machines side by side have one each. */
async function miscounted({ name, servers, counter }: Subject, answered: number): Promise<string | null> {
  if (!name.includes('side by side')) return leftsAre(servers, counter, stock - answered);
  const lefts = await Promise.all(servers.map(({ port }) => leftAt(port, counter)));
  const taken = lefts.reduce((sum, left) => sum + stock - left, 0);
  return taken === answered ? null : `${taken} taken, not ${answered}`;
}

function rowsOf(subjects: readonly Subject[]): Row[] {
  const all = subjects.map((subject) => [subject, p99Of(subject)] as const);
  return all.map(([subject, mine], at) => {
    const isLast = at === all.length - 1;
    // The last is compared with each of the others, those with the first.
    const others = isLast ? all.slice(0, -1) : all.slice(0, Math.min(at, 1));
    const ratios = others.map(([, other]) => mine.times(other));
    const targets = isLast ? [atMostTimes({ ratios }, 'one machine', 1.5)] : [];
    return { name: mine.name, unit: mine.unit, figure: mine.figure, ratios, targets, note: p50Of(subject) + costNote(subject) };
  });
}

const p99Of = ({ name, rounds }: Subject): Measured =>
  measured(
    name,
    'ms',
    rounds.map(({ p99Ms }) => p99Ms),
  );

const notesOf = ({ size, rounds, durationMs, connections, warmUpMs }: ClusterTailParameters): string[] => [
  `${connections} connections from one client, requests evenly spaced; ${rounds} rounds of ${durationMs / 1000} s in turns, after ${warmUpMs / 1000} s of all that each can do; medians of the rounds, ratios of neighbouring rounds.`,
  'Processor time of a take: of the processes, and of PostgreSQL, which runs in all four and does nothing for those without the backbone.',
  `With the same load ${size} processes make more and smaller commits than one: most of what they cost more has nothing to do with the backbone. On machines of their own they would not share cores.`,
];
