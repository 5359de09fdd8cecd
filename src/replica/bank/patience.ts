/**
 * How long somebody waits for the backbone: a server that says nothing is asked for longer than a user waits for an answer.
 *
 * It never takes back what was asked. Whoever is told UNREACHABLE in the end knows what that code says: it may still be done.
 */
import type { Registers } from '../../backbone/backbone.ts';
import { CffbrwError } from '../../error.ts';
import { after, type Branch, locked } from './branch.ts';
import { registersOf } from './lookup.ts';

/** A round trip may take so long, also where nothing is waited for; and what is durable when the time is over has so long to be told. */
export const graceMs = 500;

/** Until when the backbone is asked by somebody who waits for so long. */
export const patienceOf = ({ host }: Branch, timeoutMs: number): number => host.elapsed() + Math.max(timeoutMs, graceMs);

const silent = (): CffbrwError =>
  new CffbrwError('UNREACHABLE', 'the backbone did not answer in time: whether it was done is not known', {
    fix: 'Try again; where there is a key, with the same.',
  });

/** What the promise becomes, or UNREACHABLE at `untilMs` by the elapsed clock. */
export function inTime<T>(branch: Branch, untilMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(branch, Math.max(0, untilMs - branch.host.elapsed()), () => reject(silent()));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}

/** The shared registers, for somebody who waits until then. */
export function registersBy(branch: Branch, untilMs: number): Registers {
  const registers = registersOf(branch);
  return {
    get: (name) => inTime(branch, untilMs, registers.get(name)),
    compareAndSet: (name, value, revision) => inTime(branch, untilMs, registers.compareAndSet(name, value, revision)),
  };
}

/** Like `locked`; a task whose turn has not come by then is never begun. Rejects with UNREACHABLE then. */
export function lockedBy<T>(branch: Branch, name: string, untilMs: number, task: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let tooLate = false;
    const cancel = after(branch, Math.max(0, untilMs - branch.host.elapsed()), () => {
      tooLate = true;
      reject(silent());
    });
    void locked(branch, name, async () => {
      cancel();
      if (!tooLate) await task().then(resolve, reject);
    });
  });
}
