/** What Prometheus reads: a registry of its own per process of an app, labelled by replica. Values are gathered when they are read. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Replica, ReplicaStatus } from '../replica/replica.ts';
import type { RunRecord } from '../workflow/trace.ts';

export interface Metrics {
  /** Told of every run. */
  observe(replica: string, record: RunRecord): void;
  text(): Promise<string>;
}

type Read = (status: ReplicaStatus, replica: Replica) => number;

const gauges: readonly (readonly [name: string, help: string, read: Read])[] = [
  ['commit', 'The highest durable commit.', ({ commit }) => commit],
  ['dirty_addresses', 'Addresses changed in memory and not durable yet.', ({ dirty }) => dirty],
  ['unpublished_rows', 'Rows that the backbone does not have yet.', ({ unpublished }) => unpublished],
  ['quarantined_rows', 'Rows set aside because their clock is ahead.', ({ quarantined }) => quarantined],
  ['loaded_addresses', 'Addresses in memory.', ({ loaded }) => loaded],
  ['frozen', '1 when bounded counters can not be spent here.', ({ frozen }) => (frozen === null ? 0 : 1)],
  ['refused', '1 when nothing can be written here any more.', ({ refused }) => (refused === null ? 0 : 1)],
  ['conflicts_kept', 'Lost writes in the conflict log, at most 1,000.', (_, { conflicts }) => conflicts.list().length],
];

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(replicas: () => readonly Replica[]): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const [name, help, read] of gauges) {
    new Gauge({
      ...{ name: `cffbrw_${name}`, help, registers, labelNames: ['replica'] },
      collect() {
        this.reset();
        for (const replica of replicas()) this.set({ replica: replica.id }, read(replica.status, replica));
      },
    });
  }
  const runs = new Counter({
    ...{ name: 'cffbrw_runs_total', help: 'Runs, by the class of their status.', registers },
    labelNames: ['replica', 'workflow', 'status'],
  });
  const seconds = new Histogram({
    ...{ name: 'cffbrw_run_duration_seconds', help: 'Until the answer could leave.', registers },
    ...{ labelNames: ['workflow'], buckets: secondsBuckets },
  });
  return {
    observe(replica, { workflow, status, tookMs }) {
      runs.inc({ replica, workflow, status: `${Math.floor(status / 100)}xx` });
      seconds.observe({ workflow }, tookMs / 1_000);
    },
    text: () => registry.metrics(),
  };
}
