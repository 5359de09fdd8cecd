/**
 * Where the members of this backbone stand with what they have to write again after it lost something, as the register `members` shows it.
 * Nobody can tell alone when it is over: it is when everybody who ever joined, and has not retired, has said so.
 */
import { CffbrwError } from '../../error.ts';
import { registersIn } from '../epoch.ts';
import { epochOf, type Holder, noteMembers, ownsOld } from './holder.ts';
import { changeMembers, commonStage, lastStage, lostBy, type Stage, stageOf } from './members.ts';

export interface Recovery {
  /** False while anybody still has to write something: `once` and settling wait. */
  readonly over: boolean;
  /** The last stage that everybody has done: from 1 on a bank that is not there never was. */
  readonly stage: number;
  hasWrittenFacts(who: string): boolean;
  /** Incarnations of mine that have not done this stage. */
  mineBefore(stage: Stage): readonly string[];
  /** They have done it, in the backbone that this replica has joined. Rejects with UNREACHABLE. */
  done(stage: Stage, ids: readonly string[]): Promise<void>;
}

export const recoveryOf = (holder: Holder): Recovery => ({
  get over() {
    return this.stage === lastStage;
  },
  get stage() {
    return commonStage(holder.members, epochOf(holder));
  },
  hasWrittenFacts: (who) => stageOf(holder.members.get(who), epochOf(holder)) > 0,
  mineBefore: (stage) =>
    [holder.identity.id, ...holder.old.keys()].filter((id) => {
      const member = holder.members.get(id);
      const isMine = id === holder.identity.id || ownsOld(holder, id);
      return isMine && member !== undefined && member.state !== 'retired' && stageOf(member, epochOf(holder)) < stage;
    }),
  async done(stage, ids) {
    const epoch = epochOf(holder);
    if (holder.backbone === null || epoch === null) throw new CffbrwError('INVARIANT', 'there is no backbone to write to');
    const registers = registersIn(holder.backbone.registers, () => epoch);
    const { members } = await changeMembers(registers, (found) => {
      const entries = lostBy(found, holder.known);
      for (const id of ids) {
        const member = found.get(id);
        if (member !== undefined && member.state !== 'retired') entries.set(id, { ...member, written: { epoch, stage } });
      }
      return entries;
    });
    await noteMembers(holder, members);
  },
});
