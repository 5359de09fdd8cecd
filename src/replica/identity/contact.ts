/**
 * What identity does on every contact with the backbone: join it, or look whether this process is still the one; then check each old
 * incarnation again.
 *
 * Invariants:
 *   I4  A process whose nonce was replaced, whose incarnation was retired, or whose rows the backbone knows better stops writing at once.
 *   I5  Of an old incarnation nothing is touched before it is proven, and that it is proven is durable before its rights are.
 */
import type { Backbone, Registers } from '../../backbone/backbone.ts';
import { CffbrwError, invariant } from '../../error.ts';
import { registersIn } from '../epoch.ts';
import { claim, judgeEpoch, type Outcome } from './claim.ts';
import { epochOf, fence, type Holder, lastCommit, noteMembers, noteRegression, ownsOld, saveOld } from './holder.ts';
import type { Freeze, OldIncarnation } from './incarnation.ts';
import { changeMembers, lostBy, type Member, membersRegister, parseMembers } from './members.ts';
import { judgeNonce, judgeRows } from './proof.ts';

/** Rejects with UNREACHABLE, RECOVERING (another epoch), FENCED. */
export async function contact(holder: Holder): Promise<void> {
  if (holder.fenced !== null) throw holder.fenced;
  if (holder.identity.frozen !== null) return;
  const { backbone } = holder;
  if (backbone === null) {
    if (holder.waiting === null) await settleOldHere(holder);
    return;
  }
  if (holds(holder) && !holder.adopt) await look(holder, backbone);
  else await join(holder, backbone);
  if (holder.identity.home === 'local') await holder.disk?.moveIn(holder, backbone);
  if (holder.identity.frozen !== null) return;
  await settleOld(holder, backbone);
}

/** True when this process has claimed the incarnation that it runs as. */
export function holds({ identity, nonces, held }: Holder): boolean {
  const own = held.get(identity.id);
  return own !== undefined && (nonces.get(identity.id) ?? []).some((nonce) => nonce.nonce === own && nonce.confirmed);
}

export async function claimOwn(holder: Holder, backbone: Backbone): Promise<Outcome> {
  return claim(holder, backbone, { id: holder.identity.id, commit: await lastCommit(holder), state: 'active' });
}

async function join(holder: Holder, backbone: Backbone): Promise<void> {
  const outcome = await claimOwn(holder, backbone);
  if (outcome.kind === 'unproven') throw fence(holder, outcome.why);
  if (outcome.kind === 'recovering') {
    holder.waiting = recoveringFreeze(outcome.why);
    throw recovering(outcome.why);
  }
  joined(holder, outcome.regressed);
}

/** What follows from a claim of the own incarnation, at the start or at a later contact. */
export function joined(holder: Holder, regressed: string | null): void {
  invariant(holds(holder), 'I2', `${holder.identity.id} is taken as claimed, and its claim is not confirmed`);
  if (holder.identity.home !== 'local') holder.waiting = null;
  if (regressed !== null) noteRegression(holder, regressed);
}

/** Looks whether this process is still the one (I4), and puts its entry back where the backbone lost it. */
async function look(holder: Holder, backbone: Backbone): Promise<void> {
  const { id } = holder.identity;
  const joinedTo = epochOf(holder);
  const registers = joinedTo === null ? backbone.registers : registersIn(backbone.registers, () => joinedTo);
  const asked = [backbone.identity(), backbone.latest(id), backbone.registers.get(membersRegister)] as const;
  const [epoch, latest, register] = await Promise.all(asked);
  const strange = judgeEpoch(holder, epoch) ?? judgeEpoch(holder, register.identity);
  if (strange !== null) throw recovering(strange);
  const members = parseMembers(register.value);
  // Asked after `latest`: what the backbone keeps of mine was committed here before.
  const beyond = judgeRows(latest, undefined, await lastCommit(holder));
  if (beyond !== null) throw fence(holder, beyond);
  await noteMembers(holder, members);
  const finding = judgeOwn(holder, holder.members.get(id));
  if (finding.kind === 'mine' && lostBy(members, holder.known).size === 0) return;
  if (finding.kind !== 'mine' && finding.kind !== 'regressed') throw fence(holder, finding.why);
  await putBack(holder, registers);
  if (finding.kind === 'regressed') noteRegression(holder, finding.why);
}

