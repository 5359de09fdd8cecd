/**
 * The platform Cloudflare Workers: clocks, randomness, and timers that do not keep an object awake.
 *
 * A pending timer keeps an object in memory, and is billed. So in an object only short delays, and those during a request, are timers. Later
 * tasks share one alarm, the earliest. It is set only when none is set that comes before, and it is not taken back: one that finds nothing to
 * do is cheaper than a write.
 *
 * Invariants:
 *   A1  While a task waits that is no short one, a timer or an alarm comes at its time or before.
 *   A2  Without tasks there is no timer, and after at most one more alarm no alarm.
 *   A3  What waits until the object is awake sets neither.
 */
import { CffbrwError } from '../error.ts';
import type { Cancel, Host } from '../host.ts';
import type { ObjectStorage } from './bindings.ts';
import type { Usage } from './driver.ts';

const idBytes = 16;
const pool = new Uint8Array(256 * idBytes);
let poolAt = pool.length;

/** Random bytes are fetched for 256 ids at once. Nothing may be drawn while a module is loaded. */
function randomId(): string {
  if (poolAt === pool.length) {
    crypto.getRandomValues(pool);
    poolAt = 0;
  }
  let id = '';
  for (const end = poolAt + idBytes; poolAt < end; poolAt += 1) id += (pool[poolAt] ?? 0).toString(16).padStart(2, '0');
  return id;
}

const base = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  id: randomId,
};

function timer(delayMs: number, task: () => void): Cancel {
  const id = setTimeout(task, delayMs);
  return () => clearTimeout(id);
}

export const sendOutbound: Host['fetch'] = (request) => fetch(request, { redirect: 'manual' });

const sendNothing: Host['fetch'] = () => Promise.reject(new CffbrwError('INVARIANT', 'this app asks no other server'));

/** For what runs in no object. */
export const createWorkerHost = (send = sendNothing): Host => ({ ...base, after: timer, fetch: send });

export interface ObjectHost extends Host {
  whenAwake(delayMs: number, task: () => void): Cancel;
  /** The object is awake anyway, until what this returns is called. */
  hold(): () => void;
  /** A request begins: the same, and what waited for that runs. */
  enter(): () => void;
  /** The alarm has come. */
  alarm(): void;
}

export interface ObjectHostOptions {
  readonly storage: ObjectStorage;
  readonly usage: Usage;
  /** How other servers are asked. Default: none is. */
  readonly fetch?: Host['fetch'];
}

interface Task {
  readonly dueMs: number;
  readonly run: () => void;
  /** Takes back the timer that it has during a request. */
  cancel: Cancel | null;
}

const shortMs = 1_000;
/** An alarm may come a little early. */
const toleranceMs = 20;

export function createObjectHost({ storage, usage, fetch: send = sendNothing }: ObjectHostOptions): ObjectHost {
  const later = new Set<Task>();
  const asleep = new Set<Task>();
  let requests = 0;
  /** Milliseconds since 1970; null: none is known to be set. */
  let alarmMs: number | null = null;

  const start = (task: Task, delayMs: number): void => {
    task.cancel ??= timer(delayMs, () => {
      later.delete(task);
      task.run();
    });
  };
  const runDue = (tasks: Set<Task>): void => {
    for (const task of tasks) {
      if (task.dueMs > performance.now() + toleranceMs) continue;
      tasks.delete(task);
      task.cancel?.();
      timer(0, task.run);
    }
  };

  /** A1. Returns when the first of the tasks is due that have no timer, on `performance.now`. */
  const startTimers = (): number => {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const task of later) {
      const leftMs = task.dueMs - performance.now();
      if (requests > 0 || leftMs < shortMs) start(task, Math.min(leftMs, longestTimerMs));
      else {
        nextMs = Math.min(nextMs, task.dueMs);
        task.cancel?.();
        task.cancel = null;
      }
    }
    return nextMs;
  };
  const arm = (): void => {
    const nextMs = startTimers();
    if (nextMs === Number.POSITIVE_INFINITY) return;
    const atMs = Math.ceil(Date.now() + nextMs - performance.now());
    if (alarmMs !== null && alarmMs > Date.now() && alarmMs <= atMs) return;
    alarmMs = atMs;
    usage.alarmsSet += 1;
    storage.setAlarm(atMs).catch(() => {
      alarmMs = null; // the next request, or task, sets it again
    });
  };

  const hold = (): (() => void) => {
    requests += 1;
    if (requests === 1) arm();
    return () => {
      requests -= 1;
      if (requests === 0) arm();
    };
  };

  return {
    ...base,
    fetch: send,
    after(delayMs, task) {
      if (delayMs < shortMs) return timer(delayMs, task);
      const entry: Task = { dueMs: performance.now() + delayMs, run: task, cancel: null };
      later.add(entry);
      arm();
      return () => {
        later.delete(entry);
        entry.cancel?.();
      };
    },
    whenAwake(delayMs, task) {
      const entry: Task = { dueMs: performance.now() + delayMs, run: task, cancel: null };
      asleep.add(entry);
      return () => void asleep.delete(entry);
    },
    hold,
    enter() {
      runDue(asleep);
      return hold();
    },
    alarm() {
      usage.alarms += 1;
      alarmMs = null;
      runDue(later);
      runDue(asleep);
      arm();
    },
  };
}

/** setTimeout fires at once beyond this; by then the request is over, and the alarm has taken over. */
const longestTimerMs = 2 ** 31 - 1;
