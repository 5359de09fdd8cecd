/** What has left for another server is durable here, and in a keyed run it leaves once: whatever dies, whenever. */
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { CffbrwError } from '../../src/error.ts';
import type { KillAt } from '../../src/simulate/process.ts';
import { isProblem, type RunResult } from '../../src/workflow/index.ts';
import { createHttpStage, type HttpStage, httpApp, json, type Script } from './http-stage.ts';
import type { RequestOptions } from './stage.ts';

const ok: Script = (_, index) => json({ index });

/** Every call that the process awaits while it answers one request: [the last one of its start, the last one of all]. */
async function awaitsOf(app: App, script: Script, options: RequestOptions): Promise<readonly [number, number]> {
  const stage = await createHttpStage(app, script);
  const opening = stage.process.awaits;
  await stage.ask('w', options);
  return [opening, stage.process.awaits];
}

interface Death {
  readonly stage: HttpStage;
  readonly at: KillAt;
  readonly answer: RunResult | null;
}

/** Asks once for every place where the process can die, and starts it again. */
async function* deaths(app: App, script: Script, options: RequestOptions = {}, seeds = 1): AsyncGenerator<Death> {
  const [opening, all] = await awaitsOf(app, script, options);
  expect(all - opening).toBeGreaterThan(3);
  for (let at = opening + 1; at <= all; at++) {
    for (const when of ['before', 'during', 'after'] as const) {
      for (let seed = 0; seed < seeds; seed++) {
        const stage = await createHttpStage(app, script, { seed: `${at} ${when} ${seed}` });
        await stage.start({ await: at, when });
        const answer = await stage.tryAsk('w', options);
        await stage.world.run(20_000);
        await stage.start();
        yield { stage, at: { await: at, when }, answer };
      }
    }
  }
}

describe('the output gate', () => {
  const steps = '- add: hits\n- http: https://api.test/${ vars.hits }\n- add: hits\n- http: https://api.test/${ vars.hits }';

  test('A request leaves after the commit of what it stands on, and only then', async () => {
    const app = httpApp(steps);
    const stage = await createHttpStage(app, ok);
    const commits: unknown[] = [];
    const gated = await createHttpStage(app, () => {
      commits.push(gated.replica.durable(gated.replica.pending() - 1));
      return json({});
    });
    await gated.ask('w');
    // Undefined: nothing before what is not yet begun is left to be waited for.
    expect(commits).toEqual([undefined, undefined]);
    const asked = stage.begin('w');
    expect(stage.requests).toEqual([]);
    await stage.world.runUntil(asked);
    expect(stage.requests.map(({ url }) => url)).toEqual(['https://api.test/1', 'https://api.test/2']);
  });

  test('Nothing of a run that stands on nothing new waits', async () => {
    const stage = await createHttpStage(httpApp('- http: https://api.test/${ vars.hits }'), ok);
    await stage.value('hits');
    const before = stage.process.awaits;
    await stage.ask('w');
    // The request and its timer.
    expect(stage.process.awaits - before).toBe(2);
  });

  test('What was sent is there after every death', async () => {
    let sent = 0;
    for await (const { stage, at } of deaths(httpApp(steps), ok, {}, 4)) {
      const told = Math.max(0, ...stage.requests.map(({ url }) => Number(url.split('/').at(-1))));
      sent += stage.requests.length;
      const kept = (await stage.value('hits')) as number;
      expect([at, kept >= told]).toEqual([at, true]);
    }
    expect(sent).toBeGreaterThan(0);
  });

  test('What another run has written is durable before it is told', async () => {
    const app = httpApp('- http: https://api.test/${ vars.hits }', '- add: hits\n  amount: 5\n- wait: 1s');
    let told = 0;
    for (let seed = 0; seed < 20; seed++) {
      const stage = await createHttpStage(app, ok, { seed: `reader ${seed}` });
      await stage.value('hits');
      void stage.begin('v');
      await Promise.resolve();
      void stage.begin('w');
      await stage.world.run((seed * 7) % 40);
      await stage.start();
      const kept = (await stage.value('hits')) as number;
      for (const { url } of stage.requests) {
        told += 1;
        expect([url, kept]).toEqual(['https://api.test/5', 5]);
      }
    }
    expect(told).toBeGreaterThan(0);
  });

  test('A request that stands on a failed commit does not leave, whatever catches the failure', async () => {
    const caught = `- add: hits\n- try: [{ http: https://api.test/ }]\n  catch: { do: [{ http: https://other.test/ }] }`;
    for (const key of [undefined, 'a']) {
      const stage = await createHttpStage(httpApp(caught), ok);
      stage.disk.faults.syncFailure = 1;
      const result = await stage.ask('w', key === undefined ? {} : { key });
      expect(isProblem(result) && result.code).toBe('STORE_FAILED');
      expect(stage.requests).toEqual([]);
    }
  });
});

