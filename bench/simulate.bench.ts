/** Simulated requests of the wheel through its real handler, days of the story, and whole schedules of faults, on one core. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, loadApp } from '../src/app.ts';
import { readDocuments } from '../src/node/directory.ts';
import { drain } from '../src/node/drain.ts';
import { drawScenario, loadScenario, runs, type Scenario, simulate } from '../src/simulate/index.ts';
import { root } from './built.ts';
import { atLeast, median, type PartResult, type Row, type Unit } from './figures.ts';

export interface SimulateParameters {
  readonly rounds: number;
  /** Spins of the crowd. */
  readonly spins: number;
  /** Days of the story per round. */
  readonly days: number;
  /** Schedules of faults per round. */
  readonly schedules: number;
}

export const parameters: Record<'small' | 'large', SimulateParameters> = {
  small: { rounds: 1, spins: 2_000, days: 3, schedules: 3 },
  large: { rounds: 5, spins: 20_000, days: 100, schedules: 50 },
};

const wheel = join(root, 'examples/wheel');

/** Everybody within ten seconds, and rows that take 400 ms. */
function crowdOf(app: App, spins: number): Scenario {
  const request = '{ method: POST, path: /wheel/spin, body: { user: "user-${ user }" } }';
  const load = `load: { users: ${spins}, over: 10s, request: ${request} }`;
  const invariants = 'invariants: { always: [responses.filter(r => r.body?.won === true).length <= 10] }';
  const text = ['cffbrw: 1', 'scenario: crowd', 'regions: 5', 'network: { lag: 400ms, rtt: 60ms }', load, quoted(invariants)];
  return loadScenario({ path: 'crowd.yaml', text: text.join('\n') }, app);
}

const quoted = (line: string): string => line.replace(/\[(.*)\]/, '["$1"]');

export async function run({ rounds, spins, days, schedules }: SimulateParameters): Promise<PartResult> {
  const app = loadApp(await readDocuments(wheel));
  const path = 'scenarios/minute-of-lag.yaml';
  const day = loadScenario({ path, text: readFileSync(join(wheel, path), 'utf8') }, app);
  const crowd = crowdOf(app, spins);
  const wrong: string[] = [];
  const simulated = async (scenario: Scenario, count: number, swarm: boolean): Promise<number> => {
    const seeds = Array.from({ length: count }, (_, seed) => seed);
    const set = await runs({ documents: [{ name: 'wheel', app, role: 'subject' }], scenario, seeds, drain, swarm });
    if (!set.passed) wrong.push(`${scenario.name}: ${JSON.stringify(set.documents[0]?.first)}`);
    return set.documents[0]?.requests ?? 0;
  };
  const requests: number[] = [];
  const story: number[] = [];
  const storms: number[] = [];
  let events = 0;
  for (let round = 0; round < rounds; round += 1) {
    requests.push(await perSecond(() => simulated(crowd, 1, false)));
    story.push(await perSecond(async () => (await simulated(day, days, false)) / 94));
    storms.push(await perSecond(() => simulated(day, schedules, true).then(() => schedules)));
    events = (await simulate({ app, scenario: drawScenario(day, round), seed: round, drain, trace: false })).events;
  }
  const rows: Row[] = [
    rowOf('spins of a crowd, through the handler', 'requests/s', { figures: requests, least: 10_000 }),
    rowOf('days of the story (94 spins, 5 replicas, 5 minutes)', 'runs/s', { figures: story, least: null }),
    rowOf('drawn schedules of load and faults', 'runs/s', { figures: storms, least: 100 }),
  ];
  return {
    part: 'simulate',
    tables: [{ title: 'The wheel, simulated on one core', rows }],
    notes: [
      `${rounds} rounds, one after the other in one process: ${spins} spins within 10 simulated seconds; ${days} days; ${schedules} schedules.`,
      `Nothing of handler, workflows, replicas, strategies and bank is replaced. The last schedule had ${events} events.`,
      'Not measured: writing traces, and shrinking.',
    ],
    wrong,
  };
}

async function perSecond(work: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const done = await work();
  return (done / (performance.now() - start)) * 1_000;
}

interface Measured {
  readonly figures: readonly number[];
  readonly least: number | null;
}

function rowOf(name: string, unit: Unit, { figures, least }: Measured): Row {
  const figure = median(figures);
  return { name, unit, figure, ratios: [], targets: least === null ? [] : [atLeast(figure, unit, least)] };
}
