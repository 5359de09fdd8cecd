/** What each verb does, in documents. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/strategy/json.ts';
import { isProblem, type RunResult } from '../../src/workflow/index.ts';
import { appOf, createStage, type RequestOptions, type Stage } from './stage.ts';

const app = `cffbrw: 1
app: shop
variables:
  hits: { strategy: sum-increments }
  views: { strategy: sum-increments, keyed: true }
  daily: { strategy: sum-increments, window: { every: day } }
  prefs: { strategy: last-write-wins }
  flags: { strategy: last-write-wins, keyed: true }
  profile: { strategy: merge-objects, keyed: true }
  cart: { strategy: merge-objects }
  bid: { strategy: max-value }
  low: { strategy: min-value, keyed: true }
  stock: { strategy: bounded-counter, initial: 5 }
  seats: { strategy: bounded-counter, initial: 2, keyed: true }
`;

const indent = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
const workflow = (name: string, steps: string, on = `http: { method: POST, path: /${name} }`): string =>
  `cffbrw: 1\nworkflow: ${name}\non: { ${on} }\nsteps:\n${indent(steps)}\n`;

/** One workflow, asked once on a fresh machine. */
async function once(
  steps: string,
  options: RequestOptions = {},
  ...others: string[]
): Promise<{ result: RunResult; stage: Stage }> {
  const stage = await createStage(appOf(app, workflow('w', steps), ...others));
  return { result: await stage.ask('w', options), stage };
}

async function answer(steps: string, options: RequestOptions = {}, ...others: string[]): Promise<Json | undefined> {
  const { result } = await once(steps, options, ...others);
  if (isProblem(result)) throw new Error(JSON.stringify(result));
  return result.body;
}

async function code(steps: string, options: RequestOptions = {}, ...others: string[]): Promise<string | undefined> {
  const { result } = await once(steps, options, ...others);
  return isProblem(result) ? `${result.code ?? result.type} at ${result.step}` : undefined;
}

describe('reading', () => {
  test('What was never written reads as nothing, zero, or an empty offer', async () => {
    const read =
      '- respond: { body: "${ [vars.hits, vars.views.a ?? vars.views[\'a\'], vars.prefs, vars.cart, vars.bid, vars.stock, age(vars.prefs)] }" }';
    await expect(answer(read.replace('vars.views.a ?? ', ''))).resolves.toEqual([
      0,
      0,
      null,
      null,
      { value: null, with: null },
      5,
      0,
    ]);
  });

  test('get reads a value, of this window or the last', async () => {
    const stage = await createStage(
      appOf(
        app,
        workflow('w', '- add: daily\n  amount: 3'),
        workflow(
          'r',
          '- get: daily\n  as: now\n- get: daily\n  window: previous\n  as: before\n- respond: { body: "${ [now, before] }" }',
        ),
      ),
    );
    await stage.ask('w');
    expect(await stage.ask('r')).toMatchObject({ body: [3, 0] });
    await stage.world.run(86_400_000);
    expect(await stage.ask('r')).toMatchObject({ body: [0, 3] });
  });

  test('keys lists those that have a value, in pages', async () => {
    const set = '- each: [b, a, c]\n  item: key\n  do: [{ add: views, key: "${ key }" }]\n';
    await expect(
      answer(
        `${set}- keys: views\n  limit: 2\n  as: first\n- keys: views\n  after: \${ first[1] }\n  as: rest\n- respond: { body: "\${ [first, rest] }" }`,
      ),
    ).resolves.toEqual([['a', 'b'], ['c']]);
    expect(await code('- keys: views\n  limit: 5000\n  as: x')).toBe('INVALID_VALUE at steps[0]');
  });

  test('An expression reads a keyed variable by a key that reads another', async () => {
    const steps =
      '- set: prefs\n  value: { who: ann }\n- add: views\n  key: ann\n  amount: 7\n- respond: { body: "${ vars.views[vars.prefs.who] + vars.views[[\'x\', 1]] }" }';
    await expect(answer(steps)).resolves.toBe(7);
  });

  test('A null key is refused where the read is reached, and only there', async () => {
    expect(await code('- respond: { body: "${ vars.views[request.body] }" }')).toBe('INVALID_KEY at steps[0]');
    await expect(answer('- respond: { body: "${ request.body === null ? 0 : vars.views[request.body] }" }')).resolves.toBe(0);
  });
});

