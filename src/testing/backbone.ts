/**
 * The contract of `Backbone` (B1 to B6), as cases that throw when it is broken. Run each that the bench can do with a function that opens a
 * new, empty backbone:
 *
 *     for (const { title, run } of backboneCases) test(title, () => run(open));
 */
import { faultCases } from './backbone-faults.ts';
import { forgetCases } from './backbone-forget.ts';
import { type BackboneCase, eventually, follow, type Outcome, over, pause, rowOf } from './backbone-parts.ts';
import { same } from './contract.ts';

export type { BackboneBench, BackboneCase, BackboneFault, OpenBackbone } from './backbone-parts.ts';

const rows: readonly BackboneCase[] = [
  over('B1: what was published reaches every subscriber, also its publisher and whoever comes later', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const early = [follow(a), follow(b)];
    await a.publish([rowOf('x', 'a.1', 1), rowOf('y', 'a.1', 1)]);
    await b.publish([rowOf('x', 'b.1', 1)]);
    const late = follow(bench.connect('c'));
    const identity = await a.identity();
    for (const { versions, deliveries } of [...early, late]) {
      await eventually(bench.host, () => versions.size === 3, 'three rows arrived');
      same(
        deliveries.every((delivery) => delivery.identity === identity),
        true,
        'each delivery names the identity',
      );
    }
  }),
  over('B1: a subscriber goes on after its cursor, and gets what came meanwhile', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    await a.publish([rowOf('x', 'a.1', 1)]);
    const first = follow(b);
    await eventually(bench.host, () => first.versions.get('x a.1') === 1, 'the first row arrived');
    first.close();
    await a.publish([rowOf('x', 'a.1', 2), rowOf('y', 'a.1', 2)]);
    const second = follow(b, first.cursor());
    await eventually(bench.host, () => second.versions.size === 2, 'both newer rows arrived');
    same(second.versions.get('x a.1'), 2, 'version');
  }),
  over('B1: a delivery that was refused comes again, and nothing is delivered meanwhile', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const attempts: string[][] = [];
    let running = 0;
    let together = 0;
    b.subscribe(null, async ({ rows: delivered }) => {
      running += 1;
      together = Math.max(together, running);
      attempts.push(delivered.map((row) => row.address));
      await pause(bench.host, 20);
      running -= 1;
      if (attempts.length < 3) throw new Error('not now');
    });
    await a.publish([rowOf('x', 'a.1', 1)]);
    await a.publish([rowOf('y', 'a.1', 2)]);
    await eventually(
      bench.host,
      () => attempts.length >= 3 && attempts.slice(2).flat().includes('x'),
      'the refused row came again',
    );
    await eventually(bench.host, () => attempts.slice(2).flat().includes('y'), 'the next row came');
    same(together, 1, 'deliveries at once');
  }),
  over('B1: what is published while a delivery is being received arrives after it', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const seen: string[] = [];
    b.subscribe(null, async ({ rows: delivered }) => {
      if (seen.length === 0) await a.publish([rowOf('y', 'a.1', 2)]);
      seen.push(...delivered.map((row) => row.address));
    });
    await a.publish([rowOf('x', 'a.1', 1)]);
    await eventually(bench.host, () => seen.includes('x') && seen.includes('y'), 'both rows arrived');
  }),
  over('who has caught up has received all that was kept before, also when nothing new came', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const followed = follow(b);
    for (let round = 1; round <= 3; round++) {
      await a.publish([rowOf('x', 'a.1', round), rowOf(`${round}`, 'a.1', round)]);
      await followed.caughtUp();
      same([followed.versions.get('x a.1'), followed.versions.get(`${round} a.1`)], [round, round], 'what was received');
      await followed.caughtUp();
    }
  }),
  over('B1: a closed subscription gets nothing more, and others go on', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const [closed, open] = [follow(b), follow(b)];
    closed.close();
    await a.publish([rowOf('x', 'a.1', 1)]);
    await eventually(bench.host, () => open.versions.size === 1, 'the open one got the row');
    await pause(bench.host, 50);
    same(closed.deliveries.length, 0, 'deliveries to the closed one');
  }),
  over('B1: thousands of rows arrive completely', [], async (bench) => {
    const names = Array.from({ length: 2_500 }, (_, index) => `address ${index}`);
    await bench.connect('a').publish(names.map((name) => rowOf(name, 'a.1', 1)));
    const { versions } = follow(bench.connect('b'));
    await eventually(bench.host, () => versions.size === names.length, 'all rows arrived');
  }),
  over('B2: a lower version never replaces a higher one', [], async (bench) => {
    const a = bench.connect('a');
    await a.publish([rowOf('x', 'a.1', 5), rowOf('x', 'a.1', 4)]);
    await a.publish([rowOf('x', 'a.1', 3), rowOf('x', 'b.1', 1)]);
    const { versions } = follow(bench.connect('c'));
    await eventually(bench.host, () => versions.size === 2, 'both rows arrived');
    same([versions.get('x a.1'), versions.get('x b.1')], [5, 1], 'versions');
  }),
  over('the bytes of a row, its address and its replica arrive as they were', [], async (bench) => {
    const row = {
      address: 'bin/ö"\'\\ 🎡 %_',
      replica: 'Zürich.1f',
      version: Number.MAX_SAFE_INTEGER,
      bytes: '{"é":"\\u0000 🎡\'"}',
    };
    await bench.connect('a').publish([row]);
    const { deliveries } = follow(bench.connect('b'));
    await eventually(bench.host, () => deliveries.length > 0, 'the row arrived');
    const { address, replica, version, bytes } = deliveries[0]?.rows[0] ?? rowOf('', '', 0);
    same({ address, replica, version, bytes }, row, 'row');
  }),
  over('the latest version of a replica is known', [], async (bench) => {
    const a = bench.connect('a');
    await a.publish([rowOf('x', 'a.1', 7), rowOf('y', 'a.1', 3), rowOf('x', 'b.1', 9)]);
    same(await Promise.all(['a.1', 'b.1', 'c.1'].map((replica) => a.latest(replica))), [7, 9, 0], 'versions');
  }),
];

