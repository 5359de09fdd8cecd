/**
 * The register `members`: every incarnation that ever joined this backbone. It is what a recovery waits for, what lease sizes divide by, and
 * where boot nonces stand. One register for all names, because whoever reads it always needs all of them.
 *
 * Invariants:
 *   N1  An entry is never removed, and a retired one stays retired.
 */
import type { Registers } from '../../backbone/backbone.ts';
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
  /** Set when it is retired. */
  readonly retired?: { readonly by: string; readonly at: number; readonly why: string };
}

export type Members = ReadonlyMap<string, Member>;

const attempts = 64;

/** All members. Rejects with UNREACHABLE. */
export async function readMembers(registers: Registers): Promise<Members> {
  return parseMembers((await registers.get(membersRegister)).value);
}

/**
 * Replaces entries by compare-and-set; `change` is asked again with what is there whenever somebody else was faster, and answers null to
 * leave it alone. Resolves with what the register holds then. Rejects with UNREACHABLE when the outcome is unknown.
 */
export async function changeMembers(
  registers: Registers,
  change: (members: Members) => ReadonlyMap<string, Member> | null,
): Promise<{ readonly changed: boolean; readonly members: Members }> {
  let register = await registers.get(membersRegister);
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

/** How many replicas share the rights: members that neither stopped nor retired. */
export const countActive = (members: Members): number =>
  [...members.values()].filter((member) => member.state === 'active').length;

function checkKept(before: Members, after: Members): void {
  for (const [id, member] of before) {
    const kept = member.state === 'retired' ? after.get(id)?.state === 'retired' : after.has(id);
    invariant(kept, 'N1', `the member ${id} would be ${after.has(id) ? 'brought back' : 'forgotten'}`);
  }
}

const printMembers = (members: Members): string =>
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
