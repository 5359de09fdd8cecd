/** The contracts of the store and of the host, inside workerd. */
import { describe, expect, test } from 'vitest';
import { emptyUsage } from '../../../src/cloudflare/driver.ts';
import { createObjectHost, createWorkerHost } from '../../../src/cloudflare/host.ts';
import { openObjectStore } from '../../../src/cloudflare/store.ts';
import { hostCases } from '../../../src/testing/host.ts';
import { storeCases } from '../../../src/testing/store.ts';
import { durableStoreCases } from '../../../src/testing/store-durable.ts';
import { holds, listed, names, record, row } from '../../../src/testing/store-parts.ts';
import { inObject } from './bench.ts';

describe('the store of an object', () => {
  for (const { title, run } of [...storeCases, ...durableStoreCases]) {
    test(title, () => inObject((state) => run(async () => openObjectStore({ storage: state.storage, usage: emptyUsage() }))));
  }
});

describe('the host of an object', () => {
  for (const { title, run } of hostCases) {
    test(title, () => inObject((state) => run(() => createObjectHost({ storage: state.storage, usage: emptyUsage() }))));
  }
});

describe('the host of a Worker', () => {
  for (const { title, run } of hostCases) test(title, () => run(createWorkerHost));
});

describe('what a commit costs', () => {
  test('is one row, and now and then each row that changed', () =>
    inObject(async (state) => {
      const usage = emptyUsage();
      const store = openObjectStore({ storage: state.storage, usage });
      const begun = usage.rowsWritten;
      for (let version = 1; version <= 650; version += 1) {
        await store.commit([row('a', 'me.1', version)], [record('commit', String(version)), record('clock', String(version))]);
      }
      // Ten times the tables: the row, two records, and how far they are.
      expect(usage.rowsWritten - begun).toBe(640 + 10 * 4);
      await store.close();
    }));

  test('is nothing for rows of others, and for what only belongs to them', () =>
    inObject(async (state) => {
      const usage = emptyUsage();
      const options = { storage: state.storage, usage, keeps: (replica: string) => replica === 'me.1' };
      const open = () => openObjectStore({ ...options, passing: new Set(['cursor']), riding: new Set(['commit']) });
      const store = open();
      const begun = usage.rowsWritten;
      await store.commit([row('a', 'you.1', 1)], [record('cursor', '7'), record('commit', '1')]);
      expect(usage.rowsWritten - begun).toBe(0);
      await holds(store, 'a', [row('a', 'you.1', 1)], 'the row of another');
      await listed(names(store, { prefix: '' }), ['cursor'], 'what is known of records');
      await store.commit([row('a', 'me.1', 2)], [record('commit', '2')]);
      expect(usage.rowsWritten - begun).toBe(1);
      await store.close();
      const again = open();
      await holds(again, 'a', [row('a', 'me.1', 2)], 'what is kept');
      await listed(names(again, { prefix: '' }), ['commit'], 'records that are kept');
      await again.close();
    }));
});
