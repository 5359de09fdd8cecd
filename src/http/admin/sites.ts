/** What an operator sees of all replicas of an app, and does about those that never come back. (Contract: the platform knows how.) */
import { CffbrwError } from '../../error.ts';
import type { Json } from '../../strategy/json.ts';

export interface Retirement {
  /** The incarnations that are retired by it. */
  readonly retired: readonly string[];
  /** Units that each of them held as far as the backbone knows. */
  readonly stakes: readonly { readonly id: string; readonly address: string; readonly units: number }[];
  /** Their sum: units that can never be sold any more. */
  readonly worstCase: number;
  /** Those that have not written again since the backbone lost something: what only they know that they gave out can be given out again. */
  readonly unheard: readonly string[];
}

export interface RetireRequest {
  readonly who: string;
  readonly by: string;
  readonly why: string;
  /** false: only says what it would do. */
  readonly carryOut: boolean;
}

export interface Sites {
  /** Every incarnation that ever joined. Rejects with UNREACHABLE. */
  list(): Promise<readonly object[]>;
  /** Rejects with UNREACHABLE (repeat it: it is harmless), NOT_FOUND. */
  retire(request: RetireRequest): Promise<Retirement>;
}

export function known(sites: Sites | undefined): Sites {
  if (sites !== undefined) return sites;
  throw new CffbrwError('NOT_FOUND', 'this app has no backbone: there is this replica alone', {
    fix: 'Start it with --backbone to run it at several locations.',
  });
}

export const listed = async (sites: Sites | undefined): Promise<{ replicas: Json }> => ({
  replicas: (await known(sites).list()) as unknown as Json,
});
