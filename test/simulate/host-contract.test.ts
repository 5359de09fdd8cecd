import { describe, test } from 'vitest';
import { nodeHost } from '../../src/node/host.ts';
import { hostCases } from '../../src/testing/host.ts';
import { createWorld } from './world.ts';

describe('the contract of a host', () => {
  for (const { title, run } of hostCases) {
    test(`simulated: ${title}`, async () => {
      const world = createWorld(title);
      await world.runUntil(run(() => world.host('a')));
    });
    test(`on Node.js: ${title}`, () => run(() => nodeHost));
  }
});
