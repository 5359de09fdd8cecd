/** What operators see of replicas on a PostgreSQL backbone, and do about those that never come back. */
import type { Host } from '../host.ts';
import type { Sites as Operations, Retirement, RetireRequest } from '../http/admin/sites.ts';
import { commonStage, lastStage, membersRegister, parseMembers, stageOf } from '../replica/identity/members.ts';
import { planRetirement, retire } from '../replica/index.ts';
import { listSites, type SiteFacts } from '../replica/sites.ts';
import type { PostgresBackbone } from './backbone.ts';

export { listSites, openSites, type SiteFacts } from '../replica/sites.ts';

export interface ListedSite extends SiteFacts {
  /** The backbone has lost something, and the others wait for what this one has to write again. */
  readonly awaited: boolean;
}

async function list(backbone: PostgresBackbone): Promise<readonly ListedSite[]> {
  const sites = await listSites(backbone);
  const { value, identity } = await backbone.registers.get(membersRegister);
  const members = parseMembers(value);
  const stage = commonStage(members, identity);
  // Nobody begins a stage before all have done the one before it: those who are there wait, too.
  const isLast = ({ id, state }: SiteFacts) => state !== 'retired' && stageOf(members.get(id), identity) === stage;
  return sites.map((site) => ({ ...site, awaited: stage < lastStage && isLast(site) }));
}

/** What operators see and do, over a backbone. */
export const operationsOver = (backbone: PostgresBackbone, host: Host): Operations => ({
  list: () => list(backbone),
  async retire({ who, by, why, carryOut }: RetireRequest): Promise<Retirement> {
    const store = { since: async (replica: string, version: number) => [...(await backbone.since(replica, version))] };
    const options = { registers: backbone.registers, store, who, by, why, now: host.now() };
    return carryOut ? retire(options) : planRetirement(options);
  },
});
