import { describe, expect, test } from 'vitest';
import { createLoopback } from '../../src/backbone/loopback.ts';
import { markText, newIncarnation, type OldIncarnation, parseMark, readStored } from '../../src/replica/identity/incarnation.ts';
import { changeMembers, type Member, readMembers } from '../../src/replica/identity/members.ts';
import { judgeLease, judgeNonce, judgeRows, judgeWitness } from '../../src/replica/identity/proof.ts';
import { memoryStore } from '../../src/store/index.ts';
import { createWorld } from '../simulate/world.ts';

const stored = (mark: string | null, old: readonly Partial<OldIncarnation>[] = []) => ({
  mark: mark === null ? null : parseMark(mark),
  old: new Map(old.map((one) => [one.id ?? '', one as OldIncarnation])),
});

describe('(c) the witness', () => {
  test('proves a store that stands where it stands, or one commit further', () => {
    expect(judgeWitness({ text: 'a.1 7' }, stored('a.1 7'))).toBeNull();
    expect(judgeWitness({ text: 'a.1 6' }, stored('a.1 7'))).toBeNull();
    expect(judgeWitness('vouched', stored('a.1 7'))).toBeNull();
  });

  test('knows the commit before the last, also when commits failed in between', () => {
    expect(judgeWitness({ text: 'a.1 4' }, stored('a.1 7 4'))).toBeNull();
    expect(judgeWitness({ text: 'a.1 6' }, stored('a.1 7 4'))).toContain('the witness is an older copy');
  });

  test('doubts a store that is behind it, and one that is too far ahead of it', () => {
    expect(judgeWitness({ text: 'a.1 8' }, stored('a.1 7'))).toContain('has seen commit 8: this is an older copy');
    expect(judgeWitness({ text: 'a.1 5' }, stored('a.1 7'))).toContain('the witness is an older copy');
  });

  test('doubts when it is missing, locked, unreadable or of another incarnation', () => {
    expect(judgeWitness('missing', stored('a.1 7'))).toContain('missing');
    expect(judgeWitness('locked', stored('a.1 7'))).toContain('another process');
    expect(judgeWitness({ text: '???' }, stored('a.1 7'))).toContain('cannot be read');
    expect(judgeWitness({ text: 'a.2 7' }, stored('a.1 7'))).toContain('speaks of a.2 7');
  });

  test('understands a crash between a new incarnation and its own note of it', () => {
    expect(judgeWitness({ text: 'a.1 7' }, stored('a.2 7', [{ id: 'a.1', commit: 7 }]))).toBeNull();
    expect(judgeWitness({ text: 'a.1 7' }, stored('a.2 9', [{ id: 'a.1', commit: 7 }]))).not.toBeNull();
    expect(judgeWitness({ text: 'a.1 9' }, stored('a.2 7', [{ id: 'a.1', commit: 7 }]))).not.toBeNull();
  });

  test('takes an empty store for new, unless commits were seen', () => {
    expect(judgeWitness('missing', stored(null))).toBeNull();
    expect(judgeWitness({ text: 'a.1 0' }, stored(null))).toBeNull();
    expect(judgeWitness({ text: 'a.1 1' }, stored(null))).toContain('empty');
  });
});

const member = (nonce: string, more: Partial<Member> = {}): Member => ({
  ...{ name: 'a', nonce, since: 0, state: 'active', commit: 0, written: null },
  ...more,
});
const nonce = (boot: number, confirmed: boolean) => ({ boot, nonce: `n${boot}`, confirmed });

describe('(a) the boot nonce', () => {
  const nonces = [nonce(1, true), nonce(2, true), nonce(3, false), nonce(4, false)];

  test('at a start the last confirmed one and every intent after it prove', () => {
    for (const shown of ['n2', 'n3', 'n4']) expect(judgeNonce(member(shown), nonces, null).kind).toBe('mine');
  });

  test('an older one of mine, or none at all, is a setback of the backbone and no second start', () => {
    expect(judgeNonce(member('n1'), nonces, null).kind).toBe('regressed');
    expect(judgeNonce(undefined, nonces, null).kind).toBe('regressed');
    expect(judgeNonce(undefined, [nonce(1, false)], null).kind).toBe('new');
  });

  test('any other is a second start, whatever else is known', () => {
    expect(judgeNonce(member('other'), nonces, null).kind).toBe('foreign');
    expect(judgeNonce(member('other'), [], null).kind).toBe('foreign');
    expect(judgeNonce(member('n2', { state: 'retired' }), nonces, null).kind).toBe('retired');
  });

  test('a running process accepts its own only', () => {
    expect(judgeNonce(member('n4'), nonces, 'n4').kind).toBe('mine');
    expect(judgeNonce(member('n3'), nonces, 'n4').kind).toBe('regressed');
    expect(judgeNonce(member('other'), nonces, 'n4').kind).toBe('foreign');
  });
});

