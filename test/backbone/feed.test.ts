import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFeed } from '../../src/backbone/feed.ts';
import type { StoredRow } from '../../src/store/index.ts';
import { runs } from '../simulate/world.ts';

const row = (address: string, replica: string, version: number, bytes = '{}'): StoredRow => ({
  address,
  replica,
  version,
  bytes,
});
const always = { limit: Number.POSITIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };
const sorted = (rows: readonly StoredRow[]) => rows.map((each) => JSON.stringify(each)).sort();

describe('the feed of a loopback', () => {
  test('from any place it gives exactly the rows that changed since, whatever was replaced meanwhile', () => {
    const address = fc.oneof({ weight: 60, arbitrary: fc.constant('x') }, { weight: 1, arbitrary: fc.constantFrom('y', 'z') });
    const change = fc.record({ address, replica: fc.constantFrom('a', 'b'), behind: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 200, maxLength: 600, size: 'max' }), fc.nat(600), (changes, cut) => {
        const feed = createFeed();
        const latest = new Map<string, StoredRow>();
        let place = 0;
        const since = new Set<string>();
        changes.forEach(({ address, replica, behind }, index) => {
          const version = index - behind;
          if (index === cut) {
            place = feed.end;
            since.clear();
          }
          for (const better of feed.better([row(address, replica, version)])) {
            feed.put(better, index);
            latest.set(`${address} ${replica}`, better);
            since.add(`${address} ${replica}`);
          }
        });
        expect(sorted(feed.rows())).toEqual(sorted([...latest.values()]));
        const found = feed.after(cut < changes.length ? place : 0, always);
        expect(sorted(found.rows)).toEqual(sorted([...latest].filter(([name]) => since.has(name)).map(([, each]) => each)));
        expect(feed.after(feed.end, always)).toEqual({ rows: [], end: feed.end, nextMs: null });
      }),
      { numRuns: runs(60) },
    );
  });

  test('a row that is replaced all the time arrives after its lag, each time as it was then, and once per page', () => {
    const lagMs = 1_000;
    const feed = createFeed(() => lagMs);
    const seen: number[] = [];
    let place = 0;
    for (let atMs = 0; atMs <= 5_000; atMs += 10) {
      feed.put(row('x', 'a', atMs), atMs);
      if (atMs % 50 !== 0) continue;
      const page = feed.after(place, { limit: 100, untilMs: atMs - lagMs });
      expect(page.rows.map(({ version }) => version)).toEqual(atMs < lagMs ? [] : [atMs - lagMs]);
      seen.push(...page.rows.map(({ version }) => version));
      place = page.end;
    }
    expect(seen.at(-1)).toBe(4_000);
    expect(feed.rows()).toEqual([row('x', 'a', 5_000)]);
  });

  test('at one version the larger bytes win, whatever came first', () => {
    const [small, large] = [row('x', 'a', 1, '{"a":1}'), row('x', 'a', 1, '{"b":1}')];
    for (const order of [
      [small, large],
      [large, small],
    ]) {
      const feed = createFeed();
      for (const each of order) for (const better of feed.better([each])) feed.put(better, 0);
      expect(feed.rows()).toEqual([large]);
      expect(createFeed().better(order)).toEqual([large]);
    }
  });

  test('a page ends at its limit or its time, and says when the next row came', () => {
    const feed = createFeed();
    for (const [index, address] of ['x', 'y', 'z'].entries()) feed.put(row(address, 'a', 1), index * 10);
    const first = feed.after(0, { limit: 1, untilMs: 100 });
    expect([first.rows.map((each) => each.address), first.nextMs]).toEqual([['x'], 10]);
    const second = feed.after(first.end, { limit: 5, untilMs: 15 });
    expect([second.rows.map((each) => each.address), second.nextMs]).toEqual([['y'], 20]);
    const third = feed.after(second.end, { limit: 5, untilMs: 20 });
    expect([third.rows.map((each) => each.address), third.nextMs]).toEqual([['z'], null]);
  });
});
