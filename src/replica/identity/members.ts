/**
 * The register `members`: every incarnation that ever joined this backbone. It is what a recovery waits for, what lease sizes divide by, and
 * where boot nonces stand. One register for all names, because whoever reads it always needs all of them.
 *
 * A backbone that lost something has lost entries, too. So each replica remembers all members that it ever knew, and puts back whom the
 * register lacks; and each entry says in which backbone its owner has written again what only its store knows.
 *
 * Invariants:
 *   N1  An entry is never removed, and a retired one stays retired.
 *   N14 An entry shows a stage of a backbone only when its owner has done it there, or began there.
 */
import type { Register, Registers } from '../../backbone/backbone.ts';
import { CffbrwError, invariant } from '../../error.ts';

export const membersRegister = 'members';

export interface Member {
  readonly name: string;
  /** The boot nonce of the start that holds this incarnation. */
  readonly nonce: string;
  /** When this start joined, milliseconds since 1970, by its own clock. */
  readonly since: number;
  readonly state: 'active' | 'stopped' | 'retired';
  /** The last commit that it is known to have made. */
  readonly commit: number;
  /** How far it is with writing again, in the backbone of that identity, what that backbone may have lost; null: it has not begun. */
  readonly written: { readonly epoch: string; readonly stage: Stage } | null;
  /** Set when it is retired. */
  readonly retired?: { readonly by: string; readonly at: number; readonly why: string };
}

/**
 * 1: facts (banks, and what became of receipts). 2: what was asked, and whose outcome is not known. 3: names (which grant a key of `once`
 * has). Nobody begins a stage before everybody has done the one before it.
 */
export type Stage = 1 | 2 | 3;
export const lastStage: Stage = 3;

export type Members = ReadonlyMap<string, Member>;

const attempts = 64;

/** All members. Rejects with UNREACHABLE. */
export async function readMembers(registers: Registers): Promise<Members> {
  return parseMembers((await registers.get(membersRegister)).value);
}

/**
 * Replaces entries by compare-and-set; `change` is asked again with what is there whenever somebody else was faster, and answers null to
 * leave it alone. `seen`: what it held a moment ago. Resolves with what the register holds then. Rejects with UNREACHABLE when the outcome is unknown.
 */
export async function changeMembers(
  registers: Registers,
  change: (members: Members) => ReadonlyMap<string, Member> | null,
  seen?: Register,
): Promise<{ readonly changed: boolean; readonly members: Members }> {
  let register = seen ?? (await registers.get(membersRegister));
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const members = parseMembers(register.value);
    const entries = change(members);
    if (entries === null) return { changed: false, members };
    const next = new Map([...members, ...entries]);
    checkKept(members, next);
    const { done, register: after } = await registers.compareAndSet(membersRegister, printMembers(next), register.revision);
    if (done) return { changed: true, members: next };
    register = after;
  }
  throw new CffbrwError('UNREACHABLE', `the list of members changed ${attempts} times while this replica tried to change it`, {
    fix: 'It is tried again at the next contact.',
  });
}

/** The last stage that a member has done in this backbone, or 0. */
export const stageOf = (member: Member | undefined, epoch: string | null): number =>
  member?.written?.epoch === epoch ? (member?.written?.stage ?? 0) : 0;

/** The last stage that everybody has done who has not retired. */
export const commonStage = (members: Members, epoch: string | null): number =>
  Math.min(lastStage, ...[...members.values()].flatMap((member) => (member.state === 'retired' ? [] : stageOf(member, epoch))));

/** What the register lacks of what was known before: who is not there, and who is not retired there. */
export function lostBy(found: Members, known: Members): Map<string, Member> {
  const lost = new Map<string, Member>();
  for (const [id, member] of known) {
    const shown = found.get(id);
    if (shown === undefined) lost.set(id, member);
    else if (member.state === 'retired' && shown.state !== 'retired') lost.set(id, { ...shown, ...member });
  }
  return lost;
}

/** How many replicas share the rights: members that neither stopped nor retired. */
export const countActive = (members: Members): number =>
  [...members.values()].filter((member) => member.state === 'active').length;

function checkKept(before: Members, after: Members): void {
  for (const [id, member] of before) {
    const kept = member.state === 'retired' ? after.get(id)?.state === 'retired' : after.has(id);
    invariant(kept, 'N1', `the member ${id} would be ${after.has(id) ? 'brought back' : 'forgotten'}`);
  }
}

export const printMembers = (members: Members): string =>
  JSON.stringify({ format: 1, members: Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1))) });

export function parseMembers(text: string | null): Members {
  if (text === null) return new Map();
  const stored = JSON.parse(text) as { readonly format: number; readonly members: Readonly<Record<string, Member>> };
  if (stored.format !== 1) {
    throw new CffbrwError(
      'STORE_VERSION',
      `the backbone's list of members has format ${stored.format}, and this version knows 1`,
      {
        fix: 'Update CFFBRW on this replica.',
      },
    );
  }
  return new Map(Object.entries(stored.members));
}
