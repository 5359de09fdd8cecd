/** Holds end at their deadline: one timer, for the nearest; and again on every contact, where the register was out of reach. */
import { after, type Branch, closedBecause } from './branch.ts';
import { isRecovering, isUnreachable } from './lookup.ts';
import { reopen } from './resume.ts';
import { expire } from './settle.ts';

const expiryRetryMs = 1_000;
const shortestWatchMs = 20;
/** A wall clock that was set is noticed after so long at most. */
const longestWatchMs = 60_000;

/** Watches over the deadlines of holds with one timer, the nearest. */
export interface Watchman {
  look(): void;
  /** There is a hold until then, milliseconds since 1970. */
  note(deadline: number): void;
  /** Rejects with UNREACHABLE: then expiry waits. */
  expireDue(): Promise<void>;
}

export function createWatchman(branch: Branch): Watchman {
  let next = Number.POSITIVE_INFINITY;
  let cancel = () => {};

  const set = (deadline: number) => {
    if (deadline >= next) return;
    cancel();
    next = deadline;
    const delayMs = Math.min(longestWatchMs, Math.max(shortestWatchMs, deadline - branch.host.now()));
    cancel = after(branch, delayMs, () => {
      next = Number.POSITIVE_INFINITY;
      expireDue().then(look, (error: unknown) => {
        if (!isUnreachable(error) && !isRecovering(error)) branch.options.alarm?.(error);
        set(branch.host.now() + expiryRetryMs);
      });
    });
  };
  const look = () => {
    for (const { deadline, claiming } of branch.open.values()) if (deadline !== null && !claiming) set(deadline);
  };
  const expireDue = async (): Promise<void> => {
    if (closedBecause(branch) !== null) return;
    await reopen(branch);
    for (const { text, deadline, claiming } of [...branch.open.values()]) {
      if (deadline !== null && !claiming && deadline <= branch.host.now()) await expire(branch, text);
    }
  };
  return { look, note: set, expireDue };
}
