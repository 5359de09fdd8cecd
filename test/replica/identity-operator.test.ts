import { describe, expect, test } from 'vitest';
import { createLoopback } from '../../src/backbone/loopback.ts';
import { emptyBank, freeIn, parseBank, printBank, withTotals } from '../../src/replica/bank/record.ts';
import { emptyRow } from '../../src/replica/bank/rights.ts';
import { ownDisk } from '../../src/replica/identity/disk.ts';
import { openIdentity } from '../../src/replica/identity/identity.ts';
import { markText, readStored } from '../../src/replica/identity/incarnation.ts';
import { readMembers } from '../../src/replica/identity/members.ts';
import { planRecovery, recover, writtenOffAtBirth } from '../../src/replica/identity/recover.ts';
import { planRetirement, retire } from '../../src/replica/identity/retire.ts';
import { address, createStage, type Machine, type Stage } from './identity-stage.ts';

const bankRecord = `register/bank/${address}`;

/** A store without a backbone whose bank had 10 units: 4 leased here, 1 of them taken. Its witness knows. */
async function soldAlone(stage: Stage, machine: Machine, leased = 4) {
  const { identity, kill } = await stage.open(machine, { alone: true });
  kill();
  const totals = { leased, returned: 0, minted: 0, burned: 0 };
  const bank = leased === 0 ? emptyBank(10) : withTotals(emptyBank(10), identity.me, totals);
  const row = {
    address,
    replica: identity.me,
    version: 1,
    bytes: JSON.stringify({ ...emptyRow, leased, taken: Math.min(1, leased), initial: 10 }),
  };
  await commit(stage, machine, markText(identity.me, 1), { row, record: { name: bankRecord, value: printBank(bank) } });
  return identity.me;
}

async function commit(stage: Stage, machine: Machine, mark: string, { row, record }: { row?: object; record?: object } = {}) {
  const records = [{ name: 'commit', value: mark }, ...(record === undefined ? [] : [record as { name: string; value: string }])];
  await stage.world.runUntil(machine.disk.open().commit(row === undefined ? [] : [row as never], records));
  if (machine.witness !== null) machine.witness.text = mark;
}

/** Its backup from before the last sales is put back. */
async function restored(stage: Stage, machine: Machine) {
  const me = await soldAlone(stage, machine);
  const backup = machine.disk.snapshot();
  await commit(stage, machine, markText(me, 5));
  machine.disk.restore(backup);
  return me;
}

const localBank = (machine: Machine) => {
  const found = machine.disk.snapshot().records.find(({ name }) => name === bankRecord)?.value;
  return found === undefined || found === null ? null : parseBank(found);
};

describe('a store without a backbone', () => {
  test('goes on as the same incarnation with its bank', async () => {
    const stage = createStage(1);
    const machine = stage.machine('hanoi');
    const me = await soldAlone(stage, machine);
    const { identity } = await stage.open(machine, { alone: true });
    expect([identity.me, identity.frozen]).toEqual([me, null]);
  });

  test('that is behind its witness freezes, and stays frozen over restarts', async () => {
    const stage = createStage(2);
    const machine = stage.machine('hanoi');
    const me = await restored(stage, machine);
    for (let start = 0; start < 3; start += 1) {
      const { identity, contact, kill } = await stage.open(machine, { alone: true });
      await stage.run(contact());
      expect(identity.me).not.toBe(me);
      expect(identity.frozen).toMatchObject({ reason: 'frozen' });
      expect(identity.frozen?.message).toContain('ends at commit 1, but its witness has seen commit 5');
      expect(identity.frozen?.fix).toContain('cffbrw recover');
      kill();
    }
  });

  test('whose witness is missing freezes', async () => {
    const stage = createStage(3);
    const machine = stage.machine('hanoi');
    await soldAlone(stage, machine);
    if (machine.witness !== null) machine.witness.text = null;
    expect((await stage.open(machine, { alone: true })).identity.frozen?.message).toContain('missing');
  });

  test('whose witness another process holds freezes', async () => {
    const stage = createStage(4);
    const machine = stage.machine('hanoi');
    await stage.open(machine, { alone: true });
    const copy = { ...machine, disk: machine.disk.clone('copy') };
    expect((await stage.open(copy, { alone: true })).identity.frozen?.message).toContain('another process');
  });

  test('that is empty, while its witness has seen commits, freezes', async () => {
    const stage = createStage(5);
    const machine = stage.machine('hanoi');
    await soldAlone(stage, machine);
    machine.disk.restore({ rows: [], records: [] });
    const { identity } = await stage.open(machine, { alone: true });
    expect(identity.frozen?.message).toContain('the data directory is empty, but its witness has seen commit 1 of hanoi.');
  });

  test('that was never used starts, although a crash left a witness without commits', async () => {
    const stage = createStage(6);
    const machine = stage.machine('hanoi');
    if (machine.witness !== null) machine.witness.text = markText('hanoi.0000000000', 0);
    expect((await stage.open(machine, { alone: true })).identity.frozen).toBeNull();
  });

  test('that belongs to a backbone freezes until it is started with it', async () => {
    const stage = createStage(7);
    const machine = stage.machine('hanoi');
    const first = await stage.open(machine);
    await stage.run(first.lease(5));
    first.kill();
    const alone = await stage.open(machine, { alone: true });
    expect(alone.identity.frozen?.message).toContain('belongs to the backbone');
    alone.kill();
    const again = await stage.open(machine);
    expect([again.identity.me, again.identity.frozen, again.rights]).toEqual([first.identity.me, null, 5]);
  });
});

