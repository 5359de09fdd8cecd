/**
 * Convergence: from sending a write at one replica until the answer of each other one shows it. The alternative writes and reads in PostgreSQL,
 * so its readers wait for the writer alone. Nothing else happens meanwhile.
 */
import { Agent, request } from 'node:http';
import postgres from 'postgres';
import { flushIntervalMs, names, onStage, portsOf, type Stage, stopAll } from './cluster.ts';
import { atMost, format, type PartResult, type Row, type Table, timesBetter } from './figures.ts';

export interface ClusterConvergenceParameters {
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly writesPerRound: number;
}

export const parameters: Record<'small' | 'large', ClusterConvergenceParameters> = {
  small: { sizes: [2], rounds: 1, writesPerRound: 10 },
  large: { sizes: [2, 3, 5, 8], rounds: 4, writesPerRound: 30 },
};

/** Milliseconds until each reader read it, of each round. */
type Rounds = readonly (readonly number[])[];

/** Between two questions of one reader. */
const pollMs = 2;
const limitMs = 10_000;
/** Between two writes, at most: in no step with anybody's timers. */
const restMs = 40;

export const run = (options: ClusterConvergenceParameters): Promise<PartResult> =>
  onStage(async (stage) => {
    const tables: Table[] = [];
    for (const size of options.sizes) tables.push(await measureSize(stage, size, options));
    return {
      part: 'cluster-convergence',
      tables,
      notes: [
        `From sending the write until each other process has answered a read with it, asked every ${pollMs} ms or so; ${options.rounds} rounds of ${options.writesPerRound} writes, one after another with a rest of up to ${restMs} ms, in turns; percentiles of all, ratios of neighbouring rounds’ p50.`,
        `The target: the flush interval (${flushIntervalMs} ms), three round trips to PostgreSQL, and 20 ms.`,
        'Hono + UPDATE reads in PostgreSQL: there is nothing to converge, and each read asks it.',
        'Not measured: convergence under load, over a network.',
      ],
      wrong: [],
    };
  });

async function measureSize(stage: Stage, size: number, options: ClusterConvergenceParameters): Promise<Table> {
  const url = await stage.database(`replicas_${size}`);
  const replicas = await stage.replicas(size, url);
  const askers = await stage.askers(size, await stage.database(`askers_${size}`));
  const agent = new Agent({ keepAlive: true });
  const ours: number[][] = [];
  const theirs: number[][] = [];
  for (let round = -1; round < options.rounds; round += 1) {
    const times = await measureRound(agent, portsOf(replicas), options.writesPerRound);
    const others = await measureRound(agent, portsOf(askers), options.writesPerRound);
    if (round < 0) continue;
    ours.push(times);
    theirs.push(others);
  }
  const roundTripMs = await measureRoundTrip(url);
  agent.destroy();
  await stopAll([...replicas, ...askers]);
  return { title: `Convergence, ${size} processes`, rows: rowsOf(size, { ours, theirs, roundTripMs }) };
}

let writes = 0;

async function measureRound(agent: Agent, ports: readonly number[], count: number): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < count; number += 1) {
    writes += 1;
    await pause(Math.random() * restMs);
    const user = `sign-${writes}`;
    const writer = ports[number % ports.length];
    const start = performance.now();
    const readers = ports.filter((port) => port !== writer).map((port) => timeUntilRead(agent, port, user, start));
    const said = await ask(agent, writer ?? 0, '/sign', { user });
    if (!said.includes('"won":true')) throw new Error(`a write was answered: ${said}`);
    times.push(...(await Promise.all(readers)));
  }
  return times;
}

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

async function timeUntilRead(agent: Agent, port: number, user: string, start: number): Promise<number> {
  while ((await ask(agent, port, `/signed/${user}`)) !== '{"signed":true}') {
    if (performance.now() - start > limitMs) throw new Error(`${user} was not read at ${port} within ${limitMs} ms`);
    await pause(pollMs);
  }
  return performance.now() - start;
}

/** What is answered: a GET, or a POST of the body. */
function ask(agent: Agent, port: number, path: string, body?: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const method = body === undefined ? 'GET' : 'POST';
    const asked = request({ host: '127.0.0.1', port, path, method, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function measureRoundTrip(url: string): Promise<number> {
  const sql = postgres(url, { max: 1, fetch_types: false });
  const times: number[] = [];
  for (let number = 0; number < 200; number += 1) {
    const start = performance.now();
    await sql`select 1`;
    times.push(performance.now() - start);
  }
  await sql.end();
  return percentile(times, 0.5);
}

function percentile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}

interface Both {
  readonly ours: Rounds;
  readonly theirs: Rounds;
  readonly roundTripMs: number;
}

function rowsOf(size: number, { ours, theirs, roundTripMs }: Both): Row[] {
  const rowOf = (name: string, rounds: Rounds): Row => {
    const all = rounds.flat();
    const note = `p50 ${format(percentile(all, 0.5), 'ms')}`;
    return { name: `p99, ${size} × ${name}`, unit: 'ms', figure: percentile(all, 0.99), ratios: [], targets: [], note };
  };
  const base = rowOf(names.theirs, theirs);
  const mine = rowOf(names.ours, ours);
  const medians = (rounds: Rounds): number[] => rounds.map((times) => percentile(times, 0.5));
  return [
    base,
    {
      ...mine,
      note: `${mine.note}, a round trip ${format(roundTripMs, 'ms')}`,
      ratios: [{ to: base.name, times: timesBetter('ms', medians(ours), medians(theirs)) }],
      targets: [atMost(mine.figure, 'ms', flushIntervalMs + 3 * roundTripMs + 20)],
    },
  ];
}
