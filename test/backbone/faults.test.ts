import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Backbone, createLoopback, type Loopback, type LoopbackOptions } from '../../src/backbone/index.ts';
import { createSimulatedProcess } from '../../src/simulate/process.ts';
import { createSimulatedDisk } from '../../src/simulate/store.ts';
import { memoryStore, type StoredRow } from '../../src/store/index.ts';
import { createWorld, runs } from '../simulate/world.ts';

const names = ['a', 'b', 'c'] as const;

const row = (address: string, replica: string, version: number): StoredRow => ({
  address,
  replica,
  version,
  bytes: `{"v":${version}}`,
});
const nameOf = (stored: StoredRow) => `${stored.address} ${stored.replica}`;

/** Follows a backbone and keeps the highest version of each row. */
function follow(backbone: Backbone, versions: Map<string, number>, cursor: string | null = null) {
  return backbone.subscribe(cursor, async ({ rows }) => {
    for (const each of rows) versions.set(nameOf(each), Math.max(each.version, versions.get(nameOf(each)) ?? 0));
  });
}

const chance = fc.double({ min: 0, max: 0.6, noNaN: true });
const network = fc.record({
  lagMs: fc.nat(100),
  rttMs: fc.nat(100),
  jitterMs: fc.nat(100),
  loss: chance,
  duplication: chance,
  reordering: chance,
  lateness: chance,
});
const quiet = { loss: 0, duplication: 0, reordering: 0, lateness: 0 };

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ publish: fc.constantFrom(...names), address: fc.constantFrom('x', 'y', 'z') }) },
  { weight: 2, arbitrary: fc.record({ cut: fc.constantFrom(...names), direction: fc.constantFrom('both', 'in', 'out') }) },
  { weight: 2, arbitrary: fc.record({ heal: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
  { weight: 2, arbitrary: fc.record({ waitMs: fc.nat(500) }) },
);

describe('a loopback under faults', () => {
  test('after healing, every subscriber has the latest version of every row that was published, and nobody has more', async () => {
    const schedule = fc.record({
      seed: fc.integer(),
      settings: network,
      stored: fc.boolean(),
      steps: fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
    });
    await fc.assert(
      fc.asyncProperty(schedule, async ({ seed, settings, stored, steps }) => {
        const world = createWorld(seed);
        const store = stored ? createSimulatedDisk(world, 'backbone').open() : undefined;
        const loopback = createLoopback({ host: world.host('backbone'), ...settings, ...(store && { store }) });
        const seen = names.map(() => new Map<string, number>());
        const connections = names.map((name, index) => {
          const backbone = loopback.connect(name);
          follow(backbone, seen[index] ?? new Map());
          return backbone;
        });
        const sent = new Map<string, number>();
        let version = 0;
        const publish = async (name: (typeof names)[number], address: string) => {
          const mine = row(address, `${name}.1`, ++version);
          sent.set(nameOf(mine), mine.version);
          // As a replica does: again and again, until it is kept.
          for (;;) {
            const kept = await connections[names.indexOf(name)]?.publish([mine]).then(
              () => true,
              () => false,
            );
            if (kept) return;
          }
        };
        const published: Promise<void>[] = [];
        for (const each of steps) {
          if (each === 'restart') await world.runUntil(loopback.restart());
          else if ('publish' in each) published.push(publish(each.publish, each.address));
          else if ('cut' in each) loopback.cut(each.cut, each.direction);
          else if ('heal' in each) loopback.heal(each.heal);
          else await world.run(each.waitMs);
        }
        Object.assign(loopback.network, quiet);
        loopback.heal();
        await world.runUntil(Promise.all(published));
        await world.run(10_000);
        for (const versions of seen) expect([...versions].sort()).toEqual([...sent].sort());
      }),
      { numRuns: runs(150) },
    );
  });

  test('registers are linearizable: whatever is lost, late or repeated, each revision has one successor, and who was told "done" is in the chain', async () => {
    const scenario = fc.record({
      seed: fc.integer(),
      settings: network,
      stored: fc.boolean(),
      writers: fc.integer({ min: 2, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ seed, settings, stored, writers }) => {
        const world = createWorld(seed);
        const store = stored ? memoryStore() : undefined;
        const loopback = createLoopback({ host: world.host('backbone'), timeoutMs: 200, ...settings, ...(store && { store }) });
        const attempts: { readonly before: string | null; readonly value: string; outcome: 'done' | 'refused' | 'unknown' }[] =
          [];
        // A value holds its whole history, so the last one is the chain of all writes that happened.
        const within = (older: string, newer: string | null) =>
          newer === older || (newer ?? '').startsWith(older === '' ? '' : `${older}/`);
        let acknowledged = '';
        const write = async (name: string) => {
          const { registers } = loopback.connect(name);
          for (let turn = 0; turn < 8; turn++) {
            const knownBefore = acknowledged;
            const found = await registers.get('chain').catch(() => null);
            if (found === null) continue;
            expect(within(knownBefore, found.value)).toBe(true);
            const attempt = { before: found.value, value: `${found.value ?? ''}/${name}${turn}`, outcome: 'unknown' as const };
            const index = attempts.push(attempt) - 1;
            const result = await registers.compareAndSet('chain', attempt.value, found.revision).catch(() => null);
            if (result?.done && attempt.value.length > acknowledged.length) acknowledged = attempt.value;
            if (result !== null) attempts[index] = { ...attempt, outcome: result.done ? 'done' : 'refused' };
          }
        };
        await world.runUntil(Promise.all(Array.from({ length: writers }, (_, index) => write(`w${index}-`))));
        await world.run(5_000);
        Object.assign(loopback.network, { ...quiet, rttMs: 0, jitterMs: 0 });
        const { value } = await world.runUntil(loopback.connect('reader').registers.get('chain'));
        const happened = (attempt: { value: string }) => within(attempt.value, value);
        for (const attempt of attempts) {
          if (attempt.outcome === 'done') expect([attempt, happened(attempt)]).toEqual([attempt, true]);
        }
        for (const attempt of attempts) {
          if (attempt.outcome === 'refused') expect([attempt, happened(attempt)]).toEqual([attempt, false]);
        }
        const done = attempts.filter(({ outcome }) => outcome === 'done').map(({ before }) => before);
        expect(new Set(done).size).toBe(done.length);
      }),
      { numRuns: runs(150) },
    );
  });
});

const settle = async <T>(world: ReturnType<typeof createWorld>, promise: Promise<T>): Promise<T | 'UNREACHABLE'> =>
  world.runUntil(
    promise.catch((error: { code?: string }) => (error.code === 'UNREACHABLE' ? 'UNREACHABLE' : Promise.reject(error))),
  );

describe('what a caller cannot know', () => {
  const start = (options: Partial<LoopbackOptions> = {}) => {
    const world = createWorld(3);
    const loopback: Loopback = createLoopback({ host: world.host('backbone'), rttMs: 10, timeoutMs: 100, ...options });
    return { world, loopback, a: loopback.connect('a'), b: loopback.connect('b') };
  };

  test('a write whose answer is lost is UNREACHABLE, but it happened', async () => {
    const { world, loopback, a, b } = start();
    loopback.cut('a', 'in');
    expect(await settle(world, a.registers.compareAndSet('r', 'mine', null))).toBe('UNREACHABLE');
    expect((await world.runUntil(b.registers.get('r'))).value).toBe('mine');
  });

  test('a write whose request is lost is UNREACHABLE, and never happens', async () => {
    const { world, loopback, a, b } = start();
    loopback.cut('a', 'out');
    expect(await settle(world, a.registers.compareAndSet('r', 'mine', null))).toBe('UNREACHABLE');
    loopback.heal('a');
    await world.run(10_000);
    expect((await world.runUntil(b.registers.get('r'))).value).toBe(null);
  });

  test('a late write happens after its caller gave up, unless somebody else was first', async () => {
    const { world, loopback, a, b } = start({ lateness: 1 });
    expect(await settle(world, a.registers.compareAndSet('r', 'mine', null))).toBe('UNREACHABLE');
    loopback.network.lateness = 0;
    expect((await world.runUntil(b.registers.get('r'))).value).toBe(null);
    await world.run(1_000);
    const { value, revision } = await world.runUntil(b.registers.get('r'));
    expect(value).toBe('mine');
    loopback.network.lateness = 1;
    expect(await settle(world, a.registers.compareAndSet('r', 'mine again', revision))).toBe('UNREACHABLE');
    loopback.network.lateness = 0;
    await world.runUntil(b.registers.compareAndSet('r', 'first', revision));
    await world.run(1_000);
    expect((await world.runUntil(b.registers.get('r'))).value).toBe('first');
  });

  test('a rollback that nobody notices keeps the identity, and old revisions hold again', async () => {
    const { world, loopback, a } = start();
    const { register } = await world.runUntil(a.registers.compareAndSet('r', 'one', null));
    const identity = await world.runUntil(a.identity());
    const backup = await loopback.snapshot();
    await world.runUntil(a.registers.compareAndSet('r', 'two', register.revision));
    await loopback.restore(backup, { noticed: false });
    expect(await world.runUntil(a.identity())).toBe(identity);
    expect((await world.runUntil(a.registers.compareAndSet('r', 'three', register.revision))).done).toBe(true);
    await loopback.empty({ noticed: false });
    expect(await world.runUntil(a.identity())).toBe(identity);
  });

  test('a part of the messages is lost, and of those that arrive a part happened without an answer', async () => {
    const { world, loopback, a } = start({ loss: 0.3 });
    const answers = Array.from({ length: 200 }, (_, index) =>
      settle(world, a.registers.compareAndSet(`r${index}`, 'mine', null)),
    );
    const answered = (await Promise.all(answers)).filter((answer) => answer !== 'UNREACHABLE').length;
    const happened = (await loopback.snapshot()).registers.size;
    expect(answered).toBeGreaterThan(60);
    expect(happened).toBeGreaterThan(answered);
    expect(happened).toBeLessThan(180);
  });

  test('requests on their way during a restart are lost, whatever they did', async () => {
    const { world, loopback, a } = start();
    const asked = settle(world, a.registers.compareAndSet('r', 'mine', null));
    await world.host('test').after(7, () => void loopback.restart());
    expect(await asked).toBe('UNREACHABLE');
    expect((await world.runUntil(a.registers.get('r'))).value).toBe('mine');
  });
});

describe('a loopback over a store', () => {
  test('a new loopback over the same store has the same rows, registers, revisions and identity', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'backbone');
    const open = () => createLoopback({ host: world.host('backbone'), store: disk.open() });
    const first = open().connect('a');
    const addresses = Array.from({ length: 1_200 }, (_, index) => `address ${index}`);
    await world.runUntil(first.publish(addresses.map((address) => row(address, 'a.1', 7))));
    const { register } = await world.runUntil(first.registers.compareAndSet('r', 'one', null));
    const identity = await world.runUntil(first.identity());
    disk.crash();
    const second = open().connect('b');
    const versions = new Map<string, number>();
    follow(second, versions);
    await world.run(10_000);
    expect([versions.size, await world.runUntil(second.latest('a.1'))]).toEqual([1_200, 7]);
    expect(await world.runUntil(second.registers.get('r'))).toEqual(register);
    expect(await world.runUntil(second.identity())).toBe(identity);
  });

  test('a store that fails makes the outcome unknown, and what is read afterwards is what it holds', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const world = createWorld(seed);
      const disk = createSimulatedDisk(world, 'backbone');
      const a = createLoopback({ host: world.host('backbone'), store: disk.open() }).connect('a');
      await world.runUntil(a.registers.compareAndSet('r', 'one', null));
      const before = await world.runUntil(a.registers.get('r'));
      disk.faults.syncFailure = 1;
      expect(await settle(world, a.registers.compareAndSet('r', 'two', before.revision))).toBe('UNREACHABLE');
      expect(await settle(world, a.publish([row('x', 'a.1', 1)]))).toBe('UNREACHABLE');
      disk.faults.syncFailure = 0;
      const { value } = await world.runUntil(a.registers.get('r'));
      const kept = disk.snapshot().records.find(({ name }) => name === 'register/r')?.value;
      expect(JSON.parse(kept ?? 'null')).toMatchObject({ value });
      expect(await world.runUntil(a.latest('a.1'))).toBe(disk.snapshot().rows.length);
    }
  });

  test('a restored backup replaces everything that the store held', async () => {
    const world = createWorld(1);
    const store = memoryStore();
    const loopback = createLoopback({ host: world.host('backbone'), store });
    const a = loopback.connect('a');
    await world.runUntil(a.publish([row('x', 'a.1', 1)]));
    const backup = await loopback.snapshot();
    await world.runUntil(a.publish([row('x', 'a.1', 2), row('y', 'a.1', 2)]));
    await world.runUntil(a.registers.compareAndSet('r', 'one', null));
    await loopback.restore(backup);
    expect(await store.load(['x', 'y'])).toMatchObject([[row('x', 'a.1', 1)], []]);
    expect(await store.records({ prefix: 'register/' })).toEqual([]);
  });
});

