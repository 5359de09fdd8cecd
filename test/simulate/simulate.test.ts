import { describe, expect, test } from 'vitest';
import { drain } from '../../src/node/drain.ts';
import { drawScenario, type RunResult, runs, type Scenario, simulate, type TraceEvent } from '../../src/simulate/index.ts';
import { createFingerprint } from '../../src/simulate/random.ts';
import { brokenWheels, openWheel, read, replaced, small } from './wheel.ts';
import { createWorld, runs as times } from './world.ts';

const app = await openWheel();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const hash = (value: unknown): string => {
  const print = createFingerprint();
  print.add(JSON.stringify(value));
  return print.text();
};

const crowd = replaced(replaced(small, 'users: 6', 'users: 60'), 'lag: 500ms', 'lag: { median: 300ms, p99: 20s }');
const stormy = `${replaced(crowd, 'rtt: 20ms', 'rtt: 20ms, loss: 0.05, duplication: 0.1, lateness: 0.1')}
faults:
  - { crash: r1, at: 500ms, for: 1s }
  - { pause: r2, at: 1s, for: 300ms }
  - { restore: r1, backup: 400ms, at: 1900ms }
`;

describe('a simulation', () => {
  test('gives the same trace for the same seed, byte for byte, and after the scenario and the schedule were written down', async () => {
    const scenario = read(app, small);
    const copied = JSON.parse(JSON.stringify(scenario)) as Scenario;
    const prints = new Set<string>();
    for (let seed = 0; seed < times(12); seed += 1) {
      const one = await simulate({ app, scenario, seed, drain });
      const two = await simulate({ app, scenario: copied, seed, drain, schedule: JSON.parse(JSON.stringify(one.schedule)) });
      expect(hash(two.trace), `seed ${seed}`).toBe(hash(one.trace));
      expect(two.fingerprint, `seed ${seed}`).toBe(one.fingerprint);
      expect(JSON.parse(JSON.stringify(one.trace)), `seed ${seed}`).toEqual(one.trace);
      prints.add(one.fingerprint);
    }
    expect(prints.size).toBe(times(12));
  });

  test('does not depend on how microtasks are waited for, nor on whether a trace is kept, also in a storm', async () => {
    const scenario = read(app, stormy);
    for (let seed = 0; seed < times(4); seed += 1) {
      const one = await simulate({ app, scenario, seed, drain });
      const slow = await simulate({ app, scenario, seed, drain: turn });
      const silent = await simulate({ app, scenario, seed, drain, trace: false });
      expect([slow.fingerprint, silent.fingerprint], `seed ${seed}`).toEqual([one.fingerprint, one.fingerprint]);
      expect(hash(slow.trace), `seed ${seed}`).toBe(hash(one.trace));
      expect(one.violations, `seed ${seed}`).toEqual([]);
    }
  });

  test('tells in a storm of requests, steps, messages and faults', async () => {
    const { trace } = await simulate({ app, scenario: read(app, stormy), seed: 7, drain });
    const kinds = [...new Set(trace.map(({ kind }) => kind))].sort();
    expect(kinds).toEqual(['answer', 'fault', 'network', 'phase', 'request', 'step']);
    const messages = new Set(trace.map((event) => (event.kind === 'network' ? event.what : '')));
    expect([...messages].sort()).toEqual(['', 'answered', 'delivered', 'gave-up', 'sent']);
  });

  test('answers every request once, and tells what each step read and wrote', async () => {
    const { responses, trace, passed } = await simulate({ app, scenario: read(app, small), seed: 3, drain });
    expect(passed).toBe(true);
    expect(responses.map(({ i }) => i).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    const of = <Kind extends TraceEvent['kind']>(kind: Kind) =>
      trace.filter((event): event is Extract<TraceEvent, { kind: Kind }> => event.kind === kind);
    expect(of('request').length).toBe(6);
    expect(of('answer').map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(
      of('step')
        .filter(({ run }) => run === 1)
        .map(({ verb, skipped, writes }) => [verb, skipped, writes.map((w) => w.operation)]),
    ).toEqual(
      expect.arrayContaining([
        ['fail', true, []],
        ['add', false, ['add']],
      ]),
    );
    expect(trace.map(({ atMs }) => atMs)).toEqual(trace.map(({ atMs }) => atMs).sort((a, b) => a - b));
  });

  test('breaks an invariant at the first response after which it is false', async () => {
    const scenario = read(app, replaced(small, 'length <= 10', 'length < 2'));
    const broken = (await winnersOf(scenario)).find(({ violations }) => violations.length > 0);
    const { violations = [], responses = [] } = broken ?? {};
    const at = violations[0]?.response ?? -1;
    const winners = responses.map((_, index) => responses.slice(0, index + 1).filter(won).length);
    expect(violations).toMatchObject([{ kind: 'always', invariant: 'at most 10 win', place: { line: 12 } }]);
    expect(at).toBe(winners.findIndex((count) => count >= 2));
    expect(violations[0]?.atMs).toBe(responses[at]?.at);
  });

  test.each<[string, string, RegExp]>([
    ['is no condition', 'responses.length', /gives 1, not true or false/],
    ['fails', '(responses.filter(r => r.i < 0).find(r => true) ?? null) + 1 > 0', /failed/],
    ['asks for chance', 'random() < 2', /says nothing here/],
  ])('says so when an invariant %s', async (_, that, message) => {
    const scenario = read(app, replaced(small, 'responses.filter(r => r.body?.won === true).length <= 10', that));
    const { violations } = await simulate({ app, scenario, seed: 1, drain, trace: false });
    expect(violations[0]?.message).toMatch(message);
  });

  test('sees in `vars` what every replica will show', async () => {
    const text = `${replaced(small, 'always:', "finally:\n    - vars.spins === 6\n    - vars.vouchers <= 10\n    - vars.profile['u0'] === null || vars.profile['u0'].lastWin > 0\n  always:")}`;
    for (const result of await winnersOf(read(app, text))) expect(result.violations).toEqual([]);
    const wrong = replaced(text, 'vars.spins === 6', 'vars.spins === 5');
    const { violations } = await simulate({ app, scenario: read(app, wrong), seed: 1, drain, trace: false });
    expect(violations).toMatchObject([{ kind: 'finally', response: null, message: '`vars.spins === 5` is false' }]);
  });

  test('tells of requests that nobody answers, and of replicas that never hold the same', async () => {
    const dead = `${replaced(small, 'lag: 500ms', 'lag: 30s')}liveness: { converge: 10s }\n`;
    const { violations } = await simulate({ app, scenario: read(app, dead), seed: 1, drain, trace: false });
    expect(violations).toMatchObject([{ kind: 'convergence', message: expect.stringMatching(/lacks the row of|is v\d+/) }]);
    const paused = `${small}faults: [{ pause: r1, at: 0s, for: 2m }]\nliveness: { answers: 1s }\n`;
    const waiting = await simulate({
      app,
      scenario: read(app, replaced(paused, 'for: 2m', 'for: 3s')),
      seed: 1,
      drain,
      trace: false,
    });
    expect(waiting.violations).toEqual([]);
    expect(waiting.responses.some(({ took }) => took > 500)).toBe(true);
  });
});

const won = ({ body }: { readonly body: unknown }) => (body as { won?: boolean } | null)?.won === true;

async function winnersOf(scenario: Scenario): Promise<readonly RunResult[]> {
  const found: RunResult[] = [];
  for (let seed = 0; seed < 8; seed += 1) found.push(await simulate({ app, scenario, seed, drain, trace: false }));
  return found;
}

describe('many runs', () => {
  const fixed = replaced(replaced(small, 'users: 6', 'users: 94'), 'regions: 2', 'regions: 5');
  const day = replaced(replaced(fixed, 'over: 2s', 'over: 5m'), 'lag: 500ms', 'lag: 60s, contact: 30s');

  test('the wheel never gives out more than ten, and each broken one does', async () => {
    const documents = [{ name: 'wheel', app, role: 'subject' as const }];
    for (const name of brokenWheels) documents.push({ name, app: await openWheel(`broken/${name}`), role: 'baseline' as never });
    const set = await runs({ documents, scenario: read(app, day), seeds: [1, 2], drain });
    expect(set).toMatchObject({ passed: true, problems: [], watch: 'winners' });
    const [wheel, ...broken] = set.documents;
    expect(wheel).toMatchObject({ violated: 0, first: null, requests: 188, watched: { count: 2, min: 10, median: 10, max: 10 } });
    for (const one of broken) {
      expect(one.violated, one.name).toBe(2);
      expect(one.byInvariant, one.name).toEqual({ 'at most 10 win': 2 });
      expect(one.watched?.median, one.name).toBeGreaterThan(13);
    }
  });

  test('a baseline that breaks nothing is a problem with its place and its fix', async () => {
    const documents = [
      { name: 'wheel', app, role: 'subject' as const },
      { name: 'also right', app, role: 'baseline' as const },
    ];
    const set = await runs({ documents, scenario: read(app, small), seeds: [1, 2], drain });
    expect(set.passed).toBe(false);
    expect(set.problems.map(({ message, place }) => [message, place?.file])).toEqual([
      ['the baseline also right breaks no invariant of small, so the scenario shows nothing', 'scenarios/small.yaml'],
    ]);
  });

  test('a baseline without the variables that the invariants read is refused', async () => {
    const text = replaced(small, 'responses.filter(r => r.body?.won === true).length <= 10', 'vars.vouchers >= 0');
    const documents = [{ name: 'lww', app: await openWheel('broken/last-write-wins'), role: 'baseline' as const }];
    await expect(runs({ documents, scenario: read(app, text), seeds: [1], drain })).rejects.toThrow(/lww: every invariant/);
  });
});

describe('a backbone that lost something', () => {
  const losing = (fault: string) => {
    const text = replaced(replaced(small, 'users: 6', 'users: 80'), 'over: 2s', 'over: 10s');
    return read(
      app,
      `${replaced(text, 'lag: 500ms', 'lag: 100ms, contact: 5s')}faults: [{ ${fault} }, { join: r9, at: 3001ms }]\n`,
    );
  };

  test.each([
    'backbone: empty, at: 3s',
    'backbone: rollback, at: 3s, for: 2s',
    'backbone: restart, at: 3s',
    'backbone: unreachable, at: 3s, for: 4s',
    'backbone: unknown-outcomes, at: 1s, for: 5s',
  ])('never makes an eleventh winner, and everybody comes to hold the same: %s', async (fault) => {
    for (let seed = 0; seed < times(2); seed += 1) {
      const { violations } = await simulate({ app, scenario: losing(fault), seed, drain, trace: false });
      expect(violations, `seed ${seed}`).toEqual([]);
    }
  });

  test('is told from one that lost nothing, where nobody could notice', async () => {
    const scenario = losing('backbone: empty, at: 3s, noticed: false');
    const { violations } = await simulate({ app, scenario, seed: 1, drain, trace: false });
    expect(violations.map(({ kind }) => kind)).toContain('convergence');
  });
});

describe('the swarm', () => {
  test('whatever is drawn, the wheel sells no eleventh voucher, loses nothing that it acknowledged, and comes to rest', async () => {
    const text = replaced(
      replaced(
        small,
        'always:',
        'finally:\n    - vars.spins >= responses.filter(r => r.status === 200).length\n    - 10 - vars.vouchers >= responses.filter(r => r.body?.won === true).length\n  always:',
      ),
      'users: 6',
      'users: 60',
    );
    const scenario = read(app, replaced(text, 'over: 2s', 'over: 30s'));
    const first = Number(process.env.CFFBRW_SEED ?? 0);
    for (let seed = first; seed < first + times(6); seed += 1) {
      const drawn = drawScenario(scenario, seed);
      expect(drawScenario(scenario, seed)).toEqual(drawn);
      const { violations } = await simulate({ app, scenario: drawn, seed, drain, trace: false });
      expect(violations, `CFFBRW_SEED=${seed} npx vitest run test/simulate/simulate.test.ts -t swarm`).toEqual([]);
    }
  });

  test('a world stops at an internal error instead of going on', async () => {
    const world = createWorld(1);
    await expect(world.runUntil(new Promise(() => {}))).rejects.toThrow(/deadlock/);
  });
});
