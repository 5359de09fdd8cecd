/**
 * Claiming an incarnation at the backbone: parts (a) and (b) of the proof, for the incarnation that runs and, by the same steps, for each old
 * one. The disk itself, part (c), was judged before.
 *
 * Invariants:
 *   I1  A nonce is durable here before it may be in the backbone, and no nonce is forgotten while it may be there.
 *   I2  Nothing is held before the claim is confirmed durably.
 *   I3  Nothing is claimed in a backbone of another epoch, unless an operator said to adopt it.
 */
import type { Backbone, Register, Registers } from '../../backbone/backbone.ts';
import { CffbrwError, invariant } from '../../error.ts';
import { registersIn } from '../epoch.ts';
import { type Holder, lastCommit, noteMembers, save } from './holder.ts';
import { forgetNonce, type Nonce, nameOf, storeIdentity, storeNonce } from './incarnation.ts';
import { changeMembers, lastStage, lostBy, type Member, type Members, membersRegister, parseMembers } from './members.ts';
import { judgeNonce, judgeRows } from './proof.ts';

export interface Claim {
  readonly id: string;
  /** The last commit that it made. */
  readonly commit: number;
  /** `stopped` for an old incarnation, whose rights are only returned. */
  readonly state: 'active' | 'stopped';
}

export type Outcome =
  | { readonly kind: 'proven'; readonly regressed: string | null }
  | { readonly kind: 'unproven'; readonly why: string }
  | { readonly kind: 'recovering'; readonly why: string };

/** Nonces kept per incarnation: an older one, shown by a backbone that was set back, then counts as a second start. */
const noncesKept = 256;

/** Rejects with UNREACHABLE (the claim may have happened; it is repeated with the same nonce), DISK_FULL, STORE_FAILED. */
export async function claim(holder: Holder, backbone: Backbone, wanted: Claim): Promise<Outcome> {
  // Asked together: a start far from its backbone waits for each of its answers.
  const asked = [backbone.identity(), backbone.registers.get(membersRegister), backbone.latest(wanted.id)] as const;
  const [epoch, register, latest] = await Promise.all(asked);
  const strange = judgeEpoch(holder, epoch);
  if (strange !== null) return { kind: 'recovering', why: strange };
  if (register.identity !== epoch) throw changedMeanwhile();
  const registers = registersIn(backbone.registers, () => epoch, changedMeanwhile);
  const members = parseMembers(register.value);
  const before = judge(holder, { ...wanted, commit: await commitNow(holder, wanted) }, members, latest);
  if (before.kind !== 'proven') return before;
  const nonce = await intend(holder, wanted.id);
  const outcome = await swap(holder, { registers, seen: register }, { ...wanted, epoch }, nonce);
  if (outcome.kind !== 'proven') return outcome;
  const latestAfter = await backbone.latest(wanted.id);
  const late = judgeRows(latestAfter, undefined, await commitNow(holder, wanted));
  if (late !== null) return { kind: 'unproven', why: late };
  if ((await backbone.identity()) !== epoch) throw changedMeanwhile();
  await confirm(holder, wanted.id, nonce, epoch);
  return outcome;
}

/** null: the backbone is the one that this store has joined, or may join. */
export function judgeEpoch({ identity, adopt }: Holder, epoch: string): string | null {
  const { home, moving } = identity;
  const joined = typeof home === 'string' ? moving : (home?.epoch ?? null);
  if (joined === null || joined === epoch || adopt) return null;
  return `the backbone's identity was "${joined}" and is "${epoch}": it was restored, or it is another one`;
}

function judge(holder: Holder, { id, commit }: Claim, members: Members, latest: number): Outcome {
  const member = members.get(id);
  const finding = judgeNonce(member, holder.nonces.get(id) ?? [], null);
  if (finding.kind === 'foreign' || finding.kind === 'retired') return { kind: 'unproven', why: finding.why };
  const doubt = judgeRows(latest, member, commit);
  if (doubt !== null) return { kind: 'unproven', why: doubt };
  return { kind: 'proven', regressed: finding.kind === 'regressed' ? finding.why : null };
}

