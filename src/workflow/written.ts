/**
 * What a run has done so far, for who refuses it in the end: whoever hears that nothing was done asks again, and everything that was done is
 * done twice (W4).
 */
import type { Run } from './frame.ts';
import { isProblem, partlyDone, type RunResult } from './result.ts';

/** Notes a write by the commit that makes it durable; 0: it changed nothing. */
export function wrote({ writes }: Run, commit: number): void {
  if (commit !== 0 && writes[writes.length - 1] !== commit) writes.push(commit);
}

/** Notes what no failed commit takes back: it is durable, or another server was asked. */
export function didForGood({ writes }: Run): void {
  writes.push(0);
}

/** What says that nothing was done is told only when none of it was. */
export function truthful({ replica, writes }: Run, result: RunResult): RunResult | Promise<RunResult> {
  if (!isProblem(result) || result.retry !== 'later') return result;
  return Promise.any(writes.map((commit) => replica.durable(commit))).then(
    () => partlyDone(result),
    () => result,
  );
}
