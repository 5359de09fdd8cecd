import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { inParallel } from '../e2e/load.ts';
import { deaths, type Send, weather } from './storm.ts';

const limit = 5;
const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);

test(`quota: five replicas, 2 s lag, ${deaths} kills: nobody gets a sixth call, and nobody's calls are lost`, async () => {
  /** By user and day. */
  const through = new Map<string, number>();
  const unknown = new Map<string, number>();
  const today = { resets: '' };
  const call = async (send: Send, user: string) => {
    const { status, body } = await send({ path: '/exact/calls', body: { user } });
    if (body?.resets !== undefined) today.resets = body.resets;
    const counted = status === 200 ? through : status === 0 ? unknown : null;
    const key = `${user} ${body?.resets ?? today.resets}`;
    counted?.set(key, (counted.get(key) ?? 0) + 1);
    if (status === 200) expect(through.get(key), key).toBeLessThanOrEqual(limit);
    return status;
  };
  await weather({
    app: 'quota',
    work: async (send) => void (await call(send, users[randomInt(users.length)] ?? '')),
    async check(send) {
      await inParallel(users.length, 10, async (index) => {
        for (let attempt = 0; attempt < 40; attempt += 1) if ((await call(send, users[index] ?? '')) === 429) break;
      });
      for (const user of users) {
        const key = `${user} ${today.resets}`;
        expect(through.get(key) ?? 0, key).toBeLessThanOrEqual(limit);
        expect((through.get(key) ?? 0) + (unknown.get(key) ?? 0), key).toBeGreaterThanOrEqual(limit);
      }
      const sum = (counts: Map<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0);
      console.log(
        `quota: ${deaths} kills, ${sum(through)} of ${users.length * limit} calls let through, ${sum(unknown)} unknown`,
      );
    },
  });
});
