import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryStore } from '../../src/store/memory.ts';
import { decodeName, encodeName } from '../../src/store/sqlite.ts';
import type { Page, Store } from '../../src/store/store.ts';
import { hostileNames } from '../../src/testing/index.ts';
import { inThread } from './places.ts';

const runs = 150 * Number(process.env.CFFBRW_RUNS ?? 1);

/** Any code units at all, few enough that names meet again. */
const anyText = fc.oneof(
  fc.constantFrom(...hostileNames),
  fc
    .array(fc.constantFrom('a', '\u0001', '\ud7ff', '\ud800', '\udbff', '\udc00', '\uffff'), { maxLength: 3 })
    .map((units) => units.join('')),
);
const anyReplica = fc.constantFrom('x', 'y', '\ud800');
const anyRow = fc.record({ address: anyText, replica: anyReplica, version: fc.integer({ min: 1, max: 9 }), bytes: anyText });
const anyRecord = fc.record({ name: anyText, value: fc.option(anyText) });
const anyPage: fc.Arbitrary<Page> = fc
  .record({ prefix: anyText, after: fc.option(anyText), limit: fc.integer({ min: 0, max: 5 }) })
  .map(({ prefix, after, limit }) => (after === null ? { prefix, limit } : { prefix, after, limit }));

type Act = (store: Store) => Promise<unknown>;

const anyAct: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(fc.array(anyRow, { maxLength: 5 }), fc.array(anyRecord, { maxLength: 5 })).map(
    ([rows, records]): Act =>
      (store) =>
        store.commit(rows, records),
  ),
  fc.array(anyText, { maxLength: 2 }).map(
    (addresses): Act =>
      (store) =>
        store.forget(addresses),
  ),
  fc.array(anyText, { maxLength: 5 }).map(
    (addresses): Act =>
      (store) =>
        store.load(addresses),
  ),
  anyPage.map(
    (page): Act =>
      (store) =>
        store.scan(page),
  ),
  anyPage.map(
    (page): Act =>
      (store) =>
        store.records(page),
  ),
  fc.tuple(anyReplica, fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 5 })).map(
    ([replica, version, limit]): Act =>
      (store) =>
        store.since(replica, version, limit),
  ),
);

test('SQLite answers every sequence of calls as memory does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyAct, { maxLength: 25 }), async (acts) => {
      const [memory, sqlite] = [memoryStore(), await inThread()];
      for (const act of acts) expect(await act(sqlite)).toEqual(await act(memory));
      await sqlite.close();
    }),
    { numRuns: runs },
  );
});

test('a stored name comes back as it was, and names sort in UTF-8 as they do in JavaScript', async () => {
  const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units));
  const bytes = (text: string): Buffer => Buffer.from(encodeName(text), 'utf8');
  await fc.assert(
    fc.property(anyUnits, anyUnits, (a, b) => {
      expect(decodeName(bytes(a).toString('utf8'))).toBe(a);
      expect(Math.sign(Buffer.compare(bytes(a), bytes(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
    { numRuns: runs * 10 },
  );
});