const judgeOwn = (holder: Holder, member: Member | undefined) => {
  const { id } = holder.identity;
  const finding = judgeNonce(member, holder.nonces.get(id) ?? [], holder.held.get(id) ?? null);
  invariant(finding.kind !== 'new', 'I2', `${id} runs without a confirmed claim`);
  return finding;
};

async function putBack(holder: Holder, registers: Registers): Promise<void> {
  const { id } = holder.identity;
  const commit = await lastCommit(holder);
  const outcome = await claimEntry(holder, registers, commit);
  if (outcome !== null) throw fence(holder, outcome);
  invariant(holder.members.get(id)?.nonce === holder.held.get(id), 'I4', `${id} is not the one that was put back`);
}

async function claimEntry(holder: Holder, registers: Registers, commit: number): Promise<string | null> {
  const { id } = holder.identity;
  let refused: string | null = null;
  const { members } = await changeMembers(registers, (found) => {
    const finding = judgeOwn(holder, found.get(id));
    refused = finding.kind === 'foreign' || finding.kind === 'retired' ? finding.why : null;
    if (refused !== null) return null;
    const entries = lostBy(found, holder.known);
    if (finding.kind === 'mine') return entries;
    const nonce = holder.held.get(id) ?? '';
    const { written } = found.get(id) ?? { written: null };
    return entries.set(id, { name: holder.name, nonce, since: holder.host.now(), state: 'active', commit, written });
  });
  await noteMembers(holder, members);
  return refused;
}

/** Each old incarnation again (I5): the same proof, then its rights go back. */
async function settleOld(holder: Holder, backbone: Backbone): Promise<void> {
  for (const old of [...holder.old.values()]) {
    if (isOpen(holder, old)) await settleOne(holder, backbone, old);
  }
}

/** What has returned its rights is taken up once per start all the same: its receipts may still be given back, and only this store may write that. */
const isOpen = ({ resumed }: Holder, { id, state, witness }: OldIncarnation): boolean =>
  (state === 'locked' && witness === null) || state === 'proven' || (state === 'returned' && !resumed.has(id));

async function settleOne(holder: Holder, backbone: Backbone, old: OldIncarnation): Promise<void> {
  const proven = old.state !== 'locked';
  if (!proven || holder.held.get(old.id) === undefined) {
    const known = judgeNonce(holder.members.get(old.id), holder.nonces.get(old.id) ?? [], null);
    if (known.kind === 'foreign' || known.kind === 'retired') {
      return saveOld(holder, old.id, { state: 'locked', lacks: known.why });
    }
    // What was proven before has been written by this store since.
    const commit = proven ? await lastCommit(holder) : old.commit;
    const outcome = await claim(holder, backbone, { id: old.id, commit, state: 'stopped' });
    if (outcome.kind === 'recovering') return;
    if (outcome.kind !== 'proven') return saveOld(holder, old.id, { state: 'locked', lacks: outcome.why });
  }
  await giveBack(holder, old.id);
}

/** Without a backbone there is nobody to ask: the disk was proven when it ended, or an operator vouched for it. */
async function settleOldHere(holder: Holder): Promise<void> {
  for (const old of [...holder.old.values()]) if (isOpen(holder, old)) await giveBack(holder, old.id);
}

async function giveBack(holder: Holder, id: string): Promise<void> {
  if (holder.provenListener === null) return;
  if (holder.old.get(id)?.state === 'locked') await saveOld(holder, id, { state: 'proven', lacks: '' });
  invariant(ownsOld(holder, id), 'I5', `the rights of ${id} would be touched without proof`);
  try {
    await holder.provenListener(id);
  } catch (error) {
    if (!(error instanceof CffbrwError) || error.code === 'UNREACHABLE' || error.code === 'FENCED') throw error;
    // It is tried again at the next contact; the running incarnation does not wait for it.
    return saveOld(holder, id, { lacks: `its rights could not be returned: ${error.message}` });
  }
  await saveOld(holder, id, { state: 'returned', lacks: '' });
  holder.resumed.add(id);
}

export const recoveringFreeze = (why: string): Freeze => ({
  reason: 'recovering',
  message: `bounded counters wait, because ${why}`,
  fix: 'Check which backbone this is. If it is the right one, run `cffbrw backbone adopt` on each replica.',
});

const recovering = (why: string): CffbrwError =>
  new CffbrwError('RECOVERING', `this replica does not join the backbone: ${why}`, { fix: recoveringFreeze(why).fix });