describe('keyed runs', () => {
  const key = { key: 'a' };
  const post = (fields = '') => `
- add: hits
- http: https://api.test/
  method: POST
  headers: { idempotency-key: "\${ uuid() }" }
  body: { r: "\${ random() }", at: "\${ now() }", hits: "\${ vars.hits }" }${fields}
  as: answer
- add: hits
- respond: { body: "\${ answer.body }" }`;
  const same = ({ requests }: HttpStage): void => {
    const first = requests[0];
    for (const { url, headers, body } of requests)
      expect({ url, headers, body }).toMatchObject({ url: first?.url, headers: first?.headers, body: first?.body });
  };

  test('A retry gets the first answer, and asks nobody', async () => {
    const stage = await createHttpStage(httpApp(post()), ok);
    const first = await stage.ask('w', key);
    expect(first).toMatchObject({ status: 200, body: { index: 0 } });
    expect(await stage.ask('w', key)).toEqual(first);
    await stage.start();
    expect(await stage.ask('w', key)).toEqual(first);
    expect(stage.requests.length).toBe(1);
  });

  test('What may not be repeated is sent once, and a retry knows what became of it or says that nobody does', async () => {
    const seen = { unknown: 0, known: 0 };
    for await (const { stage, at, answer } of deaths(httpApp(post()), ok, key)) {
      const retried = await stage.ask('w', key);
      expect([at, stage.requests.length]).toEqual([at, stage.requests.length === 0 ? 0 : 1]);
      if (answer !== null) expect(retried).toEqual(answer);
      if (isProblem(retried)) {
        seen.unknown += 1;
        expect(retried).toMatchObject({
          code: 'HTTP_FAILED',
          detail: 'the request was sent before, and what became of it is unknown',
        });
        expect(await stage.ask('w', key)).toEqual(retried);
        expect(await stage.value('hits')).toBe(1);
      } else {
        seen.known += 1;
        expect(retried.body).toEqual({ index: 0 });
        expect(await stage.value('hits')).toBe(2);
      }
      expect(stage.requests.length).toBeLessThanOrEqual(1);
    }
    expect(seen.unknown).toBeGreaterThan(0);
    expect(seen.known).toBeGreaterThan(seen.unknown);
  });

  test.each([
    'idempotent POST',
    'PUT',
  ])('A %s is sent again, the same to the last byte, until its answer is kept', async (kind) => {
    const steps = kind === 'PUT' ? post().replace('POST', 'PUT') : post('\n  idempotent: true');
    let repeated = 0;
    for await (const { stage, at, answer } of deaths(httpApp(steps), ok, key, 2)) {
      const retried = await stage.ask('w', key);
      expect([at, retried.status]).toEqual([at, 200]);
      if (answer !== null) expect(retried).toEqual(answer);
      same(stage);
      repeated += stage.requests.length > 1 ? 1 : 0;
      expect(await stage.value('hits')).toBe(2);
      const count = stage.requests.length;
      expect(await stage.ask('w', key)).toEqual(retried);
      expect(stage.requests.length).toBe(count);
    }
    expect(repeated).toBeGreaterThan(0);
  });

  test('A PUT that says that it may not be repeated is not', async () => {
    for await (const { stage } of deaths(httpApp(post('\n  idempotent: false').replace('POST', 'PUT')), ok, key)) {
      await stage.ask('w', key);
      expect(stage.requests.length).toBeLessThanOrEqual(1);
    }
  });

  test('What never left is sent by the retry, with the same values', async () => {
    const script: Script = (_, index) => {
      if (index < 2) throw new CffbrwError('UNREACHABLE', 'no');
      return json({ index });
    };
    const stage = await createHttpStage(httpApp(post()), script);
    expect(await stage.ask('w', key)).toMatchObject({ code: 'UNREACHABLE', status: 503 });
    await stage.start();
    expect(await stage.ask('w', key)).toMatchObject({ code: 'UNREACHABLE' });
    expect(await stage.ask('w', key)).toMatchObject({ status: 200, body: { index: 2 } });
    same(stage);
    expect(await stage.value('hits')).toBe(2);
  });

  test('An answer that is not accepted stays the answer of what may not be repeated', async () => {
    const stage = await createHttpStage(httpApp(post()), () => json({ why: 'declined' }, 402));
    const first = await stage.ask('w', key);
    expect(first).toMatchObject({ code: 'HTTP_FAILED', status: 502 });
    await stage.start();
    expect(await stage.ask('w', key)).toEqual(first);
    expect(stage.requests.length).toBe(1);
  });

  test('What may be repeated is asked again by the retry', async () => {
    const stage = await createHttpStage(httpApp(post('\n  idempotent: true')), (_, index) =>
      json({ index }, index === 0 ? 500 : 200),
    );
    expect(await stage.ask('w', key)).toMatchObject({ code: 'HTTP_FAILED', status: 502 });
    await stage.start();
    expect(await stage.ask('w', key)).toMatchObject({ status: 200, body: { index: 1 } });
    same(stage);
  });

  test('After no answer in time, nobody sends it again that may not', async () => {
    const stage = await createHttpStage(httpApp(post()), () => new Promise(() => {}));
    expect(await stage.ask('w', key)).toMatchObject({ code: 'TIMEOUT', status: 504 });
    expect(await stage.ask('w', key)).toMatchObject({ code: 'HTTP_FAILED' });
    expect(stage.requests.length).toBe(1);
  });

  test('A run that tries, fails, catches and goes on does so again after every death', async () => {
    const steps = `
- try:
    - http: https://api.test/one
      method: POST
      as: one
  retry: { attempts: 3, delay: 10ms, on: [5xx, UNREACHABLE] }
  catch: { as: e, do: [{ set: log, value: "\${ e }" }] }
- http: https://api.test/two
  idempotent: true
  as: two
- add: hits
- respond: { body: { two: "\${ two.status }", log: "\${ vars.log }" } }`;
    const script: Script = ({ url }, index) => {
      if (url.endsWith('two')) return json({});
      if (index === 0) throw new CffbrwError('UNREACHABLE', 'no');
      return json({ index: 'broken' }, index === 1 ? 500 : 409);
    };
    for await (const { stage, at, answer } of deaths(httpApp(steps), script, key)) {
      const retried = await stage.ask('w', key);
      expect([at, retried.status]).toEqual([at, 200]);
      if (answer !== null) expect(retried).toEqual(answer);
      const ones = stage.requests.filter(({ url }) => url.endsWith('one')).length;
      expect([at, ones <= 3]).toEqual([at, true]);
      const { log } = (retried as unknown as { body: { log: { code: string; status: number; body?: unknown } } }).body;
      expect(log.code).toBe('HTTP_FAILED');
      // As it was answered, the last time; or, if a death came between, that nobody knows.
      if (log.status !== 502) expect(log).toMatchObject({ status: log.status === 500 ? 500 : 409, body: { index: 'broken' } });
      expect(await stage.value('hits')).toBe(1);
    }
  });

  test('An answer that is too long to be kept fails the step', async () => {
    const stage = await createHttpStage(httpApp(post()), () => new Response('x'.repeat(1_048_577)));
    expect(await stage.ask('w', key)).toMatchObject({ code: 'HTTP_FAILED', status: 502 });
    expect(await stage.ask('w')).toMatchObject({ status: 200 });
  });
});
