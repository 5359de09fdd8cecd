/** What a region remembers of its schedules. */
import type { App } from '../app.ts';
import type { Replica } from '../replica/replica.ts';

const schedulesRecord = 'schedules';

/** Since when each schedule is as it is: an object is often made only when its tick is due. */
export async function knownSince({ workflows }: App, replica: Replica, nowMs: number): Promise<ReadonlyMap<string, number>> {
  const before = JSON.parse((await replica.getRecord(schedulesRecord)) ?? '{}') as Record<
    string,
    { text: string; sinceMs: number }
  >;
  const known: typeof before = {};
  for (const { name, cron } of workflows.values()) {
    if (cron === null) continue;
    const text = `${cron.schedule} ${cron.timezone}`;
    const same = before[name]?.text === text ? before[name] : undefined;
    known[name] = same ?? { text, sinceMs: nowMs };
  }
  if (JSON.stringify(known) !== JSON.stringify(before)) replica.putRecord(schedulesRecord, JSON.stringify(known));
  return new Map(Object.entries(known).map(([name, { sinceMs }]) => [name, sinceMs]));
}
