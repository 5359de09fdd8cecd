import { describe, expect, test } from 'vitest';
import { gather } from '../../src/node/backbone-gather.ts';
import { createWorld, runs } from '../simulate/world.ts';

/** A server that takes its time, and refuses some requests. */
function serverIn(seed: string, most: number) {
  const world = createWorld(seed);
  const host = world.host('here');
  const requests: { readonly calls: readonly number[]; readonly sentMs: number }[] = [];
  const answers = (calls: readonly number[], tookMs: number, refused: boolean) =>
    new Promise<readonly string[]>((resolve, reject) => {
      requests.push({ calls, sentMs: host.elapsed() });
      host.after(tookMs, () =>
        refused ? reject(new Error(`refused ${calls[0]}`)) : resolve(calls.map((call) => `did ${call}`)),
      );
    });
  let next = () => ({ tookMs: 1, refused: false });
  const ask = gather<number, string>({
    ...{ host, most },
    send(calls) {
      const { tookMs, refused } = next();
      return answers(calls, tookMs, refused);
    },
  });
  const behave = (how: typeof next) => {
    next = how;
  };
  return { world, host, requests, ask, behave };
}

describe('calls that are gathered', () => {
  test('go at once when nothing is under way, and together when they are made at once', async () => {
    const { world, requests, ask } = serverIn('at once', 10);
    const answered = Promise.all([ask(1), ask(2), ask(3)]);
    expect(await world.runUntil(answered)).toEqual(['did 1', 'did 2', 'did 3']);
    expect(requests).toEqual([{ calls: [1, 2, 3], sentMs: 0 }]);
  });

  test('wait for the request before them, but not long when that one does not come back', async () => {
    const near = serverIn('near', 10);
    near.behave(() => ({ tookMs: 2, refused: false }));
    const first = near.ask(1);
    near.host.after(1, () => void near.ask(2));
    await near.world.runUntil(first);
    await near.world.run();
    expect(near.requests.map(({ sentMs }) => sentMs)).toEqual([0, 2]);

    const far = serverIn('far', 10);
    far.behave(() => ({ tookMs: 100, refused: false }));
    for (const atMs of [0, 1, 2, 20, 21]) far.host.after(atMs, () => void far.ask(atMs));
    await far.world.run();
    expect(far.requests).toEqual([
      { calls: [0], sentMs: 0 },
      { calls: [1, 2], sentMs: 6 },
      { calls: [20, 21], sentMs: 25 },
    ]);
  });

  test('are never more in one request than it may hold', async () => {
    const { world, requests, ask } = serverIn('many', 4);
    const all = Array.from({ length: 11 }, (_, call) => call);
    expect(await world.runUntil(Promise.all(all.map(ask)))).toEqual(all.map((call) => `did ${call}`));
    expect(requests.map(({ calls }) => calls.length)).toEqual([4, 4, 3]);
  });

  test('end each with its own result or the error of its request, and are sent once, after they were made', async () => {
    for (let run = 0; run < runs(200); run += 1) {
      const { world, host, requests, ask, behave } = serverIn(`random ${run}`, 3);
      const { random } = world;
      behave(() => ({ tookMs: random.next() * 20, refused: random.next() < 0.2 }));
      const made: { readonly madeMs: number; readonly ended: Promise<string> }[] = [];
      for (let call = 0; call < 30; call += 1) {
        host.after(random.next() * 100, () => {
          const ended = ask(made.length).catch((error: Error) => error.message);
          made.push({ madeMs: host.elapsed(), ended });
        });
      }
      await world.run();
      const sent = requests.flatMap(({ calls }) => calls);
      expect(sent, `run ${run}`).toEqual(made.map((_, call) => call));
      for (const { calls, sentMs } of requests) {
        for (const call of calls) {
          expect(sentMs, `run ${run}: when ${call} was sent`).toBeGreaterThanOrEqual(made[call]?.madeMs ?? Number.NaN);
          expect([`did ${call}`, `refused ${calls[0]}`], `run ${run}`).toContain(await made[call]?.ended);
        }
      }
    }
  });
});
