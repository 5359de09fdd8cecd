/** What the contract of `Backbone` says about cuts, restarts, backups and losses. */
import { type BackboneCase, eventually, follow, over, rowOf } from './backbone-parts.ts';
import { refusedWith, same } from './contract.ts';

export const faultCases: readonly BackboneCase[] = [
  over('who is cut off gets UNREACHABLE and no rows, and after healing everything', ['cut'], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const { versions } = follow(b);
    bench.cut?.('b');
    await a.publish([rowOf('x', 'a.1', 1)]);
    await Promise.all([
      refusedWith(b.publish([rowOf('x', 'b.1', 1)]), 'UNREACHABLE', 'publish'),
      refusedWith(b.registers.get('r'), 'UNREACHABLE', 'get'),
      refusedWith(b.registers.compareAndSet('r', 'b', null), 'UNREACHABLE', 'compareAndSet'),
      refusedWith(b.identity(), 'UNREACHABLE', 'identity'),
      refusedWith(b.now(), 'UNREACHABLE', 'now'),
      refusedWith(b.latest('a.1'), 'UNREACHABLE', 'latest'),
      refusedWith(b.forget(['x']), 'UNREACHABLE', 'forget'),
    ]);
    same(versions.size, 0, 'rows that arrived through the cut');
    bench.heal?.();
    await b.publish([rowOf('y', 'b.1', 2)]);
    await eventually(bench.host, () => versions.get('x a.1') === 1 && versions.get('y b.1') === 2, 'the missed rows arrived');
  }),
  over('B5: a restart loses nothing, keeps the identity, and subscribers go on', ['restart'], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const { versions } = follow(b);
    const identity = await a.identity();
    await a.publish([rowOf('x', 'a.1', 1)]);
    const { register } = await a.registers.compareAndSet('r', 'one', null);
    await bench.restart?.();
    same([await a.identity(), await a.registers.get('r'), await a.latest('a.1')], [identity, register, 1], 'what is kept');
    await a.publish([rowOf('x', 'a.1', 2)]);
    await eventually(bench.host, () => versions.get('x a.1') === 2, 'the subscriber went on');
    const late = follow(bench.connect('c'));
    await eventually(bench.host, () => late.versions.get('x a.1') === 2, 'a later subscriber got the row');
  }),
  over('B4, B5: after a restored backup the identity differs, and no earlier revision holds', ['backup'], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const { versions } = follow(b);
    const identity = await a.identity();
    const before = await a.registers.compareAndSet('r', 'one', null);
    const absent = await a.registers.get('absent');
    const restore = await bench.backup?.();
    const after = await a.registers.compareAndSet('r', 'two', before.register.revision);
    await restore?.();
    same((await a.identity()) !== identity, true, 'the identity is the same after a restore');
    const register = await a.registers.get('r');
    same([register.value, register.identity === identity], ['one', false], 'the register, and the earlier identity');
    same((await a.registers.compareAndSet('absent', 'x', absent.revision)).done, false, 'created from an earlier absence');
    same((await a.registers.compareAndSet('absent', 'x', null)).done, true, 'created from none');
    for (const { revision } of [before.register, after.register]) {
      same((await a.registers.compareAndSet('r', 'three', revision)).done, false, 'a write from an earlier revision');
    }
    same((await a.registers.compareAndSet('r', 'three', register.revision)).done, true, 'a write from its revision');
    await a.publish([rowOf('x', 'a.1', 1)]);
    await eventually(bench.host, () => versions.get('x a.1') === 1, 'the subscriber went on');
  }),
  over('B5: an emptied backbone has another identity, and takes rows again', ['empty'], async (bench) => {
    const [a, b] = [bench.connect('a'), bench.connect('b')];
    const followed = follow(b);
    const identity = await a.identity();
    await a.publish([rowOf('x', 'a.1', 4)]);
    await a.registers.compareAndSet('r', 'one', null);
    await eventually(bench.host, () => followed.versions.size === 1, 'the row arrived');
    await bench.empty?.();
    same((await a.identity()) !== identity, true, 'the identity is the same after losing everything');
    same([await a.latest('a.1'), (await a.registers.get('r')).value], [0, null], 'what is left');
    await a.publish([rowOf('y', 'a.1', 5)]);
    await eventually(bench.host, () => followed.versions.get('y a.1') === 5, 'the subscriber went on');
  }),
];
