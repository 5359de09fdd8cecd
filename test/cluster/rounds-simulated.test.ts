/** The rounds of faults that rounds.long.ts plays on real processes, in the simulator: one seed is one history. */
import { expect, test } from 'vitest';
import { runs } from '../simulate/world.ts';
import { drawRound } from './rounds-plan.ts';
import { playSimulated } from './rounds-simulated.ts';

const first = Number(process.env.CFFBRW_SEED ?? 1);
const replay = (seed: number) => `replay: CFFBRW_SEED=${seed} npx vitest run test/cluster/rounds-simulated.test.ts`;

test('under the same faults nothing is sold twice or lost, and all are equal within 2 s', { timeout: 3_600_000 }, async () => {
  for (let seed = first; seed < first + runs(2); seed += 1) {
    const { problems, equalMs } = await playSimulated(drawRound(seed));
    expect(problems, replay(seed)).toEqual([]);
    expect(equalMs, replay(seed)).toBeLessThanOrEqual(2_000);
  }
});

test('one seed gives one history', async () => {
  const [once, again] = [await playSimulated(drawRound(4)), await playSimulated(drawRound(4))];
  expect(again).toEqual(once);
});
