/**
 * Retiring replicas that never come back: their rights are written off, nobody waits for them in a recovery, and should one of them come
 * back, it is refused and goes on as a new incarnation.
 *
 * It never hides what nobody can know: who is retired before it wrote again what a backbone lost takes with it what it gave out.
 */
import type { Registers } from '../../backbone/backbone.ts';
import { CffbrwError } from '../../error.ts';
import type { Store } from '../../store/store.ts';
import type { BoundedRow } from '../../strategy/bounded-counter.ts';
import { emptyRow, rightsOf } from '../bank/rights.ts';
import { changeMembers, lastStage, type Member, type Members, membersRegister, parseMembers, stageOf } from './members.ts';

export interface Retirement {
  /** The incarnations that are retired by it. */
  readonly retired: readonly string[];
  /** Units that each of them held as far as is known here; they can never be sold any more. */
  readonly stakes: readonly { readonly id: string; readonly address: string; readonly units: number }[];
  readonly worstCase: number;
  /**
   * Those of them that have not written again since the backbone lost something. What they gave out and nobody else has heard of is
   * known to nobody any more: it can be given out a second time.
   */
  readonly unheard: readonly string[];
}

export interface RetireOptions {
  readonly registers: Registers;
  /** Where their rows are: a store, or the backbone. What it knows of them is the worst case. */
  readonly store: Pick<Store, 'since'>;
  /** A replica's name (all its incarnations) or the id of one. */
  readonly who: string;
  /** Never retired, although its name may match: the replica that does it. */
  readonly by: string;
  readonly why: string;
  readonly now: number;
}

/** What `retire` would do. Rejects with UNREACHABLE, NOT_FOUND. */
export async function planRetirement({ registers, store, who, by }: RetireOptions): Promise<Retirement> {
  const { value, identity } = await registers.get(membersRegister);
  const members = parseMembers(value);
  const retired = matching(members, who, by);
  const stakes = await stakesOf(store, new Set(retired));
  const unheard = retired.filter((id) => stageOf(members.get(id), identity) < lastStage);
  return { retired, stakes, worstCase: stakes.reduce((sum, { units }) => sum + units, 0), unheard };
}

/** Retires, and resolves with what was written off. Rejects with UNREACHABLE (repeat it: it is harmless), NOT_FOUND. */
export async function retire(options: RetireOptions): Promise<Retirement> {
  const { registers, who, by, why, now } = options;
  const plan = await planRetirement(options);
  await changeMembers(registers, (members) => {
    const ids = matching(members, who, by);
    return new Map(ids.map((id) => [id, retiredEntry(members.get(id), { by, at: now, why })]));
  });
  return plan;
}

function retiredEntry(member: Member | undefined, retired: NonNullable<Member['retired']>): Member {
  if (member === undefined) throw new CffbrwError('INVARIANT', 'a member that was just listed is not there');
  return { ...member, state: 'retired', retired };
}

function matching(members: Members, who: string, by: string): string[] {
  const open = [...members].filter(([id, member]) => member.state !== 'retired' && id !== by);
  const ids = open.filter(([id, member]) => id === who || member.name === who).map(([id]) => id);
  if (ids.length > 0) return ids;
  throw new CffbrwError(
    'NOT_FOUND',
    `there is no replica "${who}" to retire; there are: ${open.map(([id]) => id).join(', ') || 'none'}`,
    {
      fix: 'Name one of these, or the name before the dot for all its incarnations. A replica cannot retire itself: stop it.',
    },
  );
}

async function stakesOf(store: RetireOptions['store'], ids: ReadonlySet<string>): Promise<Retirement['stakes']> {
  const stakes: { id: string; address: string; units: number }[] = [];
  for (const id of ids) {
    for (let version = 0; ; ) {
      const rows = await store.since(id, version);
      for (const { address, bytes } of rows) {
        if (address.split(':', 2)[1] !== 'bounded-counter') continue;
        const units = rightsOf({ ...emptyRow, ...(JSON.parse(bytes) as BoundedRow) });
        if (units > 0) stakes.push({ id, address, units });
      }
      const last = rows.at(-1);
      if (last === undefined) break;
      version = last.version;
    }
  }
  return stakes;
}
