/** The load of the cluster benchmarks: one client, what its requests cost the processes and PostgreSQL, and whether all was counted. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { bundleOf } from './built.ts';
import type { Load, LoadResult } from './client.ts';
import { portsOf, type Stage, until } from './cluster.ts';
import { format, median } from './figures.ts';
import { cpuSeconds, end, type ServerProcess } from './processes.ts';

/** As /left calls them. */
export type Counter = 'vouchers' | 'tickets';

export interface Subject {
  readonly name: string;
  readonly servers: readonly ServerProcess[];
  readonly path: string;
  readonly counter: Counter;
  readonly rounds: LoadResult[];
  /** Processor seconds of the servers and of PostgreSQL, per answered request, of each round. */
  readonly costs: number[];
  readonly databaseCosts: number[];
}

export const subjectOf = (given: Omit<Subject, 'rounds' | 'costs' | 'databaseCosts'>): Subject => ({
  ...given,
  ...{ rounds: [], costs: [], databaseCosts: [] },
});

export async function withClient<Result>(work: (client: ChildProcess) => Promise<Result>): Promise<Result> {
  const client = fork(bundleOf('client'));
  try {
    return await work(client);
  } finally {
    await end(client);
  }
}

export interface Loading {
  readonly stage: Stage;
  readonly subject: Subject;
  readonly client: ChildProcess;
  readonly durationMs: number;
  readonly connections: number;
  /** In all. Default: as many as they answer. */
  readonly perSecond?: number;
  /** False: a warm-up. */
  readonly counts: boolean;
}

export async function load({ stage, subject, client, durationMs, connections, perSecond, counts }: Loading): Promise<LoadResult> {
  const { servers, path } = subject;
  const before = costOf(servers);
  const databaseBefore = stage.databaseCpuSeconds();
  const asked: Load = { ports: portsOf(servers), path, durationMs, connections, won: true, ...(perSecond && { perSecond }) };
  client.send(asked);
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

/** Whether each shows so many left, once all have heard of everything; else what they show. */
export async function leftsAre(servers: readonly ServerProcess[], counter: Counter, expected: number): Promise<string | null> {
  let lefts: number[] = [];
  const isRight = await until(async () => {
    lefts = await Promise.all(servers.map(({ port }) => leftAt(port, counter)));
    return lefts.every((left) => left === expected);
  });
  return isRight ? null : `left ${lefts}, not ${expected}`;
}

export const leftAt = async (port: number, counter: Counter): Promise<number> =>
  ((await (await fetch(`http://127.0.0.1:${port}/left`)).json()) as Record<Counter, number>)[counter];

export const p50Of = ({ rounds }: Subject): string => `p50 ${format(median(rounds.map(({ p50Ms }) => p50Ms)), 'ms')}`;

/** Of a take: of the processes, and of PostgreSQL. */
export function costNote({ costs, databaseCosts }: Subject): string {
  if (costs.length === 0) return '';
  const micros = (seconds: readonly number[]): number => Math.round(median(seconds) * 1_000_000);
  return `, ${micros(costs)} + ${micros(databaseCosts)} µs of processor`;
}
