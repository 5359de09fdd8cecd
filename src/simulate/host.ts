/**
 * A world made of a seed: virtual time, seeded random numbers, and a `Host` for each machine in it.
 *
 * It never looks at a real clock, and never runs two events at once.
 *
 * Invariants:
 *   V1  Events run in the order of (time, sequence of asking).
 *   V2  Every microtask that an event caused is over before the next event runs.
 *   V3  Same seed and same calls: same events, same times, same numbers, so the same fingerprint.
 *   V4  `elapsed` never goes back, whatever happens to a machine's wall clock.
 */
import { CffbrwError } from '../error.ts';
import type { Cancel, Host } from '../host.ts';
import { createEventQueue, type Event } from './queue.ts';
import { createRandom, type Random } from './random.ts';

/** Answers a request of a simulated machine. Time passes through `host.after`. */
export type FetchScript = (request: Request, host: Host) => Promise<Response>;

export interface SimulatedHost extends Host {
  readonly name: string;
  /** How far this machine's wall clock is ahead of the world's (negative: behind), milliseconds. Set it, and the clock jumps. */
  skewMs: number;
}

export interface WorldOptions {
  readonly seed: string | number;
  /** What the clocks show at the start, milliseconds since 1970. Default: 2026-01-01T00:00:00Z. */
  readonly startMs?: number;
  /** Resolves when every microtask is over: one turn of the platform's event loop. (What other threads answer, as `crypto.subtle`, takes longer.) */
  readonly drain: () => Promise<void>;
  /** Default: every request is refused with UNREACHABLE. */
  readonly fetch?: FetchScript;
  /** After so many events the world stops with an error: something asks for timers without end. Default 20,000,000. */
  readonly maxEvents?: number;
}

export interface World {
  /** For the parts of a simulation: take a fork each. */
  readonly random: Random;
  /** Milliseconds since the start. */
  readonly elapsedMs: number;
  /** The true time, milliseconds since 1970. */
  readonly nowMs: number;
  /** How many events have run. */
  readonly events: number;
  /** A number made of the time and sequence of every event so far: equal for equal histories. */
  readonly fingerprint: number;
  /** True when nothing is queued. */
  readonly idle: boolean;
  /** The machine of this name. The same one for the same name, so that a restarted process draws new numbers. */
  host(name: string): SimulatedHost;
  /** Runs what is due within `durationMs`, and ends exactly there. Without it: until nothing is queued. Throws what an event throws. */
  run(durationMs?: number): Promise<void>;
  /** Runs until this promise settles, and settles like it. Nothing queued and still open is a deadlock: INVARIANT. */
  runUntil<T>(promise: Promise<T>): Promise<T>;
}

const defaultStartMs = Date.UTC(2026, 0, 1);
const defaultMaxEvents = 20_000_000;

/** A world and its machines. One world per simulation; worlds share nothing. */
export function createSimulatedHost(options: WorldOptions): World {
  const random = createRandom(options.seed);
  const timeline = createTimeline(options);
  const hosts = new Map<string, SimulatedHost>();
  const hostSource = {
    startMs: options.startMs ?? defaultStartMs,
    random,
    timeline,
    fetch: options.fetch ?? refuse,
  };
  return {
    random,
    get elapsedMs() {
      return timeline.elapsedMs;
    },
    get nowMs() {
      return hostSource.startMs + Math.floor(timeline.elapsedMs);
    },
    get events() {
      return timeline.events;
    },
    get fingerprint() {
      return timeline.fingerprint;
    },
    get idle() {
      return timeline.size === 0;
    },
    host(name) {
      const known = hosts.get(name) ?? createHost(name, hostSource);
      hosts.set(name, known);
      return known;
    },
    run: (durationMs = Number.POSITIVE_INFINITY) => timeline.runTo(timeline.elapsedMs + durationMs),
    runUntil: (promise) => timeline.runUntil(promise),
  };
}

