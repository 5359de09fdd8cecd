/** What a replica has claimed of a schedule's ticks: a record of its own store, and the form of the register that decides. */
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Replica } from '../replica/replica.ts';

/** The register's value: the last tick that somebody has. */
export interface Claim {
  readonly version: 1;
  readonly tick: number;
  /** The schedule under which it was due. */
  readonly schedule: string;
  /** The replica that wants it. */
  readonly by: string;
  /** Random: whoever finds its own has won. */
  readonly claim: string;
}

export interface Stand {
  readonly revision: string | null;
  readonly last: Claim | null;
}

export interface OpenClaim extends Claim {
  readonly won: boolean;
}

export interface Claims {
  load(): Promise<void>;
  /** Claims of mine that are not known to be lost, and whose runs are not over. */
  readonly open: readonly OpenClaim[];
  /** Without a backbone: what the register would show. */
  stand(): Stand;
  /** Claims a tick, durably (C2). The same claim for the same tick, so that an unknown outcome can be asked for again. */
  claim(tick: number, schedule: string): Promise<Claim>;
  won(tick: number): void;
  remove(tick: number): void;
}

interface Kept {
  readonly version: 1;
  readonly last: Claim | null;
  readonly open: readonly OpenClaim[];
}

export const registerName = (workflow: string): string => `cron/${workflow}`;

export const standOf = ({ value, revision }: { readonly value: string | null; readonly revision: string | null }): Stand => ({
  revision,
  last: value === null ? null : known(JSON.parse(value) as Claim),
});

export interface ClaimsOptions {
  readonly replica: Replica;
  readonly host: Host;
  readonly workflow: string;
}

export function createClaims({ replica, host, workflow }: ClaimsOptions): Claims {
  const name = registerName(workflow);
  let kept: Kept | null = null;
  const now = (): Kept => kept ?? { version: 1, last: null, open: [] };
  const keep = (next: Kept): number => {
    kept = next;
    return replica.putRecord(name, JSON.stringify(next));
  };
  const without = (tick: number) => now().open.filter((entry) => entry.tick !== tick);
  return {
    async load() {
      if (kept !== null) return;
      const text = await replica.getRecord(name);
      kept ??= text === null ? now() : known(JSON.parse(text) as Kept);
    },
    get open() {
      return now().open;
    },
    stand: () => ({ revision: null, last: now().last }),
    async claim(tick, schedule) {
      const before = now().open.find((entry) => entry.tick === tick && entry.by === replica.id);
      const { won: _, ...claim } = before ?? {
        version: 1 as const,
        tick,
        schedule,
        by: replica.id,
        claim: host.id(),
        won: false,
      };
      try {
        await replica.durable(keep({ version: 1, last: claim, open: [...without(tick), { ...claim, won: false }] }));
      } catch (error) {
        kept = null; // the store knows
        throw error;
      }
      return claim;
    },
    won(tick) {
      keep({ ...now(), open: now().open.map((entry) => (entry.tick === tick ? { ...entry, won: true } : entry)) });
    },
    remove: (tick) => void keep({ ...now(), open: without(tick) }),
  };
}

function known<Form extends { readonly version: number }>(form: Form): Form {
  if (form.version === 1) return form;
  throw new CffbrwError('STORE_VERSION', `a schedule was recorded in format ${form.version}, and this version knows format 1`);
}
