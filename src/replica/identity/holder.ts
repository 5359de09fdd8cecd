/**
 * What a running process holds in memory of its identity, next to the records that say the same durably. Every change is saved first and
 * shows in memory afterwards, so that a failed commit leaves memory as the store is.
 */
import type { Backbone } from '../../backbone/backbone.ts';
import { CffbrwError, invariant } from '../../error.ts';
import type { Host } from '../../host.ts';
import type { Store, StoredRecord } from '../../store/store.ts';
import { commitRecord, type Witness } from '../witness.ts';
import {
  type Freeze,
  type IdentityRecord,
  markText,
  type Nonce,
  newIncarnation,
  type OldIncarnation,
  readMark,
  storeIdentity,
  storeMembers,
  storeOld,
} from './incarnation.ts';
import type { Member, Members } from './members.ts';
import type { judgeWitness } from './proof.ts';

/** What only a replica on a disk of its own needs (disk.ts). */
export interface OwnDisk {
  readonly judgeWitness: typeof judgeWitness;
  settleAlone(holder: Holder): Promise<void>;
  moveIn(holder: Holder, backbone: Backbone): Promise<void>;
}

export interface Holder {
  readonly host: Host;
  readonly store: Store;
  readonly witness: Witness | null;
  readonly backbone: Backbone | null;
  readonly name: string;
  readonly disk: OwnDisk | null;
  /** An operator said: join this backbone, whatever it lost. */
  adopt: boolean;
  /** True once others know who this process is: its id never changes any more. */
  open: boolean;
  identity: IdentityRecord;
  readonly old: Map<string, OldIncarnation>;
  /** Every nonce of this store, by incarnation, oldest first; this process's own is the last. */
  readonly nonces: Map<string, readonly Nonce[]>;
  /** The nonce with which this process claimed an incarnation. */
  readonly held: Map<string, string>;
  /** Old incarnations that this process has taken up again. */
  readonly resumed: Set<string>;
  /** As last seen. */
  members: Members;
  /** All that this store ever knew: what a backbone that lost something is told again. */
  known: Members;
  /** A freeze that ends by itself: out of reach, another epoch. */
  waiting: Freeze | null;
  /** Set for good once this process must not write any more. */
  fenced: CffbrwError | null;
  fencedListeners: ((error: CffbrwError) => void)[];
  /** What the backbone was found to have lost, until somebody listens. */
  regressed: string | null;
  regressedListener: ((why: string) => void) | null;
  provenListener: ((who: string) => Promise<void>) | null;
}

export const save = (holder: Holder, records: readonly StoredRecord[]): Promise<void> => holder.store.commit([], records);

export async function saveIdentity(holder: Holder, change: Partial<IdentityRecord>): Promise<void> {
  const next = { ...holder.identity, ...change };
  await save(holder, [storeIdentity(next)]);
  holder.identity = next;
}

export async function saveOld(holder: Holder, id: string, change: Partial<OldIncarnation>): Promise<void> {
  const before = holder.old.get(id);
  if (before === undefined) return;
  const next = { ...before, ...change };
  if (JSON.stringify(next) === JSON.stringify(before)) return;
  await save(holder, [storeOld(next)]);
  holder.old.set(id, next);
}

/** What the register of members shows; whoever is new in it is remembered. */
export async function noteMembers(holder: Holder, members: Members): Promise<void> {
  holder.members = members;
  const news = [...members].filter(([id, member]) => !isKnown(holder.known.get(id), member));
  if (news.length === 0) return;
  // What it has written it has written there, and not where it is put back.
  const known = new Map([...holder.known, ...news.map(([id, member]) => [id, { ...member, written: null }] as const)]);
  await save(holder, [storeMembers(known)]);
  holder.known = known;
}

/** What would be told again is the same. */
const isKnown = (known: Member | undefined, { nonce, state }: Member): boolean => known?.nonce === nonce && known.state === state;

/** The backbone that this replica has joined, or null. */
export const epochOf = ({ identity: { home } }: Holder): string | null =>
  typeof home === 'object' ? (home?.epoch ?? null) : null;

/** True when this incarnation may hold rights: it confirmed a claim at a backbone, or its bank is here. */
export const mayHoldRights = (holder: Holder): boolean =>
  holder.identity.home === 'local' || (holder.nonces.get(holder.identity.id) ?? []).some((nonce) => nonce.confirmed);

/** True for an old incarnation whose row this store may write. */
export function ownsOld({ old }: Holder, id: string): boolean {
  const state = old.get(id)?.state;
  return state === 'proven' || state === 'returned';
}

/** The last durable commit of this store. */
export const lastCommit = async (holder: Holder): Promise<number> => (await readMark(holder.store))?.commit ?? 0;

/** What is known when one incarnation ends and the next begins. */
export interface Ending {
  /** What lacks for the proof. */
  readonly lacks: string;
  /** Set when the disk is not proven to be the newest: then nothing on it can be proven later either, but by an operator. */
  readonly witness: string | null;
  readonly frozen: Freeze | null;
}

/**
 * Ends the incarnation that the store names and begins one with zero rights: one commit, then the witness (which may stand one commit
 * behind). Commit numbers go on, so that old rows can still be written once they are proven.
 */
export async function beginNew(holder: Holder, ending: Ending): Promise<void> {
  const { host, identity } = holder;
  invariant(!holder.open, 'I8', `${identity.id} would become another incarnation while it runs`);
  const commit = await lastCommit(holder);
  const next = { ...identity, id: newIncarnation(holder.name, host), disproven: null, frozen: identity.frozen ?? ending.frozen };
  const old = endAll(holder, ending, commit);
  const text = markText(next.id, commit);
  await save(holder, [storeIdentity(next), { name: commitRecord, value: text }, ...old.map(storeOld)]);
  await holder.witness?.write(text);
  holder.identity = next;
  for (const incarnation of old) holder.old.set(incarnation.id, incarnation);
}

/** The old incarnations as they stand then: with the present one, if it may hold rights; none of them proven on a doubtful disk. */
function endAll(holder: Holder, { lacks, witness }: Ending, commit: number): OldIncarnation[] {
  const since = holder.host.now();
  const ended: OldIncarnation[] = [];
  if (mayHoldRights(holder)) ended.push({ id: holder.identity.id, commit, state: 'locked', witness, lacks, since });
  if (witness === null) return ended;
  for (const old of holder.old.values()) {
    if (old.state !== 'written-off') {
      ended.push({ ...old, state: 'locked', witness: old.witness ?? witness, lacks });
    }
  }
  return ended;
}

/** The backbone shows less of this replica than it did. */
export function noteRegression(holder: Holder, why: string): void {
  if (holder.regressedListener === null) holder.regressed = why;
  else holder.regressedListener(why);
}

/** Stops every write of this process, at once and for good. */
export function fence(holder: Holder, why: string): CffbrwError {
  if (holder.fenced !== null) return holder.fenced;
  const error = new CffbrwError('FENCED', `this process may no longer write as ${holder.identity.id}: ${why}`, {
    fix: 'If another process was started on a copy of this data directory on purpose, stop this one. Else restart it: it goes on as a new incarnation.',
  });
  holder.fenced = error;
  for (const listener of holder.fencedListeners) listener(error);
  return error;
}
