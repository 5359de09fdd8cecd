/**
 * Takes that were refused, by reason; and variables of which nothing is given out here, because this replica declares them otherwise than
 * those that had them before. The units are with them: a take of such a variable answers `held-elsewhere`.
 */
import type { DecidedTake, TakeOptions, TakeRequest } from './replica.ts';

export interface Refusals {
  /** Since the start. */
  readonly counts: Readonly<Record<string, number>>;
  /** By variable, why. */
  readonly withheld: Readonly<Record<string, string>>;
  /** null: it is given out again. */
  withhold(variable: string, why: string | null): void;
  /** Takes wait for it. */
  hold(until: Promise<void>): void;
  /** What `decide` gives, counted; or the refusal of what is withheld. */
  pass(requests: readonly TakeRequest[], options: TakeOptions, decide: () => Later): Later;
}

type Later = DecidedTake | Promise<DecidedTake>;

export function createRefusals(): Refusals {
  const counts: Record<string, number> = {};
  let withheld: Record<string, string> = {};
  let isAny = false;
  let held: Promise<void> | null = null;

  const counted = (result: DecidedTake): DecidedTake => {
    if (result.reason !== null) counts[result.reason] = (counts[result.reason] ?? 0) + 1;
    return result;
  };
  const pass: Refusals['pass'] = (requests, options, decide) => {
    if (held !== null) return held.then(() => pass(requests, options, decide));
    const refused = isAny ? requests.find(({ variable }) => Object.hasOwn(withheld, variable)) : undefined;
    if (refused !== undefined) return counted(refusal(refused, requests, options));
    const result = decide();
    return result instanceof Promise ? result.then(counted) : counted(result);
  };
  return {
    counts,
    pass,
    hold(until) {
      const mine = until.finally(() => {
        if (held === mine) held = null;
      });
      held = mine;
    },
    get withheld() {
      return withheld;
    },
    withhold(variable, why) {
      const { [variable]: _, ...others } = withheld;
      withheld = why === null ? others : { ...others, [variable]: why };
      isAny = Object.keys(withheld).length > 0;
    },
  };
}

function refusal({ variable, key }: TakeRequest, requests: readonly TakeRequest[], options: TakeOptions): DecidedTake {
  const result: DecidedTake = {
    ...{ ok: false, reason: 'held-elsewhere', left: 0, receipt: null, repeated: false, confirmed: false },
    ...{ expires: null, windowEnds: null, commit: 0 },
    ...(requests.length > 1 && { failed: { take: variable, key: key ?? null } }),
  };
  options.decided?.(result);
  return result;
}
