/**
 * Takes over HTTP from several replicas that share one large stock, against as many processes of the same HTTP server that ask PostgreSQL
 * for each. One load client deals its connections out to all of them; the alternatives are loaded in turns.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { bundleOf } from './built.ts';
import type { Load, LoadResult } from './client.ts';
import { names, onStage, portsOf, type Stage, stopAll, until } from './cluster.ts';
import { atLeastTimes, atMostTimes, format, median, type PartResult, type Row, type Table, type Target } from './figures.ts';
import { cpuSeconds, end, type ServerProcess } from './processes.ts';
import { type Measured, measured } from './rounds.ts';
import { stock } from './servers/answer.ts';

export interface ClusterTakesParameters {
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly durationMs: number;
  readonly connections: number;
  /** Of the rounds in which the load is given, and the same for one machine and for several. */
  readonly perSecond: number;
}

export const parameters: Record<'small' | 'large', ClusterTakesParameters> = {
  small: { sizes: [3], rounds: 1, durationMs: 300, connections: 100, perSecond: 500 },
  large: { sizes: [2, 3, 5, 8], rounds: 4, durationMs: 1_250, connections: 100, perSecond: 1_000 },
};

/** Where the targets stand. */
const targetSize = 3;

interface Subject {
  readonly name: string;
  readonly servers: readonly ServerProcess[];
  readonly path: string;
  /** As /left calls it. */
  readonly counter: 'vouchers' | 'tickets';
  readonly perSecond?: number;
  readonly rounds: LoadResult[];
  /** Processor seconds of the servers and of PostgreSQL, per answered request, of each round. */
  readonly costs: number[];
  readonly databaseCosts: number[];
}

type SubjectOf = Omit<Subject, 'rounds' | 'costs' | 'databaseCosts'>;

const subjectOf = (given: SubjectOf): Subject => ({ ...given, rounds: [], costs: [], databaseCosts: [] });

const steady = { one: 'one machine', several: 'replicas' } as const;

export const run = (options: ClusterTakesParameters): Promise<PartResult> =>
  onStage(async (stage) => {
    const client = fork(bundleOf('client'));
    try {
      const tables: Table[] = [];
      const wrong: string[] = [];
      for (const size of options.sizes) {
        const { subjects, problems } = await measureSize(stage, size, client, options);
        tables.push(tableOf(subjects, size));
        wrong.push(...problems);
      }
      return { part: 'cluster-takes', tables, notes: notesOf(options), wrong };
    } finally {
      await end(client);
    }
  });

async function measureSize(stage: Stage, size: number, client: ChildProcess, options: ClusterTakesParameters) {
  const replicas = await stage.replicas(size, await stage.database(`replicas_${size}`));
  const askers = await stage.askers(size, await stage.database(`askers_${size}`));
  const alone = size === targetSize ? [await stage.alone()] : [];
  const subjects = [
    subjectOf({ name: names.theirs, servers: askers, path: '/spin', counter: 'vouchers' }),
    subjectOf({ name: names.ours, servers: replicas, path: '/spin', counter: 'vouchers' }),
    subjectOf({ name: names.theirsOnce, servers: askers, path: '/spin-once', counter: 'tickets' }),
    subjectOf({ name: names.oursOnce, servers: replicas, path: '/spin-once', counter: 'tickets' }),
    ...(alone.length === 0 ? [] : steadySubjects(alone, replicas, options)),
  ];
  const answered = new Map<Subject, number>();
  const problems: string[] = [];
  for (let round = -1; round < options.rounds; round += 1) {
    for (const subject of subjects) {
      const result = await loadOnce({ stage, subject, client, options, counts: round >= 0 });
      answered.set(subject, (answered.get(subject) ?? 0) + result.answered);
      if (result.wrong !== null) problems.push(`${subject.name} of ${size} answered: ${result.wrong.slice(0, 500)}`);
    }
  }
  problems.push(...(await miscounted(answered)));
  await stopAll([...replicas, ...askers, ...alone]);
  return { subjects, problems };
}

const steadySubjects = (
  alone: readonly ServerProcess[],
  replicas: readonly ServerProcess[],
  { perSecond }: ClusterTakesParameters,
): Subject[] => [
  subjectOf({ name: steady.one, servers: alone, path: '/spin', counter: 'vouchers', perSecond }),
  subjectOf({ name: steady.several, servers: replicas, path: '/spin', counter: 'vouchers', perSecond }),
];

interface Loading {
  readonly stage: Stage;
  readonly subject: Subject;
  readonly client: ChildProcess;
  readonly options: ClusterTakesParameters;
  readonly counts: boolean;
}

