/** What a schedule is played on: the cluster, the models, and how somebody asks a replica and is told, or is not. */
import type { App } from '../../app.ts';
import { CffbrwError, errorCodes } from '../../error.ts';
import type { Replica } from '../../replica/index.ts';
import { windowAt } from '../../strategy/index.ts';
import type { Cluster, Machine } from '../cluster.ts';
import type { Operator } from '../faults.ts';
import type { World } from '../host.ts';
import type { Claim, Finding, Oracle, Spot } from './oracle.ts';
import type { AskAction, SwarmPlan } from './plan.ts';
import { diskOf, newWrite, type Write } from './writes.ts';

export interface Counts {
  asked: number;
  acknowledged: number;
  refused: number;
  unknown: number;
}

export interface Stage {
  readonly plan: SwarmPlan;
  readonly app: App;
  readonly world: World;
  readonly cluster: Cluster;
  readonly operator: Operator;
  readonly oracle: Oracle;
  readonly counts: Counts;
  /** The one write of each key of a keyed run. */
  readonly runs: Map<string, Write>;
  /** Disks that were set back, started twice, or are gone. */
  readonly forgetful: Set<string>;
  /** Machines whose clock was ever wrong. */
  readonly clocks: Set<string>;
  /** When a disk was first started twice. */
  readonly twins: Map<string, number>;
  /** When each machine was last backed up. */
  readonly backups: Map<string, number>;
  /** How far any clock was ahead. */
  aheadMs: number;
  finding: Finding | null;
  /** One line per thing that happened; null: nobody wants to read it. */
  readonly notes: string[] | null;
}

/** The first violation counts. */
export function report(stage: Stage, claim: Claim, problem: string | null): void {
  if (problem === null || stage.finding !== null) return;
  stage.finding = { claim, message: problem, atMs: stage.world.elapsedMs };
  note(stage, `!! ${claim}: ${problem}`);
}

export function note({ notes, world }: Stage, text: string): void {
  notes?.push(`${world.elapsedMs.toFixed(1).padStart(9)} ${text}`);
}

/** What somebody who asked a replica was told. `refused`: that nothing was done. `unknown`: nothing, or that it is not known. */
export type Told<T> = { readonly kind: 'answered'; readonly value: T } | { readonly kind: 'refused' | 'unknown' };

/** Calls a replica as code in its process does. A process that is paused goes on first; one that dies never answers. */
export function inProcess<T>(stage: Stage, machine: Machine, work: (replica: Replica) => Promise<T>): Promise<Told<T>> {
  const { process, replica } = machine;
  if (process === null || replica === null || !process.alive) return Promise.resolve({ kind: 'refused' });
  return new Promise((resolve) => {
    process.onKill(() => resolve({ kind: 'unknown' }));
    const go = () => {
      work(replica).then(
        (value) => resolve({ kind: 'answered', value }),
        (error: unknown) => resolve({ kind: process.alive ? refusalOf(stage, machine, error) : 'unknown' }),
      );
    };
    if (process.paused) process.host.after(0, go);
    else go();
  });
}

/** The spot that this operation means at this machine now. */
export function spotAt({ app }: Stage, machine: Machine, variable: string, key: string): Spot {
  const declared = app.variables.get(variable);
  const window = declared?.window === undefined ? '' : windowAt(declared.window, machine.host.now()).id;
  return { variable, key: declared?.keyed === true ? key : null, window };
}

export const beginWrite = ({ world }: Stage, { region, id }: AskAction): Write => newWrite(region, id, world.elapsedMs);

/** Notes how a write ended. */
export function endWrite({ counts, world }: Stage, write: Write, { kind }: Told<unknown>): void {
  write.endMs = world.elapsedMs;
  write.fate = kind === 'answered' ? 'acknowledged' : kind;
  counts[write.fate] += 1;
}

/** C4: a refusal says what, and whether a retry is safe. */
function refusalOf(stage: Stage, { name }: Machine, error: unknown): 'refused' | 'unknown' {
  if (!(error instanceof CffbrwError)) {
    report(stage, 'C4', `a refusal was none of ours: ${error instanceof Error ? error.stack : String(error)}`);
    return 'unknown';
  }
  if (error.code === 'INVARIANT') report(stage, 'C4', `a refusal was a mistake of ours: ${error.message}`);
  if (error.code === 'CLOCK_SUSPECT' && !stage.clocks.has(diskOf(name)))
    report(stage, 'C4', `${name} refuses to write, whose clock was never wrong: ${error.message}`);
  return errorCodes[error.code].retry === 'same-key' ? 'unknown' : 'refused';
}
