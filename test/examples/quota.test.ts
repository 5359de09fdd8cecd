import { describe, expect, test } from 'vitest';
import { runs } from '../simulate/world.ts';
import { type Answer, lagMs, load, openApp, openStage, type Stage, storm } from './stage.ts';

const limit = 5;
const call = (kind: string, user: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  path: `/${kind}/calls`,
  body: { user },
  headers,
});

describe('the quota app', () => {
  test('loads', async () => {
    const app = await openApp('quota');
    expect([...app.workflows.keys()]).toEqual(['approximate', 'exact', 'usage']);
  });

  test('lets five calls through, then says when to come back, and the next day gives five more', async () => {
    const stage = await openStage({ app: 'quota', seed: 'day', replicas: 1, startMs: Date.UTC(2026, 0, 1, 23, 59) });
    const answers: Answer[] = [];
    for (let index = 0; index < 6; index += 1) answers.push(await stage.now(call('exact', 'ann')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(answers.slice(0, 5).map(({ body }) => body.left)).toEqual([4, 3, 2, 1, 0]);
    expect(answers[5]?.body).toEqual({ ok: false, left: 0, resets: '2026-01-02T00:00:00.000Z' });
    expect(Number(answers[5]?.headers.get('retry-after'))).toBe(60);
    expect((await stage.now(call('exact', 'bob'))).status).toBe(200);
    await stage.world.run(60_000);
    expect((await stage.now(call('exact', 'ann'))).status).toBe(200);
  });

  test('counts a call once that is repeated with its key', async () => {
    const stage = await openStage({ app: 'quota', seed: 'key', replicas: 1 });
    const key = { 'idempotency-key': 'k1' };
    const first = await stage.now(call('exact', 'ann', key));
    expect((await stage.now(call('exact', 'ann', key))).body).toEqual(first.body);
    expect((await stage.now({ path: '/users/ann' })).body).toEqual({ exact: { left: 4 }, approximate: { used: 0 } });
  });

  test('holds the approximate limit, too, at one location', async () => {
    const stage = await openStage({ app: 'quota', seed: 'one', replicas: 1 });
    const statuses: number[] = [];
    for (let index = 0; index < 6; index += 1) statuses.push((await stage.now(call('approximate', 'ann'))).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test('answers 503, and promises nothing, where a location is cut off and holds no units', async () => {
    const stage = await openStage({ app: 'quota', seed: 'cut' });
    stage.cluster.loopback?.cut('r1');
    const answer = await stage.now(call('exact', 'ann'), 'r1');
    expect([answer.status, answer.body]).toEqual([503, { ok: false, reason: 'unreachable' }]);
  });
});

/** Eight users call 160 times from everywhere. Counts how many calls of each were let through, and how many had no answer. */
async function rush(stage: Stage, kind: string, through = new Map<string, number>(), lost = new Map<string, number>()) {
  const users = Array.from({ length: 8 }, (_, index) => `user-${index}`);
  await load(stage, {
    count: 160,
    withinMs: lagMs * 4,
    async one(index) {
      const user = users[index % users.length] ?? '';
      const { status } = await stage.ask(call(kind, user));
      const counted = status === 200 ? through : status === 0 ? lost : null;
      counted?.set(user, (counted.get(user) ?? 0) + 1);
    },
  });
  return { through, lost };
}

describe('five locations with 2 s lag', () => {
  test.each(
    Array.from({ length: runs(2) }, (_, seed) => seed),
  )('the exact limit holds under load, deaths and cuts, and all of it can be used (seed %i)', async (seed) => {
    const stage = await openStage({ app: 'quota', seed });
    storm(stage, { deaths: 4, cuts: 4, withinMs: lagMs * 4 });
    const { through, lost } = await rush(stage, 'exact');
    await stage.settle();
    await rush(stage, 'exact', through, lost);
    expect(through.size).toBe(8);
    for (const [user, count] of through) {
      expect(count, user).toBeLessThanOrEqual(limit);
      // A call without an answer may have used one.
      expect(count + (lost.get(user) ?? 0), user).toBeGreaterThanOrEqual(limit);
    }
  });

  test('without faults every user gets exactly five calls', async () => {
    const stage = await openStage({ app: 'quota', seed: 'calm' });
    const { through } = await rush(stage, 'exact');
    expect([...through.values()]).toEqual(Array(8).fill(limit));
  });

  test('the approximate limit lets more through: the check can fail', async () => {
    const stage = await openStage({ app: 'quota', seed: 'calm' });
    const { through } = await rush(stage, 'approximate');
    expect(Math.max(...through.values())).toBeGreaterThan(limit);
  });

  test('the approximate limit holds for calls that come after the others have been heard of', async () => {
    const stage = await openStage({ app: 'quota', seed: 'slow' });
    const statuses: number[] = [];
    for (let index = 0; index < 8; index += 1) {
      statuses.push((await stage.now(call('approximate', 'ann'))).status);
      await stage.world.run(lagMs * 2);
    }
    expect(statuses).toEqual([...Array(5).fill(200), ...Array(3).fill(429)]);
  });
});
