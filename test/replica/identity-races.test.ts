import { describe, expect, test } from 'vitest';
import type { Backbone } from '../../src/backbone/backbone.ts';
import { CffbrwError } from '../../src/error.ts';
import { emptyBank, printBank } from '../../src/replica/bank/record.ts';
import { ownDisk } from '../../src/replica/identity/disk.ts';
import { openIdentity } from '../../src/replica/identity/identity.ts';
import { readStored } from '../../src/replica/identity/incarnation.ts';
import { address, createStage, type Machine, type Stage } from './identity-stage.ts';

/** Lets time pass in small steps until a record on the disk holds this text. */
async function until(stage: Stage, machine: Machine, record: string, text: string): Promise<void> {
  for (let step = 0; step < 2_000; step += 1) {
    await stage.world.run(0.2);
    const found = machine.disk.snapshot().records.find(({ name }) => name === record);
    if (found?.value?.includes(text)) return;
  }
  throw new Error(`${record} never held ${text}`);
}

/** A machine whose incarnation ended with 10 leased units, because the backbone was out of reach at the second start. */
async function endedCutOff(stage: Stage, machine: Machine) {
  const first = await stage.open(machine);
  await stage.run(first.lease(10));
  first.kill();
  stage.loopback.cut(machine.name);
  const second = await stage.open(machine);
  stage.loopback.heal();
  return { first, second };
}

describe('in between', () => {
  test('a bank that has not moved to its end yet is not spent', async () => {
    const stage = createStage(1);
    const machine = stage.machine('hanoi');
    const { kill } = await stage.open(machine, { alone: true });
    kill();
    await stage.world.runUntil(
      machine.disk.open().commit([], [{ name: `register/bank/${address}`, value: printBank(emptyBank(10)) }]),
    );
    const running = stage.begin(machine);
    await until(stage, machine, 'identity', '"home":"local","moving":"');
    stage.loopback.cut('hanoi');
    await stage.world.run(10_000);
    expect(running.replica?.identity.frozen).toMatchObject({ reason: 'unreachable' });
    stage.loopback.heal();
    await stage.run(running.replica?.contact() ?? Promise.resolve());
    expect(running.replica?.identity.frozen).toBeNull();
  });

  test('what a disk in doubt holds of old incarnations is in doubt as well', async () => {
    const stage = createStage(2);
    const machine = stage.machine('hanoi');
    const { first, second } = await endedCutOff(stage, machine);
    const backup = machine.disk.snapshot();
    await stage.run(second.contact());
    await stage.run(second.lease(1));
    second.kill();
    machine.disk.restore(backup);
    const third = await stage.open(machine);
    const old = third.identity.old.find(({ id }) => id === first.identity.me);
    expect(old).toMatchObject({ state: 'locked' });
    expect(old?.witness).toContain('older copy');
  });

  test('an old incarnation whose return was cut short is claimed again, so that a clone of the disk does not return it, too', async () => {
    const stage = createStage(3);
    const machine = stage.machine('hanoi', { witness: false });
    const { first, second } = await endedCutOff(stage, machine);
    void second.contact().catch(() => {});
    await until(stage, machine, `old/${first.identity.me}`, '"state":"proven"');
    second.kill();
    const copy = { ...machine, name: 'hanoi-copy', disk: machine.disk.clone('copy') };
    const original = await stage.open(machine);
    await stage.run(original.contact());
    expect(original.identity.old).toMatchObject([{ id: first.identity.me, state: 'returned' }]);
    const clone = await stage.open(copy);
    await stage.run(clone.contact());
    const old = clone.identity.old.find(({ id }) => id === first.identity.me);
    expect([old?.state, clone.identity.owns(first.identity.me)]).toEqual(['locked', false]);
  });

  test('an old incarnation that returned its rights is taken up again once per start, because its receipts may still be settled', async () => {
    const stage = createStage(7);
    const machine = stage.machine('hanoi');
    const { first, second } = await endedCutOff(stage, machine);
    await stage.run(second.contact());
    second.kill();
    const third = await stage.open(machine);
    const asked: string[] = [];
    third.identity.onProven(async (who) => void asked.push(who));
    for (let times = 0; times < 3; times += 1) await stage.run(third.identity.contact());
    expect([asked, third.identity.owns(first.identity.me)]).toEqual([[first.identity.me], true]);
    expect(third.identity.old[0]?.state).toBe('returned');
  });

  test('what had returned its rights is in doubt again on an older copy of the disk', async () => {
    const stage = createStage(8);
    const machine = stage.machine('hanoi');
    const { first, second } = await endedCutOff(stage, machine);
    await stage.run(second.contact());
    const backup = machine.disk.snapshot();
    await stage.run(second.lease(1));
    second.kill();
    machine.disk.restore(backup);
    const third = await stage.open(machine);
    const asked: string[] = [];
    third.identity.onProven(async (who) => void asked.push(who));
    await stage.run(third.identity.contact());
    expect([asked, third.identity.owns(first.identity.me)]).toEqual([[], false]);
  });

  test('rows that appear while a start claims its incarnation are seen', async () => {
    const stage = createStage(4);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    first.kill();
    const loopback = stage.loopback.connect('hanoi');
    let asked = 0;
    const backbone: Backbone = { ...loopback, latest: async () => (asked++ === 0 ? 0 : 9) };
    const host = stage.world.host('hanoi');
    const opening = openIdentity({ host, store: machine.disk.open(), witness: null, backbone, name: 'hanoi', disk: ownDisk });
    await expect(stage.world.runUntil(opening)).rejects.toMatchObject({ code: 'INVARIANT' });
    const { old } = await stage.world.runUntil(readStored(machine.disk.open()));
    expect(old.get(first.identity.me)?.lacks).toContain('the backbone holds commit 9 of it');
  });

  test('one backbone is adopted, not every one that follows', async () => {
    const stage = createStage(5);
    const machine = stage.machine('hanoi');
    const first = await stage.open(machine);
    first.kill();
    await stage.loopback.empty();
    const second = await stage.open(machine, { adopt: true });
    await stage.run(second.contact());
    await stage.loopback.empty();
    await expect(stage.run(second.contact())).rejects.toMatchObject({ code: 'RECOVERING' });
  });

  test('trouble with returning an old incarnation’s rights does not hold up the running one', async () => {
    const stage = createStage(6);
    const machine = stage.machine('hanoi');
    const { second } = await endedCutOff(stage, machine);
    second.identity.onProven(async () => {
      throw new CffbrwError('OUT_OF_RANGE', 'too much');
    });
    await stage.run(second.identity.contact());
    expect(second.identity.old).toMatchObject([{ state: 'proven', lacks: 'its rights could not be returned: too much' }]);
  });
});
