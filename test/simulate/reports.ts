/** Hand-made results: two regions, two runs that race for `stock`, and the break after them. */
import type { BrokenDocument, ScenarioReport } from '../../src/simulate/report.ts';
import type { DocumentRuns, RunResult, RunSet, Violation } from '../../src/simulate/result.ts';
import { distributionOf } from '../../src/simulate/tally.ts';
import type { NetworkEvent, ReadNote, StepEvent, TraceEvent } from '../../src/simulate/trace.ts';

export const stock = (value: string): ReadNote => ({ variable: 'stock', key: null, window: '', value });

export const step = (run: number, atMs: number, replica: string, change: Partial<StepEvent> = {}): StepEvent => ({
  ...{ kind: 'step', atMs, replica, run, workflow: 'spin', file: 'workflows/spin.yaml', line: 12, step: 'steps[2]', verb: 'set' },
  ...{ skipped: false, reads: [], writes: [], error: null, tookMs: 0, ...change },
});

/** Reads `before` and writes one less. */
export const taking = (run: number, atMs: number, replica: string, before: number): StepEvent =>
  step(run, atMs, replica, { reads: [stock(String(before))], writes: [{ ...stock(String(before - 1)), operation: 'set' }] });

export const row = (replica: string, version: number, address = 'stock:last-write-wins:::'): string =>
  `${replica}.k5n4 ${address} v${version}`;

export const network = (atMs: number, replica: string, what: NetworkEvent['what'], rows: readonly string[]): NetworkEvent => {
  const outward = what === 'sent' || what === 'gave-up';
  const [from, to] = outward ? [replica, 'backbone'] : ['backbone', replica];
  return { kind: 'network', atMs, replica, what, from, to, message: what === 'delivered' ? 'rows' : 'publish', rows };
};

export const broken: Violation = {
  kind: 'always',
  invariant: 'never more than one winner',
  message: '`responses.length <= 1` is false',
  place: { file: 'scenarios/day.yaml', line: 9, column: 7 },
  response: 1,
  atMs: 301,
};

/** hue takes at 300 ms what hanoi took at 100 ms, of which it hears at 2,000 ms. */
export const racing: readonly TraceEvent[] = [
  { kind: 'phase', atMs: 0, replica: 'backbone', what: 'load' },
  { kind: 'request', atMs: 100, replica: 'hanoi', i: 0, user: 0, method: 'POST', path: '/spin', body: { user: '<ann>' } },
  taking(1, 100, 'hanoi', 1),
  { kind: 'answer', atMs: 101, replica: 'hanoi', i: 0, user: 0, status: 200, body: { won: true }, tookMs: 1 },
  network(120, 'hanoi', 'sent', [row('hanoi', 3)]),
  network(160, 'hanoi', 'answered', [row('hanoi', 3)]),
  network(170, 'hanoi', 'delivered', [row('hanoi', 3)]),
  { kind: 'fault', atMs: 200, replica: 'hue', what: 'cut', detail: 'in' },
  taking(2, 300, 'hue', 1),
  { kind: 'answer', atMs: 301, replica: 'hue', i: 1, user: 1, status: 200, body: { won: true }, tookMs: 1 },
  { kind: 'violation', atMs: 301, replica: 'hue', invariant: broken.invariant, message: broken.message, i: 1 },
  network(2_000, 'hue', 'delivered', [row('hanoi', 3)]),
  { kind: 'phase', atMs: 3_000, replica: 'backbone', what: 'heal' },
];

export const result: RunResult = {
  ...{ app: 'wheel', scenario: 'day', seed: '17', passed: false, violations: [broken], responses: [], watched: 2 },
  ...{ fingerprint: 'f', tookMs: 3_000, events: 9, trace: racing },
  schedule: {
    ...{ seed: '17', regions: ['hanoi', 'hue'], durationMs: 400, actions: [] },
    network: {
      ...{ lag: { medianMs: 400, p99Ms: 400 }, rtt: { medianMs: 40, p99Ms: 40 }, jitterMs: 0, timeoutMs: 2_000, retryMs: 200 },
      ...{ loss: 0, duplication: 0, reordering: 0, lateness: 0, contactMs: 1_000 },
    },
    disk: { syncMs: 1, readMs: 0, syncs: true },
  },
};

export const documentRuns = (name: string, figures: readonly number[], change: Partial<DocumentRuns> = {}): DocumentRuns => ({
  ...{ name, role: 'subject', runs: figures.length, violated: 0, first: null, byInvariant: {}, requests: 0, events: 0 },
  ...{ fingerprint: 'f', watched: distributionOf(figures), ...change },
});

export const runSet = (documents: readonly DocumentRuns[], change: Partial<RunSet> = {}): RunSet => ({
  ...{ scenario: 'day', seeds: ['1', '2', '3', '4'], watch: 'winners', documents, problems: [] },
  passed: documents.every(({ role, violated }) => role === 'baseline' || violated === 0),
  ...change,
});

const breaks = { violated: 3, byInvariant: { [broken.invariant]: 3 }, first: { seed: '17', violations: [broken] } };

export const brokenDocument: BrokenDocument = {
  ...{ name: 'wheel', role: 'subject', seed: '17', violations: [broken], replay: 'cffbrw simulate . day --seed 17' },
  shortest: { result, from: { requests: 94, regions: 5, faults: 1 }, to: { requests: 2, regions: 2, faults: 0 }, tried: 61 },
};

const report = (set: RunSet, change: Partial<ScenarioReport> = {}): ScenarioReport => ({
  ...{ set, file: 'scenarios/day.yaml', description: null, stopped: false, broken: [], ...change },
});

export const passing = report(
  runSet([documentRuns('wheel', [10, 10, 10, 10]), documentRuns('naive', [12, 13, 13, 16], { role: 'baseline', ...breaks })]),
  { broken: [{ ...brokenDocument, name: 'naive', role: 'baseline', replay: 'cffbrw simulate . day --seed 17 --only naive' }] },
);

export const failing = report(runSet([documentRuns('wheel', [10, 11, 12, 13], breaks)]), { broken: [brokenDocument] });
