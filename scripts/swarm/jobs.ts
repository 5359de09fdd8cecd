/** Processes that play seeds side by side. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Done, Found, Job, Message } from './worker.ts';

export interface Told {
  readonly done: Done;
  readonly cpuMs: number;
}

export interface RunOptions {
  readonly program: string;
  readonly jobs: number;
  readonly job: Omit<Job, 'step'>;
  readonly found?: (found: Found) => void;
  readonly progress?: (told: Told) => void;
}

export interface Running {
  /** Resolves with what was run when all processes ended. Rejects when one broke down. */
  readonly ended: Promise<Told>;
  stop(): void;
}

const none: Told = { done: { schedules: 0, asked: 0, acknowledged: 0, refused: 0, unknown: 0, faults: 0, events: 0 }, cpuMs: 0 };

export function runJobs({ program, jobs, job, found, progress }: RunOptions): Running {
  const told: Told[] = Array.from({ length: jobs }, () => none);
  const children: ChildProcess[] = [];
  let stopped = false;
  const all = () => told.reduce(sum, none);
  const ends = told.map(
    (_, index) =>
      new Promise<void>((resolve, reject) => {
        const child = fork(program);
        children.push(child);
        child.on('message', (message: Message) => {
          if (message.kind === 'found') return found?.(message.found);
          told[index] = message;
          progress?.(all());
        });
        child.on('exit', (code) =>
          code === 0 || stopped ? resolve() : reject(new Error(`a process of the swarm ended with ${code}`)),
        );
        child.send({ ...job, first: job.first + index, step: jobs } satisfies Job);
      }),
  );
  return {
    ended: Promise.all(ends).then(all),
    stop() {
      stopped = true;
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

function sum(a: Told, b: Told): Told {
  const names = Object.keys(a.done) as (keyof Done)[];
  const done = Object.fromEntries(names.map((name) => [name, a.done[name] + b.done[name]])) as unknown as Done;
  return { done, cpuMs: a.cpuMs + b.cpuMs };
}
