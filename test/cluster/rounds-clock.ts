/** The time that users, faults and judges go by: the real one, or a simulated world's. */
import { performance } from 'node:perf_hooks';
import { nodeHost } from '../../src/node/host.ts';

export interface Clock {
  nowMs(): number;
  pause(delayMs: number): Promise<void>;
}

export const pause = (delayMs: number): Promise<void> => new Promise((resolve) => void nodeHost.after(delayMs, resolve));

export const realClock: Clock = { nowMs: () => performance.now(), pause };
