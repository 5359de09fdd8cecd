/** A run that did something is never refused with a code that says that nothing was done, so that it may be asked again. */
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { isProblem, type RunResult } from '../../src/workflow/index.ts';
import { createHttpStage, httpApp, json } from './http-stage.ts';
import { appOf, createStage, type RequestOptions, type Stage } from './stage.ts';

const declarations = `cffbrw: 1
app: shop
variables:
  hits: { strategy: sum-increments }
  views: { strategy: sum-increments }
  prefs: { strategy: last-write-wins }
  best: { strategy: max-value }
  quick: { strategy: sum-increments, durability: relaxed }
  stock: { strategy: bounded-counter, initial: 5 }
`;
const workflow = (name: string, steps: string): string =>
  `cffbrw: 1\nworkflow: ${name}\non: { http: { method: POST, path: /${name} } }\nsteps:\n${steps
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\n`;
const shop = (steps: string, other = '- add: hits'): App => appOf(declarations, workflow('w', steps), workflow('v', other));

/** Asks, and lets the disk be full from half a second on. */
async function askUntilFull(stage: Stage, options: RequestOptions = {}): Promise<RunResult> {
  const asked = stage.begin('w', options);
  await stage.world.run(500);
  stage.disk.faults.full = true;
  const result = await stage.world.runUntil(asked);
  stage.disk.faults.full = false;
  return result;
}

const later = { status: 507, code: 'DISK_FULL', retry: 'later' };
const sameKey = { status: 503, code: 'STORE_FAILED', title: 'Store failed', retry: 'same-key' };

test('What one commit was to hold was not done', async () => {
  const stage = await createStage(shop('- add: hits\n- take: stock\n- add: views'));
  stage.disk.faults.full = true;
  expect(await stage.ask('w')).toMatchObject(later);
  stage.disk.faults.full = false;
  expect([await stage.value('hits'), await stage.value('stock')]).toEqual([0, 5]);
});

test.each([
  '- add: quick\n- add: hits',
  '- take: stock',
  '- take: stock\n  hold: 1h',
  '- take: stock\n  once: ann',
  '- mint: stock',
  '- burn: stock',
])('Alone it was not done either: %j', async (steps) => {
  const stage = await createStage(shop(steps));
  stage.disk.faults.full = true;
  expect(await stage.ask('w')).toMatchObject(later);
  stage.disk.faults.full = false;
  expect(await stage.value('stock')).toBe(5);
});

