/**
 * The backbone while a process starts: a server that did not answer the first question is not asked again before the app answers users.
 * Each question would take as long as the first, and what needs its answer waits for a later contact anyway.
 */
import type { Backbone } from '../backbone/index.ts';
import type { CffbrwError } from '../error.ts';

export interface StartingBackbone {
  readonly backbone: Backbone;
  /** The start is over: from now on everything is asked. */
  started(): void;
}

/** `unreached`: why the first question was not answered; null: it was. */
export function startingBackbone(backbone: Backbone, unreached: CffbrwError | null): StartingBackbone {
  let refusal = unreached;
  const ask = <Answer>(question: () => Promise<Answer>): Promise<Answer> =>
    refusal === null ? question() : Promise.reject(refusal);
  return {
    backbone: {
      ...backbone,
      identity: () => ask(() => backbone.identity()),
      now: () => ask(() => backbone.now()),
      latest: (replica) => ask(() => backbone.latest(replica)),
      registers: {
        get: (name) => ask(() => backbone.registers.get(name)),
        compareAndSet: (name, value, revision) => ask(() => backbone.registers.compareAndSet(name, value, revision)),
      },
    },
    started() {
      refusal = null;
    },
  };
}
