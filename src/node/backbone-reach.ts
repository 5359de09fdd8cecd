/**
 * Tells when the backbone is out of reach, and when it answers again: once each, however often it is asked meanwhile. It listens to the
 * question with which every contact begins, so a connection that ends and is opened again at once is no outage.
 */
import type { Backbone } from '../backbone/index.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';

export type Reach =
  | { readonly reached: false; readonly error: CffbrwError }
  /** `waited`: the most rows that the backbone did not have at one time. */
  | { readonly reached: true; readonly afterMs: number; readonly waited: number };

export interface ReachOptions {
  readonly host: Host;
  /** Rows that the backbone does not have now. */
  readonly unpublished: () => number;
  readonly tell: (reach: Reach) => void;
}

export function tellingReach(backbone: Backbone, { host, unpublished, tell }: ReachOptions): Backbone {
  let outage: { readonly beganMs: number; waited: number } | null = null;

  function failed(error: unknown): void {
    if (!(error instanceof CffbrwError) || error.code !== 'UNREACHABLE') return;
    if (outage === null) {
      outage = { beganMs: host.elapsed(), waited: 0 };
      tell({ reached: false, error });
    }
    outage.waited = Math.max(outage.waited, unpublished());
  }

  function answered(): void {
    if (outage === null) return;
    const { beganMs, waited } = outage;
    outage = null;
    tell({ reached: true, afterMs: host.elapsed() - beganMs, waited: Math.max(waited, unpublished()) });
  }

  return {
    ...backbone,
    async identity() {
      try {
        const identity = await backbone.identity();
        answered();
        return identity;
      } catch (error) {
        failed(error);
        throw error;
      }
    },
  };
}