interface Timeline {
  readonly elapsedMs: number;
  readonly events: number;
  readonly fingerprint: number;
  readonly size: number;
  after(delayMs: number, task: () => void): Cancel;
  runTo(endMs: number): Promise<void>;
  runUntil<T>(promise: Promise<T>): Promise<T>;
}

function createTimeline({ drain, seed, maxEvents = defaultMaxEvents }: WorldOptions): Timeline {
  const queue = createEventQueue();
  let elapsedMs = 0;
  let sequence = 0;
  let events = 0;
  let fingerprint = 0;

  const step = (event: Event): void => {
    events += 1;
    if (events > maxEvents) throw tooManyEvents(maxEvents, elapsedMs, seed);
    elapsedMs = event.timeMs;
    fingerprint = (Math.imul(fingerprint ^ event.sequence, 16777619) ^ Math.round(event.timeMs * 1000)) | 0;
    const task = event.task;
    event.task = null;
    task?.();
  };
  return {
    get elapsedMs() {
      return elapsedMs;
    },
    get events() {
      return events;
    },
    get fingerprint() {
      return fingerprint;
    },
    get size() {
      return queue.size;
    },
    after(delayMs, task) {
      if (Number.isNaN(delayMs)) throw new CffbrwError('INVALID_NUMBER', 'a timer cannot be set in NaN milliseconds');
      const event: Event = { timeMs: elapsedMs + Math.max(0, delayMs), sequence: sequence++, task };
      queue.push(event);
      return () => {
        if (event.task !== null) queue.cancel(event);
      };
    },
    async runTo(endMs) {
      await drain();
      for (let next = queue.peek(); next !== undefined && next.timeMs <= endMs; next = queue.peek()) {
        queue.pop();
        step(next);
        await drain();
      }
      if (endMs !== Number.POSITIVE_INFINITY) elapsedMs = endMs;
    },
    async runUntil(promise) {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      promise.then(settle, settle);
      for (;;) {
        await drain();
        if (settled) return promise;
        const next = queue.pop();
        if (next === undefined) throw deadlock(elapsedMs, seed);
        step(next);
      }
    },
  };
}

interface HostSource {
  readonly startMs: number;
  readonly random: Random;
  readonly timeline: Timeline;
  readonly fetch: FetchScript;
}

function createHost(name: string, { startMs, random, timeline, fetch }: HostSource): SimulatedHost {
  const numbers = random.fork(`host/${name}/random`);
  const ids = random.fork(`host/${name}/id`);
  const host: SimulatedHost = {
    name,
    skewMs: 0,
    now: () => Math.floor(startMs + timeline.elapsedMs + host.skewMs),
    elapsed: () => timeline.elapsedMs,
    random: () => numbers.next(),
    id: () => ids.hex(16),
    after: (delayMs, task) => timeline.after(delayMs, task),
    fetch: (request) => fetch(request, host),
  };
  return host;
}

const refuse: FetchScript = async (request) => {
  throw new CffbrwError('UNREACHABLE', `nothing in this simulation answers ${request.method} ${request.url}`, {
    fix: 'Give the simulation a `fetch` that answers it.',
  });
};

const tooManyEvents = (maxEvents: number, elapsedMs: number, seed: string | number) =>
  new CffbrwError(
    'INVARIANT',
    `after ${maxEvents} events (${elapsedMs} ms, seed ${seed}) the simulation has not come to an end`,
    {
      fix: 'Look for a timer that sets itself again without waiting, run for a bounded time, or raise maxEvents.',
    },
  );

const deadlock = (elapsedMs: number, seed: string | number) =>
  new CffbrwError(
    'INVARIANT',
    `deadlock at ${elapsedMs} ms (seed ${seed}): nothing is queued, and what was waited for never settled`,
    {
      fix: 'Look for an await of something that nobody will resolve: a process that was killed, a lost message without a timeout.',
    },
  );
