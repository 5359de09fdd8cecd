/** The same as simulate.test.ts, over many more seeds. */
import { expect, test } from 'vitest';
import { drain } from '../../src/node/drain.ts';
import { drawScenario, type Scenario, simulate } from '../../src/simulate/index.ts';
import { createFingerprint } from '../../src/simulate/random.ts';
import { openWheel, read, replaced, small } from './wheel.ts';

const app = await openWheel();

const hash = (value: unknown): string => {
  const print = createFingerprint();
  print.add(JSON.stringify(value));
  return print.text();
};

test('1,000 seeds give the same traces again, byte for byte, also from a scenario and schedules that were written down', async () => {
  const scenario = read(app, small);
  const copied = JSON.parse(JSON.stringify(scenario)) as Scenario;
  for (let seed = 0; seed < 1_000; seed += 1) {
    const one = await simulate({ app, scenario, seed, drain });
    const two = await simulate({ app, scenario: copied, seed, drain, schedule: JSON.parse(JSON.stringify(one.schedule)) });
    expect([hash(two.trace), two.fingerprint], `seed ${seed}`).toEqual([hash(one.trace), one.fingerprint]);
  }
});

test('1,000 drawn scenarios break nothing', async () => {
  const checked = replaced(
    small,
    'always:',
    'finally:\n    - vars.spins >= responses.filter(r => r.status === 200).length\n    - 10 - vars.vouchers >= responses.filter(r => r.body?.won === true).length\n  always:',
  );
  const scenario = read(app, replaced(replaced(checked, 'users: 6', 'users: 60'), 'over: 2s', 'over: 30s'));
  const first = Number(process.env.CFFBRW_SEED ?? 0);
  for (let seed = first; seed < first + 1_000; seed += 1) {
    const { violations } = await simulate({ app, scenario: drawScenario(scenario, seed), seed, drain, trace: false });
    expect(violations, `CFFBRW_SEED=${seed} npx vitest run --config vitest.long.config.ts test/simulate`).toEqual([]);
  }
});
