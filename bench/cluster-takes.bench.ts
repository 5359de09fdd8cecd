/**
 * Takes over HTTP from several replicas that share one large stock, against as many processes of the same HTTP server that ask PostgreSQL
 * for each. One load client deals its connections out to all of them; the alternatives are loaded in turns.
 */
import type { ChildProcess } from 'node:child_process';
import { names, onStage, type Stage, stopAll } from './cluster.ts';
import { costNote, leftsAre, load, p50Of, type Subject, subjectOf, withClient } from './cluster-load.ts';
import { atLeastTimes, format, median, type PartResult, type Row, type Table, type Target } from './figures.ts';
import { type Measured, measured } from './rounds.ts';
import { stock } from './servers/answer.ts';

export interface ClusterTakesParameters {
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly durationMs: number;
  readonly connections: number;
}

export const parameters: Record<'small' | 'large', ClusterTakesParameters> = {
  small: { sizes: [3], rounds: 1, durationMs: 300, connections: 100 },
  large: { sizes: [2, 3, 5, 8], rounds: 4, durationMs: 1_250, connections: 100 },
};

/** Where the targets stand. */
const targetSize = 3;

export const run = (options: ClusterTakesParameters): Promise<PartResult> =>
  onStage((stage) =>
    withClient(async (client) => {
      const tables: Table[] = [];
      const wrong: string[] = [];
      for (const size of options.sizes) {
        const { subjects, problems } = await measureSize(stage, size, client, options);
        tables.push(tableOf(subjects, size));
        wrong.push(...problems);
      }
      return { part: 'cluster-takes', tables, notes: notesOf(options), wrong };
    }),
  );

async function measureSize(stage: Stage, size: number, client: ChildProcess, options: ClusterTakesParameters) {
  const replicas = await stage.replicas(size, await stage.database(`replicas_${size}`));
  const askers = await stage.askers(size, await stage.database(`askers_${size}`));
  const subjects = [
    subjectOf({ name: names.theirs, servers: askers, path: '/spin', counter: 'vouchers' }),
    subjectOf({ name: names.ours, servers: replicas, path: '/spin', counter: 'vouchers' }),
    subjectOf({ name: names.theirsOnce, servers: askers, path: '/spin-once', counter: 'tickets' }),
    subjectOf({ name: names.oursOnce, servers: replicas, path: '/spin-once', counter: 'tickets' }),
  ];
  const answered = new Map<Subject, number>();
  const problems: string[] = [];
  for (let round = -1; round < options.rounds; round += 1) {
    for (const subject of subjects) {
      const result = await load({ stage, subject, client, ...options, counts: round >= 0 });
      answered.set(subject, (answered.get(subject) ?? 0) + result.answered);
      if (result.wrong !== null) problems.push(`${subject.name} of ${size} answered: ${result.wrong.slice(0, 500)}`);
    }
  }
  problems.push(...(await miscounted(answered)));
  await stopAll([...replicas, ...askers]);
  return { subjects, problems };
}

/** What was acknowledged must be missing from the stock, at every replica, once all have heard of it. */
async function miscounted(answered: ReadonlyMap<Subject, number>): Promise<string[]> {
  const problems: string[] = [];
  for (const servers of new Set([...answered.keys()].map((subject) => subject.servers))) {
    for (const counter of ['vouchers', 'tickets'] as const) {
      const mine = [...answered].filter(([subject]) => subject.servers === servers && subject.counter === counter);
      const expected = stock - mine.reduce((sum, [, count]) => sum + count, 0);
      const problem = await leftsAre(servers, counter, expected);
      if (problem !== null) problems.push(`${mine.map(([{ name }]) => name).join(' + ')}: ${problem}`);
    }
  }
  return problems;
}

function tableOf(subjects: readonly Subject[], size: number): Table {
  const all = subjects.map((subject) => [subject, rateOf(subject, size)] as const);
  const rows = all.map(([subject, mine], at) => {
    // Each of ours stands behind the one that it is compared with.
    const other = at % 2 === 1 ? all[at - 1]?.[1] : undefined;
    return rowOf(subject, mine, other === undefined ? [] : [mine.times(other)], size);
  });
  return { title: `Takes over HTTP, ${size} processes`, rows };
}

const rateOf = ({ name, rounds }: Subject, size: number): Measured =>
  measured(
    `${size} × ${name}`,
    'takes/s',
    rounds.map((round) => round.requestsPerSecond),
  );

function rowOf(subject: Subject, { name, unit, figure }: Measured, ratios: Row['ratios'], size: number): Row {
  const targets: Target[] = [];
  if (size === targetSize && subject.name === names.ours) targets.push(atLeastTimes({ ratios }, `${size} × ${names.theirs}`, 5));
  if (size === targetSize && subject.name === names.oursOnce)
    targets.push(atLeastTimes({ ratios }, `${size} × ${names.theirsOnce}`, 1));
  const p99 = format(median(subject.rounds.map(({ p99Ms }) => p99Ms)), 'ms');
  return { name, unit, figure, ratios, targets, note: `${p50Of(subject)}, p99 ${p99}${costNote(subject)}` };
}

const notesOf = ({ connections, rounds, durationMs }: ClusterTakesParameters): string[] => [
  `${connections} connections from one client, one request at a time on each, every request another user; ${rounds} rounds of ${durationMs / 1000} s in turns; medians of the rounds, ratios of neighbouring rounds.`,
  'The alternative is Hono on Node, as many processes, with one prepared statement per spin over a pool of connections: UPDATE … RETURNING, and with once an INSERT of the user in the same statement.',
  'Processor time of a take: of the processes, and of PostgreSQL. They and the client share this machine; every answer is durable before it is given (SQLite or PostgreSQL, synced).',
  'Not measured: several machines, a network, where each statement of the alternative waits for a round trip.',
];
