/**
 * What Prometheus reads of a region: the names that a replica has on Node.js, and what is billed, of the region's object and of the hub's.
 * Everything is counted since the object began: one that sleeps forgets.
 */
import type { Replica } from '../replica/replica.ts';
import type { Usage } from './driver.ts';

/** `hub`: null while it is out of reach. */
export function metricsText(replica: Replica, region: Usage, hub: Usage | null): string {
  const { status, conflicts } = replica;
  const counts = {
    commit: status.commit,
    dirty_addresses: status.dirty,
    unpublished_rows: status.unpublished,
    quarantined_rows: status.quarantined,
    loaded_addresses: status.loaded,
    frozen: status.frozen === null ? 0 : 1,
    lag_seconds: (status.lagMs ?? 0) / 1_000,
    withheld_variables: Object.keys(status.withheld).length,
    conflicts_kept: conflicts.list().length,
  };
  return [
    ...Object.entries(counts).map(([name, count]) => line(name, { replica: replica.id }, count)),
    ...Object.entries(status.refusals).map(([reason, count]) => line('refusals_total', { replica: replica.id, reason }, count)),
    ...usageLines('region', region),
    ...(hub === null ? [] : usageLines('hub', hub)),
  ].join('');
}

const usageLines = (object: string, { requests, rowsRead, rowsWritten, alarms, alarmsSet }: Usage): string[] => [
  line('object_requests_total', { object }, requests),
  line('object_rows_read_total', { object }, rowsRead),
  line('object_rows_written_total', { object }, rowsWritten),
  line('object_alarms_total', { object }, alarms),
  line('object_alarms_set_total', { object }, alarmsSet),
];

const line = (name: string, labels: Readonly<Record<string, string>>, count: number): string =>
  `cffbrw_${name}{${Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`)}} ${count}\n`;
