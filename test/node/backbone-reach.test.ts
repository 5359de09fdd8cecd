/** That the backbone is out of reach, and back, is told once each. */
import { expect, test } from 'vitest';
import type { Backbone } from '../../src/backbone/index.ts';
import { CffbrwError } from '../../src/error.ts';
import { type Reach, tellingReach } from '../../src/node/backbone-reach.ts';
import { nodeHost } from '../../src/node/host.ts';

function stage() {
  const told: Reach[] = [];
  const state = { error: null as Error | null, unpublished: 0, elapsedMs: 0 };
  const given = { identity: () => (state.error === null ? Promise.resolve('one') : Promise.reject(state.error)) };
  const backbone = tellingReach(given as Backbone, {
    host: { ...nodeHost, elapsed: () => state.elapsedMs },
    unpublished: () => state.unpublished,
    tell: (reach) => told.push(reach),
  });
  const ask = (error: Error | null = null) => {
    state.error = error;
    return backbone.identity().catch((refusal: Error) => refusal);
  };
  return { told, state, ask };
}

const silent = new CffbrwError('UNREACHABLE', 'nobody answers');

test('an outage is told when it begins and when it ends, with how long it was and how many rows waited', async () => {
  const { told, state, ask } = stage();
  expect(await ask()).toBe('one');
  for (const unpublished of [1, 7, 3]) {
    state.unpublished = unpublished;
    expect(await ask(silent)).toBe(silent);
    state.elapsedMs += 1_000;
  }
  state.unpublished = 0;
  expect([await ask(), await ask()]).toEqual(['one', 'one']);
  expect(told).toEqual([
    { reached: false, error: silent },
    { reached: true, afterMs: 3_000, waited: 7 },
  ]);
  await ask(silent);
  expect(told).toHaveLength(3);
});

test('what is no outage is not told: a call that was refused for another reason, or that came after the end', async () => {
  const { told, ask } = stage();
  await ask(new CffbrwError('CLOSED', 'the connection is closed'));
  await ask(new Error('a mistake'));
  await ask();
  expect(told).toEqual([]);
});
