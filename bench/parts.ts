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
} satisfies Record<string, (size: Size) => Promise<PartResult>>;

interface Part<Parameters> {
  readonly parameters: Record<Size, Parameters>;
  run(parameters: Parameters): Promise<PartResult>;
}

const from = <Parameters>(part: Part<Parameters>, size: Size): Promise<PartResult> => part.run(part.parameters[size]);
