import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEventQueue, type Event } from '../../src/simulate/queue.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { createWorld, runs } from './world.ts';

describe('the simulated host', () => {
  test('timers run in the order of their times, and equal times in the order of asking', async () => {
    const world = createWorld(1);
    const host = world.host('a');
    const seen: string[] = [];
    host.after(20, () => seen.push(`late ${host.elapsed()}`));
    host.after(10, () => seen.push(`first ${host.elapsed()}`));
    host.after(10, () => seen.push(`second ${host.elapsed()}`));
    host.after(0, () => seen.push(`now ${host.elapsed()}`));
    await world.run();
    expect(seen).toEqual(['now 0', 'first 10', 'second 10', 'late 20']);
    expect(world.idle).toBe(true);
  });

  test('every microtask of an event is over before the next event of the same instant', async () => {
    const world = createWorld(1);
    const host = world.host('a');
    const seen: number[] = [];
    host.after(5, () => {
      void (async () => {
        for (let turn = 0; turn < 50; turn++) await null;
        seen.push(1);
      })();
    });
    host.after(5, () => seen.push(2));
    await world.run();
    expect(seen).toEqual([1, 2]);
  });

  test('a cancelled timer never runs, also when it is cancelled by an event of the same instant', async () => {
    const world = createWorld(1);
    const host = world.host('a');
    const seen: string[] = [];
    const cancels: (() => void)[] = [];
    host.after(5, () => {
      for (const cancel of cancels) cancel();
    });
    cancels.push(host.after(5, () => seen.push('cancelled')));
    const spent = host.after(1, () => seen.push('ran'));
    await world.run();
    spent();
    expect(seen).toEqual(['ran']);
    expect(world.idle).toBe(true);
  });

  test('a run for a while ends exactly there and leaves later timers', async () => {
    const world = createWorld(1);
    const host = world.host('a');
    const seen: number[] = [];
    for (const delayMs of [10, 20, 21]) host.after(delayMs, () => seen.push(host.elapsed()));
    await world.run(20);
    expect([seen, world.elapsedMs, world.idle]).toEqual([[10, 20], 20, false]);
    await world.run(30);
    expect([seen, world.elapsedMs, world.idle]).toEqual([[10, 20, 21], 50, true]);
  });

  test('each machine has its own clock, which may jump, while elapsed time only moves forward', async () => {
    const world = createWorld(1, { startMs: 1_000_000 });
    const [a, b] = [world.host('a'), world.host('b')];
    b.skewMs = -500;
    await world.run(100);
    expect([a.now(), b.now(), a.elapsed(), b.elapsed()]).toEqual([1_000_100, 999_600, 100, 100]);
    b.skewMs = 3_600_000;
    expect([b.now(), b.elapsed(), world.nowMs]).toEqual([4_600_100, 100, 1_000_100]);
    expect(Number.isInteger(world.host('c').now())).toBe(true);
  });

  test('waiting for what nobody will resolve is a deadlock that says so', async () => {
    const world = createWorld(7);
    world.host('a').after(30, () => {});
    await expect(world.runUntil(new Promise(() => {}))).rejects.toThrow(/deadlock at 30 ms \(seed 7\)/);
  });

  test('a promise that settles without any event is no deadlock, and a rejection is passed on', async () => {
    const world = createWorld(1);
    expect(await world.runUntil(Promise.resolve(3))).toBe(3);
    const late = new Promise((_, reject) => world.host('a').after(5, () => reject(new Error('as told'))));
    await expect(world.runUntil(late)).rejects.toThrow('as told');
  });

  test('a timer that never ends is stopped with an error', async () => {
    const world = createWorld(1, { maxEvents: 100 });
    const host = world.host('a');
    const again = () => void host.after(0, again);
    again();
    await expect(world.run()).rejects.toThrow(/after 100 events/);
  });

  test('what an event throws comes out of the run', async () => {
    const world = createWorld(1);
    world.host('a').after(1, () => {
      throw new Error('from an event');
    });
    await expect(world.run()).rejects.toThrow('from an event');
  });

  test('a request is answered by the script, in virtual time, and refused without one', async () => {
    const world = createWorld(1, {
      fetch: (request, host) => new Promise((resolve) => host.after(40, () => resolve(new Response(`got ${request.url}`)))),
    });
    const host = world.host('a');
    const response = await world.runUntil(host.fetch(new Request('http://shop.example/lots')));
    expect([await response.text(), world.elapsedMs]).toEqual(['got http://shop.example/lots', 40]);
    await expect(createWorld(1).host('a').fetch(new Request('http://shop.example/'))).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
  });

  test('the same seed gives the same history, and another seed another', async () => {
    const history = async (seed: number) => {
      const world = createWorld(seed);
      const lines: string[] = [];
      const walk = (name: string, left: number) => {
        const host = world.host(name);
        lines.push(`${host.now()} ${name} ${host.id()} ${host.random()}`);
        if (left > 0) host.after(host.random() * 100, () => void Promise.resolve().then(() => walk(name, left - 1)));
      };
      for (const name of ['a', 'b', 'c']) walk(name, 50);
      await world.run();
      return `${lines.join('\n')} ${world.fingerprint} ${world.events}`;
    };
    expect(await history(1)).toBe(await history(1));
    expect(await history(1)).not.toBe(await history(2));
  });

  test('a machine asked for again goes on with its numbers, so no identifier is given twice', () => {
    const world = createWorld(1);
    const ids = [world.host('a').id(), world.host('a').id(), world.host('b').id()];
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('the event queue', () => {
  test('it behaves as a sorted list under any pushes, pops and cancellations', () => {
    const action = fc.oneof(
      { weight: 3, arbitrary: fc.record({ push: fc.nat(50) }) },
      { weight: 1, arbitrary: fc.constant('pop' as const) },
      { weight: 1, arbitrary: fc.record({ cancel: fc.nat(1_000) }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const queue = createEventQueue();
        let model: Event[] = [];
        let sequence = 0;
        for (const each of actions) {
          if (each === 'pop') {
            const expected = model.shift();
            expect(queue.pop()).toBe(expected);
          } else if ('push' in each) {
            const event: Event = { timeMs: each.push, sequence: sequence++, task: () => {} };
            queue.push(event);
            model = [...model, event].sort((a, b) => a.timeMs - b.timeMs || a.sequence - b.sequence);
          } else {
            const event = model[each.cancel % Math.max(1, model.length)];
            if (event !== undefined) queue.cancel(event);
            model = model.filter((candidate) => candidate !== event);
          }
          expect([queue.size, queue.peek()]).toEqual([model.length, model[0]]);
        }
      }),
      { numRuns: runs(100) },
    );
  });

  test('thousands of cancelled timers do not stay in memory, and the others keep their order', () => {
    const queue = createEventQueue();
    const events = Array.from(
      { length: 5_000 },
      (_, index): Event => ({ timeMs: (index * 7919) % 5_000, sequence: index, task: () => {} }),
    );
    for (const event of events) queue.push(event);
    for (const event of events) if (event.timeMs % 10 !== 0) queue.cancel(event);
    const times: number[] = [];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) times.push(next.timeMs);
    expect(times).toEqual(Array.from({ length: 500 }, (_, index) => index * 10));
    expect(queue.size).toBe(0);
  });
});

describe('seeded random numbers', () => {
  test('they are the numbers of sfc32, for ever', () => {
    const random = createRandom('golden');
    expect([random.next(), random.integer(1, 6), random.hex(16)]).toMatchInlineSnapshot(`
      [
        0.24776164357633146,
        4,
        "0bea865a736edc31275ab5cbd84d90db",
      ]
    `);
  });

  test('what is drawn from one stream does not shift another', () => {
    const quiet = createRandom(1);
    const busy = createRandom(1);
    for (let draw = 0; draw < 100; draw++) busy.next();
    expect(busy.fork('network').next()).toBe(quiet.fork('network').next());
    expect(quiet.fork('network').next()).not.toBe(quiet.fork('disk').next());
  });

  test('they are spread evenly', () => {
    const random = createRandom(3);
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw++) {
      const bucket = random.integer(0, 9);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(400);
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.2)).filter(Boolean).length;
    expect(Math.abs(hits - 2_000)).toBeLessThan(200);
  });
});
