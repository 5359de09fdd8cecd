/** From a scenario and a seed to a schedule: who sends what, when, and from where. */
import type { Compiled } from '../expression/index.ts';
import { log } from './exact.ts';
import { evaluateRequest } from './expressions.ts';
import { createRandom, type Random } from './random.ts';
import type { Load, Scenario } from './scenario.ts';
import type { Action, RequestAction, Schedule } from './schedule.ts';

/** `requests`: the compiled request of each load. Throws EXPRESSION_FAILED. */
export function expand(scenario: Scenario, requests: readonly Compiled[], seed: string): Schedule {
  const actions: Action[] = [...scenario.faults];
  let endMs = scenario.faults.reduce((latest, { atMs }) => Math.max(latest, atMs), 0);
  let first = 0;
  for (const [index, load] of scenario.load.entries()) {
    const compiled = requests[index];
    if (compiled === undefined) continue;
    const random = createRandom(`${seed}/load/${index}`);
    actions.push(...requestsOf(load, { compiled, random, first, all: scenario.regions }));
    first += load.requests;
    endMs = Math.max(endMs, load.fromMs + load.overMs);
  }
  actions.sort((a, b) => a.atMs - b.atMs);
  const lastMs = actions.at(-1)?.atMs ?? 0;
  return {
    seed,
    regions: scenario.regions,
    network: scenario.network,
    disk: scenario.disk,
    durationMs: Math.max(endMs, lastMs),
    actions,
  };
}

interface Drawing {
  readonly compiled: Compiled;
  readonly random: Random;
  /** The number of the first request. */
  readonly first: number;
  readonly all: readonly string[];
}

function requestsOf(load: Load, { compiled, random, first, all }: Drawing): RequestAction[] {
  const regions = load.regions.length === 0 ? all : load.regions;
  const next = () => random.next();
  return arrivals(load, random).map((atMs, index) => {
    const user = index % load.users;
    const region = random.pick(regions);
    const sent = evaluateRequest(compiled, [user, first + index, region], next);
    return { kind: 'request', atMs, region, user, method: load.method, ...sent };
  });
}

/** When requests are sent, in order. */
function arrivals({ requests, fromMs, overMs, arrival }: Load, random: Random): number[] {
  const all = Array.from({ length: requests }, (_, index) => index);
  switch (arrival) {
    case 'burst':
      return all.map(() => fromMs);
    case 'even':
      return all.map((index) => fromMs + (overMs * (index + 0.5)) / requests);
    case 'uniform':
      return all.map(() => fromMs + overMs * random.next()).sort((a, b) => a - b);
    case 'poisson': {
      let atMs = fromMs;
      return all.map(() => {
        atMs -= (overMs / requests) * log(1 - random.next());
        return atMs;
      });
    }
  }
}