async function recoverOn(stage: Stage, machine: Machine, trustStore = false, alone = false) {
  const witness = machine.witness?.open() ?? null;
  await stage.world.runUntil(
    recover({ host: stage.world.host(machine.name), store: machine.disk.open(), witness, trustStore, alone }),
  );
  await stage.world.runUntil(witness?.release() ?? Promise.resolve());
}

describe('recovering a frozen store', () => {
  test('the plan shows what is at stake: what is free and what is held', async () => {
    const stage = createStage(11);
    const machine = stage.machine('hanoi');
    const me = await restored(stage, machine);
    (await stage.open(machine, { alone: true })).kill();
    const before = machine.disk.snapshot();
    const plan = await stage.world.runUntil(planRecovery(machine.disk.open()));
    expect(plan).toMatchObject({ stakes: [{ address, free: 6, held: 3 }], worstCase: 9, old: [{ id: me, state: 'locked' }] });
    expect(machine.disk.snapshot()).toEqual(before);
  });

  test('writing off leaves nothing to spend, and is remembered', async () => {
    const stage = createStage(12);
    const machine = stage.machine('hanoi');
    const me = await restored(stage, machine);
    (await stage.open(machine, { alone: true })).kill();
    await recoverOn(stage, machine);
    const recoveredAt = (await stage.world.runUntil(readStored(machine.disk.open()))).identity?.recoveredAt;
    expect(Math.abs((recoveredAt ?? 0) - stage.world.nowMs)).toBeLessThan(10);
    const bank = localBank(machine);
    expect(bank === null ? null : freeIn(bank)).toBe(0);
    const { identity, contact, kill } = await stage.open(machine, { alone: true });
    const asked: string[] = [];
    identity.onProven(async (who) => void asked.push(who));
    await stage.run(contact());
    expect([identity.frozen, asked, identity.recoveredAt]).toEqual([null, [], recoveredAt]);
    expect(identity.old.map(({ id, state }) => [id === me, state])).toContainEqual([true, 'written-off']);
    // Six free, and three that the old incarnation held and nobody can return any more.
    expect(bank?.burned[identity.me]).toBe(9);
    kill();
    expect((await stage.open(machine, { alone: true })).identity.frozen).toBeNull();
  });

  test('trusting the store gives the old rights back', async () => {
    const stage = createStage(13);
    const machine = stage.machine('hanoi');
    const me = await restored(stage, machine);
    (await stage.open(machine, { alone: true })).kill();
    await recoverOn(stage, machine, true);
    const { identity, contact } = await stage.open(machine, { alone: true });
    const asked: string[] = [];
    identity.onProven(async (who) => void asked.push(who));
    await stage.run(contact());
    await stage.run(contact());
    expect([identity.frozen, asked, identity.old.map(({ state }) => state)]).toEqual([null, [me], ['returned']]);
    const bank = localBank(machine);
    expect(bank === null ? null : freeIn(bank)).toBe(6);
  });

  for (const trustStore of [true, false]) {
    test(`${trustStore ? 'trusting the store' : 'writing off'} before any start found the freeze holds as well`, async () => {
      const stage = createStage(15);
      const machine = stage.machine('hanoi');
      const me = await restored(stage, machine);
      await recoverOn(stage, machine, trustStore);
      const { identity } = await stage.open(machine, { alone: true });
      const bank = localBank(machine);
      expect([identity.frozen, identity.me === me, bank === null ? null : freeIn(bank)]).toEqual([
        null,
        trustStore,
        trustStore ? 6 : 0,
      ]);
    });
  }

  test('a store that goes on alone gives up what it held of the backbone', async () => {
    const stage = createStage(17);
    const machine = stage.machine('hanoi');
    const first = await stage.open(machine);
    await stage.run(first.lease(5));
    first.kill();
    await recoverOn(stage, machine, false, true);
    const { identity, rights } = await stage.open(machine, { alone: true });
    expect([identity.frozen, identity.me === first.identity.me, rights]).toEqual([null, false, 0]);
    expect(identity.old).toMatchObject([{ id: first.identity.me, state: 'written-off' }]);
  });

  test('is refused while a process runs on the directory', async () => {
    const stage = createStage(16);
    const machine = stage.machine('hanoi');
    await stage.open(machine, { alone: true });
    await expect(recoverOn(stage, machine)).rejects.toMatchObject({ code: 'FROZEN' });
  });

  test('a counter that may have been sold before the write-off begins with nothing', () => {
    expect(writtenOffAtBirth(null, null)).toBe(false);
    expect(writtenOffAtBirth(1_000, null)).toBe(true);
    expect(writtenOffAtBirth(1_000, 999)).toBe(true);
    expect(writtenOffAtBirth(1_000, 1_001)).toBe(false);
  });

  test('an empty directory has nothing to recover', async () => {
    const stage = createStage(14);
    const plan = planRecovery(stage.machine('hanoi').disk.open());
    await expect(stage.world.runUntil(plan)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a local bank and a backbone that comes later', () => {
  test('moves whole, and its rights go on', async () => {
    const stage = createStage(21);
    const machine = stage.machine('hanoi');
    const me = await soldAlone(stage, machine);
    const { identity } = await stage.open(machine);
    expect([identity.me, identity.frozen, localBank(machine)]).toEqual([me, null, null]);
    expect(await stage.bank()).toMatchObject({ initial: 10, leases: { [me]: { leased: 4, returned: 0 } } });
  });

  test('waits for a backbone that is out of reach, with the same incarnation', async () => {
    const stage = createStage(22);
    const machine = stage.machine('hanoi');
    const me = await soldAlone(stage, machine);
    stage.loopback.cut('hanoi');
    const replica = await stage.open(machine);
    expect([replica.identity.me, replica.identity.frozen?.reason]).toEqual([me, 'unreachable']);
    stage.loopback.heal();
    await stage.run(replica.contact());
    expect([replica.identity.frozen, localBank(machine)]).toEqual([null, null]);
  });

  test.each([
    0, 4,
  ])('a crash at any await of the move neither doubles nor loses the bank (%i leased), also when others lease from it meanwhile', async (leased) => {
    let awaits = 1;
    for (let at = 1; at <= awaits; at += 1) {
      for (const when of ['before', 'during', 'after'] as const) {
        const stage = createStage(`move/${leased}/${at}/${when}`, 10);
        const machine = stage.machine('hanoi');
        const me = await soldAlone(stage, machine, leased);
        const dying = await stage.start(machine, { killAt: { await: at, when } });
        dying.process.kill();
        const other = await stage.open(stage.machine('hue'));
        const found = await stage.world.runUntil(stage.loopback.connect('observer').registers.get(`bank/${address}`));
        const created = found.value !== null;
        if (created) await stage.run(other.lease(2));
        const again = await stage.start(machine);
        if (at === 1) awaits = again.process.awaits;
        const { identity } = again.replica ?? {};
        expect([identity?.me, identity?.frozen], `killed ${when} await ${at}`).toEqual([me, null]);
        const hue = created ? { [other.identity.me]: { leased: 2, returned: 0 } } : {};
        expect((await stage.bank()).leases).toEqual({ [me]: { leased, returned: 0 }, ...hue });
      }
    }
    expect(awaits).toBeGreaterThan(10);
  });

  test('freezes where the backbone has a bank already, until an operator adopts that one', async () => {
    const stage = createStage(23);
    const other = await stage.open(stage.machine('hue'));
    await stage.run(other.lease(2));
    const machine = stage.machine('hanoi');
    const me = await soldAlone(stage, machine);
    for (let start = 0; start < 2; start += 1) {
      const { identity, contact, kill } = await stage.open(machine);
      await stage.run(contact());
      expect(identity.frozen?.message).toContain(`already has bank/${address}`);
      kill();
    }
    const adopting = await stage.open(machine, { adopt: true });
    expect([adopting.identity.frozen, adopting.identity.me === me, adopting.rights]).toEqual([null, false, 0]);
    await stage.run(adopting.contact());
    expect(adopting.identity.old).toMatchObject([{ id: me, state: 'written-off' }]);
    expect((await stage.bank()).leases).toEqual({ [other.identity.me]: { leased: 2, returned: 0 } });
    expect(adopting.identity.members.get(me)).toMatchObject({ state: 'retired' });
  });

  test('once it has begun to move, it moves into no other backbone and sells nothing alone', async () => {
    const stage = createStage(24);
    const machine = stage.machine('hanoi');
    await soldAlone(stage, machine);
    const dying = await stage.start(machine, { killAt: { await: 19, when: 'after' } });
    dying.process.kill();
    expect((await stage.world.runUntil(readStored(machine.disk.open()))).identity).toMatchObject({ home: 'local' });
    expect((await stage.world.runUntil(readStored(machine.disk.open()))).identity?.moving).not.toBeNull();
    const alone = await stage.open(machine, { alone: true });
    expect(alone.identity.frozen).toMatchObject({ reason: 'frozen' });
    alone.kill();
    const host = stage.world.host('elsewhere');
    const backbone = createLoopback({ host }).connect('hanoi');
    const witness = machine.witness?.open() ?? null;
    const options = { host, store: machine.disk.open(), witness, backbone, name: 'hanoi', disk: ownDisk };
    const elsewhere = await stage.world.runUntil(openIdentity(options));
    expect(elsewhere.frozen).not.toBeNull();
    expect((await stage.world.runUntil(backbone.registers.get(`bank/${address}`))).value).toBeNull();
  });
});

describe('retiring', () => {
  test('writes off what a lost replica held, and tells how much at worst', async () => {
    const stage = createStage(31);
    const lost = await stage.open(stage.machine('hue'));
    await stage.run(lost.lease(5));
    await stage.run(lost.take());
    await stage.run(lost.publish());
    lost.kill();
    const machine = stage.machine('hanoi');
    const { identity } = await stage.open(machine);
    const store = machine.disk.open();
    const row = { ...emptyRow, leased: 5, taken: 1 };
    await stage.world.runUntil(
      store.commit([{ address, replica: lost.identity.me, version: 2, bytes: JSON.stringify(row) }], []),
    );
    const { registers } = stage.loopback.connect('operator');
    const options = { registers, store, who: 'hue', by: identity.me, why: 'its machine burned', now: stage.world.nowMs };
    const plan = await stage.world.runUntil(planRetirement(options));
    expect(plan).toEqual({
      ...{ retired: [lost.identity.me], unheard: [], worstCase: 4 },
      stakes: [{ id: lost.identity.me, address, units: 4 }],
    });
    expect(await stage.world.runUntil(retire(options))).toEqual(plan);
    const members = await stage.world.runUntil(readMembers(registers));
    expect(members.get(lost.identity.me)?.retired).toEqual({ by: identity.me, at: options.now, why: 'its machine burned' });
    await expect(stage.world.runUntil(retire(options))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a retired replica that comes back is a new incarnation, and one that still runs is stopped', async () => {
    const stage = createStage(32);
    const machine = stage.machine('hue');
    const first = await stage.open(machine);
    await stage.run(first.lease(5));
    const { registers } = stage.loopback.connect('operator');
    const options = { registers, store: machine.disk.open(), by: 'operator', why: 'lost', now: stage.world.nowMs };
    await stage.world.runUntil(retire({ ...options, who: first.identity.me }));
    await expect(stage.run(first.contact())).rejects.toMatchObject({ code: 'FENCED' });
    first.kill();
    const second = await stage.open(machine);
    await stage.run(second.contact());
    expect([second.identity.me === first.identity.me, second.rights]).toEqual([false, 0]);
    expect(second.identity.old[0]).toMatchObject({ state: 'locked' });
    expect(second.identity.old[0]?.lacks).toContain('operator retired it at');
  });

  test('tells of whom nobody has heard since the backbone lost something', async () => {
    const stage = createStage(34);
    const [hanoi, hue] = [stage.machine('hanoi'), stage.machine('hue')];
    for (const machine of [hue, hanoi]) (await stage.open(machine)).kill();
    await stage.loopback.empty();
    await stage.open(hanoi, { adopt: true });
    const { registers } = stage.loopback.connect('operator');
    const options = { registers, store: hanoi.disk.open(), who: 'hue', by: 'operator', why: 'lost', now: stage.world.nowMs };
    const back = await stage.open(hue, { adopt: true });
    const { me, recovery } = back.identity;
    expect(await stage.world.runUntil(planRetirement(options))).toMatchObject({ retired: [me], unheard: [me] });
    for (const stageDone of [1, 2, 3] as const) await stage.run(recovery.done(stageDone, [me]));
    expect(await stage.world.runUntil(planRetirement(options))).toMatchObject({ retired: [me], unheard: [] });
  });

  test('nobody retires itself', async () => {
    const stage = createStage(33);
    const machine = stage.machine('hue');
    const { identity } = await stage.open(machine);
    const { registers } = stage.loopback.connect('operator');
    const options = { registers, store: machine.disk.open(), who: 'hue', by: identity.me, why: '', now: 0 };
    await expect(stage.world.runUntil(planRetirement(options))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
