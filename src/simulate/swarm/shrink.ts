/**
 * The shortest plan found that still breaks the same claim: actions are taken out, half of them first and single ones last, for as long as that
 * stays cheap. Deterministic.
 */
import type { Finding } from './oracle.ts';
import type { SwarmAction, SwarmPlan } from './plan.ts';

export interface SwarmShrunk {
  readonly plan: SwarmPlan;
  readonly tries: number;
}

const maxTries = 400;

/** `breaks`: the finding of a plan, or null. */
export async function shrinkPlan(
  plan: SwarmPlan,
  claim: Finding['claim'],
  breaks: (plan: SwarmPlan) => Promise<Finding | null>,
): Promise<SwarmShrunk> {
  let best = plan;
  let tries = 0;
  const still = async (actions: readonly SwarmAction[]): Promise<boolean> => {
    tries += 1;
    const shorter = { ...best, actions };
    if ((await breaks(shorter))?.claim !== claim) return false;
    best = shorter;
    return true;
  };
  for (
    let size = Math.ceil(best.actions.length / 2);
    size >= 1 && tries < maxTries;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < best.actions.length && tries < maxTries; ) {
      const left = best.actions.filter((_, index) => index < from || index >= from + size);
      if (!(await still(left))) from += size;
    }
  }
  return { plan: best, tries };
}
