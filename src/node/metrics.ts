/** What Prometheus reads: a registry of its own per process of an app, labelled by replica. Values are gathered when they are read. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Alarm } from '../replica/index.ts';
import type { Replica, ReplicaStatus } from '../replica/replica.ts';
import type { RunRecord } from '../workflow/trace.ts';
import type { ObserveTime } from './timing.ts';

export interface Metrics {
  /** Told of every run. */
  observe(replica: string, record: RunRecord): void;
  /** Told of every commit, and of every call to the backbone. */
  readonly time: ObserveTime;
  /** Told of every alarm: two processes with one identity, a row that nobody understands. */
  alarm(alarm: Alarm): void;
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
  ['lag_seconds', 'Since the backbone last answered.', ({ lagMs }) => (lagMs ?? 0) / 1_000],
  [
    'withheld_variables',
    'Variables that are declared otherwise elsewhere, and not spent of here.',
    ({ withheld }) => Object.keys(withheld).length,
  ],
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
  addRefusals(replicas, registers);
  addLeases(replicas, registers);
  const alarms = new Counter({
    ...{
      name: 'cffbrw_alarms_total',
      help: 'What an operator should know, by kind: fork is one identity used twice.',
      registers,
    },
    labelNames: ['kind'],
  });
  for (const kind of ['fork', 'second-self', 'regression'] as const) alarms.inc({ kind }, 0);
  const calls = new Histogram({
    ...{ name: 'cffbrw_call_duration_seconds', help: 'Commits (flush), and calls to the backbone.', registers },
    ...{ labelNames: ['call', 'failed'], buckets: secondsBuckets },
  });
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
    time: (call, tookMs, failed) => calls.observe({ call, failed: String(failed) }, tookMs / 1_000),
    alarm: ({ kind }) => alarms.inc({ kind }),
    text: () => registry.metrics(),
  };
}

function addRefusals(replicas: () => readonly Replica[], registers: Registry[]): void {
  new Counter({
    ...{
      name: 'cffbrw_refusals_total',
      help: 'Takes that were refused, by reason.',
      registers,
      labelNames: ['replica', 'reason'],
    },
    collect() {
      this.reset();
      for (const { id, status } of replicas()) {
        for (const [reason, times] of Object.entries(status.refusals)) this.inc({ replica: id, reason }, times);
      }
    },
  });
}

function addLeases(replicas: () => readonly Replica[], registers: Registry[]): void {
  new Gauge({
    ...{
      name: 'cffbrw_leased_units',
      help: 'Rights held, by variable: units that can be given out without asking anybody.',
      registers,
    },
    labelNames: ['replica', 'variable'],
    collect() {
      this.reset();
      for (const replica of replicas()) {
        for (const { address, units } of replica.leases()) this.inc({ replica: replica.id, variable: address.variable }, units);
      }
    },
  });
}
