import { expect, test } from 'vitest';
import { deaths, replicas, until, weather } from './storm.ts';

const headers = { authorization: 'Bearer dev-admin' };

test(`flags: five replicas, 2 s lag, ${deaths} kills: all replicas show the same, and no acknowledged change is lost`, async () => {
  /** By flag: the last acknowledged percentage, and the last that was asked for. Only one worker sets a flag, ever higher. */
  const kept = new Map<string, number>();
  const asked = new Map<string, number>();
  const turns = new Map<number, number>();
  await weather({
    app: 'flags',
    environment: { ADMIN_TOKEN: 'dev-admin' },
    async work(send, worker) {
      const turn = (turns.get(worker) ?? 0) + 1;
      turns.set(worker, turn);
      const [flag, percent] = [`worker-${worker}.f${Math.floor(turn / 100)}`, turn % 100];
      asked.set(flag, percent);
      const { status } = await send({ method: 'PUT', path: `/flags/${flag}`, headers, body: { on: true, percent } });
      if (status === 204) kept.set(flag, percent);
    },
    async check(send) {
      const all = async () => {
        const lists = await Promise.all(replicas.map((replica) => send({ path: '/flags?limit=100', replica })));
        return lists.map(({ body }) => body.flags as Record<string, { percent: number }>);
      };
      const same = (lists: readonly unknown[]) => lists.every((list) => JSON.stringify(list) === JSON.stringify(lists[0]));
      const lists = await until(all, same);
      for (const list of lists) expect(list).toEqual(lists[0]);
      for (const [flag, percent] of kept) {
        expect(lists[0]?.[flag]?.percent, flag).toBeGreaterThanOrEqual(percent);
        expect(lists[0]?.[flag]?.percent, flag).toBeLessThanOrEqual(asked.get(flag) ?? 0);
      }
      const writes = [...turns.values()].reduce((total, count) => total + count, 0);
      console.log(`flags: ${deaths} kills, ${kept.size} flags in ${writes} changes, the same at all replicas`);
      expect(kept.size).toBeGreaterThan(10);
    },
  });
});
