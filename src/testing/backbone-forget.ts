/** What the contract of `Backbone` says about rows that are forgotten (B6). */
import { type BackboneCase, eventually, follow, over, pause, rowOf } from './backbone-parts.ts';
import { same } from './contract.ts';

export const forgetCases: readonly BackboneCase[] = [
  over('B6: forgotten rows reach nobody who comes later, and all others do', [], async (bench) => {
    const a = bench.connect('a');
    await a.publish([
      rowOf('old', 'a.1', 1),
      rowOf('old', 'b.1', 1),
      rowOf('older', 'a.1', 2),
      rowOf('x', 'a.1', 3),
      rowOf('ol', 'a.1', 3),
    ]);
    await a.forget(['old', 'older', 'never there']);
    await a.forget(['old']);
    await a.forget([]);
    const late = follow(bench.connect('c'));
    await late.caughtUp();
    same([...late.versions.keys()].sort(), ['ol a.1', 'x a.1'], 'rows that are left');
  }),
  over(
    'B6: to forget changes neither the identity nor what is the latest of a replica, and takes no register away',
    [],
    async (bench) => {
      const [a, b] = [bench.connect('a'), bench.connect('b')];
      const identity = await a.identity();
      const { register } = await a.registers.compareAndSet('old', 'one', null);
      await a.publish([rowOf('x', 'a.1', 3), rowOf('old', 'a.1', 7), rowOf('old', 'b.1', 9)]);
      await a.forget(['old']);
      same(await Promise.all(['a.1', 'b.1', 'c.1'].map((replica) => b.latest(replica))), [7, 9, 0], 'versions');
      await a.publish([rowOf('old', 'a.1', 5), rowOf('x', 'a.1', 6)]);
      await a.forget(['old']);
      same(
        await Promise.all(['a.1', 'b.1'].map((replica) => b.latest(replica))),
        [7, 9],
        'versions, of lower ones forgotten, too',
      );
      await a.publish([rowOf('x', 'a.1', 8)]);
      same(await b.latest('a.1'), 8, 'a version that is higher than what was forgotten');
      same([await b.identity(), await b.registers.get('old')], [identity, register], 'the identity, and a register of that name');
    },
  ),
  over(
    'a forgotten row that is published again is kept and delivered like any other, whatever its version',
    [],
    async (bench) => {
      const [a, b] = [bench.connect('a'), bench.connect('b')];
      const early = follow(b);
      await a.publish([rowOf('old', 'a.1', 7)]);
      await early.caughtUp();
      await a.forget(['old']);
      await a.publish([rowOf('old', 'a.1', 4)]);
      await early.caughtUp();
      same(
        early.deliveries.some(({ rows }) => rows.some(({ version }) => version === 4)),
        true,
        'it came',
      );
      const late = follow(bench.connect('c'));
      await late.caughtUp();
      same([...late.versions], [['old a.1', 4]], 'what a later one gets');
    },
  ),
  over('a subscriber goes on, whose cursor is before, at or behind rows that were forgotten', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    await a.publish([rowOf('x', 'a.1', 1)]);
    const before = follow(b);
    await before.caughtUp();
    before.close();
    await a.publish([rowOf('old', 'a.1', 2)]);
    const at = follow(b, before.cursor());
    await at.caughtUp();
    at.close();
    await a.forget(['old']);
    await a.publish([rowOf('y', 'a.1', 3)]);
    for (const cursor of [before.cursor(), at.cursor()]) {
      const next = follow(b, cursor);
      await next.caughtUp();
      same([...next.versions], [['y a.1', 3]], 'what came since');
    }
  }),
  over('who is receiving rows while they are forgotten gets all others', [], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const names = Array.from({ length: 2_500 }, (_, index) => `${index % 2 === 0 ? 'old' : 'new'} ${index}`);
    await a.publish(names.map((name) => rowOf(name, 'a.1', 1)));
    const seen = new Set<string>();
    let forgot = false;
    b.subscribe(null, async ({ rows }) => {
      for (const { address } of rows) seen.add(address);
      if (forgot) return;
      forgot = true;
      await a.forget(names.filter((name) => name.startsWith('old')));
      throw new Error('not now'); // the same page again, and less is left of it
    });
    const isNew = (name: string) => name.startsWith('new');
    await eventually(bench.host, () => [...seen].filter(isNew).length === names.filter(isNew).length, 'the others arrived');
    await a.publish([rowOf('last', 'a.1', 2)]);
    await eventually(bench.host, () => seen.has('last'), 'the next row arrived');
    await pause(bench.host, 10);
  }),
  over('B5, B6: what was forgotten stays known over a restart, and nobody takes it for a loss', ['restart'], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const followed = follow(b);
    const identity = await a.identity();
    await a.publish([rowOf('x', 'a.1', 1), rowOf('old', 'a.1', 6)]);
    await eventually(bench.host, () => followed.versions.size === 2, 'both rows arrived');
    await a.forget(['old']);
    await bench.restart?.();
    same([await b.identity(), await b.latest('a.1')], [identity, 6], 'the identity, and the latest version');
    await a.publish([rowOf('x', 'a.1', 7)]);
    await eventually(bench.host, () => followed.versions.get('x a.1') === 7, 'the subscriber went on');
    same([...new Set(followed.deliveries.map((delivery) => delivery.identity))], [identity], 'the identities it was told');
  }),
];
