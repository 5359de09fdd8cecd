import { describe, expect, test } from 'vitest';
import { createSimulatedProcess, type KillAt } from '../../src/simulate/process.ts';
import { createSimulatedDisk } from '../../src/simulate/store.ts';
import { createSimulatedWitness } from '../../src/simulate/witness.ts';
import { createWorld } from './world.ts';

const row = (version: number) => ({ address: 'x', replica: 'a.1', version, bytes: '{}' });

describe('a simulated process', () => {
  test('after a kill no timer fires, no promise settles, and nothing it calls has an effect', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'a');
    const process = createSimulatedProcess(world.host('a'));
    const store = process.store(disk.open());
    const seen: string[] = [];
    process.host.after(10, () => seen.push('timer'));
    void store.commit([row(1)], []).then(() => seen.push('committed'));
    await world.run(5);
    void store.load(['x']).then(() => seen.push('loaded'));
    process.kill();
    void store.commit([row(2)], []).then(() => seen.push('committed again'));
    process.host.after(0, () => seen.push('timer after death'));
    await world.run();
    expect([seen, process.alive, world.idle]).toEqual([['committed'], false, true]);
    expect(disk.snapshot().rows).toEqual([row(1)]);
  });

  test('a new process on the same disk finds what was committed, and the witness free', async () => {
    const world = createWorld(1);
    const disk = createSimulatedDisk(world, 'a');
    const file = createSimulatedWitness(world, 'a');
    const first = createSimulatedProcess(world.host('a'));
    const witness = first.witness(file.open());
    await world.runUntil(first.store(disk.open()).commit([row(1)], []));
    await world.runUntil(witness.write('commit 1'));
    first.kill();
    const second = createSimulatedProcess(world.host('a'));
    expect(second.witness(file.open()).state()).toEqual({ text: 'commit 1' });
    expect(await world.runUntil(second.store(disk.open()).load(['x']))).toEqual([[row(1)]]);
  });

  test('a paused process gets nothing, and at the resume everything in order', async () => {
    const world = createWorld(1);
    const process = createSimulatedProcess(world.host('a'));
    const store = process.store(createSimulatedDisk(world, 'a').open());
    const seen: string[] = [];
    void store.commit([row(1)], []).then(() => seen.push('committed'));
    process.host.after(10, () => seen.push('timer'));
    const cancel = process.host.after(11, () => seen.push('cancelled'));
    process.pause();
    await world.run(1_000);
    expect([seen, process.paused]).toEqual([[], true]);
    cancel();
    process.resume();
    await world.run();
    expect(seen).toEqual(['committed', 'timer']);
  });

  test('a process paused again before it got everything gets the rest at the next resume', async () => {
    const world = createWorld(1);
    const process = createSimulatedProcess(world.host('a'));
    const seen: number[] = [];
    for (const number of [1, 2, 3]) process.host.after(number, () => seen.push(number));
    process.pause();
    await world.run(10);
    process.resume();
    process.pause();
    await world.run(10);
    expect(seen).toEqual([]);
    process.resume();
    await world.run();
    expect(seen).toEqual([1, 2, 3]);
  });

  test('a crash can be put before, during and after every await of a program', async () => {
    const program = async (killAt?: KillAt) => {
      const world = createWorld(5);
      const disk = createSimulatedDisk(world, 'a');
      const process = createSimulatedProcess(world.host('a'), killAt);
      const store = process.store(disk.open());
      const reached: string[] = [];
      void (async () => {
        await store.commit([row(1)], []);
        reached.push('first');
        await new Promise<void>((resolve) => {
          process.host.after(5, () => {
            reached.push('timer');
            resolve();
          });
        });
        reached.push('after the timer');
        await store.commit([row(2)], []);
        reached.push('second');
      })();
      await world.run();
      return {
        reached: reached.join(', '),
        version: disk.snapshot().rows[0]?.version ?? 0,
        awaits: process.awaits,
        alive: process.alive,
      };
    };
    const whole = await program();
    expect(whole).toEqual({ reached: 'first, timer, after the timer, second', version: 2, awaits: 3, alive: true });
    const at = async (number: number, when: KillAt['when']) => {
      const { reached, version, alive } = await program({ await: number, when });
      expect(alive).toBe(false);
      return [reached, version];
    };
    expect(await at(1, 'before')).toEqual(['', 0]);
    expect(await at(1, 'after')).toEqual(['', 1]);
    expect(await at(2, 'before')).toEqual(['first', 1]);
    expect(await at(2, 'during')).toEqual(['first', 1]);
    expect((await at(2, 'after'))[1]).toBe(1);
    expect(await at(3, 'before')).toEqual(['first, timer, after the timer', 1]);
    expect(await at(3, 'after')).toEqual(['first, timer, after the timer', 2]);
    expect([1, 2]).toContain((await at(3, 'during'))[1]);
  });
});
