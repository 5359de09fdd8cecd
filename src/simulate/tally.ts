/** Many runs of one app as a row of a table. */
import { createFingerprint } from './random.ts';
import type { Distribution, DocumentRuns, RunResult } from './result.ts';

export interface Tally {
  add(result: RunResult): void;
  told(): DocumentRuns;
}

export function createTally(name: string, role: DocumentRuns['role']): Tally {
  const figures: number[] = [];
  const byInvariant: Record<string, number> = {};
  const print = createFingerprint();
  let first: DocumentRuns['first'] = null;
  const sums = { runs: 0, violated: 0, requests: 0, events: 0 };
  return {
    add({ seed, violations, watched, responses, events, fingerprint }) {
      sums.runs += 1;
      sums.requests += responses.length;
      sums.events += events;
      print.add(fingerprint);
      if (watched !== null) figures.push(watched);
      if (violations.length === 0) return;
      sums.violated += 1;
      first ??= { seed, violations };
      for (const invariant of new Set(violations.map((violation) => violation.invariant)))
        byInvariant[invariant] = (byInvariant[invariant] ?? 0) + 1;
    },
    told: () => ({
      ...{ name, role, ...sums, first, byInvariant, fingerprint: print.text() },
      watched: figures.length === 0 ? null : distributionOf(figures),
    }),
  };
}

const mostBuckets = 40;

/** Of at least one figure. */
export function distributionOf(figures: readonly number[]): Distribution {
  const sorted = figures.slice().sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0;
  const [min, max] = [at(0), at(1)];
  return {
    count: sorted.length,
    ...{ min, median: at(0.5), p95: at(0.95), max },
    mean: sorted.reduce((sum, figure) => sum + figure, 0) / sorted.length,
    buckets: bucketsOf(sorted, min, max),
  };
}

/** One bucket for each integer while there are few, else equal ones. */
function bucketsOf(sorted: readonly number[], min: number, max: number): Distribution['buckets'] {
  const whole = sorted.every(Number.isInteger);
  const width = widthOf(max - min, whole);
  const count = Math.max(1, whole ? Math.floor((max - min) / width) + 1 : Math.ceil((max - min) / width));
  const counts = new Array<number>(count).fill(0);
  for (const figure of sorted) {
    const index = Math.min(count - 1, Math.floor((figure - min) / width));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts.map((each, index) => ({ from: min + index * width, to: min + (index + 1) * width, count: each }));
}

function widthOf(range: number, whole: boolean): number {
  if (range === 0) return 1;
  return whole ? Math.ceil((range + 1) / mostBuckets) : range / mostBuckets;
}
