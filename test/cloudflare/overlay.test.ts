/** What lies over the tables reads as one with them: against a model, whatever is asked. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allRows, emptyOverlay, lay, pageOver, rowsOver, sinceOver } from '../../src/cloudflare/overlay.ts';
import { memoryStore } from '../../src/store/memory.ts';
import type { StoredRow } from '../../src/store/store.ts';

const numRuns = 300 * Number(process.env.CFFBRW_RUNS ?? 1);
const name = fc.constantFrom('a', 'ab', 'abc', 'b', 'ba', 'c', '');
const rowOf = fc.record({
  address: name,
  replica: fc.constantFrom('x', 'y'),
  version: fc.integer({ min: 1, max: 6 }),
  bytes: fc.constant('{}'),
});
const batch = fc.array(rowOf, { maxLength: 8 });

/** Below: a store in memory. Above: the rows that came later. Together: all of them, in one store. */
async function layered(below: readonly StoredRow[], above: readonly StoredRow[]) {
  const [tables, both, overlay] = [memoryStore(), memoryStore(), emptyOverlay()];
  await tables.commit(below, []);
  await both.commit(below, []);
  await both.commit(above, []);
  lay(overlay, above, []);
  return { tables, both, overlay };
}

test('pages, loads and lists of later rows are those of one store', async () => {
  await fc.assert(
    fc.asyncProperty(batch, batch, fc.integer({ min: 1, max: 4 }), name, async (below, above, limit, prefix) => {
      const { tables, both, overlay } = await layered(below, above);
      const everything = await tables.scan({ prefix: '' });
      const stored = (page: { prefix: string; after?: string; limit?: number }) =>
        everything
          .filter((each) => each.startsWith(page.prefix) && (page.after === undefined || each > page.after))
          .slice(0, page.limit);
      const names = new Map([...overlay.rows.keys()].map((each) => [each, each] as const));
      for (const page of [
        { prefix, limit },
        { prefix: '', limit, after: prefix },
      ]) {
        expect(pageOver({ stored, nameOf: (each) => each, above: names }, page)).toEqual(await both.scan(page));
      }
      for (const address of everything) {
        const [rows = []] = await tables.load([address]);
        expect(rowsOver(rows, address, [overlay])).toEqual((await both.load([address]))[0]);
      }
    }),
    { numRuns },
  );
});

test('later rows of a replica, page by page, are all of them, each once, and no version is cut in two', async () => {
  await fc.assert(
    fc.asyncProperty(batch, batch, fc.integer({ min: 1, max: 4 }), async (below, above, limit) => {
      const { tables, both, overlay } = await layered(below, above);
      const all = await tables.since('x', 0, 1_000);
      const mine = allRows(overlay).filter(({ replica }) => replica === 'x');
      const stored = (version: number) => {
        const later = all.filter((row) => row.version > version);
        const last = later[limit - 1];
        return last === undefined ? later : later.filter((row) => row.version <= last.version);
      };
      const found: StoredRow[] = [];
      for (let version = 0; ; ) {
        const page = sinceOver(stored, mine, version, limit);
        const last = page.at(-1);
        if (last === undefined) break;
        found.push(...page);
        version = last.version;
      }
      expect(found).toEqual(await both.since('x', 0, 1_000));
    }),
    { numRuns },
  );
});
