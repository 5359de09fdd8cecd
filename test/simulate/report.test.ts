import { describe, expect, test } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { histogramPicture } from '../../src/simulate/picture.ts';
import { reportText, verdictOf } from '../../src/simulate/report.ts';
import { histogramText } from '../../src/simulate/report-histogram.ts';
import { reportPage } from '../../src/simulate/report-html.ts';
import { reportJson } from '../../src/simulate/report-json.ts';
import { findRace } from '../../src/simulate/report-race.ts';
import { traceLines, traceText } from '../../src/simulate/report-trace.ts';
import { facetsOf } from '../../src/simulate/report-words.ts';
import { timelineOf } from '../../src/simulate/timeline.ts';
import { documentRuns, failing, network, passing, racing, row, runSet, step, taking } from './reports.ts';

const lines = (text: string) => text.trim().split('\n');

describe('a report for a terminal', () => {
  test('is a table, a histogram, the verdict, and how to see what broke', () => {
    expect(reportText(passing)).toBe(`day  scenarios/day.yaml  4 seeds, 1 to 4

  document  runs  broken  winners: min  median  p95  max
  wheel        4       0            10      10   10   10
  naive        4       3            12      13   16   16

  wheel  ████
  naive          ▄▄▄▄████        ▄▄▄▄
         10      12      14      16

PASSED  wheel held in 4 runs; naive broke, as it should

See how it breaks:
  cffbrw simulate . day --seed 17 --only naive`);
  });

  test('says of what broke which invariant, where, the seed, the command that replays it, and the shortest schedule', () => {
    const text = reportText(failing);
    expect(verdictOf(failing)).toBe('FAILED');
    expect(text).toContain('FAILED  wheel broke “never more than one winner” in 3 of 4 runs');
    expect(text).toContain('scenarios/day.yaml:9:7: never more than one winner\n  `responses.length <= 1` is false, at 0.301 s');
    expect(text).toContain('Seed 17. Replay it:\n  cffbrw simulate . day --seed 17\n');
    expect(text).toContain('The shortest schedule found has 2 requests, 2 regions, 0 faults;');
    expect(text).toContain('94 requests, 5 regions, 1 fault; 61 tried.');
  });

  test('says that a scenario whose baseline holds shows nothing, and what to do', () => {
    const place = { file: 'scenarios/day.yaml', line: 1, column: 1 };
    const problem = new CffbrwError('INVALID_DOCUMENT', 'the baseline naive breaks nothing', { fix: 'More users.', place });
    const report = { ...passing, set: { ...passing.set, passed: false, problems: [problem] } };
    expect(verdictOf(report)).toBe('FAILED');
    expect(reportText(report)).toContain('FAILED  the scenario shows nothing: what must break did not');
    expect(reportText(report)).toContain('scenarios/day.yaml:1:1: the baseline naive breaks nothing\n  → More users.');
  });

  test('never calls runs that were stopped passed', () => {
    const report = { ...passing, stopped: true };
    expect(verdictOf(report)).toBe('STOPPED');
    expect(reportText(report)).toContain('STOPPED  after 8 runs; nothing wrong until then');
    expect(verdictOf({ ...failing, stopped: true })).toBe('FAILED');
  });
});

describe('a trace as text', () => {
  test('is one line per event, in columns, with the two steps that raced', () => {
    const text = traceText(traceLines(racing, { race: findRace(racing) }));
    expect(text).toBe(`   time  replica  run     step            read       wrote          network
0.100 s  hanoi    → request 0 of user 0: POST /spin {"user":"<ann>"}
0.100 s  hanoi    spin 1  steps[2] set ×  stock = 1  set stock → 0
0.101 s  hanoi    ← request 0: 200 {"won":true}
0.120 s  hanoi                                                      sends publish stock v3
0.200 s  hue      ! cut: in
0.300 s  hue      spin 2  steps[2] set ×  stock = 1  set stock → 0
0.301 s  hue      ← request 1: 200 {"won":true}
0.301 s  hue      ✗ BROKEN: never more than one winner`);
  });

  test('leaves nothing out when all of it is asked for', () => {
    expect(lines(traceText(traceLines(racing, { whole: true })))).toHaveLength(racing.length + 1);
  });

  test('leaves out values that nobody changes, and rows that are passed on', () => {
    const told = traceLines([
      step(1, 1, 'hue', { reads: [{ variable: 'banner', key: null, window: '', value: '{}' }] }),
      network(2, 'hue', 'sent', [row('hanoi', 3)]),
      network(3, 'hue', 'gave-up', [row('hanoi', 3)]),
      { ...network(4, 'hue', 'answered', []), message: 'compareAndSet bank/stock' },
    ]);
    expect(told.map((line) => line.event.atMs)).toEqual([3]);
  });

  test('says of a request that nobody answered that there was no answer', () => {
    const [line] = traceLines([{ kind: 'answer', atMs: 1, replica: 'hue', i: 4, user: 4, status: 0, body: null, tookMs: 9 }]);
    expect(line?.told).toBe('← request 4: no answer');
  });
});

