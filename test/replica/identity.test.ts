import { describe, expect, test } from 'vitest';
import { createStage, type Stage } from './identity-stage.ts';

/** A machine that leased 10, sold some, published it, and was killed. */
async function soldThenDied(stage: Stage, name = 'hanoi', sold = 3, options = { witness: true }) {
  const machine = stage.machine(name, options);
  const first = await stage.open(machine);
  await stage.run(first.lease(10));
  for (let unit = 0; unit < sold; unit += 1) await stage.run(first.take());
  await stage.run(first.publish());
  first.kill();
  return { machine, first };
}

describe('an identity with a backbone', () => {
  test('a fresh replica joins, with nothing frozen and one active member', async () => {
    const stage = createStage(1);
    const { identity } = await stage.open(stage.machine('hanoi'));
    expect([identity.frozen, identity.old, identity.activeReplicas()]).toEqual([null, [], 1]);
    expect(identity.me).toMatch(/^hanoi\.[0-9a-z]{10}$/);
  });

  test('a killed process that starts again is the same incarnation, and goes on selling', async () => {
    const stage = createStage(2);
    const { machine, first } = await soldThenDied(stage);
    const second = await stage.open(machine);
    expect([second.identity.me, second.rights, second.identity.frozen]).toEqual([first.identity.me, 7, null]);
    expect(await stage.run(second.take())).toBe(true);
  });

  test('a clean stop leaves the active members, and the next start is proven', async () => {
    const stage = createStage(3);
    const machine = stage.machine('hanoi');
    const other = await stage.open(stage.machine('hue'));
    const first = await stage.open(machine);
    await stage.run(other.contact());
    expect(other.identity.activeReplicas()).toBe(2);
    await stage.run(first.stop());
    await stage.run(other.contact());
    expect(other.identity.activeReplicas()).toBe(1);
    expect((await stage.open(machine)).identity.me).toBe(first.identity.me);
  });

  test('an older backup is a new incarnation without rights, and the old rights stay locked', async () => {
    const stage = createStage(4);
    const machine = stage.machine('hanoi');
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    const backup = machine.disk.snapshot();
    for (let unit = 0; unit < 10; unit += 1) await stage.run(first.take());
    first.kill();
    machine.disk.restore(backup);
    const second = await stage.open(machine);
    expect([second.identity.me === first.identity.me, second.rights, second.identity.frozen]).toEqual([false, 0, null]);
    expect(second.identity.old).toMatchObject([{ id: first.identity.me, state: 'locked', commit: 1 }]);
    expect(second.identity.old[0]?.lacks).toContain('the data directory ends at commit 1, but its witness has seen commit 11');
    await stage.run(second.contact());
    expect((await stage.bank()).leases[first.identity.me]).toEqual({ leased: 10, returned: 0 });
    await stage.run(second.lease(10));
    while (await stage.run(second.take()));
    expect(stage.sold).toBe(20);
  });

  test('without a witness an older backup is recognised by the rows that the backbone holds', async () => {
    const stage = createStage(5);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    const backup = machine.disk.snapshot();
    await stage.run(first.take());
    await stage.run(first.publish());
    first.kill();
    machine.disk.restore(backup);
    const second = await stage.open(machine);
    expect([second.identity.me === first.identity.me, second.rights]).toEqual([false, 0]);
    expect(second.identity.old[0]?.lacks).toContain('the backbone holds commit 2 of it, and the data directory ends at 1');
  });

  test('an older copy that the backbone’s rows disprove does not stop its running original', async () => {
    const stage = createStage(15);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    const copy = { ...machine, name: 'hanoi-copy', disk: machine.disk.clone('copy') };
    await stage.run(first.take());
    await stage.run(first.publish());
    expect((await stage.open(copy)).identity.me).not.toBe(first.identity.me);
    await stage.run(first.contact());
    expect(first.spendable).toBe(9);
  });

  test('without a witness an older backup is recognised by the commit of a clean stop', async () => {
    const stage = createStage(16);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    const backup = machine.disk.snapshot();
    await stage.run(first.take());
    await stage.run(first.identity.stop());
    first.kill();
    machine.disk.restore(backup);
    const second = await stage.open(machine);
    expect(second.identity.me).not.toBe(first.identity.me);
    expect(second.identity.old[0]?.lacks).toContain('the backbone holds commit 2 of it');
  });

  test('without a witness an older backup is recognised by the nonce of a later start', async () => {
    const stage = createStage(6);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    first.kill();
    const backup = machine.disk.snapshot();
    const second = await stage.open(machine);
    await stage.run(second.take());
    second.kill();
    machine.disk.restore(backup);
    const third = await stage.open(machine);
    expect(third.identity.me).not.toBe(first.identity.me);
    expect(third.identity.old[0]?.lacks).toContain('another start of the same incarnation has joined since');
  });

  test('without a witness an older backup is recognised by the leases that the bank shows, and remembers it', async () => {
    const stage = createStage(7);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    const backup = machine.disk.snapshot();
    await stage.run(first.lease(10));
    first.kill();
    machine.disk.restore(backup);
    const second = await stage.open(machine);
    expect(second.identity.me).toBe(first.identity.me);
    await stage.run(second.contact());
    expect(second.identity.frozen).toMatchObject({ reason: 'fenced' });
    second.kill();
    const third = await stage.open(machine);
    expect(third.identity.me).not.toBe(first.identity.me);
    expect(third.identity.old).toMatchObject([
      { lacks: 'the bank has leased 10 units to it, and the data directory knows of 0' },
    ]);
  });

  test('one disk started twice: the second start stops the first at its next contact', async () => {
    const stage = createStage(8);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    const second = await stage.open(machine);
    expect([second.identity.me, second.rights]).toEqual([first.identity.me, 10]);
    const told: string[] = [];
    first.identity.onFenced((error) => told.push(error.code));
    await expect(stage.run(first.contact())).rejects.toMatchObject({ code: 'FENCED' });
    expect([told, first.spendable, await stage.run(first.take())]).toEqual([['FENCED'], 0, false]);
    await stage.run(second.contact());
    expect(second.spendable).toBe(10);
  });

  test('a locked witness is no proof: a copy beside its running original is a new incarnation and does not stop it', async () => {
    const stage = createStage(9);
    const machine = stage.machine('hanoi');
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    const copy = { ...machine, disk: machine.disk.clone('copy') };
    const second = await stage.open(copy);
    expect([second.identity.me === first.identity.me, second.rights]).toEqual([false, 0]);
    await stage.run(first.contact());
    expect(first.spendable).toBe(10);
  });

  test('a lost witness is no proof', async () => {
    const stage = createStage(10);
    const { machine, first } = await soldThenDied(stage);
    if (machine.witness !== null) machine.witness.text = null;
    const second = await stage.open(machine);
    expect([second.identity.me === first.identity.me, second.rights]).toEqual([false, 0]);
    expect(second.identity.old[0]?.lacks).toContain('missing');
  });

  test('a backbone out of reach at the start: no rights, then the old incarnation is proven and its rights go back', async () => {
    const stage = createStage(11);
    const { machine, first } = await soldThenDied(stage);
    stage.loopback.cut('hanoi');
    const second = await stage.open(machine);
    expect([second.identity.me === first.identity.me, second.rights]).toEqual([false, 0]);
    expect(second.identity.frozen).toMatchObject({ reason: 'unreachable' });
    await expect(stage.run(second.contact())).rejects.toMatchObject({ code: 'UNREACHABLE' });
    stage.loopback.heal();
    await stage.run(second.contact());
    expect(second.identity.frozen).toBeNull();
    expect(second.identity.old).toMatchObject([{ id: first.identity.me, state: 'returned' }]);
    expect((await stage.bank()).leases[first.identity.me]).toEqual({ leased: 10, returned: 7 });
    const incarnations = [...second.identity.members].map(([id, { state }]) => [id === first.identity.me, state]);
    expect(incarnations.sort()).toEqual([
      [false, 'active'],
      [true, 'stopped'],
    ]);
  });

  test('starting again and again without a backbone makes one new incarnation, not one per start', async () => {
    const stage = createStage(12);
    const { machine } = await soldThenDied(stage);
    stage.loopback.cut('hanoi');
    const ids = new Set<string>();
    for (let start = 0; start < 4; start += 1) {
      const replica = await stage.open(machine);
      ids.add(replica.identity.me);
      replica.kill();
    }
    stage.loopback.heal();
    const last = await stage.open(machine);
    await stage.run(last.contact());
    expect([ids.size, ids.has(last.identity.me), last.identity.old.length]).toEqual([1, true, 1]);
    expect(last.identity.old[0]?.state).toBe('returned');
  });

  test('an old incarnation that another start took over is never proven', async () => {
    const stage = createStage(13);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    first.kill();
    const copy = { ...machine, name: 'hanoi-copy', disk: machine.disk.clone('copy') };
    stage.loopback.cut('hanoi');
    const waits = await stage.open(machine);
    const other = await stage.open(copy);
    expect(other.identity.me).toBe(first.identity.me);
    stage.loopback.heal();
    await stage.run(waits.contact());
    await stage.run(waits.contact());
    expect(waits.identity.old).toMatchObject([
      { state: 'locked', lacks: 'another start of the same incarnation has joined since' },
    ]);
    await stage.run(other.contact());
    expect(other.spendable).toBe(10);
  });

  test('an old incarnation that the backbone knows better is never proven', async () => {
    const stage = createStage(17);
    const machine = stage.machine('hanoi', { witness: false });
    const first = await stage.open(machine);
    await stage.run(first.lease(10));
    const backup = machine.disk.snapshot();
    await stage.run(first.take());
    await stage.run(first.publish());
    first.kill();
    machine.disk.restore(backup);
    stage.loopback.cut('hanoi');
    const second = await stage.open(machine);
    stage.loopback.heal();
    await stage.run(second.contact());
    expect(second.identity.old).toMatchObject([{ id: first.identity.me, state: 'locked' }]);
    expect(second.identity.old[0]?.lacks).toContain('the backbone holds commit 2 of it');
    expect((await stage.bank()).leases[first.identity.me]).toEqual({ leased: 10, returned: 0 });
  });

  test('an old incarnation is touched only once, also when returning its rights is cut short', async () => {
    const stage = createStage(14);
    const { machine, first } = await soldThenDied(stage);
    stage.loopback.cut('hanoi');
    const second = await stage.open(machine);
    stage.loopback.heal();
    void second.contact().catch(() => {});
    await stage.world.run(22);
    second.kill();
    expect((await stage.bank()).leases[first.identity.me]).toEqual({ leased: 10, returned: 0 });
    const third = await stage.open(machine);
    await stage.run(third.contact());
    expect((await stage.bank()).leases[first.identity.me]).toEqual({ leased: 10, returned: 7 });
  });
});

