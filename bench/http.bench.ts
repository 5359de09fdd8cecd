/**
 * The spin over HTTP: a workflow that counts, takes a voucher and answers, durable before it answers, against servers that parse and answer
 * the same JSON. Every server is a process of its own; they are loaded in turns.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleOf, inTemporary, root } from './built.ts';
import type { Load, LoadResult } from './client.ts';
import { atLeastTimes, format, median, type PartResult, type Row, type Target } from './figures.ts';
import { cpuSeconds, end, redisPath, type ServerProcess, startCffbrw, startRedis, startServer } from './processes.ts';
import { type Measured, measured } from './rounds.ts';
import type { Count } from './servers/answer.ts';

export interface HttpParameters {
  readonly rounds: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly connections: number;
}

export const parameters: Record<'small' | 'large', HttpParameters> = {
  small: { rounds: 3, durationMs: 700, warmUpMs: 700, connections: 100 },
  large: { rounds: 9, durationMs: 3_000, warmUpMs: 4_000, connections: 100 },
};

interface Subject {
  readonly name: string;
  readonly server: ServerProcess;
  readonly path: string;
  readonly won: boolean;
  readonly rounds: LoadResult[];
  /** Processor seconds per answered request, of each round. */
  readonly costs: number[];
  answered: number;
  wrong: string | null;
}

export const names = {
  node: 'bare node:http',
  hono: 'bare Hono',
  redis: 'Hono + Redis (always)',
  spin: 'cffbrw spin',
  once: 'cffbrw spin with once',
  soldOut: 'cffbrw spin, sold out',
} as const;

const subjectOf = (name: string, server: ServerProcess, path = '/spin', won = true): Subject => ({
  ...{ name, server, path, won },
  ...{ rounds: [], costs: [], answered: 0, wrong: null },
});

export const run = (options: HttpParameters): Promise<PartResult> =>
  inTemporary(async (directory) => {
    const started: ServerProcess[] = [];
    const client = fork(bundleOf('client'));
    try {
      const subjects = await startAll(directory, started);
      await measure(subjects, client, options);
      return report(subjects, [...(await miscounted(subjects)), ...wrongAnswers(subjects)], options);
    } finally {
      await Promise.all([...started].reverse().map((server) => server.stop()));
      await end(client);
    }
  });

async function startAll(directory: string, started: ServerProcess[]): Promise<Subject[]> {
  const keep = async (starting: Promise<ServerProcess>): Promise<ServerProcess> => {
    const server = await starting;
    started.push(server);
    return server;
  };
  const bare = (name: string, env?: Record<string, string>) => keep(startServer(bundleOf(name), env));
  const ours = (app: string) =>
    keep(
      startCffbrw({ app: join(root, 'bench/apps', app), data: join(directory, `data-${app}`), state: join(directory, 'state') }),
    );

  const subjects = [subjectOf(names.node, await bare('node-http')), subjectOf(names.hono, await bare('hono'))];
  const redisFile = redisPath();
  if (redisFile !== null) {
    const redisDirectory = join(directory, 'redis');
    await mkdir(redisDirectory);
    const redis = await keep(startRedis(redisFile, redisDirectory));
    subjects.push(subjectOf(names.redis, await bare('hono-redis', { REDIS_PORT: String(redis.port) })));
  }
  const spin = await ours('spin');
  subjects.push(subjectOf(names.spin, spin), subjectOf(names.once, await ours('once')));
  subjects.push(subjectOf(names.soldOut, spin, '/sold-out', false));
  return subjects;
}

async function measure(subjects: readonly Subject[], client: ChildProcess, options: HttpParameters): Promise<void> {
  for (let round = -1; round < options.rounds; round += 1) {
    for (const subject of subjects) {
      const { server, path, won } = subject;
      const durationMs = round < 0 ? options.warmUpMs : options.durationMs;
      const before = cpuSeconds(server.process.pid);
      const result = await load(client, { ports: [server.port], path, durationMs, connections: options.connections, won });
      const after = cpuSeconds(server.process.pid);
      subject.answered += result.answered;
      subject.wrong ??= result.wrong;
      if (round < 0) continue;
      subject.rounds.push(result);
      if (before !== null && after !== null) subject.costs.push((after - before) / result.answered);
    }
  }
}

async function load(client: ChildProcess, options: Load): Promise<LoadResult> {
  client.send(options);
  const [result] = await once(client, 'message');
  return result as LoadResult;
}

const wrongAnswers = (subjects: readonly Subject[]): string[] =>
  subjects.flatMap(({ name, wrong }) => (wrong === null ? [] : [`${name} answered: ${wrong.slice(0, 500)}`]));

/** What was acknowledged must equal what the server counted: every request got its answer, so there is nothing unknown. */
async function miscounted(subjects: readonly Subject[]): Promise<string[]> {
  const problems: string[] = [];
  for (const server of new Set(subjects.map((subject) => subject.server))) {
    const mine = subjects.filter((subject) => subject.server === server);
    const answered = mine.reduce((sum, subject) => sum + subject.answered, 0);
    const { spins } = (await (await fetch(`http://127.0.0.1:${server.port}/count`)).json()) as Count;
    if (spins !== answered) problems.push(`${mine.map(({ name }) => name).join(' + ')}: ${answered} answers, ${spins} counted`);
  }
  return problems;
}

function report(subjects: readonly Subject[], wrong: readonly string[], options: HttpParameters): PartResult {
  const figures = new Map(
    subjects.map(({ name, rounds }) => [
      name,
      measured(
        name,
        'requests/s',
        rounds.map((one) => one.requestsPerSecond),
      ),
    ]),
  );
  const redis = figures.has(names.redis);
  return {
    part: 'http',
    tables: [{ title: 'Spin over HTTP', rows: subjects.map((subject) => rowOf(subject, figures)) }],
    notes: [
      `${options.connections} connections, one request at a time on each, every request another user; ${options.rounds} rounds in turns; medians of the rounds, ratios of neighbouring rounds.`,
      'cffbrw answers when the spin is durable (SQLite, synced); so does Redis with appendfsync always; bare node:http and Hono keep a number in memory.',
      `The client, on the same machine, was busy ${Math.round(median(subjects.flatMap(({ rounds }) => rounds.map((one) => one.busy))) * 100)} % of one core.`,
      ...(redis ? [] : ['Not measured: Hono + Redis, because no redis-server is installed here.']),
      'Not measured: several machines, TLS, a network.',
    ],
    wrong,
  };
}

function rowOf(subject: Subject, figures: ReadonlyMap<string, Measured>): Row {
  const mine = figures.get(subject.name) as Measured;
  const others = [names.hono, names.redis].filter((name) => name !== subject.name);
  const ratios = others.flatMap((name) => {
    const other = figures.get(name);
    return other === undefined ? [] : [mine.times(other)];
  });
  const targets: Target[] = [];
  if (subject.name === names.spin) {
    targets.push(atLeastTimes({ ratios }, names.hono, 0.8));
    if (figures.has(names.redis)) targets.push(atLeastTimes({ ratios }, names.redis, 2));
  }
  const { name, unit, figure } = mine;
  return { name, unit, figure, ratios, targets, note: noteOf(subject) };
}

function noteOf({ rounds, costs }: Subject): string {
  const p50 = format(median(rounds.map((one) => one.p50Ms)), 'ms');
  const p99 = format(median(rounds.map((one) => one.p99Ms)), 'ms');
  const cost = costs.length === 0 ? '' : `, ${Math.round(median(costs) * 1_000_000)} µs of processor`;
  return `p50 ${p50}, p99 ${p99}${cost}`;
}
