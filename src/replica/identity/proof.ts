/**
 * The proof that a disk is the newest and only one of its incarnation, as pure judgements: (a) the boot nonce, (b) nothing of mine elsewhere
 * beyond my last commit, (c) the witness. Each says why it is not convinced, in words for the operator.
 *
 * It never decides what follows: identity.ts does.
 */

import type { Witness } from '../witness.ts';
import { type CommitMark, markText, type Nonce, parseMark, type Stored } from './incarnation.ts';
import type { Member } from './members.ts';

/** null: convinced. Else why not. */
export type Doubt = string | null;

export type WitnessState = ReturnType<Witness['state']> | 'vouched';

/** (c) The witness says exactly what the store says, or what the store said one commit before (the crash came between the two). */
export function judgeWitness(state: WitnessState, stored: Pick<Stored, 'mark' | 'old'>): Doubt {
  if (state === 'vouched') return null;
  if (state === 'locked') return 'another process on this machine holds its witness';
  const { mark } = stored;
  if (mark === null) return judgeEmpty(state);
  if (state === 'missing') return 'its witness, the note outside the data directory, is missing';
  const seen = parseMark(state.text);
  if (seen === null) return 'its witness cannot be read';
  if (seen.id !== mark.id) return judgeTakeover(seen, mark, stored.old.get(seen.id)?.commit);
  if (seen.commit === mark.commit || seen.commit === mark.previous) return null;
  return seen.commit > mark.commit
    ? `the data directory ends at commit ${mark.commit}, but its witness has seen commit ${seen.commit}: this is an older copy`
    : `its witness has seen commit ${seen.commit} only, and the data directory ends at ${mark.commit}: the witness is an older copy`;
}

/** An empty store is new, unless its witness has seen commits: then the store was lost. */
function judgeEmpty(state: Exclude<WitnessState, 'vouched' | 'locked'>): Doubt {
  if (state === 'missing') return null;
  const seen = parseMark(state.text);
  if (seen !== null && seen.commit === 0) return null;
  return `the data directory is empty, but its witness has seen ${seen === null ? 'something' : `commit ${seen.commit} of ${seen.id}`}`;
}

/** The crash came between the commit that replaced one incarnation by the next and the witness's note of it. */
function judgeTakeover(seen: CommitMark, mark: CommitMark, ended: number | undefined): Doubt {
  if (ended === seen.commit && (mark.commit === seen.commit || mark.previous === seen.commit)) return null;
  return `its witness speaks of ${markText(seen.id, seen.commit)}, the data directory of ${markText(mark.id, mark.commit)}`;
}

export type NonceFinding =
  /** The entry shows a nonce of mine: the last one, or one whose outcome was unknown. */
  | { readonly kind: 'mine' }
  /** There is no entry, and I never confirmed one. */
  | { readonly kind: 'new' }
  /** The entry shows an older nonce of mine, or has vanished: nobody else started, but the backbone lost something. */
  | { readonly kind: 'regressed'; readonly why: string }
  | { readonly kind: 'foreign' | 'retired'; readonly why: string };

/** (a) `current` is the nonce of the running process, or null at a start, when the last confirmed and every later one prove. */
export function judgeNonce(member: Member | undefined, nonces: readonly Nonce[], current: string | null): NonceFinding {
  const confirmed = nonces.filter((nonce) => nonce.confirmed).at(-1);
  if (member === undefined) {
    if (confirmed === undefined) return { kind: 'new' };
    return { kind: 'regressed', why: 'the backbone no longer knows of this incarnation' };
  }
  if (member.state === 'retired') return { kind: 'retired', why: retiredText(member) };
  const shown = nonces.find((nonce) => nonce.nonce === member.nonce);
  if (shown === undefined) return { kind: 'foreign', why: 'another start of the same incarnation has joined since' };
  const expected = current === null ? shown.boot >= (confirmed?.boot ?? 0) : shown.nonce === current;
  return expected ? { kind: 'mine' } : { kind: 'regressed', why: 'the backbone shows an older start of this incarnation' };
}

const retiredText = ({ retired }: Member): string =>
  retired === undefined ? 'it was retired' : `${retired.by} retired it at ${new Date(retired.at).toISOString()} (${retired.why})`;

/** (b) No row of mine, and no stop of mine, in the backbone beyond my last commit. */
export function judgeRows(latest: number, member: Member | undefined, commit: number): Doubt {
  const seen = Math.max(latest, member?.commit ?? 0);
  return seen <= commit
    ? null
    : `the backbone holds commit ${seen} of it, and the data directory ends at ${commit}: this is an older copy`;
}

export interface LeaseTotals {
  readonly leased: number;
  readonly returned: number;
}

/**
 * (b) for one counter, at its first contact: no lease beyond my row and my intent, no return beyond my row. `entry` is what the bank shows
 * for this incarnation, `intended` the lease target that was durable here before it was asked for.
 */
export function judgeLease(entry: LeaseTotals | undefined, row: LeaseTotals | undefined, intended: number | null): Doubt {
  if (entry === undefined) return null;
  const leased = Math.max(row?.leased ?? 0, intended ?? 0);
  if (entry.leased > leased) return `the bank has leased ${entry.leased} units to it, and the data directory knows of ${leased}`;
  const returned = row?.returned ?? 0;
  if (entry.returned > returned)
    return `it has returned ${entry.returned} units to the bank, and the data directory knows of ${returned}`;
  return null;
}