describe('a backbone that lost something', () => {
  test('with another identity is not joined, until an operator adopts it', async () => {
    const stage = createStage(21);
    const machine = stage.machine('hanoi');
    const first = await stage.open(machine);
    const before = await stage.loopback.snapshot();
    await stage.run(first.lease(10));
    await stage.loopback.restore(before);
    await expect(stage.run(first.contact())).rejects.toMatchObject({ code: 'RECOVERING' });
    expect(first.spendable).toBe(10);
    first.kill();
    const second = await stage.open(machine);
    expect([second.identity.frozen?.reason, second.rights]).toEqual(['recovering', 0]);
    await expect(stage.run(second.contact())).rejects.toMatchObject({ code: 'RECOVERING' });
    second.kill();
    const third = await stage.open(machine, { adopt: true });
    await stage.run(third.contact());
    expect(third.identity.frozen).toBeNull();
    expect(third.identity.old).toMatchObject([{ id: first.identity.me, state: 'returned' }]);
  });

  test('set back without a new identity, an older nonce of mine is no second start, and it is told', async () => {
    const stage = createStage(22);
    const machine = stage.machine('hanoi');
    (await stage.open(machine)).kill();
    const before = await stage.loopback.snapshot();
    const second = await stage.open(machine);
    await stage.run(second.lease(5));
    const told: string[] = [];
    second.identity.onRegressed((why) => told.push(why));
    await stage.loopback.restore(before, { noticed: false });
    await stage.run(second.contact());
    expect([told, second.identity.frozen, second.spendable]).toEqual([
      ['the backbone shows an older start of this incarnation'],
      null,
      5,
    ]);
    await stage.run(second.contact());
    expect(told.length).toBe(1);
  });

  test('emptied without a new identity, the entry is put back, and it is told', async () => {
    const stage = createStage(23);
    const machine = stage.machine('hanoi');
    const first = await stage.open(machine);
    const told: string[] = [];
    first.identity.onRegressed((why) => told.push(why));
    await stage.loopback.empty({ noticed: false });
    await stage.run(first.contact());
    expect([told, first.identity.members.has(first.identity.me)]).toEqual([
      ['the backbone no longer knows of this incarnation'],
      true,
    ]);
  });

  test('what was lost before the start is told to whoever listens later', async () => {
    const stage = createStage(24);
    const machine = stage.machine('hanoi');
    const first = await stage.open(machine);
    first.kill();
    await stage.loopback.empty({ noticed: false });
    const second = await stage.open(machine);
    const told: string[] = [];
    second.identity.onRegressed((why) => told.push(why));
    expect([second.identity.me, told]).toEqual([first.identity.me, ['the backbone no longer knows of this incarnation']]);
  });

  test('rows of mine that I never committed stop me', async () => {
    const stage = createStage(25);
    const first = await stage.open(stage.machine('hanoi'));
    const forged = { address: 'y', replica: first.identity.me, version: 9, bytes: '{}' };
    await stage.world.runUntil(stage.loopback.connect('forger').publish([forged]));
    await expect(stage.run(first.contact())).rejects.toMatchObject({ code: 'FENCED' });
    expect(first.identity.frozen?.message).toContain('the backbone holds commit 9 of it');
  });
});
