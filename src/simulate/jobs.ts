/** One thing after another, each taking its time on a host: the queue in front of a simulated disk. */
import type { Cancel, Host } from '../host.ts';

export interface Job<T> {
  readonly durationMs: number;
  /** Runs when its time is over. What it settles with is the job's outcome. */
  effect(): Promise<T>;
  /** Runs instead when the queue is abandoned in the middle of it. */
  interrupted?(): void;
}

export interface Jobs {
  add<T>(job: Job<T>): Promise<T>;
  /** Interrupts the job in progress and forgets the rest; no promise given out settles any more. */
  abandon(): void;
}

interface Waiting {
  readonly durationMs: number;
  readonly run: () => void;
  readonly interrupted: (() => void) | undefined;
}

export function createJobs(host: Host): Jobs {
  let waiting: Waiting[] = [];
  let current: { readonly job: Waiting; readonly cancel: Cancel } | null = null;
  let abandoned = false;

  const next = () => {
    current = null;
    const job = waiting.shift();
    if (job === undefined || abandoned) return;
    const finish = () => {
      job.run();
      next();
    };
    current = { job, cancel: host.after(job.durationMs, finish) };
  };
  return {
    add: (job) =>
      new Promise((resolve, reject) => {
        if (abandoned) return;
        const run = () => void job.effect().then(resolve, reject);
        waiting.push({ durationMs: job.durationMs, run, interrupted: job.interrupted?.bind(job) });
        if (current === null) next();
      }),
    abandon() {
      abandoned = true;
      waiting = [];
      current?.cancel();
      current?.job.interrupted?.();
      current = null;
    },
  };
}
