import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/strategy/json.ts';
import {
  applyLaw,
  type Counterexample,
  commutesLaw,
  guardStableLaw,
  joinLaws,
  readLaw,
  rowLaw,
  stepLaw,
} from '../../src/strategy/laws.ts';
import type { Operation, OperationName, Traits } from '../../src/strategy/strategy.ts';
import { type Cluster, clusterOf, runs, states } from './cluster.ts';
import { bounded, lastWrite, max, merge, min, sum, type Trial } from './subjects.ts';

const numRuns = runs(120);

/** A law, asked about a random reachable state and random operations. */
type Question<Row extends object, Op extends Operation> = (
  cluster: Cluster<Row, Op>,
  operations: readonly [Op, Op, Op],
) => Counterexample | null;

function laws<Row extends object, Op extends Operation, Value extends Json>(name: string, trial: Trial<Row, Op, Value>): void {
  const { strategy, operation } = trial;
  const cluster = clusterOf(trial) as fc.Arbitrary<Cluster<Row, Op> & { size: number }>;
  const three = (which: fc.Arbitrary<Op>) => fc.tuple(which, which, which);

  const holds = (question: Question<Row, Op>, which = operation): void => {
    fc.assert(
      fc.property(cluster, three(which), (state, operations) => {
        expect(question(state, operations)).toBeNull();
      }),
      { numRuns },
    );
  };

  describe(name, () => {
    test('the join of reachable states is commutative, associative and idempotent', () => {
      holds((state) => joinLaws(state.rows(0), state.rows(1), state.rows(2)));
    });
    test('S1: read depends on the rows alone', () => holds((state) => readLaw(trial as never, state.rows(0))));
    test('S2: apply changes no argument', () => holds((state, [one]) => applyLaw(trial as never, state.rows(0), one, 'r0.1')));
    test('S3: rows survive JSON and the check of strangers’ rows', () => holds((state) => rowLaw(trial as never, state.rows(0))));
    test('S4: where step answers, it equals read after apply', () => {
      holds((state, [one]) => stepLaw(trial as never, state.rows(0), one, 'r0.1'));
    });
    test('replicas converge to equal bytes whatever the network did', () => {
      holds((state) => {
        state.heal();
        expect(states(state as never).size).toBe(1);
        return null;
      });
    });

    for (const [operationName, traits] of Object.entries(strategy.operations) as [OperationName, Traits][]) {
      const which = operation.filter((one) => one.operation === operationName);
      trait(`${operationName} commutes`, traits.commutes, which, (state, [first, second]) =>
        commutesLaw(trial, state.rows(0), [first, second]),
      );
      const withOthers = fc.tuple(which, withoutResets(operation), withoutResets(operation)) as never as fc.Arbitrary<Op>;
      trait(`${operationName} is guard-stable`, traits.guardStable, withOthers, (state, [tuple]) => {
        const [mine, ...others] = tuple as never as [Op, Op, Op];
        return guardStableLaw(trial, state.rows(0), mine, others);
      });
    }

    function trait(title: string, claimed: boolean, which: fc.Arbitrary<Op>, question: Question<Row, Op>): void {
      if (claimed) test(`S5: ${title}`, () => holds(question, which));
      else {
        test(`S5: it is denied that ${title}, with a counterexample`, () => {
          const instances = fc.sample(fc.tuple(cluster, three(which)), { numRuns: 400, seed: 1 });
          expect(instances.some(([state, operations]) => question(state, operations) !== null)).toBe(true);
        });
      }
    }
  });
}

const withoutResets = <Op extends Operation>(operation: fc.Arbitrary<Op>) => operation.filter((one) => one.operation !== 'reset');

laws('last-write-wins', lastWrite);
laws('sum-increments', sum);
laws('merge-objects', merge);
laws('max-value', max);
laws('min-value', min);
laws('bounded-counter, with the rules of escrow', bounded);