describe('(b) what the backbone knows', () => {
  test('rows and stops beyond the last commit are doubts', () => {
    expect(judgeRows(7, undefined, 7)).toBeNull();
    expect(judgeRows(8, undefined, 7)).toContain('commit 8');
    expect(judgeRows(0, member('n', { commit: 9 }), 7)).toContain('commit 9');
  });

  test('leases beyond row and intent are doubts, and so are returns beyond the row', () => {
    const row = { leased: 5, returned: 2 };
    expect(judgeLease(undefined, row, null)).toBeNull();
    expect(judgeLease({ leased: 5, returned: 2 }, row, null)).toBeNull();
    expect(judgeLease({ leased: 8, returned: 1 }, row, 8)).toBeNull();
    expect(judgeLease({ leased: 9, returned: 1 }, row, 8)).toContain('leased 9');
    expect(judgeLease({ leased: 5, returned: 3 }, row, 8)).toContain('returned 3');
    expect(judgeLease({ leased: 1, returned: 0 }, undefined, null)).toContain('knows of 0');
  });
});

describe('the list of members', () => {
  test('grows by compare-and-set, also when many change it at once', async () => {
    const world = createWorld(1);
    const { registers } = createLoopback({ host: world.host('backbone'), rttMs: 1, jitterMs: 3 }).connect('a');
    const ids = Array.from({ length: 20 }, (_, index) => `a.${index}`);
    await world.runUntil(Promise.all(ids.map((id) => changeMembers(registers, () => new Map([[id, member('n')]])))));
    expect([...(await world.runUntil(readMembers(registers))).keys()].sort()).toEqual(ids.sort());
  });

  test('nobody who was retired comes back (N1)', async () => {
    const world = createWorld(2);
    const { registers } = createLoopback({ host: world.host('backbone') }).connect('a');
    await world.runUntil(changeMembers(registers, () => new Map([['a.1', member('n', { state: 'retired' })]])));
    const back = changeMembers(registers, () => new Map([['a.1', member('n')]]));
    await expect(world.runUntil(back)).rejects.toMatchObject({ code: 'INVARIANT' });
  });
});

describe('what a store remembers', () => {
  test('names are checked, and incarnations are short and random', () => {
    const host = createWorld(1).host('a');
    expect(newIncarnation('hanoi-1', host)).toMatch(/^hanoi-1\.[0-9a-hjkmnp-tv-z]{10}$/);
    expect(newIncarnation('a', host)).not.toBe(newIncarnation('a', host));
    for (const name of ['', '-a', 'A', 'a.b', 'a'.repeat(33)]) expect(() => newIncarnation(name, host)).toThrow(/replica's name/);
  });

  test('the commit record is the witness’s text', () => {
    expect(parseMark(markText('a-b.1x', 12))).toEqual({ id: 'a-b.1x', commit: 12, previous: 11 });
    for (const text of ['', 'a.1', '12', 'a.1 x', 'a.1 1 2 3', 'A.1 2']) expect(parseMark(text)).toBeNull();
  });

  test('commits without an identity, or records that cannot be read, are damage; a newer format is refused', async () => {
    const open = async (records: Record<string, string>) => {
      const store = memoryStore();
      await store.commit(
        [],
        Object.entries(records).map(([name, value]) => ({ name, value })),
      );
      return readStored(store);
    };
    await expect(open({ commit: 'a.1 3' })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(open({ identity: '{' })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(open({ commit: 'what' })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(open({ identity: '{"format":2,"id":"a.1"}' })).rejects.toMatchObject({ code: 'STORE_VERSION' });
  });
});
