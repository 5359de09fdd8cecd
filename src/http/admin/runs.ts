/** The last runs of a replica, newest first. */
import { CffbrwError } from '../../error.ts';
import type { RunRecord } from '../../workflow/trace.ts';

export const maxRuns = 200;

export interface RunsQuery {
  readonly workflow?: string | undefined;
  readonly failed?: 'true' | 'false' | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Runs {
  add(record: RunRecord): void;
  /** Throws INVALID_INPUT for a cursor whose run has left. */
  list(query: RunsQuery): { readonly runs: readonly object[]; readonly cursor: string | null };
  /** Throws NOT_FOUND. */
  get(id: string): object;
}

export function createRuns(limit = maxRuns): Runs {
  /** Insertion order is age. */
  const kept = new Map<string, RunRecord>();
  return {
    add(record) {
      kept.set(record.id, record);
      if (kept.size <= limit) return;
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        return;
      }
    },
    list({ workflow, failed, limit: count, cursor }) {
      const all = [...kept.values()].reverse();
      const begin = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
      if (cursor !== undefined && begin === 0) {
        throw new CffbrwError('INVALID_INPUT', 'the run that this cursor names is not kept any more', { fix: 'Begin again.' });
      }
      const fits = (run: RunRecord) =>
        (workflow === undefined || run.workflow === workflow) && (failed === undefined || String(run.status >= 400) === failed);
      const found = all.slice(begin).filter(fits);
      const page = found.slice(0, count);
      return { runs: page.map(summaryOf), cursor: found.length > count ? (page.at(-1)?.id ?? null) : null };
    },
    get(id) {
      const run = kept.get(id.replace(/^urn:cffbrw:/, ''));
      if (run !== undefined) return { ...summaryOf(run), file: run.file, trace: run.trace, cut: run.cut };
      throw new CffbrwError('NOT_FOUND', 'there is no such run here, or it is not kept any more', {
        fix: `The last ${limit} runs of this replica are kept.`,
      });
    },
  };
}

export const summaryOf = ({ trace, cut: _, file: __, ...run }: RunRecord): object => ({ ...run, steps: trace.length });