const registers: readonly BackboneCase[] = [
  over('B3: a register is created once, and changed only from the revision that it has', [], async (bench) => {
    const { registers: a } = bench.connect('a');
    const { registers: b } = bench.connect('b');
    same((await a.get('r')).value, null, 'a register that does not exist');
    const created = await a.compareAndSet('r', 'one', null);
    same([created.done, created.register.value], [true, 'one'], 'created');
    const again = await b.compareAndSet('r', 'two', null);
    same([again.done, again.register], [false, created.register], 'created again');
    const changed = await b.compareAndSet('r', 'three', created.register.revision);
    same([changed.done, changed.register.value], [true, 'three'], 'changed');
    const stale = await a.compareAndSet('r', 'four', created.register.revision);
    same([stale.done, stale.register], [false, changed.register], 'changed from an old revision');
    same(await a.get('r'), changed.register, 'what everyone reads');
  }),
  over('B3: a revision of one register, or of none, does not create another', [], async (bench) => {
    const { registers: a } = bench.connect('a');
    const { register } = await a.compareAndSet('r', 'one', null);
    const other = await a.compareAndSet('other', 'two', register.revision);
    same([other.done, other.register.value], [false, null], 'a register that does not exist');
    same((await a.get('other')).value, null, 'its value');
  }),
  over(
    'B3: of many that write at once from one revision exactly one succeeds, and the others see its value',
    [],
    async (bench) => {
      const names = ['a', 'b', 'c', 'd', 'e'];
      let revision: string | null = null;
      for (let round = 0; round < 10; round++) {
        const from: string | null = revision;
        const write = (name: string): Promise<Outcome> =>
          bench.connect(name).registers.compareAndSet('r', `${name} ${round}`, from);
        const outcomes = await Promise.all(names.map(write));
        const winners = outcomes.filter(({ done }) => done);
        same(winners.length, 1, 'how many succeeded');
        for (const { register } of outcomes) same(register, winners[0]?.register, 'what each of them saw');
        revision = winners[0]?.register.revision ?? null;
      }
    },
  ),
  over('B3: concurrent counting by compare-and-set loses nothing', [], async (bench) => {
    const count = async (name: string) => {
      const { registers: connection } = bench.connect(name);
      for (let added = 0; added < 10; ) {
        const { value, revision } = await connection.get('count');
        const { done } = await connection.compareAndSet('count', String(Number(value ?? 0) + 1), revision);
        if (done) added += 1;
      }
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(count));
    same((await bench.connect('a').registers.get('count')).value, '40', 'the count');
  }),
  over('B3: what one connection asks for at once is answered each by itself', [], async (bench) => {
    const { registers: a } = bench.connect('a');
    const names = Array.from({ length: 120 }, (_, index) => `register ${index % 60}`);
    const { register: old } = await a.compareAndSet('old', 'one', null);
    await a.compareAndSet('old', 'two', old.revision);
    const stale = a.compareAndSet('old', 'three', old.revision);
    const outcomes = await Promise.all(names.map((name, index) => a.compareAndSet(name, `value ${index}`, null)));
    same([(await stale).done, (await stale).register.value], [false, 'two'], 'the one that was too late');
    const winners = new Map(outcomes.flatMap(({ done, register }, index) => (done ? [[names[index], register.value]] : [])));
    same([winners.size, outcomes.filter(({ done }) => done).length], [60, 60], 'how many succeeded, once for each name');
    const found = await Promise.all(['none', ...names].map((name) => a.get(name)));
    same(found[0]?.value, null, 'a register that does not exist');
    for (const [index, { register }] of outcomes.entries()) {
      const name = names[index];
      same(register.value, winners.get(name), `what ${name} was said to hold`);
      same(found[index + 1], register, `what ${name} holds`);
    }
  }),
  over(
    'B3: connections that write many registers at once, in whatever order, lose nothing and all get through',
    [],
    async (bench) => {
      const names = ['x', 'y', 'z'];
      const add = async (connection: string, name: string): Promise<void> => {
        const { registers: mine } = bench.connect(connection);
        for (;;) {
          const { value, revision } = await mine.get(name);
          if ((await mine.compareAndSet(name, String(Number(value ?? 0) + 1), revision)).done) return;
        }
      };
      for (let round = 0; round < 8; round++) {
        const inOrder = names.map((name) => add('a', name));
        const against = [...names].reverse().map((name) => add('b', name));
        await Promise.all([...inOrder, ...against]);
      }
      for (const name of names) same((await bench.connect('c').registers.get(name)).value, '16', `the count ${name}`);
    },
  ),
  over('B4: a revision is never used twice, not even for the same value', [], async (bench) => {
    const { registers: a } = bench.connect('a');
    const seen = new Set<string | null>();
    let revision: string | null = null;
    for (const value of ['one', 'two', 'one', 'one']) {
      const { register }: Outcome = await a.compareAndSet('r', value, revision);
      revision = register.revision;
      seen.add(revision);
    }
    same([seen.size, seen.has(null)], [4, false], 'different revisions');
  }),
  over('B3: that a register does not exist has a revision, from which it is created once', [], async (bench) => {
    const { registers: a } = bench.connect('a');
    const { registers: b } = bench.connect('b');
    const [first, second] = [await a.get('r'), await b.get('r')];
    const created = await a.compareAndSet('r', 'one', first.revision);
    same([created.done, created.register.value], [true, 'one'], 'created');
    same((await b.compareAndSet('r', 'two', second.revision)).register, created.register, 'created again');
    same((await b.compareAndSet('other', 'two', created.register.revision)).done, false, 'another from its revision');
  }),
  over('B3, B4: a deleted register does not exist, and nothing is written to it from before', [], async (bench) => {
    const { registers: a } = bench.connect('a');
    const { register } = await a.compareAndSet('r', 'one', null);
    const changed = await a.compareAndSet('r', 'two', register.revision);
    same((await a.compareAndSet('r', null, register.revision)).done, false, 'deleted from an old revision');
    const gone = await a.compareAndSet('r', null, changed.register.revision);
    same([gone.done, gone.register.value, (await a.get('r')).value], [true, null, null], 'deleted');
    same((await a.compareAndSet('r', 'three', changed.register.revision)).done, false, 'written from before');
    same((await a.compareAndSet('r', 'four', gone.register.revision)).register.value, 'four', 'created anew');
  }),
  over('names and values of registers are kept as they were', [], async (bench) => {
    const { registers: a } = bench.connect('a');
    const value = `{"🎡":"${'ö\'"'.repeat(5_000)}"}`;
    const names = ['settle/1', 'bank/x"y', "bank/x'y", 'bank/X"Y', ' ', '🎡'];
    for (const name of names) await a.compareAndSet(name, name + value, null);
    for (const name of names) same((await a.get(name)).value, name + value, `the register ${name}`);
  }),
  over('the identity is the same for everyone, and the clock is a time', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    same(await a.identity(), await b.identity(), 'identity');
    const absent = await a.registers.get('r');
    const { register } = await b.registers.compareAndSet('r', 'one', null);
    same([absent.identity, register.identity], [await a.identity(), await a.identity()], 'the identity that registers show');
    const nowMs = await a.now();
    same(Number.isFinite(nowMs) && nowMs > Date.UTC(2000, 0, 1), true, `now() gave ${nowMs}`);
  }),
];

export const backboneCases: readonly BackboneCase[] = [...rows, ...registers, ...forgetCases, ...faultCases];
