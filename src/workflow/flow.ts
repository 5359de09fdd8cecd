/** Which steps can be reached, and whether an answer may already have been given there: a run answers once. */

export interface Flow {
  /** False behind a step that always ends the branch. */
  live: boolean;
  /** An answer with `continue: true` may have been given on a path to here. */
  answered: boolean;
  /** Why `respond` may not stand here, or null. */
  silent: string | null;
  /** Inside an iteration or a retried block: what comes later may have been before. */
  repeats: boolean;
  /** How many steps so far answer and go on. */
  answers: number;
}

export const createFlow = (silent: string | null): Flow => ({ live: true, answered: false, silent, repeats: false, answers: 0 });

/**
 * Compiles arms of which at most one is taken (`always`: exactly one). Each starts from what `flow` is now; afterwards `flow` is where
 * they meet. `inTurn` runs the wrapped arms.
 */
export function meet(flow: Flow, arms: readonly (() => void)[], always: boolean, inTurn: (arms: (() => void)[]) => void): void {
  const before = { live: flow.live, answered: flow.answered };
  let live = !always && before.live;
  let answered = !always && before.answered;
  const wrapped = arms.map((arm) => () => {
    Object.assign(flow, before);
    arm();
    live ||= flow.live;
    answered ||= flow.live && flow.answered;
  });
  inTurn(wrapped);
  Object.assign(flow, { live, answered });
}
