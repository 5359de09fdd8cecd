import { expect, it } from 'vitest';
import { createMetrics } from '../../src/node/metrics.ts';
import type { Replica } from '../../src/replica/index.ts';
import type { RunRecord } from '../../src/workflow/trace.ts';

const status = {
  id: 'a.1',
  commit: 7,
  dirty: 1,
  unpublished: 2,
  quarantined: 0,
  loaded: 3,
  frozen: null,
  refused: null,
  lagMs: 250,
  refusals: { exhausted: 3 },
  withheld: { stock: 'why' },
};
const leases = [
  { address: { variable: 'stock' }, units: 4 },
  { address: { variable: 'stock' }, units: 5 },
];
const replica = (id: string, more = {}): Replica =>
  ({ id, status: { ...status, ...more }, conflicts: { list: () => [1, 2] }, leases: () => leases }) as unknown as Replica;
const run = (workflow: string, code: number) => ({ workflow, status: code, tookMs: 3 }) as unknown as RunRecord;

/** The text format 0.0.4: every line is a comment or a sample, a sample has a declared name, and no sample comes twice. */
function parse(text: string): Map<string, number> {
  const declared = new Set<string>();
  const samples = new Map<string, number>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (?:counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) declared.add(type[1] ?? '');
    if (line.startsWith('# ')) continue;
    const sample =
      /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|[Nn]a[Nn]|\+Inf)(?: \d+)?$/.exec(
        line,
      );
    if (sample === null) throw new Error(`no sample: ${line}`);
    const name = sample[1] ?? '';
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    expect(declared.has(name) || declared.has(base), line).toBe(true);
    expect(samples.has(`${name}${sample[2] ?? ''}`), line).toBe(false);
    samples.set(`${name}${sample[2] ?? ''}`, Number(sample[3]));
  }
  return samples;
}

it('Metrics are text that Prometheus reads, whatever workflows are called', async () => {
  const metrics = createMetrics(() => [replica('a.1'), replica('b.1', { frozen: 'why', commit: 9 })]);
  for (const code of [200, 204, 409, 503]) metrics.observe('a.1', run('buy', code));
  metrics.observe('a.1', run('a"b\\c\nd{}', 200));
  const samples = parse(await metrics.text());
  expect(samples.get('cffbrw_commit{replica="b.1"}')).toBe(9);
  expect(samples.get('cffbrw_frozen{replica="a.1"}')).toBe(0);
  expect(samples.get('cffbrw_frozen{replica="b.1"}')).toBe(1);
  expect(samples.get('cffbrw_conflicts_kept{replica="a.1"}')).toBe(2);
  expect(samples.get('cffbrw_runs_total{replica="a.1",workflow="buy",status="2xx"}')).toBe(2);
  expect(samples.get('cffbrw_runs_total{replica="a.1",workflow="buy",status="5xx"}')).toBe(1);
  expect(samples.get('cffbrw_run_duration_seconds_count{workflow="buy"}')).toBe(4);
  expect(samples.get('cffbrw_run_duration_seconds_bucket{le="0.0025",workflow="buy"}')).toBe(0);
  expect(samples.get('cffbrw_run_duration_seconds_bucket{le="0.005",workflow="buy"}')).toBe(4);
});

it('Metrics show what a replica holds, refuses and waits for, and how long its calls take', async () => {
  const metrics = createMetrics(() => [replica('a.1')]);
  metrics.time('flush', 3, false);
  metrics.time('publish', 20, true);
  metrics.alarm({ kind: 'fork', message: '' });
  const samples = parse(await metrics.text());
  expect(samples.get('cffbrw_lag_seconds{replica="a.1"}')).toBe(0.25);
  expect(samples.get('cffbrw_withheld_variables{replica="a.1"}')).toBe(1);
  expect(samples.get('cffbrw_leased_units{replica="a.1",variable="stock"}')).toBe(9);
  expect(samples.get('cffbrw_refusals_total{replica="a.1",reason="exhausted"}')).toBe(3);
  expect(samples.get('cffbrw_alarms_total{kind="fork"}')).toBe(1);
  expect(samples.get('cffbrw_alarms_total{kind="regression"}')).toBe(0);
  expect(samples.get('cffbrw_call_duration_seconds_count{call="flush",failed="false"}')).toBe(1);
  expect(samples.get('cffbrw_call_duration_seconds_count{call="publish",failed="true"}')).toBe(1);
});

it('Two apps in one process have metrics of their own, and a replica that has gone leaves none', async () => {
  let here = [replica('a.1')];
  const [one, other] = [createMetrics(() => here), createMetrics(() => [])];
  one.observe('a.1', run('buy', 200));
  expect(await one.text()).toContain('cffbrw_commit{replica="a.1"} 7');
  expect(await other.text()).not.toContain('a.1');
  here = [];
  expect(await one.text()).not.toContain('cffbrw_commit{');
});
