/** Tells how long a replica's commits and its calls to the backbone take. */
import type { Backbone } from '../backbone/index.ts';
import type { Store } from '../store/store.ts';

export type Timed = 'flush' | 'publish' | 'get' | 'compare-and-set';

export type ObserveTime = (what: Timed, tookMs: number, failed: boolean) => void;

export const timedStore = (store: Store, observe: ObserveTime): Store => ({
  ...store,
  commit: (rows, records) => timed('flush', observe, () => store.commit(rows, records)),
});

export const timedBackbone = (backbone: Backbone, observe: ObserveTime): Backbone => ({
  ...backbone,
  publish: (rows) => timed('publish', observe, () => backbone.publish(rows)),
  registers: {
    get: (name) => timed('get', observe, () => backbone.registers.get(name)),
    compareAndSet: (name, value, revision) =>
      timed('compare-and-set', observe, () => backbone.registers.compareAndSet(name, value, revision)),
  },
});

async function timed<Result>(what: Timed, observe: ObserveTime, work: () => Promise<Result>): Promise<Result> {
  const startMs = performance.now();
  let failed = true;
  try {
    const result = await work();
    failed = false;
    return result;
  } finally {
    observe(what, performance.now() - startMs, failed);
  }
}