describe('writing', () => {
  test('Every write does what its strategy says', async () => {
    const steps = `
- add: hits
- add: hits
  amount: "\${ request.body.n }"
- set: prefs
  value: { a: 1 }
- merge: profile
  key: ann
  value: { name: Ann, tags: [x] }
- merge: profile
  key: ann
  value: { age: 5 }
- unset: profile
  key: ann
  path: name
- replace: cart
  value: { b: 2 }
- raise: bid
  value: 7
  with: ann
- raise: bid
  value: 5
  as: worse
- lower: low
  key: 1
  value: -3
- unset: flags
  key: x
- respond: { body: "\${ [vars.hits, vars.prefs, vars.profile['ann'], vars.cart, vars.bid, worse, vars.low[1].value] }" }`;
    await expect(answer(steps, { body: { n: 4 } })).resolves.toEqual([
      5,
      { a: 1 },
      { tags: ['x'], age: 5 },
      { b: 2 },
      { value: 7, with: 'ann' },
      { accepted: false },
      -3,
    ]);
  });

  test('reset brings the initial value back', async () => {
    await expect(
      answer('- add: hits\n  amount: 9\n- reset: hits\n- add: hits\n- respond: { body: "${ vars.hits }" }'),
    ).resolves.toBe(1);
  });

  test.each([
    ['- add: hits\n  amount: ${ request.body }', null, 'INVALID_NUMBER at steps[0]'],
    ['- add: hits\n  amount: ${ request.body }', 0.5, 'INVALID_NUMBER at steps[0]'],
    ['- add: hits\n  amount: ${ request.body }', '2', 'INVALID_NUMBER at steps[0]'],
    ['- add: views\n  key: ${ request.body }', null, 'INVALID_KEY at steps[0]'],
    ['- add: views\n  key: ${ request.body }', '', 'INVALID_KEY at steps[0]'],
    ['- add: views\n  key: ${ request.body }', { a: 1 }, 'INVALID_KEY at steps[0]'],
    ['- add: views\n  key: ${ request.body }', [1, null], 'INVALID_KEY at steps[0]'],
    ['- merge: cart\n  value: ${ request.body }', 5, 'INVALID_VALUE at steps[0]'],
    ['- take: stock\n  once: ${ request.body }', null, 'INVALID_KEY at steps[0]'],
    ['- give: stock\n  receipt: ${ request.body }', null, 'INVALID_VALUE at steps[0]'],
    ['- fail: { status: 409, type: gone, title: Gone }', null, 'gone at steps[0]'],
    [
      '- if: request.body ?? true\n  then:\n    - if: request.body\n      then: [{ add: hits }]',
      null,
      'EXPRESSION_FAILED at steps[0].then[0]',
    ],
  ])('%s with %j is refused', async (steps, body, expected) => {
    expect(await code(steps, { body })).toBe(expected);
  });

  test('What a step wrote stays when a later one fails', async () => {
    const { stage } = await once('- add: hits\n- fail: { status: 409, type: x, title: y }');
    expect(await stage.value('hits')).toBe(1);
  });
});

describe('bounded counters', () => {
  test('take, give and confirm settle a receipt once', async () => {
    const steps = `
- take: stock
  amount: 3
  as: mine
- give: stock
  receipt: "\${ mine.receipt }"
  as: back
- give: stock
  receipt: "\${ mine.receipt }"
  as: again
- confirm: stock
  receipt: "\${ mine.receipt }"
  as: late
- respond: { body: "\${ [mine.ok, mine.left, back, again, late.ok, vars.stock] }" }`;
    await expect(answer(steps)).resolves.toEqual(
      [true, 2, { ok: true, reason: null, repeated: false }, { ok: true, reason: null, repeated: true }, false, 5].map((one) =>
        typeof one === 'object' ? expect.objectContaining({ ok: one.ok, repeated: one.repeated }) : one,
      ),
    );
  });

  test('A list of takes is all or nothing, and says what could not be had', async () => {
    const steps = `
- take:
    - take: stock
      amount: 2
    - take: seats
      each: "\${ request.body }"
      item: seat
      key: "\${ seat }"
      amount: 2
  as: order
- respond: { body: "\${ [order.ok, order.failed, vars.stock] }" }`;
    await expect(answer(steps, { body: ['a', 'b'] })).resolves.toEqual([true, null, 3]);
    await expect(answer(steps, { body: ['a', 'a'] })).resolves.toEqual([false, { take: 'seats', key: 'a' }, 5]);
    await expect(answer(steps, { body: [] })).resolves.toEqual([true, null, 3]);
  });

  test.each([{}, { key: 'k' }])('A list of one take says what could not be had, too (%j)', async ({ key }) => {
    const steps =
      '- take: [{ take: seats, key: a, amount: 3 }]\n  as: order\n- respond: { body: "${ [order.ok, order.failed] }" }';
    const asked = await once(steps, key === undefined ? {} : { key });
    const again = await asked.stage.ask('w', key === undefined ? {} : { key });
    for (const result of [asked.result, again]) expect(result).toMatchObject({ body: [false, { take: 'seats', key: 'a' }] });
  });

  test('mint and burn change the stock', async () => {
    await expect(answer('- mint: stock\n  amount: 4\n- burn: stock\n- respond: { body: "${ vars.stock }" }')).resolves.toBe(8);
  });
});

