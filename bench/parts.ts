/** The parts of the benchmark, each with a small and a large set of parameters. */
import type { PartResult } from './figures.ts';

export type Size = 'small' | 'large';
export type PartName = keyof typeof parts;

export const parts = {
  http: async (size: Size) => from(await import('./http.bench.ts'), size),
  variables: async (size: Size) => from(await import('./variables.bench.ts'), size),
  expressions: async (size: Size) => from(await import('./expressions.bench.ts'), size),
  check: async (size: Size) => from(await import('./check.bench.ts'), size),
  simulate: async (size: Size) => from(await import('./simulate.bench.ts'), size),
  'hot-keys': async (size: Size) => from(await import('./hot-keys.bench.ts'), size),
  'start-up': async (size: Size) => from(await import('./start-up.bench.ts'), size),
  'cluster-takes': async (size: Size) => from(await import('./cluster-takes.bench.ts'), size),
  'cluster-tail': async (size: Size) => from(await import('./cluster-tail.bench.ts'), size),
  'cluster-convergence': async (size: Size) => from(await import('./cluster-convergence.bench.ts'), size),
  'cluster-bytes': async (size: Size) => from(await import('./cluster-bytes.bench.ts'), size),
  'cluster-joining': async (size: Size) => from(await import('./cluster-joining.bench.ts'), size),
} satisfies Record<string, (size: Size) => Promise<PartResult>>;

/** What one run measures; its results are called so, too. */
export const sets = {
  latest: ['http', 'variables', 'expressions', 'check', 'simulate', 'hot-keys', 'start-up'],
  cluster: ['cluster-takes', 'cluster-tail', 'cluster-convergence', 'cluster-bytes', 'cluster-joining'],
} as const satisfies Record<string, readonly PartName[]>;

interface Part<Parameters> {
  readonly parameters: Record<Size, Parameters>;
  run(parameters: Parameters): Promise<PartResult>;
}

const from = <Parameters>(part: Part<Parameters>, size: Size): Promise<PartResult> => part.run(part.parameters[size]);
