/** The contracts of the store and of the host, inside workerd. */
import { describe, test } from 'vitest';
import { emptyUsage } from '../../../src/cloudflare/driver.ts';
import { createObjectHost, createWorkerHost } from '../../../src/cloudflare/host.ts';
import { openObjectStore } from '../../../src/cloudflare/store.ts';
import { hostCases } from '../../../src/testing/host.ts';
import { storeCases } from '../../../src/testing/store.ts';
import { durableStoreCases } from '../../../src/testing/store-durable.ts';
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
