import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSimulatedDisk, type SimulatedDisk } from '../../src/simulate/store.ts';
import { createSimulatedWitness } from '../../src/simulate/witness.ts';
import type { Store } from '../../src/store/store.ts';
import { createWorld, runs } from './world.ts';

const row = (address: string, version: number) => ({ address, replica: 'a.1', version, bytes: `{"v":${version}}` });
const record = (name: string, value: string | null) => ({ name, value });
const versions = async (store: Store, address: string) => (await store.load([address]))[0]?.map((stored) => stored.version);
const versionsOn = (disk: SimulatedDisk) => disk.snapshot().rows.map((stored) => stored.version);

describe('the simulated disk', () => {
  test('a commit takes time, is durable when it resolves, and reads wait for what was committed before', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'a');
    const store = disk.open();
    const committed = store.commit([row('x', 1)], [record('r', 'one')]);
    expect(versionsOn(disk)).toEqual([]);
    const read = versions(store, 'x');
    await world.runUntil(committed);
    expect(world.elapsedMs).toBeGreaterThan(0.4);
    disk.crash();
    expect(disk.snapshot()).toEqual({ rows: [row('x', 1)], records: [record('r', 'one')] });
    const again = disk.open();
    expect(await world.runUntil(versions(again, 'x'))).toEqual([1]);
    await expect(world.runUntil(read)).rejects.toThrow(/deadlock/);
  });

  test('a crash leaves a commit in flight whole or not at all, both happen, and what was queued behind it is lost', async () => {
    const left = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const world = createWorld(seed);
      const disk = createSimulatedDisk(world, 'a');
      const store = disk.open();
      await world.runUntil(store.commit([row('x', 1)], []));
      let acknowledged = false;
      void store.commit([row('x', 2), row('y', 2)], [record('r', 'two')]).then(() => {
        acknowledged = true;
      });
      void store.commit([row('x', 3)], []);
      store.crash();
      await world.run();
      expect(acknowledged).toBe(false);
      left.add(JSON.stringify([versionsOn(disk), disk.snapshot().records.length]));
    }
    expect([...left].sort()).toEqual(['[[1],0]', '[[2,2],1]']);
  });

  test('an old backup put back, and a second start of a cloned disk, see exactly that', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'a');
    const store = disk.open();
    await world.runUntil(store.commit([row('x', 1)], [record('r', 'one')]));
    const backup = disk.snapshot();
    await world.runUntil(store.commit([row('x', 2)], [record('r', null)]));
    const second = disk.clone('b');
    disk.restore(backup);
    expect([versionsOn(disk), disk.snapshot().records.length]).toEqual([[1], 1]);
    const [restored, cloned] = [disk.open(), second.open()];
    expect(await world.runUntil(Promise.all([versions(restored, 'x'), versions(cloned, 'x')]))).toEqual([[1], [2]]);
    await world.runUntil(cloned.commit([row('x', 3)], []));
    expect([versionsOn(disk), versionsOn(second)]).toEqual([[1], [3]]);
  });

  test('a full disk refuses commits, goes on reading, and recovers', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'a', { full: true });
    const store = disk.open();
    await expect(world.runUntil(store.commit([row('x', 1)], []))).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(world.runUntil(store.forget(['x']))).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await world.runUntil(versions(store, 'x'))).toEqual([]);
    disk.faults.full = false;
    await world.runUntil(store.commit([row('x', 2)], []));
    expect(versionsOn(disk)).toEqual([2]);
  });

  test('a sync that fails leaves the outcome unknown: the commit is there or not', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'a', { syncFailure: 1 });
    const store = disk.open();
    const there = new Set<boolean>();
    for (let version = 1; version <= 30; version++) {
      await expect(world.runUntil(store.commit([row('x', version)], []))).rejects.toMatchObject({ code: 'STORE_FAILED' });
      there.add(versionsOn(disk).includes(version));
    }
    expect(there.size).toBe(2);
  });

  test('a disk that lies about its syncs loses what it acknowledged in a power cut, but not when a process dies', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'a');
    const store = disk.open();
    await world.runUntil(store.commit([row('x', 1)], []));
    disk.faults.syncs = false;
    await world.runUntil(store.commit([row('x', 2)], []));
    store.crash();
    expect(await world.runUntil(versions(disk.open(), 'x'))).toEqual([2]);
    disk.crash();
    const honest = disk.open();
    expect(await world.runUntil(versions(honest, 'x'))).toEqual([1]);
    await world.runUntil(honest.commit([row('x', 3)], []));
    disk.faults.syncs = true;
    await world.runUntil(honest.commit([row('y', 4)], []));
    disk.crash();
    expect(versionsOn(disk)).toEqual([3, 4]);
  });

  test('a closed store refuses what comes later, and finishes what was asked before', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'a');
    const store = disk.open();
    const committed = store.commit([row('x', 1)], []);
    await world.runUntil(store.close());
    await committed;
    expect(versionsOn(disk)).toEqual([1]);
    await expect(store.commit([], [])).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('whatever is committed, forgotten and crashed, the disk holds what was acknowledged, or one commit more', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ commit: fc.constantFrom('x', 'y', 'z') }) },
      { weight: 1, arbitrary: fc.record({ forget: fc.constantFrom('x', 'y', 'z') }) },
      { weight: 2, arbitrary: fc.constant('crash' as const) },
      { weight: 2, arbitrary: fc.constant('wait' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(step, { maxLength: 40 }), async (seed, steps) => {
        const world = createWorld(seed);
        const disk = createSimulatedDisk(world, 'a');
        let store = disk.open();
        let version = 0;
        let states: string[] = ['{}'];
        let acknowledged = 0;
        const model = new Map<string, number>();
        const asked = (promise: Promise<void>) => {
          states.push(JSON.stringify(Object.fromEntries([...model].sort())));
          const mine = states.length - 1;
          const current = states;
          void promise.then(() => {
            if (current === states) acknowledged = mine;
          });
        };
        const found = () =>
          JSON.stringify(
            Object.fromEntries(
              disk
                .snapshot()
                .rows.map((stored) => [stored.address, stored.version] as const)
                .sort(),
            ),
          );
        for (const each of steps) {
          if (each === 'wait') await world.run(1.5);
          else if (each === 'crash') {
            store.crash();
            await world.run(1);
            expect(states.slice(acknowledged, acknowledged + 2)).toContain(found());
            states = [found()];
            acknowledged = 0;
            model.clear();
            for (const stored of disk.snapshot().rows) model.set(stored.address, stored.version);
            store = disk.open();
          } else if ('commit' in each) {
            model.set(each.commit, ++version);
            asked(store.commit([row(each.commit, version)], []));
          } else {
            model.delete(each.forget);
            asked(store.forget([each.forget]));
          }
        }
        await world.run();
        expect(found()).toBe(states.at(-1));
      }),
      { numRuns: runs(100) },
    );
  });
});

describe('the simulated witness', () => {
  test('it stays as it was while the disk is restored, is locked by one process at a time, and is free after a crash', async () => {
    const world = createWorld(1);
    const file = createSimulatedWitness(world, 'a');
    const first = file.open();
    expect(first.state()).toBe('missing');
    await world.runUntil(first.write('commit 1'));
    expect([first.state(), file.text]).toEqual(['missing', 'commit 1']);
    const second = file.open();
    expect(second.state()).toBe('locked');
    await world.runUntil(second.write('from the second'));
    expect(file.text).toBe('commit 1');
    first.crash();
    const third = file.open();
    expect(third.state()).toEqual({ text: 'commit 1' });
    await world.runUntil(third.release());
    file.text = null;
    expect(file.open().state()).toBe('missing');
  });

  test('a write in flight at a crash happened or did not, and both are seen', () => {
    const texts = new Set<string | null>();
    for (let seed = 0; seed < 20; seed++) {
      const file = createSimulatedWitness(createWorld(seed), 'a');
      const witness = file.open();
      void witness.write('commit 1');
      witness.crash();
      texts.add(file.text);
    }
    expect([...texts].sort()).toEqual(['commit 1', null].sort());
  });
});
