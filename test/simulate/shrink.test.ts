import { describe, expect, test } from 'vitest';
import { drain } from '../../src/node/drain.ts';
import { shrink, simulate } from '../../src/simulate/index.ts';
import { openWheel, read, replaced, small } from './wheel.ts';

const app = await openWheel('broken/last-write-wins');
const text = replaced(replaced(small, 'length <= 10', 'length <= 3'), 'regions: 2', 'regions: 4');
const scenario = read(
  app,
  `${replaced(replaced(text, 'users: 6', 'users: 30'), 'lag: 500ms', 'lag: 500ms, loss: 0.01, duplication: 0.1')}
faults: [{ crash: r1, at: 1s, for: 1s }, { pause: r4, at: 200ms, for: 1s }, { stop: r2, at: 1900ms }]
`,
);

describe('a broken run', () => {
  test('shrinks to the fewest requests, one region, no fault and a quiet network, and always to the same', async () => {
    const result = await simulate({ app, scenario, seed: 5, drain });
    expect(result.passed).toBe(false);
    const shrunk = await shrink({ app, scenario, drain, result });
    expect(shrunk.from).toEqual({ requests: 30, regions: 4, faults: 5 });
    // Four winners are what breaks it: every request that is left wins.
    expect(shrunk.to).toEqual({ requests: 4, regions: 1, faults: 0 });
    expect(shrunk.result.violations).toMatchObject([{ kind: 'always', invariant: 'at most 10 win', response: 3 }]);
    expect(shrunk.result.trace.filter(({ kind }) => kind === 'request').length).toBe(4);
    expect(shrunk.result.schedule.network).toMatchObject({ loss: 0, duplication: 0 });
    const again = await shrink({ app, scenario, drain, result });
    expect(again.result.schedule).toEqual(shrunk.result.schedule);
    expect(again.result.fingerprint).toBe(shrunk.result.fingerprint);
  });

  test('stays as it is where no more runs may be tried', async () => {
    const result = await simulate({ app, scenario, seed: 5, drain });
    const shrunk = await shrink({ app, scenario, drain, result, maxRuns: 0 });
    expect(shrunk.to).toEqual(shrunk.from);
    expect(shrunk.result.fingerprint).toBe(result.fingerprint);
  });

  test('a run that breaks nothing is refused', async () => {
    const wheel = await openWheel();
    const result = await simulate({ app: wheel, scenario: read(wheel), seed: 1, drain });
    await expect(shrink({ app: wheel, scenario: read(wheel), drain, result })).rejects.toThrow(/breaks nothing/);
  });
});