/** This process's nonce for an incarnation: made once, durable before it is used (I1). */
async function intend(holder: Holder, id: string): Promise<Nonce> {
  const nonces = holder.nonces.get(id) ?? [];
  const held = holder.held.get(id);
  const known = nonces.find((nonce) => nonce.nonce === held);
  if (known !== undefined) return known;
  const nonce: Nonce = { boot: (nonces.at(-1)?.boot ?? 0) + 1, nonce: holder.host.id(), confirmed: false };
  await save(holder, [storeNonce(id, nonce)]);
  holder.nonces.set(id, [...nonces, nonce]);
  holder.held.set(id, nonce.nonce);
  return nonce;
}

/** Compare-and-set from a nonce of mine to this process's. */
async function swap(holder: Holder, { registers, seen }: Seen, wanted: Joining, nonce: Nonce): Promise<Outcome> {
  let outcome: Outcome = { kind: 'unproven', why: 'nothing was found out' };
  const change = (found: Members) => {
    outcome = judge(holder, wanted, found, 0);
    if (outcome.kind !== 'proven') return null;
    // Who begins here has nothing to write again; who comes back where its entry was lost, has.
    const begun = outcome.regressed === null ? { epoch: wanted.epoch, stage: lastStage } : null;
    const { written } = found.get(wanted.id) ?? { written: begun };
    const entry = { ...entryOf(holder, wanted, nonce), written };
    return new Map([...lostBy(found, holder.known), [wanted.id, entry]]);
  };
  const { members } = await changeMembers(registers, change, seen);
  await noteMembers(holder, members);
  return outcome;
}

interface Seen {
  readonly registers: Registers;
  /** The list of members as it was a moment ago. */
  readonly seen: Register;
}

interface Joining extends Claim {
  /** The identity of the backbone. */
  readonly epoch: string;
}

const entryOf = (holder: Holder, { id, commit, state }: Claim, { nonce }: Nonce): Omit<Member, 'written'> => ({
  name: nameOf(id),
  nonce,
  since: holder.host.now(),
  state,
  commit,
});

/** Makes the claim durable; only now may anybody act on it (I2). What it replaced can't be in the backbone any more, but by a setback. */
async function confirm(holder: Holder, id: string, { nonce }: Nonce, epoch: string): Promise<void> {
  const all = (holder.nonces.get(id) ?? []).map((known) => (known.nonce === nonce ? { ...known, confirmed: true } : known));
  invariant(all.at(-1)?.nonce === nonce, 'I1', `the nonce that claimed ${id} was never made durable`);
  const kept = all.slice(-noncesKept);
  const gone = all.slice(0, -noncesKept).map((old) => forgetNonce(id, old));
  const identity = joinedTo(holder, epoch);
  await save(holder, [storeIdentity(identity), ...kept.slice(-1).map((own) => storeNonce(id, own)), ...gone]);
  holder.identity = identity;
  holder.nonces.set(id, kept);
  // What was adopted is joined now; the next strange backbone is strange again.
  if (identity.home !== 'local') holder.adopt = false;
}

/** A local bank is moving from now on, into this backbone and no other; everyone else has joined. */
function joinedTo({ identity }: Holder, epoch: string) {
  return identity.home === 'local' ? { ...identity, moving: epoch } : { ...identity, home: { epoch } };
}

const changedMeanwhile = () =>
  new CffbrwError('UNREACHABLE', 'the backbone was replaced by another one while this replica joined', {
    fix: 'It is tried again at the next contact.',
  });

/** The commit of the claimed incarnation, read after what the backbone shows: this process goes on committing and publishing meanwhile. */
const commitNow = async (holder: Holder, { id, commit }: Claim): Promise<number> =>
  id === holder.identity.id ? Math.max(commit, await lastCommit(holder)) : commit;