describe('processes on a loopback', () => {
  test('a killed process gets nothing more, what it had sent arrives, and its successor goes on from the cursor', async () => {
    const world = createWorld(1);
    const loopback = createLoopback({ host: world.host('backbone'), lagMs: 10, rttMs: 10 });
    const first = createSimulatedProcess(world.host('a'));
    const connection = first.backbone(loopback.connect('a'));
    let cursor: string | null = null;
    let received = 0;
    connection.subscribe(null, async (delivery) => {
      received += 1;
      cursor = delivery.cursor;
    });
    await world.runUntil(connection.publish([row('x', 'a.1', 1)]));
    await world.run(100);
    const before = received;
    void connection.publish([row('x', 'a.1', 2)]);
    first.kill();
    await world.run(100);
    expect([before, received]).toEqual([1, 1]);
    const versions = new Map<string, number>();
    follow(createSimulatedProcess(world.host('a')).backbone(loopback.connect('a')), versions, cursor);
    await world.run(100);
    expect([...versions]).toEqual([['x a.1', 2]]);
  });

  test('rows wait for a paused process, and two loopbacks never meet', async () => {
    const world = createWorld(1);
    const [one, two] = [1, 2].map((number) => createLoopback({ host: world.host(`backbone ${number}`) }));
    const process = createSimulatedProcess(world.host('a'));
    const [mine, others] = [new Map<string, number>(), new Map<string, number>()];
    if (one === undefined || two === undefined) throw new Error('unreachable');
    follow(process.backbone(one.connect('a')), mine);
    follow(two.connect('a'), others);
    process.pause();
    await world.runUntil(one.connect('b').publish([row('x', 'b.1', 1)]));
    await world.run(1_000);
    expect(mine.size).toBe(0);
    process.resume();
    await world.run(1_000);
    expect([mine.size, others.size]).toEqual([1, 0]);
  });

  test('the same seed gives the same history, also under every fault', async () => {
    const history = async (seed: number) => {
      const world = createWorld(seed);
      const faults = { lagMs: 20, rttMs: 20, jitterMs: 50, loss: 0.2, duplication: 0.2, reordering: 0.2, lateness: 0.1 };
      const loopback = createLoopback({
        host: world.host('backbone'),
        store: createSimulatedDisk(world, 'backbone').open(),
        ...faults,
      });
      const lines: string[] = [];
      for (const name of names) {
        const backbone = loopback.connect(name);
        backbone.subscribe(null, async ({ rows }) => {
          lines.push(`${world.elapsedMs} ${name} ${JSON.stringify(rows)}`);
        });
        for (let version = 1; version <= 30; version++) {
          world.host(name).after(version * 13, () => {
            void backbone.publish([row('x', `${name}.1`, version)]).catch(() => lines.push(`${world.elapsedMs} ${name} unknown`));
          });
        }
      }
      await world.run(20_000);
      return `${lines.join('\n')}\n${world.fingerprint} ${world.events}`;
    };
    const [first, second, other] = [await history(1), await history(1), await history(2)];
    expect(first).toBe(second);
    expect(first).not.toBe(other);
  });
});
