import { expect, test } from 'vitest';
import type { DecidedTake, TakeResult } from '../../src/replica/index.ts';
import { createRefusals } from '../../src/replica/refusals.ts';

const answer = (reason: TakeResult['reason']): DecidedTake => ({
  ...{ ok: reason === null, reason, left: 0, receipt: null, repeated: false, confirmed: false },
  ...{ expires: null, windowEnds: null, commit: 0 },
});

test('takes are counted by the reason of their refusal, now or later, and granted ones are not', async () => {
  const refusals = createRefusals();
  const requests = [{ variable: 'stock' }];
  await refusals.pass(requests, {}, () => answer(null));
  await refusals.pass(requests, {}, () => answer('exhausted'));
  await refusals.pass(requests, {}, () => Promise.resolve(answer('exhausted')));
  await refusals.pass(requests, {}, () => Promise.resolve(answer('unreachable')));
  expect(refusals.counts).toEqual({ exhausted: 2, unreachable: 1 });
});

test('nothing is given out of a variable that is withheld, a list with it included, and again when it no longer is', () => {
  const refusals = createRefusals();
  const decided: TakeResult[] = [];
  const pass = (...variables: string[]) =>
    refusals.pass(
      variables.map((variable) => ({ variable })),
      { decided: (result) => decided.push(result) },
      () => answer(null),
    );
  refusals.withhold('stock', 'declared otherwise');
  expect(pass('stock')).toMatchObject({ ok: false, reason: 'held-elsewhere' });
  expect(pass('seats', 'stock')).toMatchObject({ ok: false, failed: { take: 'stock', key: null } });
  expect(pass('seats')).toMatchObject({ ok: true });
  expect(decided).toHaveLength(2);
  expect([refusals.withheld, refusals.counts]).toEqual([{ stock: 'declared otherwise' }, { 'held-elsewhere': 2 }]);
  refusals.withhold('stock', null);
  expect([pass('stock'), refusals.withheld]).toMatchObject([{ ok: true }, {}]);
});
