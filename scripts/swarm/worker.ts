/** Plays the seeds that it is given, and tells what it found. It runs as a process of its own. */
import process from 'node:process';
import { drain } from '../../src/node/drain.ts';
import { shrinkPlan } from '../../src/simulate/swarm/shrink.ts';
import { drawPlan, playSwarm, type SwarmPlan, type SwarmSize } from '../../src/simulate/swarm/swarm.ts';

/** `first` to `last`, every `step`-th. */
export interface Job {
  readonly prefix: string;
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly size?: SwarmSize;
  /** How many findings end it. */
  readonly most: number;
  readonly shrink: boolean;
}

export interface Found {
  readonly seed: string;
  readonly claim: string;
  readonly message: string;
  readonly atMs: number;
  /** Of the shortest schedule found. */
  readonly notes: readonly string[];
  readonly actions: number;
  readonly shortest: number;
}

export interface Done {
  readonly schedules: number;
  readonly asked: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly faults: number;
  readonly events: number;
}

export type Message =
  | { readonly kind: 'found'; readonly found: Found }
  | { readonly kind: 'progress' | 'end'; readonly done: Done; readonly cpuMs: number };

const tell = (message: Message): void => void process.send?.(message);

async function work(job: Job): Promise<void> {
  const done = { schedules: 0, asked: 0, acknowledged: 0, refused: 0, unknown: 0, faults: 0, events: 0 };
  const began = process.cpuUsage();
  const cpuMs = () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000;
  };
  let told = 0;
  let found = 0;
  for (let number = job.first; number <= job.last && found < job.most; number += job.step) {
    const plan = drawPlan(`${job.prefix}${number}`, job.size);
    const run = await playSwarm({ plan, drain });
    done.schedules += 1;
    for (const name of ['asked', 'acknowledged', 'refused', 'unknown', 'faults', 'events'] as const) done[name] += run[name];
    if (run.finding !== null) {
      found += 1;
      tell({ kind: 'found', found: await describe(plan, run.finding, job.shrink) });
    }
    if (cpuMs() - told < 500) continue;
    told = cpuMs();
    tell({ kind: 'progress', done, cpuMs: told });
  }
  tell({ kind: 'end', done, cpuMs: cpuMs() });
}

type Finding = NonNullable<Awaited<ReturnType<typeof playSwarm>>['finding']>;

async function describe(plan: SwarmPlan, finding: Finding, shrink: boolean): Promise<Found> {
  const breaks = async (shorter: SwarmPlan) => (await playSwarm({ plan: shorter, drain })).finding;
  const short = shrink ? (await shrinkPlan(plan, finding.claim, breaks)).plan : plan;
  const { notes } = shrink ? await playSwarm({ plan: short, drain, notes: true }) : { notes: [] };
  const { seed, actions } = plan;
  return { seed, ...finding, notes, actions: actions.length, shortest: short.actions.length };
}

process.once('message', (job: Job) => {
  work(job).then(
    () => process.disconnect(),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// Ctrl-C ends who started this, and that one ends this.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
