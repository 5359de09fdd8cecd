/** An address in memory: every replica's row, and what of it is not durable yet. */
import type { Address } from '../strategy/address.ts';
import type { Json } from '../strategy/json.ts';
import type { Entry, Strategy } from '../strategy/strategy.ts';
import type { Variable } from '../strategy/variable.ts';

export interface MemorySlot {
  readonly address: Address;
  /** null: this app does not declare the address's variable (or declares it otherwise): rows are kept and forwarded, never read. */
  readonly variable: Variable | null;
  readonly strategy: Strategy | null;
  readonly rows: Map<string, Entry<object>>;
  /** The value that the rows show, once somebody asked; undefined: read again. */
  value: Json | undefined;
  /** The commit that makes durable what the rows show. */
  commit: number;
  /** The last commit that has my own row in it: so that a thousand increments mark it dirty once. */
  ownCommit: number;
  /** Replicas whose rows the next flush writes: the bytes as received, or null to encode the row as it is then. */
  readonly changed: Map<string, string | null>;
  /** Used since the last sweep of memory. */
  used: boolean;
  /** Memory forgot this slot (idle, or a commit failed); who still holds it must look the address up again. */
  dropped: boolean;
}

export function createSlot(
  address: Address,
  variable: Variable | null,
  strategy: Strategy | null,
  rows: Map<string, Entry<object>>,
): MemorySlot {
  return {
    address,
    variable,
    strategy,
    rows,
    value: undefined,
    commit: 0,
    ownCommit: 0,
    changed: new Map(),
    used: true,
    dropped: false,
  };
}
