/** The platform Node.js: its clocks, its randomness, its timers, its fetch. */
import { randomFillSync } from 'node:crypto';
import type { Host } from '../host.ts';
import { createOutboundFetch, type OutboundOptions } from './outbound.ts';

/** setTimeout fires at once beyond this: longer delays are taken in steps. */
const longestTimerMs = 2 ** 31 - 1;

const idBytes = 16;
const pool = Buffer.alloc(256 * idBytes);
let poolAt = pool.length;

/** Random bytes are fetched for 256 ids at once: asking the system for each costs more than the rest of a small request. */
function randomId(): string {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  poolAt += idBytes;
  return pool.toString('hex', poolAt - idBytes, poolAt);
}

/**
 * A pending timer keeps the process alive, as everywhere in Node.js: somebody may be awaiting what it will do (a take's timeout, a retry).
 * So whoever is closed cancels its timers. `after(0)` runs in the next turn of the event loop, behind what is already waiting.
 */
export const nodeHost: Host = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  id: randomId,
  after(delayMs, task) {
    if (delayMs <= 0) {
      const immediate = setImmediate(task);
      return () => clearImmediate(immediate);
    }
    return startTimer(delayMs, task);
  },
  fetch: createOutboundFetch(),
};

/** The same for an app that may reach hosts of its own network. Throws INVALID_APP for a wrong entry of `allow`. */
export const createNodeHost = (outbound: OutboundOptions): Host => ({ ...nodeHost, fetch: createOutboundFetch(outbound) });

function startTimer(delayMs: number, task: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : task()), stepMs);
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}

/** Resolves in the next turn of the event loop, after every microtask that can run has run. */
export const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
