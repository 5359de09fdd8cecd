/** Keyed runs: one answer per key, and each effect once, whatever dies in the middle. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import type { KillAt } from '../../src/simulate/process.ts';
import type { Json } from '../../src/strategy/json.ts';
import { isProblem, type RunResult } from '../../src/workflow/index.ts';
import { appOf, createStage, runs, type Stage } from './stage.ts';

const declarations = `cffbrw: 1
app: shop
variables:
  hits: { strategy: sum-increments }
  views: { strategy: sum-increments, keyed: true }
  prefs: { strategy: last-write-wins }
  quick: { strategy: sum-increments, durability: relaxed }
  stock: { strategy: bounded-counter, initial: 5 }
  seats: { strategy: bounded-counter, initial: 3 }
`;
const workflow = (name: string, steps: string, http = ''): string =>
  `cffbrw: 1\nworkflow: ${name}\non: { http: { method: POST, path: /${name}${http} } }\nsteps:\n${steps
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\n`;
const shop = (steps: string, http?: string): App => appOf(declarations, workflow('w', steps, http));

const drawing = '- add: hits\n- respond: { body: "${ [random(), now(), uuid(), vars.hits] }" }';

test('The same key gives the same answer, and another key another', async () => {
  const stage = await createStage(shop(drawing));
  const first = await stage.ask('w', { key: 'a' });
  await stage.world.run(1_000);
  expect(await stage.ask('w', { key: 'a' })).toEqual(first);
  expect(await stage.ask('w', { key: 'b' })).not.toEqual(first);
  expect(await stage.ask('w', { key: 'a', caller: 'ann' })).not.toEqual(first);
  expect(await stage.value('hits')).toBe(3);
});

test('The answer survives a restart', async () => {
  const stage = await createStage(shop(drawing));
  const first = await stage.ask('w', { key: 'a' });
  await stage.start();
  expect(await stage.ask('w', { key: 'a' })).toEqual(first);
  expect(await stage.value('hits')).toBe(1);
});

test('K2 An answer that is kept, but not durable yet, is not told before it is', async () => {
  const stage = await createStage(shop(drawing));
  const first = await stage.ask('w', { key: 'a' });
  stage.disk.faults.syncMs = 1_000;
  const commit = stage.replica.putRecord('run/w//a', await stage.replica.getRecord('run/w//a'));
  expect(stage.replica.durable(commit)).toBeDefined();
  expect(await stage.ask('w', { key: 'a' })).toEqual(first);
  expect(stage.replica.durable(commit)).toBeUndefined();
});

test('Another request under the same key is refused, before and after the first is done', async () => {
  const stage = await createStage(shop('- wait: 1s\n- add: hits'));
  const first = stage.begin('w', { key: 'a', body: 1 });
  const other = await stage.ask('w', { key: 'a', body: 2 });
  expect(isProblem(other) && [other.status, other.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
  await stage.world.runUntil(first);
  const later = await stage.ask('w', { key: 'a', body: 2 });
  expect(isProblem(later) && later.code).toBe('IDEMPOTENCY_MISMATCH');
  expect(await stage.value('hits')).toBe(1);
});

test('A request joins the one with its key that goes on', async () => {
  const stage = await createStage(shop('- add: hits\n- wait: 1s\n- respond: { body: "${ random() }" }'));
  const both = await stage.world.runUntil(Promise.all([stage.begin('w', { key: 'a' }), stage.begin('w', { key: 'a' })]));
  expect(both[0]).toEqual(both[1]);
  expect(await stage.value('hits')).toBe(1);
});

test.each([
  ['', 'a'],
  ['x'.repeat(256), 'a'],
  ['\uD800', 'a'],
])('The key %j is refused', async (key) => {
  const stage = await createStage(shop(drawing));
  const result = await stage.ask('w', { key });
  expect(isProblem(result) && result.code).toBe('INVALID_INPUT');
});

test('A refusal that says "not now" is not kept, any other is', async () => {
  const stage = await createStage(shop('- add: hits\n- fail: { status: "${ vars.prefs ?? 503 }", type: t, title: T }'));
  const statuses = [];
  for (let round = 0; round < 2; round++) statuses.push((await stage.ask('w', { key: 'a' })).status);
  expect(statuses).toEqual([503, 503]);
  const address = stage.replica.address('prefs');
  const slot = stage.replica.peek(address);
  if (slot !== undefined) stage.replica.update(slot, { operation: 'set', value: 409 } as never);
  // Not what it read before its last effect, but what comes after it, is asked again.
  expect((await stage.ask('w', { key: 'a' })).status).toBe(409);
  if (slot !== undefined) stage.replica.update(stage.replica.peek(address) ?? slot, { operation: 'set', value: 410 } as never);
  expect((await stage.ask('w', { key: 'a' })).status).toBe(409);
  expect(await stage.value('hits')).toBe(1);
});

test('A record is forgotten after its time, and its memory with it', async () => {
  const stage = await createStage(shop(drawing, ', idempotency: { keep: 1h }'));
  const first = await stage.ask('w', { key: 'a' });
  for (let index = 0; index < 130; index++) await stage.ask('w', { key: `k${index}` });
  await stage.world.run(3_500_000);
  expect(await stage.ask('w', { key: 'a' })).toEqual(first);
  await stage.world.run(200_000);
  expect(await stage.ask('w', { key: 'a' })).not.toEqual(first);
  for (let index = 0; index < 5; index++) {
    await stage.ask('w', { key: `new${index}` });
    await stage.world.run(1_000);
  }
  expect(await stage.world.runUntil(stage.replica.getRecord('run/w//k5'))).toBeNull();
  expect(await stage.world.runUntil(stage.replica.getRecord('run/w//k100'))).toBeNull();
  expect(await stage.world.runUntil(stage.replica.getRecord('run/w//a'))).not.toBeNull();
});

test('A run without a key leaves no record', async () => {
  const stage = await createStage(shop(drawing));
  await stage.ask('w');
  expect(await stage.world.runUntil(stage.replica.getRecord('run-sweep/0'))).toBeNull();
});

test('An interrupted run is not taken up by another version of its workflow', async () => {
  const stage = await createStage(shop('- add: hits\n- wait: 10s\n- respond: { body: 1 }'));
  void stage.begin('w', { key: 'a' });
  await stage.world.run(1_000);
  const other = await createStage(shop('- add: hits\n- wait: 9s\n- respond: { body: 1 }'), 'workflow', {}, stage);
  const result = await other.ask('w', { key: 'a' });
  expect(isProblem(result) && [result.code, result.detail]).toEqual([
    'RUN_FAILED',
    'the run was interrupted, and the workflow w has changed since',
  ]);
});

/** A run whose first write is lost while its take waits, and the same again on a sound disk. `asks`: whether a take asks before it takes. */
async function losing(stage: Stage, asks: boolean): Promise<readonly [RunResult, RunResult]> {
  await stage.value('stock');
  const { replica } = stage;
  const take = replica.take.bind(replica);
  let slow = true;
  replica.take = async (requests, options) => {
    if (slow) await new Promise<void>((resolve) => stage.process.host.after(100, resolve));
    const { deciding, ...others } = options ?? {};
    return take(requests, asks && deciding ? { ...others, deciding } : others);
  };
  stage.disk.faults.full = true;
  const asking = stage.begin('w', { key: 'a' });
  await stage.world.run(50);
  stage.disk.faults.full = false;
  const refused = await stage.world.runUntil(asking);
  await stage.world.run(10_000);
  slow = false;
  return [refused, await stage.ask('w', { key: 'a' })];
}

