/**
 * Calls that are made at about the same time become one request: one round trip, and one sync of the server's disk, for all of them. What comes
 * while a request is under way goes with the next one, which does not wait long for that: far from the server requests overlap.
 *
 * Invariants:
 *   H1  Every call is in exactly one request, which is sent after the call was made.
 *   H2  Every call ends as its request does: with its own result, or with the error of all.
 */
import type { Host } from '../host.ts';

/** A request behind another one waits at most so long for calls to go with it. */
const gatherMs = 5;

export interface Gathering<Call, Result> {
  readonly host: Host;
  /** Calls of one request. */
  readonly most: number;
  /** Resolves with the results, in the order of the calls. */
  send(calls: readonly Call[]): Promise<readonly Result[]>;
}

interface Waiting<Call, Result> {
  readonly call: Call;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export function gather<Call, Result>({ host, most, send }: Gathering<Call, Result>): (call: Call) => Promise<Result> {
  let waiting: Waiting<Call, Result>[] = [];
  let cancel = (): void => {};
  let underWay = 0;

  function depart(): void {
    cancel();
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    underWay += 1;
    send(batch.map(({ call }) => call))
      .then(
        (results) => {
          for (const [at, { resolve }] of batch.entries()) resolve(results[at] as Result);
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error);
        },
      )
      .finally(() => {
        underWay -= 1;
        if (underWay === 0) depart();
      });
  }

  return (call) =>
    new Promise((resolve, reject) => {
      waiting.push({ call, resolve, reject });
      if (waiting.length === most) depart();
      else if (waiting.length === 1) cancel = host.after(underWay === 0 ? 0 : gatherMs, depart);
    });
}
