import type { Host } from '../host.ts';

/** Waits for work, whatever becomes of it, but not longer. */
export const within = ({ after }: Host, limitMs: number, work: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const cancel = after(limitMs, resolve);
    work
      .catch(() => {})
      .finally(() => {
        cancel();
        resolve();
      });
  });