const adding = (take: string) => shop(`- add: hits\n- take: stock\n  ${take}as: t\n- respond: { body: "\${ t.left }" }`);

test.each([
  '',
  'strong: true\n  ',
  'once: ann\n  ',
])('A take (%j) that waited while an earlier write of its run was lost takes nothing, so that nothing has to go back', async (options) => {
  const stage = await createStage(adding(options));
  stage.replica.give = () => Promise.reject(new Error('nothing can be given back'));
  const [refused, answered] = await losing(stage, true);
  expect([refused.status, answered]).toMatchObject([507, { status: 200, body: 4 }]);
  expect([await stage.value('hits'), await stage.value('stock')]).toEqual([1, 4]);
});

test('One that was decided elsewhere, without asking, goes back as soon as that can be written', async () => {
  const stage = await createStage(adding(''));
  const give = stage.replica.give.bind(stage.replica);
  let failures = 3;
  stage.replica.give = (receipt) => (failures-- > 0 ? Promise.reject(new Error('not now')) : give(receipt));
  const [refused, answered] = await losing(stage, false);
  expect([refused.status, answered.status, failures]).toEqual([507, 200, -1]);
  expect([await stage.value('hits'), await stage.value('stock')]).toEqual([1, 4]);
});

const everything = `
- let: { r: "\${ random() }", before: "\${ vars.hits }" }
- add: hits
  amount: 2
- wait: 20ms
- take: stock
  as: one
- add: quick
- set: prefs
  value: { time: "\${ now() }", r: "\${ r }", id: "\${ uuid() }", seen: "\${ vars.hits }" }
- wait: 20ms
- take: [{ take: seats, amount: 1 }, { take: stock, amount: 1 }]
  as: two
- each: [a, b]
  item: key
  concurrency: 2
  as: drawn
  do:
    - wait: 5ms
    - add: views
      key: "\${ key }"
    - return: "\${ random() }"
- try:
    - add: views
      key: "\${ request.body }"
  catch: { as: e, do: [{ add: views, key: caught }] }
- give: seats
  receipt: "\${ two.receipt }"
  as: back
- add: hits
- respond:
    body: { time: "\${ now() }", r: "\${ r }", before: "\${ before }", one: "\${ one.receipt }", two: "\${ two.receipt }", drawn: "\${ drawn }", hits: "\${ vars.hits }", next: "\${ random() }" }
`;

