/**
 * Stamps: readings of a hybrid logical clock (Kulkarni, Demirbas et al., "Logical Physical Clocks", 2014). A stamp issued after
 * another was seen always beats it, even when this machine's wall clock is behind.
 *
 * Invariants:
 *   K1  Stamps issued by one clock strictly increase.
 *   K2  A stamp is greater than every stamp that was observed before it was issued.
 *   K3  A clock that runs more than 5 minutes ahead of its own wall clock issues no stamps (CLOCK_SUSPECT).
 */
import { CffbrwError, invariant } from './error.ts';

/** `[time in integer milliseconds, counter]`. Whose stamp it is, the row says that holds it. */
export type Stamp = readonly [timeMs: number, counter: number];

export const quarantineAheadMs = 60_000;
export const suspectAheadMs = 300_000;

/** True for a stamp that is too far ahead of this wall clock to be in force here. */
export const isAhead = (stamp: Stamp, now: number): boolean => stamp[0] - now > quarantineAheadMs;

/** Negative when a is the older. Times first, then counters. */
export const compareStamps = (a: Stamp, b: Stamp): number => a[0] - b[0] || a[1] - b[1];

/** True when writer a's stamp beats writer b's: the later time, then the higher counter, then the lower replica id. */
export const beats = (a: Stamp, aReplica: string, b: Stamp, bReplica: string): boolean => {
  const order = compareStamps(a, b);
  return order === 0 ? aReplica < bReplica : order > 0;
};

export interface Clock {
  /** The next stamp. Throws CLOCK_SUSPECT (K3). */
  issue(): Stamp;
  /** Takes note of a stamp seen elsewhere, so that the next issued one beats it. */
  observe(stamp: Stamp): void;
  /** The highest stamp issued or observed: what must be remembered over a restart. */
  readonly latest: Stamp;
}

export function createClock(now: () => number, start: Stamp = [0, 0]): Clock {
  let latest = start;
  return {
    get latest() {
      return latest;
    },
    issue() {
      const wall = now();
      const next: Stamp = wall > latest[0] ? [wall, 0] : [latest[0], latest[1] + 1];
      if (next[0] - wall > suspectAheadMs) {
        throw new CffbrwError(
          'CLOCK_SUSPECT',
          `this replica's clock reads ${new Date(wall).toISOString()}, but it has already issued or seen stamps of ${new Date(next[0]).toISOString()}`,
          { fix: 'Set this machine’s clock (NTP); writes go on as soon as the difference is under 5 minutes.' },
        );
      }
      invariant(compareStamps(next, latest) > 0, 'K1', 'a stamp did not increase');
      latest = next;
      return next;
    },
    observe(stamp) {
      if (compareStamps(stamp, latest) > 0) latest = stamp;
    },
  };
}