describe('the race', () => {
  const violation = racing.find(({ kind }) => kind === 'violation');
  if (violation === undefined) throw new Error('nothing breaks');

  test('is the last write that had not heard of another replica’s, and when it was heard', () => {
    const race = findRace(racing);
    expect([race?.earlier.run, race?.later.run, race?.name, race?.read?.value, race?.heardMs]).toEqual([
      1,
      2,
      'stock',
      '1',
      2_000,
    ]);
  });

  test('is none where the later writer had heard of the earlier write', () => {
    const heard = [
      taking(1, 100, 'hanoi', 2),
      network(120, 'hanoi', 'sent', [row('hanoi', 3)]),
      network(200, 'hue', 'delivered', [row('hanoi', 3)]),
      taking(2, 300, 'hue', 1),
    ];
    expect(findRace([...heard, violation])).toBeNull();
    // An older version that was late says nothing of the new write.
    expect(findRace([...heard.with(2, network(200, 'hue', 'delivered', [row('hanoi', 2)])), violation])?.later.run).toBe(2);
  });

  test('is none between runs of one replica, nor between values of other keys', () => {
    expect(findRace([taking(1, 100, 'hue', 2), taking(2, 300, 'hue', 1), violation])).toBeNull();
    const keyed = (run: number, replica: string, key: string) =>
      step(run, run, replica, { writes: [{ variable: 'profile', key, window: '', value: '1', operation: 'merge' }] });
    expect(findRace([keyed(1, 'hue', 'ann'), keyed(2, 'hanoi', 'ben'), violation])).toBeNull();
    expect(findRace([keyed(1, 'hue', 'ann'), keyed(2, 'hanoi', 'ann'), violation])?.name).toBe('profile["ann"]');
  });
});

describe('a histogram', () => {
  const drawn = (...figures: (readonly number[])[]) =>
    histogramText(facetsOf([runSet(figures.map((each, index) => documentRuns(`d${index}`, each)))]));

  test('has one axis for all rows, with more or fewer columns for a figure', () => {
    expect(drawn([1, 2, 2, 3])).toBe('  d0  ▄▄▄▄████▄▄▄▄\n      1       3');
    const [first = '', second = '', axis = ''] = drawn([0], [499]).split('\n');
    expect([first.trimEnd(), second.length, axis.trim()]).toEqual([
      '  d0  █',
      6 + 46,
      '0         110       220       330       440',
    ]);
  });

  test('shows a figure that came once, however often another did', () => {
    expect(drawn([...new Array<number>(1_000).fill(0), 5])).toContain('▁');
  });

  test('draws fractions', () => {
    expect(lines(drawn([0.5, 0.75, 1]))).toHaveLength(2);
  });
});

describe('the pictures', () => {
  test('are SVG that stands alone, in light and in dark, and say in words what they show', () => {
    const svg = histogramPicture([passing.set]);
    expect(svg).toMatch(/^<svg [^>]*role="img"[^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg).toContain('Histogram of winners. wheel: median 10, from 10 to 10; naive: median 13, from 12 to 16.');
    expect(svg.match(/<rect /g)).toHaveLength(4);
    expect(svg).toContain('<title>13: 2 of 4 runs</title>');
  });

  test('of several sets have a column for each', () => {
    const svg = histogramPicture([passing.set, { ...passing.set, scenario: 'slow day' }]);
    expect([svg.match(/<rect /g)?.length, svg.includes('>slow day<')]).toEqual([8, true]);
  });

  test('of a run have a lane for each replica that did something, and end soon after the break', () => {
    const timeline = timelineOf(racing, ['hanoi', 'hue', 'da-nang'], findRace(racing));
    expect(timeline.lanes).toEqual(['hanoi', 'hue']);
    expect(timeline.runs.map(({ lane, wrote }) => [lane, wrote])).toEqual([
      ['hanoi', true],
      ['hue', true],
    ]);
    expect(timeline.messages).toMatchObject([{ from: 'hanoi', fromMs: 120, to: 'hue', toMs: 2_000, late: true }]);
    expect(timeline.raced.map(({ text }) => text)).toEqual(['saw 1, set stock → 0', 'saw 1, set stock → 0']);
    expect(timeline.endMs).toBeLessThan(400);
  });
});

test('a timeline has no arrow for a row whose first publication nobody saw', () => {
  const passedOn = [network(1, 'hue', 'sent', [row('hanoi', 2)]), network(2, 'da-nang', 'delivered', [row('hanoi', 2)])];
  expect(timelineOf(passedOn, ['hanoi', 'hue', 'da-nang'], null).messages).toEqual([]);
});

describe('a report as a page', () => {
  test('has no script, asks no network, and takes no word of a scenario for markup', () => {
    const page = reportPage([{ ...failing, description: '<script>alert(1)</script>' }]);
    expect(page).not.toMatch(/<script|<img|<link|\bsrc=|url\((?!#)/);
    const addresses = [...page.matchAll(/https?:\/\/[^"< ]+/g)].map(([address]) => address);
    expect(addresses.filter((address) => !address.startsWith('http://www.w3.org/'))).toEqual([]);
    expect(page).toContain('&lt;script&gt;');
    expect(page).toContain('{&quot;user&quot;:&quot;&lt;ann&gt;&quot;}');
  });

  test('marks both steps that raced and the event at which it broke', () => {
    const page = reportPage([failing]);
    expect(page.match(/<tr class="raced">/g)).toHaveLength(2);
    expect(page.match(/<tr class="broke">/g)).toHaveLength(1);
  });
});

test('a report as data survives JSON, with its race and its problems', () => {
  const problem = new CffbrwError('INVALID_DOCUMENT', 'why', { fix: 'how' });
  const data = JSON.parse(JSON.stringify(reportJson([{ ...failing, set: { ...failing.set, problems: [problem] } }])));
  expect(data).toMatchObject({
    passed: false,
    scenarios: [{ verdict: 'FAILED', problems: [{ code: 'INVALID_DOCUMENT', message: 'why', fix: 'how', place: null }] }],
  });
  expect(data.scenarios[0].broken[0].shortest.race).toMatchObject({ name: 'stock', heardMs: 2_000 });
  expect(data.scenarios[0].broken[0].shortest.result.trace).toEqual(racing);
});