/** All effects, once each. */
async function effects(stage: Stage): Promise<Json> {
  const { seen } = (await stage.value('prefs')) as { seen: number };
  return [
    await stage.value('hits'),
    await stage.value('stock'),
    await stage.value('seats'),
    ...[await stage.value('views', 'a'), await stage.value('views', 'b'), await stage.value('views', 'caught')],
    seen,
  ];
}
// `give` returns the whole list: of what was taken, one unit of stock is gone.
const rightEffects = [3, 4, 3, 1, 1, 1, 2];

interface Story {
  readonly answers: readonly (RunResult | null)[];
  readonly stage: Stage;
}

/** Asks, dies at a place, starts again, and asks again with the same key. */
async function dyingAt(app: App, seed: string, deaths: readonly KillAt[]): Promise<Story> {
  const stage = await createStage(app, seed);
  const answers: (RunResult | null)[] = [];
  for (const death of deaths) {
    const started = await stage.start(death);
    if (started) answers.push(await stage.tryAsk('w', { key: 'a' }));
    // What was on its way to the disk gets there, or not.
    await stage.world.run(1_000);
  }
  await stage.start();
  answers.push(await stage.ask('w', { key: 'a' }));
  return { answers, stage };
}

async function awaitsOf(app: App): Promise<readonly [opening: number, all: number]> {
  const stage = await createStage(app, 'count');
  await stage.start();
  const opening = stage.process.awaits;
  await stage.ask('w', { key: 'a' });
  return [opening, stage.process.awaits];
}

/** What was written before a death, and what is answered after it, are of one run. */
async function check(answers: readonly (RunResult | null)[], stage: Stage): Promise<void> {
  const given = answers.filter((answer) => answer !== null);
  for (const answer of given) {
    expect(isProblem(answer) ? answer : answer.status).toBe(200);
    // Whoever got an answer gets the same one again.
    expect(answer).toEqual(given[0]);
  }
  const { time, r } = (await stage.value('prefs')) as { time: number; r: number };
  expect(given[0]).toMatchObject({ body: { time, r, before: 0, hits: 3 } });
}

