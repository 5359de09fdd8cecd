import { createSimulatedHost, type World, type WorldOptions } from '../../src/simulate/host.ts';

/** One turn of the event loop: every microtask is over then. */
export const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const createWorld = (seed: string | number, options: Partial<WorldOptions> = {}): World =>
  createSimulatedHost({ seed, drain, ...options });

/** How often random tests run: `CFFBRW_RUNS` multiplies. */
export const runs = (count: number): number => count * Number(process.env.CFFBRW_RUNS ?? 1);
