/** The strategies on trial: a variable, operations and a guard for each. */
import fc from 'fast-check';
import { emptyRow } from '../../src/replica/bank/rights.ts';
import type { BoundedOperation, BoundedRow } from '../../src/strategy/bounded-counter.ts';
import { boundedCounter } from '../../src/strategy/bounded-counter.ts';
import type { Extreme, ExtremeOperation, ExtremeRow } from '../../src/strategy/extreme.ts';
import { isObject, type Json, type JsonObject } from '../../src/strategy/json.ts';
import type { LastWriteOperation, LastWriteRow } from '../../src/strategy/last-write-wins.ts';
import { lastWriteWins } from '../../src/strategy/last-write-wins.ts';
import type { Subject } from '../../src/strategy/laws.ts';
import { maxValue } from '../../src/strategy/max-value.ts';
import { type MergeOperation, mergeObjects } from '../../src/strategy/merge-objects.ts';
import type { MergeRow } from '../../src/strategy/merge-view.ts';
import { minValue } from '../../src/strategy/min-value.ts';
import type { Operation, Strategy } from '../../src/strategy/strategy.ts';
import { type SumOperation, type SumRow, sumIncrements } from '../../src/strategy/sum-increments.ts';
import { declareVariable } from '../../src/strategy/variable.ts';

export type Trial<Row extends object, Op extends Operation, Value extends Json> = Required<Subject<Row, Op, Value>> & {
  readonly operation: fc.Arbitrary<Op>;
};

const small = fc.integer({ min: -3, max: 12 });
const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);
/** `5 > value`, for operations that carry no number of their own. */
const under = (value: unknown): boolean => typeof value === 'number' && value < 5;

export const lastWrite: Trial<LastWriteRow, LastWriteOperation, Json> = {
  strategy: lastWriteWins,
  variable: declareVariable('x', { initial: 0 }),
  operation: fc.oneof(
    { weight: 4, arbitrary: fc.record({ operation: fc.constant('set' as const), value: small }) },
    fc.record({ operation: fc.constant('unset' as const) }),
  ),
  same,
  guard: (_operation, value) => under(value),
};

export const sum: Trial<SumRow, SumOperation, number> = {
  strategy: sumIncrements,
  variable: declareVariable('x', { strategy: 'sum-increments', initial: 3 }),
  operation: fc.oneof(
    { weight: 5, arbitrary: fc.record({ operation: fc.constant('add' as const), amount: small }) },
    fc.record({ operation: fc.constant('set' as const), value: small }),
    fc.record({ operation: fc.constant('reset' as const) }),
  ),
  same,
  guard: (_operation, value) => under(value),
};

const offers = (operation: 'raise' | 'lower'): fc.Arbitrary<ExtremeOperation> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ operation: fc.constant(operation), value: small, with: fc.constantFrom('ann', 'bob', null) }),
    },
    fc.record({ operation: fc.constant('reset' as const) }),
  );
const sameNumber = (a: Extreme, b: Extreme): boolean => a.value === b.value;

export const max: Trial<ExtremeRow, ExtremeOperation, Extreme> = {
  strategy: maxValue,
  variable: declareVariable('x', { strategy: 'max-value', initial: 1 }),
  operation: offers('raise'),
  same: sameNumber,
  guard: (operation, { value }) => (operation.operation === 'reset' ? 5 : operation.value) > (value ?? Number.NEGATIVE_INFINITY),
};

export const min: Trial<ExtremeRow, ExtremeOperation, Extreme> = {
  strategy: minValue,
  variable: declareVariable('x', { strategy: 'min-value' }),
  operation: offers('lower'),
  same: sameNumber,
  guard: (operation, { value }) => (operation.operation === 'reset' ? 5 : operation.value) < (value ?? Number.POSITIVE_INFINITY),
};

const leaf: fc.Arbitrary<Json> = fc.constantFrom<Json[]>(1, 2, 9, null, 'text', ['a', 1], {});
const fields = (value: fc.Arbitrary<Json>): fc.Arbitrary<JsonObject> =>
  fc.dictionary(fc.constantFrom('n', 'a', 'b'), value, { maxKeys: 2 });
const patch = fields(fc.oneof({ weight: 3, arbitrary: leaf }, fields(fc.oneof({ weight: 4, arbitrary: leaf }, fields(leaf)))));

export const merge: Trial<MergeRow, MergeOperation, Json> = {
  strategy: mergeObjects,
  variable: declareVariable('x', { strategy: 'merge-objects', initial: { n: 0 } }),
  operation: fc.oneof(
    { weight: 6, arbitrary: fc.record({ operation: fc.constant('merge' as const), value: patch }) },
    fc.record({ operation: fc.constant('replace' as const), value: patch }),
    fc.record({ operation: fc.constant('unset' as const), path: fc.constantFrom('/n', '/a', '/b', '/a/b', '/a/a', '/a/b/n') }),
    fc.record({ operation: fc.constantFrom('unset' as const, 'reset' as const) }),
  ),
  same,
  guard: (_operation, value) => under(isObject(value) ? value.n : null),
};

/** The bank's rules about rows, in one line each: rights are leased apart, and a take spends only its own replica's. */
const escrow: Strategy<BoundedRow, BoundedOperation, number> = {
  ...boundedCounter,
  apply(rows, { me }, { operation, amount }) {
    const row = rows.get(me)?.row ?? { ...emptyRow, leased: 4 };
    const rights = row.leased - row.returned - row.taken + row.given;
    if (operation === 'take') return rights >= amount ? { ...row, taken: row.taken + amount } : row;
    if (operation === 'give') return { ...row, given: row.given + amount };
    if (operation === 'mint') return { ...row, minted: row.minted + amount };
    return operation === 'burn' ? { ...row, burned: row.burned + amount } : row;
  },
};

export const bounded: Trial<BoundedRow, BoundedOperation, number> = {
  strategy: escrow,
  variable: declareVariable('x', { strategy: 'bounded-counter', initial: 40 }),
  operation: fc.record({
    operation: fc.constantFrom('take', 'take', 'take', 'give', 'confirm', 'mint', 'burn'),
    amount: fc.integer({ min: 1, max: 3 }),
  }),
  same,
  guard: ({ operation, amount }, left) => (operation === 'take' ? left >= amount : left < 41),
};