describe('a run that dies is taken up where it stopped', () => {
  test('at every await of the process, before, during and after it', async () => {
    const app = shop(everything);
    const [opening, all] = await awaitsOf(app);
    expect(all - opening).toBeGreaterThan(15);
    for (let at = opening + 1; at <= all; at++) {
      for (const when of ['before', 'during', 'after'] as const) {
        const { answers, stage } = await dyingAt(app, `${at} ${when}`, [{ await: at, when }]);
        await check(answers, stage);
        expect([at, when, await effects(stage)]).toEqual([at, when, rightEffects]);
      }
    }
  });

  test('again and again', async () => {
    const app = shop(everything);
    const [, all] = await awaitsOf(app);
    const death = fc.record({
      await: fc.integer({ min: 1, max: all }),
      when: fc.constantFrom('before' as const, 'during' as const, 'after' as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(death, { minLength: 2, maxLength: 6 }), fc.string({ maxLength: 4 }), async (deaths, seed) => {
        const { answers, stage } = await dyingAt(app, seed, deaths);
        await check(answers, stage);
        expect(await effects(stage)).toEqual(rightEffects);
      }),
      { numRuns: runs(25) },
    );
  });

  test('on a disk that fails again and again', async () => {
    const app = shop(everything);
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 8 }), fc.constantFrom(0.2, 0.5), async (seed, syncFailure) => {
        const stage = await createStage(app, seed);
        const seen: RunResult[] = [];
        for (let round = 0; round < 40 && !seen.some((one) => one.status === 200); round++) {
          stage.disk.faults.syncFailure = round < 30 ? syncFailure : 0;
          stage.disk.faults.full = round % 5 === 3;
          seen.push(await stage.ask('w', { key: 'a' }));
        }
        Object.assign(stage.disk.faults, { syncFailure: 0, full: false });
        for (const refused of seen.slice(0, -1)) expect([503, 507]).toContain(refused.status);
        await check([...seen.slice(-1), await stage.ask('w', { key: 'a' })], stage);
        expect(await effects(stage)).toEqual(rightEffects);
      }),
      { numRuns: runs(30) },
    );
  });

  test.each([
    ['mints', '- mint: seats\n  amount: 2', 5],
    ['burns', '- burn: seats\n  amount: 2', 1],
    ['mints and burns', '- mint: seats\n  amount: 4\n- burn: seats\n  amount: 2', 5],
  ])('and %s exactly once', async (_title, steps, seats) => {
    const app = shop(`${steps}\n- add: hits\n- wait: 5ms\n- add: hits`);
    const [opening, all] = await awaitsOf(app);
    for (let at = opening + 1; at <= all; at++) {
      for (const when of ['before', 'during', 'after'] as const) {
        const { stage } = await dyingAt(app, `${at} ${when}`, [{ await: at, when }]);
        expect([at, when, await stage.value('hits'), await stage.value('seats')]).toEqual([at, when, 2, seats]);
      }
    }
  });

  test('and mints exactly once, however often it dies', async () => {
    const app = shop('- mint: seats\n  amount: 4\n- add: hits\n- burn: seats\n  amount: 2\n- add: hits');
    const [, all] = await awaitsOf(app);
    const death = fc.record({
      await: fc.integer({ min: 1, max: all }),
      when: fc.constantFrom('before' as const, 'during' as const, 'after' as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(death, { minLength: 2, maxLength: 6 }), fc.string({ maxLength: 4 }), async (deaths, seed) => {
        const { stage } = await dyingAt(app, seed, deaths);
        expect([await stage.value('hits'), await stage.value('seats')]).toEqual([2, 5]);
      }),
      { numRuns: runs(15) },
    );
  });

  test('what is refused is refused again, and burns nothing', async () => {
    const stage = await createStage(shop('- burn: seats\n  amount: 4\n- add: hits'));
    const [first, second] = [await stage.ask('w', { key: 'a' }), await stage.ask('w', { key: 'a' })];
    expect([isProblem(first) && first.code, second]).toEqual(['OUT_OF_RANGE', first]);
    expect([await stage.value('hits'), await stage.value('seats')]).toEqual([0, 3]);
  });
});
