import { afterAll, describe, test } from 'vitest';
import { memoryStore } from '../../src/store/memory.ts';
import { durableStoreCases, storeCases } from '../../src/testing/index.ts';
import { inThread, inWorker, newDirectory, removeDirectories } from './places.ts';

afterAll(removeDirectories);

const stores = {
  'a store in memory': async () => memoryStore(),
  'a store in SQLite on this thread': inThread,
  'a store in SQLite behind its worker': () => inWorker(newDirectory()),
};

for (const [name, open] of Object.entries(stores)) {
  describe(name, () => {
    for (const { title, run } of storeCases) test(title, () => run(open));
  });
}

describe('a store in SQLite behind its worker, opened again', () => {
  for (const { title, run } of durableStoreCases) {
    test(title, () => {
      const directory = newDirectory();
      return run(() => inWorker(directory));
    });
  }
});
