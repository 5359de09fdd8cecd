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
import {
  changeMembers,
  lastStage,
  lostBy,
  type Member,
  type Members,
  membersRegister,
  parseMembers,
  printMembers,
} from './members.ts';
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
  // At a start nothing is committed or published meanwhile, so one question can decide it all.
  if (backbone.decide !== undefined && !holder.open) return claimAtOnce(holder, backbone.decide, wanted);
  // Asked together: a start far from its backbone waits for each of its answers.
  const asked = [backbone.identity(), backbone.registers.get(membersRegister), backbone.latest(wanted.id)] as const;
  const [epoch, register, latest] = await Promise.all(asked);
  const strange = judgeEpoch(holder, epoch);
  if (strange !== null) return { kind: 'recovering', why: strange };
  if (register.identity !== epoch) throw changedMeanwhile();
  const registers = registersIn(backbone.registers, () => epoch, changedMeanwhile);
  const members = parseMembers(register.value);
  const judged = async () => ({
    id: wanted.id,
    commit: await commitNow(holder, wanted),
    nonces: holder.nonces.get(wanted.id) ?? [],
  });
  const before = judge(await judged(), members, latest);
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

/** Where register and rows are in one place, what has to be asked for is decided there, in one step (`decideClaim`). */
async function claimAtOnce(holder: Holder, decide: NonNullable<Backbone['decide']>, wanted: Claim): Promise<Outcome> {
  const { nonces, known } = holder;
  const nonce = await intend(holder, wanted.id);
  const asked: AskedClaim = {
    joined: joinedEpoch(holder),
    id: wanted.id,
    commit: await commitNow(holder, wanted),
    entry: entryOf(holder, wanted, nonce),
    nonces: nonces.get(wanted.id) ?? [],
    known: printMembers(known),
  };
  const { identity: epoch, members, ...decided } = JSON.parse(await decide(JSON.stringify(asked))) as DecidedClaim;
  const strange = judgeEpoch(holder, epoch);
  if (strange !== null) return { kind: 'recovering', why: strange };
  const { outcome } = decided;
  if (outcome.kind !== 'proven') return outcome;
  await noteMembers(holder, parseMembers(members));
  await confirm(holder, wanted.id, nonce, epoch);
  return outcome;
}

/** A claim as plain data: all that it is judged by. */
interface AskedClaim {
  /** The backbone that it is for; null: whichever answers. */
  readonly joined: string | null;
  readonly id: string;
  readonly commit: number;
  readonly entry: Omit<Member, 'written'>;
  readonly nonces: readonly Nonce[];
  readonly known: string;
}

interface DecidedClaim {
  readonly identity: string;
  readonly members: string;
  readonly outcome: Outcome;
}

/** What a backbone shows at one instant, and the register that it writes in the same. */
export interface ClaimPlace {
  readonly identity: string;
  readonly members: string | null;
  latest(replica: string): number;
  write(members: string): void;
}

/** Decides a claim where register and rows are. */
export function decideClaim(text: string, { identity, members, latest, write }: ClaimPlace): string {
  const asked = JSON.parse(text) as AskedClaim;
  const found = parseMembers(members);
  const decided = (outcome: Outcome, now: Members): string =>
    JSON.stringify({ identity, outcome, members: printMembers(now) } satisfies DecidedClaim);
  if (asked.joined !== null && asked.joined !== identity) return decided({ kind: 'recovering', why: 'another backbone' }, found);
  const outcome = judge(asked, found, latest(asked.id));
  if (outcome.kind !== 'proven') return decided(outcome, found);
  const next = new Map([...found, ...entriesOf(asked, { found, known: parseMembers(asked.known), outcome, epoch: identity })]);
  write(printMembers(next));
  return decided(outcome, next);
}

/** The backbone that this store has joined and may join; null: any. */
function joinedEpoch({ identity: { home, moving }, adopt }: Holder): string | null {
  return adopt ? null : typeof home === 'string' ? moving : (home?.epoch ?? null);
}

/** null: the backbone is the one that this store has joined, or may join. */
export function judgeEpoch(holder: Holder, epoch: string): string | null {
  const joined = joinedEpoch(holder);
  if (joined === null || joined === epoch) return null;
  return `the backbone's identity was "${joined}" and is "${epoch}": it was restored, or it is another one`;
}

type Judged = Pick<AskedClaim, 'id' | 'commit' | 'nonces'>;

function judge({ id, commit, nonces }: Judged, members: Members, latest: number): Outcome {
  const member = members.get(id);
  const finding = judgeNonce(member, nonces, null);
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
    const { id, commit, epoch } = wanted;
    outcome = judge({ id, commit, nonces: holder.nonces.get(id) ?? [] }, found, 0);
    if (outcome.kind !== 'proven') return null;
    return entriesOf({ id, entry: entryOf(holder, wanted, nonce) }, { found, known: holder.known, outcome, epoch });
  };
  const { members } = await changeMembers(registers, change, seen);
  await noteMembers(holder, members);
  return outcome;
}

interface Finding {
  readonly found: Members;
  readonly known: Members;
  readonly outcome: Extract<Outcome, { kind: 'proven' }>;
  /** The identity of the backbone. */
  readonly epoch: string;
}

/** What the register gets: the entry, and whom it lost. */
function entriesOf({ id, entry }: Pick<AskedClaim, 'id' | 'entry'>, { found, known, outcome, epoch }: Finding): Members {
  // Who begins here has nothing to write again; who comes back where its entry was lost, has.
  const begun = outcome.regressed === null ? ({ epoch, stage: lastStage } as const) : null;
  const { written } = found.get(id) ?? { written: begun };
  return new Map<string, Member>([...lostBy(found, known), [id, { ...entry, written }]]);
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