describe('After something that stays, it says so:', () => {
  test.each([
    ['a write', '- add: hits'],
    ['a relaxed write', '- add: quick'],
    ['a take', '- take: stock'],
    ['a hold', '- take: stock\n  hold: 1h'],
    ['a take of a key', '- take: stock\n  once: ann'],
    ['a mint', '- mint: stock'],
    ['a burn', '- burn: stock'],
    ['a take that was given back', '- take: stock\n  as: t\n- give: stock\n  receipt: "${ t.receipt }"'],
    ['a branch', '- parallel: { a: [{ add: hits }], b: [{ wait: 10ms }] }'],
    ['a called workflow', '- call: part'],
  ])('%s', async (_, step) => {
    const part = 'cffbrw: 1\nworkflow: part\non: { call: {} }\nsteps: [{ add: hits }]\n';
    const app = appOf(declarations, workflow('w', `${step}\n- wait: 1s\n- add: views`), part);
    const result = await askUntilFull(await createStage(app));
    expect(result).toMatchObject(sameKey);
    expect(isProblem(result) && result.detail).toBe('Some of it was done, and then: Disk full.');
  });

  test.each([
    ['reads', '- get: hits\n  as: h'],
    ['what changes nothing', '- raise: best\n  value: -1'],
    ['a refused take', '- take: stock\n  amount: 6\n  as: t\n- if: t.ok\n  then: [{ add: hits }]'],
    ['a receipt that is none', '- give: stock\n  receipt: forged\n  as: g\n- if: g.ok\n  then: [{ add: hits }]'],
  ])('but not after %s', async (_, step) => {
    const stage = await createStage(shop(`${step}\n- wait: 1s\n- add: views`, '- add: hits\n- raise: best\n  value: 3'));
    await stage.ask('v');
    // What they touch is another run's, and not durable yet.
    const other = stage.begin('v');
    expect(await askUntilFull(stage)).toMatchObject(later);
    await stage.world.runUntil(other);
  });

  test('a receipt of another run that was given back', async () => {
    const give = '- give: stock\n  receipt: "${ request.body }"\n- wait: 1s\n- add: views';
    const take = '- take: stock\n  as: t\n- return: "${ t.receipt }"';
    const stage = await createStage(shop(give, take));
    const taken = await stage.ask('v');
    const body = isProblem(taken) ? null : (taken.body ?? null);
    expect(await askUntilFull(stage, { body })).toMatchObject(sameKey);
    // What was given back before is nothing that this run did.
    expect(await askUntilFull(stage, { body })).toMatchObject(later);
  });

  test('also when the first write failed and a later one did not', async () => {
    const stage = await createStage(shop('- add: hits\n- wait: 1s\n- add: views'));
    stage.disk.faults.full = true;
    const asked = stage.begin('w');
    await stage.world.run(500);
    stage.disk.faults.full = false;
    expect(await stage.world.runUntil(asked)).toMatchObject(sameKey);
    expect([await stage.value('hits'), await stage.value('views')]).toEqual([0, 1]);
  });

  test('and when none of several commits could be kept, nothing', async () => {
    const stage = await createStage(shop('- add: hits\n- wait: 1s\n- add: views'));
    stage.disk.faults.full = true;
    expect(await stage.ask('w')).toMatchObject(later);
  });

  test('also when a step is refused, and not a commit', async () => {
    for (const [first, expected] of [
      ['- add: hits', sameKey],
      ['- get: hits\n  as: h', { retry: 'later' }],
    ] as const) {
      const stage = await createStage(shop(`${first}\n- wait: 1s\n- add: views`));
      const asked = stage.begin('w');
      await stage.world.run(500);
      await stage.world.runUntil(stage.replica.close());
      expect(await stage.world.runUntil(asked)).toMatchObject(expected);
    }
  });

  test('also when it is refused before what it did not wait for is durable, and only if it then is', async () => {
    for (const full of [false, true]) {
      const stage = await createStage(shop('- add: quick\n- set: prefs\n  value: 1', '- set: prefs\n  value: 0'));
      // A clock that is back from ten minutes ahead issues no stamps.
      stage.world.host('here').skewMs = 600_000;
      await stage.ask('v');
      stage.world.host('here').skewMs = 0;
      Object.assign(stage.disk.faults, { full, syncMs: 1_000 });
      const result = await stage.ask('w');
      expect(result).toMatchObject(full ? { code: 'CLOCK_SUSPECT', retry: 'later' } : sameKey);
      expect(await stage.value('quick')).toBe(full ? 0 : 1);
    }
  });

  test('also when the run has answered and goes on', async () => {
    const stage = await createStage(shop('- add: hits\n- respond: { continue: true }\n- wait: 1s\n- add: views'));
    stage.disk.faults.full = true;
    expect(await stage.ask('w')).toMatchObject(sameKey);
    stage.disk.faults.full = false;
    await stage.world.run(2_000);
    expect(await stage.value('views')).toBe(1);
  });
});

describe('Of another server that was asked', () => {
  test.each([
    ['POST', sameKey],
    ['PUT', later],
    ['GET', later],
  ])('%s', async (method, expected) => {
    const stage = await createHttpStage(httpApp(`- http: https://api.test/\n  method: ${method}\n- wait: 1s\n- add: hits`), () =>
      json({}),
    );
    expect(await askUntilFull(stage)).toMatchObject(expected);
    expect(stage.requests).toHaveLength(1);
  });
});

describe('A keyed run', () => {
  test('says the same, and its retry does the rest', async () => {
    const stage = await createStage(shop('- add: hits\n- wait: 1s\n- add: views\n- respond: { body: 1 }'));
    expect(await askUntilFull(stage, { key: 'a' })).toMatchObject(sameKey);
    expect(await stage.ask('w', { key: 'a' })).toMatchObject({ status: 200 });
    expect([await stage.value('hits'), await stage.value('views')]).toEqual([1, 1]);
  });

  test('says it also when its retry does nothing', async () => {
    const stage = await createStage(shop('- add: hits\n- wait: 1s\n- add: views\n- respond: { body: 1 }'));
    await askUntilFull(stage, { key: 'a' });
    stage.disk.faults.full = true;
    expect(await stage.ask('w', { key: 'a' })).toMatchObject(sameKey);
  });

  test('says it also when only its answer cannot be kept', async () => {
    const stage = await createStage(shop('- add: hits\n- wait: 1s\n- respond: { body: 1 }'));
    const asked = stage.begin('w', { key: 'a' });
    await stage.world.run(500);
    await stage.world.runUntil(stage.replica.close());
    expect(await stage.world.runUntil(asked)).toMatchObject(sameKey);
  });

  test('whose answer may not be durable is not refused as one that did nothing', async () => {
    const stage = await createStage(shop('- add: hits\n- respond: { body: 1 }'));
    await stage.ask('w', { key: 'a' });
    stage.disk.faults.full = true;
    void stage.begin('v');
    expect(await stage.ask('w', { key: 'a' })).toMatchObject(sameKey);
  });
});
