/** What operators see of replicas on a PostgreSQL backbone, and do about those that never come back. */
import type { Host } from '../host.ts';
import type { Sites as Operations, Retirement, RetireRequest } from '../http/admin/sites.ts';
import { planRetirement, retire } from '../replica/index.ts';
import { listSites } from '../replica/sites.ts';
import type { PostgresBackbone } from './backbone.ts';

export { listSites, openSites, type SiteFacts } from '../replica/sites.ts';

/** What operators see and do, over a backbone. */
export const operationsOver = (backbone: PostgresBackbone, host: Host): Operations => ({
  list: () => listSites(backbone),
  async retire({ who, by, why, carryOut }: RetireRequest): Promise<Retirement> {
    const store = { since: async (replica: string, version: number) => [...(await backbone.since(replica, version))] };
    const options = { registers: backbone.registers, store, who, by, why, now: host.now() };
    return carryOut ? retire(options) : planRetirement(options);
  },
});
