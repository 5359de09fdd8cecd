/**
 * Which incarnation a replica runs as, and how it proves it. Two disks with one identity would own the same rights, so a replica goes on
 * with its incarnation only with proof: (a) its boot nonce stands in the backbone, (b) the backbone knows nothing of it beyond its last commit,
 * (c) the witness outside the data directory stands at that commit. Without: a new incarnation with zero rights; the old rows keep
 * counting, the old rights stay locked until they are proven at a later contact, or an operator writes them off.
 *
 * It never touches rows or rights: the bank does, when it is told that an old incarnation is proven.
 *
 * Invariants (I1 to I3 in claim.ts, I4 and I5 in contact.ts):
 *   I6  An incarnation that may hold rights goes on only with (c), and at a backbone only with (a) and (b) as well.
 *   I7  A disk that may be old freezes the bank that it holds, its free units included, until an operator recovers.
 *   I8  A new incarnation is durable, and the witness has seen it, before it joins anything; the id of a running process never changes.
 */
import type { Backbone } from '../../backbone/backbone.ts';
import { CffbrwError, invariant } from '../../error.ts';
import type { Host } from '../../host.ts';
import type { Store } from '../../store/store.ts';
import { registersIn } from '../epoch.ts';
import { commitRecord, type Witness } from '../witness.ts';
import { claimOwn, contact, holds, joined, recoveringFreeze } from './contact.ts';
import type { OwnDisk } from './holder.ts';
import { beginNew, epochOf, fence, type Holder, lastCommit, mayHoldRights, ownsOld, save, saveIdentity } from './holder.ts';
import {
  type Freeze,
  type IdentityRecord,
  markText,
  newIncarnation,
  type OldIncarnation,
  readStored,
  type Stored,
  storedFormat,
  storeIdentity,
} from './incarnation.ts';
import { changeMembers, countActive, type Members } from './members.ts';
import type { Doubt } from './proof.ts';
import { type Recovery, recoveryOf } from './recovery.ts';

export interface IdentityOptions {
  readonly host: Host;
  readonly store: Store;
  /** null: the platform itself guarantees that this store is the newest and only one (a Durable Object, memory). */
  readonly witness: Witness | null;
  readonly backbone: Backbone | null;
  readonly name: string;
  /** null: the platform guarantees its storage, and there is a backbone. */
  readonly disk: OwnDisk | null;
  /** An operator says: join this backbone although it is not the one that this store knows. Default false. */
  readonly adopt?: boolean;
}

export interface Identity {
  /** `name.incarnation`. */
  readonly me: string;
  /** Incarnations that ran on this store before and held rights, and what lacks for their proof. */
  readonly old: readonly OldIncarnation[];
  /** Why bounded counters may not be spent here, or null. */
  readonly frozen: Freeze | null;
  /** As the backbone last showed them. */
  readonly members: Members;
  /** When an operator wrote off what this store may have sold; then `writtenOffAtBirth` says with what a counter begins. */
  readonly recoveredAt: number | null;
  /** True for rows that this process writes: mine, and those of old incarnations that are proven. */
  owns(replica: string): boolean;
  /** The identity of the backbone that this replica has joined, or null. */
  readonly epoch: string | null;
  /** What was lost with a backbone, and is not written again yet. */
  readonly recovery: Recovery;
  /** How many replicas share the rights, this one included. */
  activeReplicas(): number;
  /** Looks at the backbone again. Rejects with UNREACHABLE, RECOVERING (another epoch: nothing there may be used), FENCED. */
  contact(): Promise<void>;
  /** Called once, when this process must not write any more. At once, if that is already so. */
  onFenced(listener: (error: CffbrwError) => void): void;
  /** Told when the backbone shows less of this replica than it did: the bank then marks what it finds as recovering. */
  onRegressed(listener: (why: string) => void): void;
  /**
   * Called on a contact with an old incarnation that is proven: finish its intents, claims, mints and receipts, and return its rights. It must be
   * repeatable: it is called until it has resolved once in this process, and so once in every later one.
   */
  onProven(listener: (who: string) => Promise<void>): void;
  /** The bank found a lease or return of mine that this store knows nothing of (judgeLease): stops this process, and is remembered. */
  disprove(why: string): Promise<void>;
  /** An operator says: join the backbone that answers, whatever it lost. At the next contact. */
  adopt(): void;
  /** A clean stop: this replica no longer counts among the active ones. Rejects with UNREACHABLE. */
  stop(): Promise<void>;
}