describe('control', () => {
  test('A name is null where its step did not run', async () => {
    await expect(
      answer(
        '- take: stock\n  when: "false"\n  as: t\n- if: "false"\n  then: [{ let: { a: 1 } }]\n- respond: { body: "${ [t, a] }" }',
      ),
    ).resolves.toEqual([null, null]);
  });

  test('let binds in order, and switch takes the first arm that holds', async () => {
    const steps =
      '- let: { a: 2, b: "${ a * 10 }" }\n- switch: [{ when: b === 1, do: [{ let: { c: one } }] }, { when: b === 20, do: [{ let: { c: twenty } }] }, { when: "true", do: [{ let: { c: late } }] }]\n  default: [{ let: { c: none } }]\n- respond: { body: "${ c }" }';
    await expect(answer(steps)).resolves.toBe('twenty');
    await expect(answer(steps.replace('a: 2', 'a: 3').replace('when: "true"', 'when: "false"'))).resolves.toBe('none');
  });

  test('each gives what its iterations returned, in the order of the list', async () => {
    const steps = (concurrency: number) => `
- each: [30, 20, 10]
  item: n
  concurrency: ${concurrency}
  do:
    - wait: "\${ string(n) + 'ms' }"
    - add: hits
    - return: "\${ n * 2 }"
      when: n !== 20
  as: all
- respond: { body: "\${ [all, vars.hits] }" }`;
    await expect(answer(steps(1))).resolves.toEqual([[60, null, 20], 3]);
    await expect(answer(steps(3))).resolves.toEqual([[60, null, 20], 3]);
  });

  test('A failing iteration fails its step after the others that had begun have ended', async () => {
    const { result, stage } = await once(
      '- each: [1, 2, 3, 4]\n  item: n\n  concurrency: 2\n  do:\n    - wait: 10ms\n    - fail: { status: 409, type: one, title: One }\n      when: n === 1\n    - wait: 10ms\n    - add: hits',
    );
    expect(isProblem(result) && result.type).toBe('one');
    expect(await stage.value('hits')).toBe(1);
  });

  test('A respond in an iteration that runs alone ends the run', async () => {
    const { result, stage } = await once(
      '- each: [1, 2, 3]\n  item: n\n  do:\n    - respond: { body: "${ n }" }\n      when: n === 2\n    - add: hits\n- add: hits\n  amount: 100',
    );
    expect(result).toMatchObject({ status: 200, body: 2 });
    expect(await stage.value('hits')).toBe(1);
  });

  test.each([
    ['- each: ${ request.body }\n  item: x\n  do: [{ add: hits }]', null, 'INVALID_VALUE at steps[0]'],
    [
      '- each: ${ request.body }\n  item: x\n  do: [{ add: hits }]',
      Array.from({ length: 1001 }, () => 0),
      'STEP_LIMIT at steps[0]',
    ],
    ['- each: ${ request.body }\n  item: x\n  max: 1\n  do: [{ add: hits }]', [1, 2], 'STEP_LIMIT at steps[0]'],
    [
      '- each: ${ request.body }\n  item: x\n  do:\n    - each: ${ request.body }\n      item: y\n      do: [{ let: { z: 1 } }]',
      Array.from({ length: 200 }, () => 0),
      'STEP_LIMIT at steps[0].do[0].do[0]',
    ],
  ])('%s is limited', async (steps, body, expected) => {
    expect(await code(steps, { body })).toBe(expected);
  });

  test('A run that computes too much ends with EXPRESSION_COST, also when it catches', async () => {
    const steps =
      '- try: [{ let: { z: "${ request.body.map(a => request.body.map(b => request.body.map(c => a + b + c))) }" } }]\n  catch: { do: [{ respond: { body: caught } }] }';
    expect(await code(steps, { body: Array.from({ length: 200 }, (_, index) => index) })).toBe(
      'EXPRESSION_COST at steps[0].try[0]',
    );
  });

  test('Iterations, branches and called workflows draw numbers of their own', async () => {
    const called = workflow('draw', '- return: ${ random() }', 'call: {}');
    const steps = `
- each: [1, 2]
  item: i
  do: [{ return: "\${ random() }" }]
  as: drawn
- parallel: { a: [{ return: "\${ random() }" }], b: [{ return: "\${ random() }" }] }
  as: both
- call: draw
  as: one
- call: draw
  as: other
- respond: { body: "\${ [drawn[0], drawn[1], both.a, both.b, one, other, random()] }" }`;
    const drawn = (await answer(steps, {}, called)) as number[];
    expect(new Set(drawn).size).toBe(7);
  });

  test('A name that a failed attempt bound is null in the next', async () => {
    const steps = `
- try:
    - add: hits
    - let: { first: yes-indeed }
      when: vars.hits === 1
    - fail: { status: 503, type: busy, title: Busy }
      when: vars.hits === 1
  retry: { delay: 1ms, on: [503] }
- respond: { body: "\${ [first, vars.hits] }" }`;
    await expect(answer(steps)).resolves.toEqual([null, 2]);
  });

  test('parallel gives what its branches returned', async () => {
    const branches =
      '- parallel:\n    slow: [{ wait: 20ms }, { return: 1 }]\n    fast: [{ wait: 5ms }, { return: 2 }]\n    none: [{ add: hits }]\n';
    await expect(answer(`${branches}  as: got\n- respond: { body: "\${ got }" }`)).resolves.toEqual({
      slow: 1,
      fast: 2,
      none: null,
    });
    await expect(
      answer(
        `${branches.replace('    none: [{ add: hits }]\n', '')}  settle: first\n  as: got\n- respond: { body: "\${ got }" }`,
      ),
    ).resolves.toEqual({ slow: null, fast: 2 });
    const failing = '- parallel:\n    a: [{ fail: { status: 409, type: a, title: A } }]\n    b: [{ wait: 5ms }, { return: 2 }]\n';
    await expect(answer(`${failing}  settle: any\n  as: got\n- respond: { body: "\${ got }" }`)).resolves.toEqual({
      a: null,
      b: 2,
    });
    expect(await code(failing)).toBe('a at steps[0].parallel.a[0]');
  });

  test('try catches what its steps throw, and finally runs always', async () => {
    const steps = `
- try:
    - let: { before: 1 }
    - fail: { status: 409, type: gone, title: Gone, detail: Sold out }
    - let: { behind: 2 }
  catch: { as: e, do: [{ let: { caught: "\${ e }" } }, { set: prefs, value: "\${ e }" }] }
  finally: [{ add: hits }]
- respond: { body: "\${ [before, behind, vars.prefs, vars.hits] }" }`;
    await expect(answer(steps)).rejects.toThrow();
    await expect(
      answer(
        steps.replace('{ let: { caught: "${ e }" } }, ', '').replace('    - let: { behind: 2 }\n', '').replace(', behind', ''),
      ),
    ).resolves.toEqual([1, { code: 'gone', message: 'Sold out', status: 409, step: 'steps[0].try[1]' }, 1]);
  });

  test('try without catch runs finally, and then fails', async () => {
    const { result, stage } = await once('- try: [{ fail: { status: 409, type: a, title: A } }]\n  finally: [{ add: hits }]');
    expect(isProblem(result) && result.type).toBe('a');
    expect(await stage.value('hits')).toBe(1);
  });

  test('A retry goes on until it works, and begins with no names', async () => {
    const steps = `
- try:
    - let: { seen: "\${ vars.hits }" }
    - add: hits
    - fail: { status: 503, type: busy, title: Busy }
      when: seen < 2
    - let: { done: "\${ seen }" }
  retry: { attempts: 5, delay: 10ms, on: [5xx] }
- respond: { body: "\${ [done, vars.hits] }" }`;
    await expect(answer(steps)).resolves.toEqual([2, 3]);
    expect(await code(steps.replace('attempts: 5', 'attempts: 2'))).toBe('busy at steps[0].try[2]');
    expect(await code(steps.replace('5xx', '404'))).toBe('busy at steps[0].try[2]');
  });

  test('return passes through if, switch and try, and answers 200 at the top', async () => {
    const { result } = await once(
      '- if: "true"\n  then:\n    - switch: [{ when: "true", do: [{ try: [{ return: { a: 1 } }], finally: [{ add: hits }] }] }]\n- add: hits\n  amount: 50',
    );
    expect(result).toEqual({ status: 200, headers: {}, body: { a: 1 } });
  });

  test('call gives what the workflow returned; it sees its request and no name of the caller', async () => {
    const called = workflow(
      'double',
      '- return: ${ request.with.n * 2 }',
      'call: { with: { type: object, properties: { n: { type: integer } } } }',
    );
    await expect(
      answer(
        '- let: { n: 4 }\n- call: double\n  with: { n: "${ n + 1 }" }\n  as: got\n- respond: { body: "${ got }" }',
        {},
        called,
      ),
    ).resolves.toBe(10);
    const endless = workflow('deep', '- call: deep', 'call: {}');
    expect(await code('- call: deep', {}, endless)).toBe('STEP_LIMIT at steps[0]');
  });

  test('fail in a called workflow is caught by try in the caller', async () => {
    const called = workflow('sub', '- fail: { status: 409, type: gone, title: Gone }', 'call: {}');
    await expect(
      answer('- try: [{ call: sub }]\n  catch: { as: e, do: [{ respond: { body: "${ e.code }" } }] }', {}, called),
    ).resolves.toBe('gone');
  });
});

