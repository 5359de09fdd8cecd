/**
 * What only a replica on a disk of its own needs: a disk can be copied, so a witness vouches for it, and where there is no backbone the bank
 * is in the store, until it moves. A platform that guarantees its storage, and has a backbone, has none of this.
 */
import { type Holder, type OwnDisk, saveIdentity } from './holder.ts';
import type { Freeze } from './incarnation.ts';
import { moveIn } from './move.ts';
import { judgeWitness } from './proof.ts';

export const ownDisk: OwnDisk = { judgeWitness, settleAlone, moveIn };

/** The bank is here, unless this store belongs to a backbone. */
async function settleAlone(holder: Holder): Promise<void> {
  const { home, moving } = holder.identity;
  if (home === null) await saveIdentity(holder, { home: 'local' });
  if (typeof home === 'object' && home !== null) holder.waiting = missingBackbone(home.epoch);
  else if (moving !== null) holder.waiting = missingBackbone(moving);
}

const missingBackbone = (epoch: string): Freeze => ({
  reason: 'frozen',
  message: `bounded counters are frozen, because this data directory belongs to the backbone "${epoch}" and was started without one`,
  fix: 'Start it with that backbone, or run `cffbrw recover --write-off --alone` to go on without it and write off what other replicas may sell.',
});