/** Decides who this process is. Rejects with STORE_FAILED, STORE_CORRUPT, STORE_VERSION, DISK_FULL, INVALID_APP. */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const stored = await readStored(options.store);
  const { disk, witness, backbone } = options;
  invariant(disk !== null || (witness === null && backbone !== null), 'I7', 'a replica without a disk of its own has a backbone');
  const doubt = disk?.judgeWitness(witness?.state() ?? 'vouched', stored) ?? null;
  const holder = holderOf(options, stored);
  // A witness one commit behind is no doubt, but a second death in mid-commit would make it two.
  if (doubt === null && stored.mark !== null) await holder.witness?.write(markText(stored.mark.id, stored.mark.commit));
  if (stored.identity === null) await beginFresh(holder, doubt);
  else if (doubt !== null || stored.identity.disproven !== null) await beginDoubted(holder, doubt, stored.identity.disproven);
  if (backbone === null) await disk?.settleAlone(holder);
  else await settleWith(holder, backbone);
  checkOpened(holder, doubt);
  holder.open = true;
  return publicFace(holder);
}

function holderOf(options: IdentityOptions, stored: Stored): Holder {
  const { host, store, witness, backbone, name, disk, adopt = false } = options;
  return {
    ...{ host, store, witness, backbone, name, disk, adopt, open: false },
    identity: stored.identity ?? freshIdentity(newIncarnation(name, host)),
    old: new Map(stored.old),
    nonces: new Map(stored.nonces),
    held: new Map(),
    resumed: new Set(),
    members: new Map(),
    known: stored.members,
    waiting: null,
    fenced: null,
    fencedListeners: [],
    regressed: null,
    regressedListener: null,
    provenListener: null,
  };
}

const freshIdentity = (id: string): IdentityRecord => ({
  format: storedFormat,
  id,
  home: null,
  moving: null,
  disproven: null,
  frozen: null,
  recoveredAt: null,
});

/** The witness first: `<id> 0` promises nothing, and a store that a witness has never seen would be a store to doubt. */
async function beginFresh(holder: Holder, doubt: Doubt): Promise<void> {
  const frozen = doubt !== null && holder.backbone === null ? lostFreeze(doubt) : null;
  const identity = { ...holder.identity, frozen };
  const text = markText(identity.id, 0);
  await holder.witness?.write(text);
  await save(holder, [storeIdentity(identity), { name: commitRecord, value: text }]);
  holder.identity = identity;
}

/** The disk may be an old one, or is known to be: its incarnation ends, and the bank that it holds freezes (I7). */
async function beginDoubted(holder: Holder, doubt: Doubt, disproven: string | null): Promise<void> {
  const lacks = doubt ?? disproven ?? '';
  const bankIsHere = holder.identity.home === 'local' || (holder.identity.home === null && holder.backbone === null);
  await beginNew(holder, { lacks, witness: lacks, frozen: bankIsHere ? doubtFreeze(lacks) : null });
}

/** With a backbone: claim, or go on as a new incarnation and let that one join. */
async function settleWith(holder: Holder, backbone: Backbone): Promise<void> {
  if (holder.identity.frozen !== null && !(holder.adopt && holder.identity.moving !== null)) return;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const outcome = await reach(() => claimOwn(holder, backbone));
    if (outcome.kind === 'proven') return begin(holder, backbone, outcome.regressed);
    holder.waiting = outcome.kind === 'recovering' ? recoveringFreeze(outcome.why) : unreachableFreeze(outcome.why);
    if (outcome.kind === 'unproven' || mayHoldRightsElsewhere(holder)) await endUnproven(holder, outcome.why);
    if (outcome.kind !== 'unproven') return;
  }
  throw new CffbrwError('INVARIANT', 'two new incarnations in a row were already known to the backbone', {
    fix: 'Look at the random numbers of this machine: they repeat.',
  });
}

async function begin(holder: Holder, backbone: Backbone, regressed: string | null): Promise<void> {
  holder.waiting =
    holder.identity.home === 'local' ? unreachableFreeze('the bank of this data directory has not moved there yet') : null;
  joined(holder, regressed);
  if (holder.identity.home === 'local') await reach(async () => holder.disk?.moveIn(holder, backbone));
}

