import { describe, test } from 'vitest';
import { createLoopback, type LoopbackOptions } from '../../src/backbone/index.ts';
import { nodeHost } from '../../src/node/host.ts';
import { memoryStore } from '../../src/store/index.ts';
import { type BackboneBench, backboneCases } from '../../src/testing/backbone.ts';
import { createWorld } from '../simulate/world.ts';

type Settings = Omit<LoopbackOptions, 'host'>;

const networks: Record<string, () => Settings> = {
  'a loopback without delay': () => ({}),
  'a loopback over a slow network': () => ({ lagMs: 60, rttMs: 40, jitterMs: 30 }),
  'a loopback that duplicates and reorders': () => ({ lagMs: 20, rttMs: 10, jitterMs: 30, duplication: 0.5, reordering: 0.5 }),
  'a loopback over a store': () => ({ lagMs: 20, rttMs: 10, store: memoryStore() }),
};

for (const [name, settings] of Object.entries(networks)) {
  describe(name, () => {
    for (const { title, run } of backboneCases) {
      test(title, async () => {
        const world = createWorld(title);
        const make = async (): Promise<BackboneBench> => {
          const loopback = createLoopback({ host: world.host('backbone'), ...settings() });
          const backup = async () => {
            const snapshot = await loopback.snapshot();
            return () => loopback.restore(snapshot);
          };
          return { host: world.host('bench'), ...loopback, backup };
        };
        await world.runUntil(run(make));
      });
    }
  });
}

describe('a loopback on Node.js', () => {
  for (const { title, run } of backboneCases) {
    test(title, async () => {
      await run(async () => {
        const loopback = createLoopback({ host: nodeHost, timeoutMs: 500, retryMs: 5 });
        const backup = async () => {
          const snapshot = await loopback.snapshot();
          return () => loopback.restore(snapshot);
        };
        return { host: nodeHost, ...loopback, backup };
      });
    });
  }
});
