/** The line between the store and its worker: calls out, answers back, in order. */
import type { Worker } from 'node:worker_threads';
import { CffbrwError } from '../error.ts';
import type { Answer, Call } from './store-protocol.ts';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CffbrwError) => void;
}

const gone = (why: string): CffbrwError =>
  new CffbrwError('STORE_FAILED', `the store's worker stopped: ${why}`, {
    fix: 'Whether the last writes were kept is unknown: restart, then repeat them with the same idempotency key.',
  });

export interface Line {
  call(call: Call): Promise<unknown>;
  /** What the worker says first. */
  readonly opened: Promise<unknown>;
  /** Resolves with why, when the worker has stopped and nobody asked it to. */
  readonly lost: Promise<CffbrwError>;
  /** Resolves when the worker has ended. */
  readonly ended: Promise<void>;
}

/**
 * Calls and their answers, first in, first out. After the worker stopped every call is refused. The worker keeps the process alive while an
 * answer is awaited, or the end after `close`.
 */
export function lineTo(worker: Worker): Line {
  const waiting: Waiting[] = [];
  let ending = false;
  let stopped: CffbrwError | null = null;
  const wait = (): Promise<unknown> => {
    if (stopped !== null) return Promise.reject(stopped);
    if (waiting.length === 0) worker.ref();
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  let lose: (error: CffbrwError) => void = () => {};
  const lost = new Promise<CffbrwError>((resolve) => {
    lose = resolve;
  });
  const stop = (error: CffbrwError): void => {
    if (!ending) lose(error);
    stopped ??= error;
    for (const { reject } of waiting.splice(0)) reject(stopped);
  };
  worker.on('message', ([ok, result]: Answer) => {
    const first = waiting.shift();
    if (waiting.length === 0 && !ending) worker.unref();
    if (ok) first?.resolve(result);
    else first?.reject(new CffbrwError(result.code, result.message, result.fix === undefined ? {} : { fix: result.fix }));
  });
  worker.on('messageerror', (error) => stop(gone(error.message)));
  worker.on('error', (error) => stop(gone(error instanceof Error ? error.message : String(error))));
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      stop(gone(`exit ${code}`));
      resolve();
    });
  });
  return {
    opened: wait(),
    lost,
    ended,
    call(call) {
      const answer = wait();
      ending ||= call[0] === 'close';
      if (stopped === null) worker.postMessage(call);
      return answer;
    },
  };
}