/** A bank that is here and has not moved stays with its incarnation until the backbone can be asked. */
const mayHoldRightsElsewhere = (holder: Holder): boolean =>
  mayHoldRights(holder) && !(holder.identity.home === 'local' && holder.identity.moving === null);

async function endUnproven(holder: Holder, why: string): Promise<void> {
  const frozen = holder.identity.home === 'local' ? doubtFreeze(why) : null;
  await beginNew(holder, { lacks: why, witness: null, frozen });
}

/** An unreachable backbone as a value: it proves nothing. */
async function reach<Value>(ask: () => Promise<Value>): Promise<Value | { readonly kind: 'unreachable'; readonly why: string }> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CffbrwError) || (error.code !== 'UNREACHABLE' && error.code !== 'TIMEOUT')) throw error;
    return { kind: 'unreachable', why: error.message };
  }
}

/** I6 and I7, whatever way led here. */
function checkOpened(holder: Holder, doubt: Doubt): void {
  const { identity, backbone } = holder;
  if (backbone === null) {
    const frozen = identity.frozen !== null || holder.waiting !== null;
    invariant(doubt === null || frozen || identity.home !== 'local', 'I7', `a bank on a doubtful disk is open: ${doubt}`);
    return;
  }
  const elsewhere = mayHoldRightsElsewhere(holder) && identity.frozen === null;
  invariant(!elsewhere || holds(holder), 'I6', `${identity.id} may hold rights and goes on without proof`);
}

function publicFace(holder: Holder): Identity {
  let contacting: Promise<void> | null = null;
  return {
    get me() {
      return holder.identity.id;
    },
    get old() {
      return [...holder.old.values()];
    },
    get frozen() {
      return frozenNow(holder);
    },
    get members() {
      return holder.members;
    },
    get recoveredAt() {
      return holder.identity.recoveredAt;
    },
    get epoch() {
      return epochOf(holder);
    },
    recovery: recoveryOf(holder),
    owns: (replica) => replica === holder.identity.id || ownsOld(holder, replica),
    activeReplicas: () => Math.max(1, countActive(holder.members)),
    contact() {
      contacting ??= contact(holder).finally(() => {
        contacting = null;
      });
      return contacting;
    },
    onFenced(listener) {
      if (holder.fenced === null) holder.fencedListeners.push(listener);
      else listener(holder.fenced);
    },
    onRegressed(listener) {
      holder.regressedListener = listener;
      if (holder.regressed !== null) listener(holder.regressed);
      holder.regressed = null;
    },
    onProven(listener) {
      holder.provenListener = listener;
    },
    async disprove(why) {
      fence(holder, why);
      await saveIdentity(holder, { disproven: why });
    },
    adopt() {
      holder.adopt = true;
    },
    stop: () => stop(holder),
  };
}

function frozenNow({ fenced, identity, waiting }: Holder): Freeze | null {
  if (fenced !== null) return { reason: 'fenced', message: fenced.message, fix: fenced.fix ?? '' };
  return identity.frozen ?? waiting;
}

async function stop(holder: Holder): Promise<void> {
  const { backbone, identity } = holder;
  if (backbone === null || holder.fenced !== null || !holds(holder)) return;
  const commit = await lastCommit(holder);
  const epoch = epochOf(holder);
  const registers = epoch === null ? backbone.registers : registersIn(backbone.registers, () => epoch);
  await changeMembers(registers, (members) => {
    const member = members.get(identity.id);
    if (member === undefined || member.nonce !== holder.held.get(identity.id) || member.state !== 'active') return null;
    return new Map([[identity.id, { ...member, state: 'stopped', commit }]]);
  });
}

const lostFreeze = (why: string): Freeze => ({
  reason: 'frozen',
  message: `bounded counters are frozen, because ${why}: what was sold before is not known here`,
  fix: 'Put the newest data directory back, or run `cffbrw recover` to write off what may have been sold.',
});

const doubtFreeze = (why: string): Freeze => ({
  reason: 'frozen',
  message: `bounded counters are frozen, because ${why}; units may have been sold that this disk knows nothing of`,
  fix: 'Put the newest data directory back, or run `cffbrw recover` (with --trust-store if you know that this is the newest).',
});

const unreachableFreeze = (why: string): Freeze => ({
  reason: 'unreachable',
  message: `bounded counters wait for the backbone, which was out of reach at the start (${why})`,
  fix: 'They go on by themselves as soon as it answers.',
});
