/**
 * The contract of a store, as cases that throw when it is broken. Run each with a function that opens a new, empty store:
 *
 *     for (const { title, run } of storeCases) test(title, () => run(open));
 */
import type { Store, StoredRow } from '../store/store.ts';
import { type Case, refusedWith, same } from './contract.ts';
import { holds, hostileNames, listed, names, plain, record, row, shownName } from './store-parts.ts';

export type OpenStore = () => Promise<Store>;

export const storeCases: readonly Case<OpenStore>[] = [
  {
    title: 'an address without rows loads as an empty list, in the order asked for',
    async run(open) {
      const store = await open();
      await store.commit([row('b', 'x', 1)], []);
      const found = await store.load(['c', 'b', 'a', 'b']);
      same(
        found.map((rows) => rows.map(plain)),
        [[], [plain(row('b', 'x', 1))], [], [plain(row('b', 'x', 1))]],
        'load',
      );
      same(await store.load([]), [], 'load of nothing');
      await store.close();
    },
  },
  {
    title: 'a row replaces the earlier one of its address and replica, and no other',
    async run(open) {
      const store = await open();
      await store.commit([row('a', 'y', 1), row('a', 'x', 1), row('b', 'x', 1)], []);
      await store.commit([row('a', 'x', 2, '{"new":true}')], []);
      await holds(store, 'a', [row('a', 'x', 2, '{"new":true}'), row('a', 'y', 1)], 'the replaced row');
      await holds(store, 'b', [row('b', 'x', 1)], 'the other address');
      await store.close();
    },
  },
  {
    title: 'within one commit the last row and the last record of a name count',
    async run(open) {
      const store = await open();
      await store.commit(
        [row('a', 'x', 1), row('a', 'x', 2)],
        [record('r', '1'), record('r', '2'), record('s', '1'), record('s', null)],
      );
      await holds(store, 'a', [row('a', 'x', 2)], 'the row');
      same(await store.records({ prefix: '' }), [record('r', '2')], 'the records');
      await store.close();
    },
  },
  {
    title: 'a record that is null is deleted, also where there is none',
    async run(open) {
      const store = await open();
      await store.commit([], [record('a'), record('b')]);
      await store.commit([], [record('a', null), record('c', null)]);
      same(await store.records({ prefix: '' }), [record('b')], 'the records');
      await store.commit([], []);
      await store.close();
    },
  },
  {
    title: 'commits take effect in the order in which they were called, also when nobody waits (T3)',
    async run(open) {
      const store = await open();
      const commits: Promise<void>[] = [];
      for (let version = 1; version <= 100; version += 1) {
        commits.push(store.commit([row('a', 'x', version)], [record('last', String(version))]));
      }
      const loaded = store.load(['a']);
      await Promise.all(commits);
      same((await loaded)[0]?.map(plain), [plain(row('a', 'x', 100))], 'a load that was called after them');
      same(await store.records({ prefix: '' }), [record('last', '100')], 'the record');
      await store.close();
    },
  },
  {
    title: 'a commit is seen whole or not at all (T1)',
    async run(open) {
      const store = await open();
      const addresses = Array.from({ length: 50 }, (_, at) => `a${at}`);
      const seen: Promise<readonly (readonly StoredRow[])[]>[] = [];
      const commits: Promise<void>[] = [];
      for (let version = 1; version <= 10; version += 1) {
        commits.push(
          store.commit(
            addresses.map((address) => row(address, 'x', version)),
            [],
          ),
        );
        seen.push(store.load(addresses));
      }
      for (const found of await Promise.all(seen)) {
        same(new Set(found.map((rows) => rows[0]?.version)).size, 1, 'versions in one load');
      }
      await Promise.all(commits);
      await store.close();
    },
  },
  {
    title: 'names page by prefix, in code unit order, without repeating or missing one',
    async run(open) {
      const store = await open();
      const all = ['a', 'a:1', 'a:10', 'a:2', 'a;', 'b', 'b:1'];
      await store.commit(
        [...all].reverse().flatMap((name) => [row(name, 'x', 1), row(name, 'y', 1)]),
        all.map((name) => record(name)),
      );
      await listed(store.scan({ prefix: '' }), all, 'all addresses');
      for (const find of [
        (page: Parameters<Store['scan']>[0]) => store.scan(page),
        (page: Parameters<Store['scan']>[0]) => names(store, page),
      ]) {
        await listed(find({ prefix: 'a:' }), ['a:1', 'a:10', 'a:2'], 'a prefix');
        await listed(find({ prefix: 'a:', limit: 2 }), ['a:1', 'a:10'], 'the first page');
        await listed(find({ prefix: 'a:', after: 'a:10', limit: 2 }), ['a:2'], 'the second page');
        await listed(find({ prefix: 'a:', after: 'a' }), ['a:1', 'a:10', 'a:2'], 'after a name in front of the prefix');
        await listed(find({ prefix: 'a:', after: 'b' }), [], 'after a name behind the prefix');
        await listed(find({ prefix: 'z' }), [], 'a prefix that nothing has');
        await listed(find({ prefix: '', limit: 0 }), [], 'a page of nothing');
      }
      await store.close();
    },
  },
  {
    title: 'a page holds 1,000 names unless told otherwise',
    async run(open) {
      const store = await open();
      const all = Array.from({ length: 1001 }, (_, at) => `n${String(at).padStart(4, '0')}`);
      await store.commit(
        all.map((name) => row(name, 'x', 1)),
        all.map((name) => record(name)),
      );
      await listed(store.scan({ prefix: '' }), all.slice(0, 1000), 'addresses');
      await listed(names(store, { prefix: 'n' }), all.slice(0, 1000), 'records');
      await listed(store.scan({ prefix: 'n', after: 'n0999' }), ['n1000'], 'the rest');
      await listed(store.scan({ prefix: '', limit: 5000 }), all, 'a larger page');
      await store.close();
    },
  },
  {
    title: 'names and texts of any kind come back as they went in, and in code unit order',
    async run(open) {
      const store = await open();
      await store.commit(
        hostileNames.map((name) => row(name, name, 1, name)),
        [...hostileNames].reverse().map((name) => record(name)),
      );
      await listed(store.scan({ prefix: '' }), hostileNames, 'addresses');
      same(
        await store.records({ prefix: '' }),
        hostileNames.map((name) => record(name)),
        'records',
      );
      for (const name of hostileNames) {
        await holds(store, name, [row(name, name, 1, name)], `the row of ${shownName(name)}`);
        await listed(
          store.scan({ prefix: name }),
          hostileNames.filter((other) => other.startsWith(name)),
          `addresses from ${shownName(name)}`,
        );
        await listed(
          store.scan({ prefix: '', after: name }),
          hostileNames.filter((other) => other > name),
          `addresses after ${shownName(name)}`,
        );
        same((await store.since(name, 0)).map(plain), [plain(row(name, name, 1, name))], `since of ${shownName(name)}`);
      }
      await store.close();
    },
  },
  {
    title: 'rows of one address come by replica, in code unit order',
    async run(open) {
      const store = await open();
      await store.commit(
        [...hostileNames].reverse().map((replica) => row('a', replica, 1)),
        [],
      );
      await holds(
        store,
        'a',
        hostileNames.map((replica) => row('a', replica, 1)),
        'replicas',
      );
      await store.close();
    },
  },
  {
    title: 'since gives one replica’s later rows, lowest version first, and never cuts a version in two',
    async run(open) {
      const store = await open();
      await store.commit([row('d', 'x', 1), row('c', 'x', 2), row('b', 'x', 2), row('a', 'x', 3), row('a', 'y', 9)], []);
      const from = async (version: number, limit?: number): Promise<string> =>
        (await store.since('x', version, limit)).map((found) => `${found.address}${found.version}`).join(' ');
      same(await from(0), 'd1 b2 c2 a3', 'all');
      same(await from(1), 'b2 c2 a3', 'after 1');
      same(await from(3), '', 'after the last');
      same(await from(0, 1), 'd1', 'one');
      same(await from(0, 2), 'd1 b2 c2', 'two, and the rest of the second’s version');
      same(await from(0, 3), 'd1 b2 c2', 'three');
      await store.commit([row('d', 'x', 4)], []);
      same(await from(0), 'b2 c2 a3 d4', 'a row that moved on');
      same(await store.since('nobody', 0), [], 'an unknown replica');
      await store.close();
    },
  },
  {
    title: 'versions up to the largest safe integer are kept exactly',
    async run(open) {
      const store = await open();
      const largest = Number.MAX_SAFE_INTEGER;
      await store.commit([row('a', 'x', largest), row('b', 'x', largest - 1), row('c', 'x', 2 ** 31)], []);
      await holds(store, 'a', [row('a', 'x', largest)], 'the largest');
      same(
        (await store.since('x', 2 ** 31)).map((found) => found.version),
        [largest - 1, largest],
        'since',
      );
      await store.close();
    },
  },
  {
    title: 'forgetting removes an address with all its rows, and nothing else',
    async run(open) {
      const store = await open();
      await store.commit([row('a', 'x', 1), row('a', 'y', 1), row('ab', 'x', 1), row('b', 'x', 2)], [record('a')]);
      await store.forget(['a', 'b', 'never']);
      await listed(store.scan({ prefix: '' }), ['ab'], 'what is left');
      await holds(store, 'a', [], 'the forgotten address');
      same(
        (await store.since('x', 0)).map((found) => found.address),
        ['ab'],
        'since',
      );
      same(await names(store, { prefix: '' }), ['a'], 'a record of the same name');
      await store.commit([row('a', 'x', 3)], []);
      await holds(store, 'a', [row('a', 'x', 3)], 'written again');
      await store.close();
    },
  },
  {
    title: 'a value of five million characters is kept whole',
    async run(open) {
      const store = await open();
      const large = 'añ😀'.repeat(1_250_000);
      await store.commit([row('a', 'x', 1, large)], [record('r', large)]);
      same((await store.load(['a']))[0]?.[0]?.bytes === large, true, 'the row is the same');
      same((await store.records({ prefix: 'r' }))[0]?.value === large, true, 'the record is the same');
      await store.close();
    },
  },
  {
    title: 'ten thousand rows fit one commit',
    async run(open) {
      const store = await open();
      const rows = Array.from({ length: 10_000 }, (_, at) => row(`a${at}`, 'x', 7));
      await store.commit(rows, []);
      same((await store.scan({ prefix: '', limit: 20_000 })).length, 10_000, 'addresses');
      same((await store.since('x', 6, 1)).length, 10_000, 'rows of one version');
      await store.close();
    },
  },
  {
    title: 'what was given or received is not tied to what is stored',
    async run(open) {
      const store = await open();
      const mine = { address: 'a', replica: 'x', version: 1, bytes: '1' };
      const committing = store.commit([mine], []);
      mine.bytes = '2';
      await committing;
      await holds(store, 'a', [row('a', 'x', 1, '1')], 'the row');
      await store.close();
    },
  },
  {
    title: 'closing finishes what was asked before, refuses what is asked after, and may be repeated',
    async run(open) {
      const store = await open();
      const before = store.commit([row('a', 'x', 1)], []);
      const loading = store.load(['a']);
      const closing = store.close();
      await before;
      same((await loading)[0]?.length, 1, 'the load that was asked before');
      await closing;
      await store.close();
      await refusedWith(store.commit([], []), 'CLOSED', 'commit');
      await refusedWith(store.load(['a']), 'CLOSED', 'load');
      await refusedWith(store.forget(['a']), 'CLOSED', 'forget');
      await refusedWith(store.scan({ prefix: '' }), 'CLOSED', 'scan');
      await refusedWith(store.records({ prefix: '' }), 'CLOSED', 'records');
      await refusedWith(store.since('x', 0), 'CLOSED', 'since');
    },
  },
];
