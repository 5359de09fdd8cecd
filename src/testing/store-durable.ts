/** The contract of a store that outlives its process: each case gets a function that opens the same place every time, empty at first. */
import { type Case, refusedWith, same } from './contract.ts';
import type { OpenStore } from './store.ts';
import { holds, hostileNames, listed, names, record, row } from './store-parts.ts';

export const durableStoreCases: readonly Case<OpenStore>[] = [
  {
    title: 'what was committed and forgotten is so after opening again (T2)',
    async run(open) {
      const first = await open();
      await first.commit(
        hostileNames.map((name) => row(name, name, 1, name)),
        hostileNames.map((name) => record(name)),
      );
      await first.forget(['a']);
      await first.commit([], [record('A', null)]);
      await first.close();
      const second = await open();
      await listed(
        second.scan({ prefix: '' }),
        hostileNames.filter((name) => name !== 'a'),
        'addresses',
      );
      same(
        await names(second, { prefix: '' }),
        hostileNames.filter((name) => name !== 'A'),
        'records',
      );
      await holds(second, '😀', [row('😀', '😀', 1, '😀')], 'a row');
      await second.close();
    },
  },
  {
    title: 'a place is open once at a time',
    async run(open) {
      const first = await open();
      await first.commit([row('a', 'x', 1)], []);
      await refusedWith(open(), 'STORE_FAILED', 'opening it a second time');
      await first.close();
      const again = await open();
      await refusedWith(open(), 'STORE_FAILED', 'opening it a second time, before it was written to');
      await again.commit([row('a', 'x', 2)], []);
      await holds(again, 'a', [row('a', 'x', 2)], 'the row');
      await again.close();
    },
  },
];
