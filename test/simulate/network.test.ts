import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLoopback } from '../../src/backbone/index.ts';
import { exp, log } from '../../src/simulate/exact.ts';
import { createPath, drawDelay } from '../../src/simulate/network.ts';
import { createRandom } from '../../src/simulate/random.ts';
import type { Spread } from '../../src/simulate/schedule.ts';
import type { StoredRow } from '../../src/store/index.ts';
import { createWorld, runs } from './world.ts';

const always = (ms: number): Spread => ({ medianMs: ms, p99Ms: ms });
const row = (version: number): StoredRow => ({ address: 'x', replica: 'a', version, bytes: `${version}` });

function pathOn(seed: number, lag: Spread, options: { readonly isCut?: () => boolean } = {}) {
  const world = createWorld(seed);
  const loopback = createLoopback({ host: world.host('backbone') });
  const path = createPath({
    ...{ name: 'b', host: world.host('b'), random: world.random.fork('path'), backbone: loopback.connect('b') },
    ...{ lag, rtt: always(0), timeoutMs: 1_000, retryMs: 50, isCut: () => false, trace: null, ...options },
  });
  return { world, loopback, path, other: loopback.connect('a') };
}

describe('exp and log', () => {
  test('are what the engine’s own are, to 14 digits', () => {
    fc.assert(fc.property(fc.double({ min: -300, max: 300, noNaN: true }), (x) => Math.abs(exp(x) / Math.exp(x) - 1) < 1e-13));
    fc.assert(
      fc.property(
        fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
        (x) => Math.abs(log(x) - Math.log(x)) <= 1e-14 * Math.max(1, Math.abs(Math.log(x))),
      ),
    );
  });
});

describe('delays', () => {
  test('have the median and the 99th percentile that were asked for', () => {
    const random = createRandom('delays');
    const lag = { medianMs: 400, p99Ms: 60_000 };
    const drawn = Array.from({ length: 40_000 }, () => drawDelay(lag, random)).sort((a, b) => a - b);
    const at = (share: number) => drawn[Math.floor(share * drawn.length)] ?? 0;
    expect(at(0.5) / lag.medianMs).toBeCloseTo(1, 1);
    expect(at(0.99) / lag.p99Ms).toBeGreaterThan(0.9);
    expect(at(0.99) / lag.p99Ms).toBeLessThan(1.1);
    expect(drawn.at(-1)).toBeLessThanOrEqual(2 * lag.p99Ms);
    expect(drawDelay(always(70), random)).toBe(70);
  });

  test('a row arrives when it was sent plus the lag, however often newer rows of the same replica follow it', async () => {
    const { world, path, other } = pathOn(1, always(10_000));
    const arrivals: number[] = [];
    path.subscribe(null, async ({ rows }) => void arrivals.push(...rows.map(() => world.elapsedMs)));
    for (let version = 1; version <= 20; version += 1) {
      await world.runUntil(other.publish([row(version)]));
      await world.run(1_000);
    }
    await world.run(10_000);
    expect(arrivals.map((ms) => Math.round(ms / 1_000))).toEqual(Array.from({ length: 20 }, (_, index) => 10 + index));
  });
});

describe('rows on their way', () => {
  test('all arrive, whoever refuses, overtakes or is cut; and from any cursor that was told nothing is missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 2, max: 30 }), async (seed, count) => {
        const random = createRandom(seed);
        let cut = false;
        const { world, path, other } = pathOn(seed, { medianMs: 50, p99Ms: 2_000 }, { isCut: () => cut });
        const first = new Set<string>();
        let cursor: string | null = null;
        const subscription = path.subscribe(null, async (delivery) => {
          if (random.chance(0.2)) throw new Error('not now');
          for (const { address } of delivery.rows) first.add(address);
          cursor = delivery.cursor;
        });
        for (let index = 0; index < count; index += 1) {
          await world.runUntil(other.publish([{ ...row(1), address: `x${index}` }]));
          cut = random.chance(0.2);
          await world.run(random.next() * 100);
        }
        cut = false;
        if (random.chance(0.5)) {
          // It starts again from where it was told to.
          subscription.close();
          path.subscribe(cursor === '' ? null : cursor, async ({ rows }) => {
            for (const { address } of rows) first.add(address);
          });
        }
        await world.run(10_000);
        expect(first.size).toBe(count);
      }),
      { numRuns: runs(60) },
    );
  });
});