describe('answers', () => {
  test('A path without an answer answers 204', async () => {
    expect((await once('- add: hits')).result).toEqual({ status: 204, headers: {} });
  });

  test('Status, headers and body are as written', async () => {
    const { result } = await once(
      '- respond: { status: "${ 200 + 1 }", headers: { X-One: "${ 1 }", Location: /a, gone: "${ null }" }, body: text }',
    );
    expect(result).toEqual({ status: 201, headers: { 'x-one': '1', location: '/a' }, body: 'text' });
    expect(await code('- respond: { headers: { a: "${ request.body }" } }', { body: 'x\r\nset-cookie: y' })).toBe(
      'RUN_FAILED at steps[0]',
    );
  });

  test('An answer that goes on leaves before the rest, and what fails behind it is logged', async () => {
    const { result, stage } = await once(
      '- respond: { body: early, continue: true }\n- wait: 10s\n- add: hits\n- add: views\n  key: ${ request.body }',
    );
    expect(result).toMatchObject({ status: 200, body: 'early' });
    expect(stage.world.elapsedMs).toBeLessThan(10_000);
    await stage.world.run(11_000);
    expect(await stage.value('hits')).toBe(1);
    expect(stage.logs).toEqual([
      expect.objectContaining({ level: 'error', message: expect.stringContaining('the key of views is null') }),
    ]);
  });

  test('An answer that goes on is durable, too', async () => {
    const stage = await createStage(
      appOf(app, workflow('w', '- add: hits\n- respond: { body: "${ vars.hits }", continue: true }\n- wait: 1s')),
    );
    await stage.value('hits');
    const before = stage.replica.status.commit;
    let commits = -1;
    await stage.world.runUntil(
      stage.begin('w').then(() => {
        commits = stage.replica.status.commit - before;
      }),
    );
    expect(commits).toBe(1);
  });

  test('log reaches the logger', async () => {
    const { stage } = await once('- log: { level: warn, message: "${ 1 + 1 } left", data: { a: "${ request.body }" } }', {
      body: 7,
    });
    expect(stage.logs).toEqual([{ level: 'warn', message: '2 left', data: { a: 7 }, workflow: 'w', id: expect.any(String) }]);
  });

  test('now() is constant in a run, and random() and uuid() are not', async () => {
    const body = (await answer(
      '- let: { a: "${ [now(), random(), uuid()] }" }\n- wait: 5s\n- respond: { body: "${ [a, [now(), random(), uuid()]] }" }',
    )) as [number, number, string][];
    const [[time, random, id] = [0, 0, ''], [laterTime, laterRandom, laterId] = [1, 0, '']] = body;
    expect(laterTime).toBe(time);
    expect(laterRandom).not.toBe(random);
    expect(laterId).not.toBe(id);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('Nothing leaves before what it shows is durable', async () => {
    const stage = await createStage(
      appOf(
        app,
        workflow('w', '- add: hits\n- respond: { body: "${ vars.hits }" }'),
        workflow('r', '- respond: { body: "${ vars.hits }" }'),
      ),
    );
    await stage.ask('r');
    const before = stage.replica.status.commit;
    const order: string[] = [];
    const writing = stage.begin('w').then(() => order.push(`w ${stage.replica.status.commit - before}`));
    // It reads what the other one has written and what is not durable yet.
    const reading = stage
      .begin('r')
      .then((result) => order.push(`r ${JSON.stringify(result)} ${stage.replica.status.commit - before}`));
    expect(stage.replica.status.dirty).toBe(1);
    await stage.world.runUntil(Promise.all([writing, reading]));
    expect(order.sort()).toEqual(['r {"status":200,"headers":{},"body":1} 1', 'w 1']);
  });
});
