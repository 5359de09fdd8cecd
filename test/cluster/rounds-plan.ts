/** What happens in a round, drawn by a seed as plain data. */
import { mulberry } from '../node/backbone-bench.ts';

export const siteNames = ['fra', 'sin', 'iad'] as const;

/** Faults begin within so long. */
const spanMs = 3_000;

interface Spell {
  readonly atMs: number;
  /** An index into `siteNames`. */
  readonly site: number;
  /** null: until everything is healed. */
  readonly forMs: number | null;
}

export type Fault =
  /** The process: killed, stopped cleanly (and started again by a supervisor), frozen. */
  | (Spell & { readonly kind: 'kill' | 'stop' | 'pause' })
  /** Its way to PostgreSQL: cut; it hears nothing, or is not heard, on connections that stay open; slow; what it says arrives long after. */
  | (Spell & { readonly kind: 'cut' | 'deaf' | 'mute' | 'slow' | 'late' })
  /** Connections end in the middle of a message. */
  | (Spell & { readonly kind: 'torn'; readonly bytes: number })
  /** PostgreSQL is killed, with all its processes. */
  | (Spell & { readonly kind: 'postgres' })
  /** A copy of its data directory, put back `forMs` later; and what becomes of the witness outside. */
  | (Spell & { readonly kind: 'backup'; readonly forMs: number; readonly witness: 'stays' | 'restored' | 'missing' })
  /** A second process under the same name on a copy of its data directory. */
  | (Spell & { readonly kind: 'copy'; readonly witness: 'missing' | 'copied' });

export interface Round {
  readonly seed: number;
  readonly stock: number;
  readonly faults: readonly Fault[];
}

const usual = ['kill', 'kill', 'stop', 'pause', 'cut', 'cut', 'deaf', 'mute', 'slow', 'late', 'torn', 'postgres'] as const;

export function drawRound(seed: number): Round {
  const random = mulberry(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]) => items[below(items.length)] as Item;
  const spell = (): Spell => ({
    atMs: below(spanMs),
    site: below(siteNames.length),
    forMs: random() < 0.35 ? null : 50 + below(1_500),
  });
  const usualFault = (): Fault => {
    const kind = pick(usual);
    return kind === 'torn' ? { ...spell(), kind, bytes: 1 + below(4_000) } : { ...spell(), kind };
  };
  const stock = pick([60, 400, 4_000]);
  const faults = Array.from({ length: 3 + below(4) }, usualFault);
  // The two that take a disk for another one are rarer, and never both.
  const rare = random();
  if (rare < 0.25)
    faults.push({ ...spell(), kind: 'backup', forMs: 300 + below(1_500), witness: pick(['stays', 'restored', 'missing']) });
  else if (rare < 0.45) faults.push({ ...spell(), kind: 'copy', witness: pick(['missing', 'copied']) });
  return { seed, stock, faults: faults.sort((a, b) => a.atMs - b.atMs) };
}

export const describeFault = ({ kind, atMs, forMs, site }: Fault): string =>
  `${kind}${kind === 'postgres' ? '' : ` ${siteNames[site]}`} at ${atMs} ms${forMs === null ? '' : ` for ${forMs} ms`}`;
