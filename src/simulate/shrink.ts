/** Makes the schedule of a broken run shorter, as long as it still breaks the same invariant. Deterministic. */
import { CffbrwError } from '../error.ts';
import type { RunResult } from './result.ts';
import type { SimulateOptions } from './simulate.ts';

export interface ShrinkOptions extends Omit<SimulateOptions, 'trace' | 'schedule'> {
  /** A run with a violation. */
  readonly result: RunResult;
  /** At most so many runs are tried. Default 500. */
  readonly maxRuns?: number;
}

export interface ShrinkSize {
  readonly requests: number;
  readonly regions: number;
  readonly faults: number;
}

export interface Shrunk {
  /** The shortest run found, with its schedule and its trace. */
  readonly result: RunResult;
  readonly from: ShrinkSize;
  readonly to: ShrinkSize;
  readonly tried: number;
}

/** Rejects with INVALID_INPUT for a run without a violation. */
export async function shrink(options: ShrinkOptions): Promise<Shrunk> {
  throw new CffbrwError('INVARIANT', `not built yet: ${options.result.seed}`);
}