async function loadOnce({ stage, subject, client, options, counts }: Loading): Promise<LoadResult> {
  const { servers, path, perSecond } = subject;
  const { durationMs, connections } = options;
  const before = costOf(servers);
  const databaseBefore = stage.databaseCpuSeconds();
  const load: Load = { ports: portsOf(servers), path, durationMs, connections, won: true, ...(perSecond && { perSecond }) };
  client.send(load);
  const [result] = (await once(client, 'message')) as [LoadResult];
  if (counts) {
    subject.rounds.push(result);
    const [after, databaseAfter] = [costOf(servers), stage.databaseCpuSeconds()];
    if (before !== null && after !== null) subject.costs.push((after - before) / result.answered);
    if (databaseBefore !== null && databaseAfter !== null)
      subject.databaseCosts.push((databaseAfter - databaseBefore) / result.answered);
  }
  return result;
}

function costOf(servers: readonly ServerProcess[]): number | null {
  const costs = servers.map(({ process }) => cpuSeconds(process.pid));
  return costs.includes(null) ? null : costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0);
}

/** What was acknowledged must be missing from the stock, at every replica, once all have heard of it. */
async function miscounted(answered: ReadonlyMap<Subject, number>): Promise<string[]> {
  const problems: string[] = [];
  for (const servers of new Set([...answered.keys()].map((subject) => subject.servers))) {
    for (const counter of ['vouchers', 'tickets'] as const) {
      const mine = [...answered].filter(([subject]) => subject.servers === servers && subject.counter === counter);
      const expected = stock - mine.reduce((sum, [, count]) => sum + count, 0);
      const lefts = new Map<number, number>();
      const isRight = await until(async () => {
        for (const { port } of servers) lefts.set(port, await leftAt(port, counter));
        return [...lefts.values()].every((left) => left === expected);
      });
      if (!isRight) problems.push(`${mine.map(([{ name }]) => name).join(' + ')}: left ${[...lefts.values()]}, not ${expected}`);
    }
  }
  return problems;
}

const leftAt = async (port: number, counter: Subject['counter']): Promise<number> =>
  ((await (await fetch(`http://127.0.0.1:${port}/left`)).json()) as Record<typeof counter, number>)[counter];

function tableOf(subjects: readonly Subject[], size: number): Table {
  const isSteady = ({ perSecond }: Subject): boolean => perSecond !== undefined;
  const all = subjects.filter((subject) => !isSteady(subject)).map((subject) => [subject, rateOf(subject, size)] as const);
  const rows = all.map(([subject, mine], at) => {
    // Each of ours stands behind the one that it is compared with.
    const other = at % 2 === 1 ? all[at - 1]?.[1] : undefined;
    return rowOf(subject, mine, other === undefined ? [] : [mine.times(other)], size);
  });
  const [one, several] = subjects.filter(isSteady);
  const steadyRows = one === undefined || several === undefined ? [] : steadyRowsOf(one, several, size);
  return { title: `Takes over HTTP, ${size} processes`, rows: [...rows, ...steadyRows] };
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
  return { name, unit, figure, ratios, targets, note: noteOf(subject) };
}

function noteOf({ rounds, costs, databaseCosts }: Subject): string {
  const p50 = format(median(rounds.map((one) => one.p50Ms)), 'ms');
  const p99 = format(median(rounds.map((one) => one.p99Ms)), 'ms');
  const micros = (seconds: readonly number[]): number => Math.round(median(seconds) * 1_000_000);
  const cost = costs.length === 0 ? '' : `, ${micros(costs)} + ${micros(databaseCosts)} µs of processor`;
  return `p50 ${p50}, p99 ${p99}${cost}`;
}

function steadyRowsOf(one: Subject, several: Subject, size: number): Row[] {
  const p99Of = ({ rounds, perSecond }: Subject, who: string): Measured =>
    measured(
      `p99 of a take, ${who} at ${perSecond} takes/s`,
      'ms',
      rounds.map((round) => round.p99Ms),
    );
  const base = p99Of(one, 'one machine');
  const mine = p99Of(several, `${size} replicas`);
  const ratios = [mine.times(base)];
  const p50Of = ({ rounds }: Subject) => `p50 ${format(median(rounds.map(({ p50Ms }) => p50Ms)), 'ms')}`;
  return [
    { name: base.name, unit: 'ms', figure: base.figure, ratios: [], targets: [], note: p50Of(one) },
    {
      ...{ name: mine.name, unit: 'ms', figure: mine.figure, ratios, note: p50Of(several) },
      targets: [atMostTimes({ ratios }, base.name, 1.5)],
    },
  ];
}

const notesOf = ({ connections, rounds, durationMs }: ClusterTakesParameters): string[] => [
  `${connections} connections from one client, one request at a time on each, every request another user; ${rounds} rounds of ${durationMs / 1000} s in turns; medians of the rounds, ratios of neighbouring rounds.`,
  'The alternative is Hono on Node, as many processes, with one prepared statement per spin over a pool of connections: UPDATE … RETURNING, and with once an INSERT of the user in the same statement.',
  'Processor time of a take: of the processes, and of PostgreSQL. They and the client share this machine; every answer is durable before it is given (SQLite or PostgreSQL, synced).',
  'Not measured: several machines, a network, where each statement of the alternative waits for a round trip.',
];
