import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { expand } from '../../src/simulate/expand.ts';
import { checksOf } from '../../src/simulate/expressions.ts';
import type { Scenario } from '../../src/simulate/index.ts';
import { openWheel, read, replaced, small } from './wheel.ts';

const app: App = await openWheel();

const withFaults = (...faults: string[]) => `${small}faults:\n${faults.map((fault) => `  - ${fault}`).join('\n')}\n`;
const timesOf = ({ faults }: Scenario) => faults.map(({ kind, atMs, region }) => `${atMs} ${kind} ${region}`);

describe('a scenario', () => {
  test('is plain data with every duration in milliseconds', () => {
    const scenario = read(app);
    expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario);
    expect(scenario).toMatchObject({
      regions: ['r1', 'r2'],
      network: { lag: { medianMs: 500, p99Ms: 500 }, rtt: { medianMs: 20, p99Ms: 20 }, contactMs: 1_000, loss: 0 },
      load: [{ users: 6, requests: 6, overMs: 2_000, arrival: 'uniform', method: 'POST' }],
      always: [{ name: 'at most 10 win' }],
      liveness: { answersMs: 30_000, convergeMs: 120_000 },
    });
  });

  test('tells delays as a median and a 99th percentile', () => {
    const scenario = read(app, replaced(small, 'lag: 500ms', 'lag: { median: 400ms, p99: 60s }'));
    expect(scenario.network.lag).toEqual({ medianMs: 400, p99Ms: 60_000 });
    // Long enough for the slowest row.
    expect(scenario.liveness.convergeMs).toBe(360_000);
  });

  test('makes two actions of each fault that ends', () => {
    const scenario = read(
      app,
      withFaults(
        '{ crash: r1, at: 1s, for: 2s }',
        '{ pause: r2, at: 5s, for: 1s }',
        '{ restore: r1, backup: 2s, at: 7s }',
        '{ clock: r2, at: 8s, behind: 1h, for: 1s }',
        '{ disk: full, region: r1, at: 9s, for: 1s }',
        '{ backbone: rollback, at: 20s, for: 5s }',
        '{ join: r9, at: 21s }',
        '{ crash: r9, at: 22s, power: true }',
      ),
    );
    expect(timesOf(scenario)).toEqual([
      '1000 crash r1',
      '2000 backup r1',
      '3000 start r1',
      '5000 pause r2',
      '6000 resume r2',
      '7000 restore r1',
      '7000 start r1',
      '8000 clock r2',
      '9000 clock r2',
      '9000 disk r1',
      '10000 disk r1',
      '15000 backbone-keep backbone',
      '20000 backbone-restore backbone',
      '21000 join r9',
      '22000 power-cut r9',
    ]);
  });

  test('makes a flapping partition cut and heal again and again', () => {
    const network =
      'network: { lag: 500ms, rtt: 20ms, partitions: [{ at: 1s, for: 5s, regions: r1, direction: in, flapping: 2s }] }';
    const scenario = read(app, replaced(small, 'network: { lag: 500ms, rtt: 20ms }', network));
    expect(timesOf(scenario)).toEqual(['1000 cut r1', '3000 heal r1', '5000 cut r1', '6000 heal r1']);
  });

  test.each([
    ['even', [166.7, 500, 833.3, 1166.7, 1500, 1833.3]],
    ['burst', [0, 0, 0, 0, 0, 0]],
  ])('lets users arrive: %s', (arrival, expected) => {
    const scenario = read(app, replaced(small, 'over: 2s', `over: 2s\n  arrival: ${arrival}`));
    const { actions, durationMs } = expand(scenario, checksOf(app, scenario).requests, '1');
    expect(actions.map(({ atMs }) => Math.round(atMs * 10) / 10)).toEqual(expected);
    expect(durationMs).toBe(2_000);
  });

  test('sends what the expressions of the request give', () => {
    const text = replaced(replaced(small, '/wheel/spin', '"/wheel/spin?i=${ i }"'), 'users: 6', 'users: 3\n  requests: 5');
    const scenario = read(app, text);
    const { actions } = expand(scenario, checksOf(app, scenario).requests, '1');
    expect(actions.map((action) => action.kind === 'request' && [action.path, action.user, action.body])).toEqual([
      ['/wheel/spin?i=0', 0, { user: 'u0' }],
      ['/wheel/spin?i=1', 1, { user: 'u1' }],
      ['/wheel/spin?i=2', 2, { user: 'u2' }],
      ['/wheel/spin?i=3', 0, { user: 'u0' }],
      ['/wheel/spin?i=4', 1, { user: 'u1' }],
    ]);
  });
});

test('a computed path may miss, as long as some of it is answered', () => {
  const path = `path: "/wheel/\${ i < 3 ? 'lost' : 'spin' }?from=1"`;
  expect(read(app, replaced(small, 'path: /wheel/spin', path)).load).toHaveLength(1);
});

describe('what is wrong with a scenario is said with its place', () => {
  test.each<[string, string, string, RegExp]>([
    ['no load', small.slice(small.indexOf('load:'), small.indexOf('invariants:')), '', /needs `load`, and it is missing/],
    [
      'an unknown name',
      'responses.filter(r => r.body?.won === true).length <= 10',
      'answers.length <= 10',
      /small\.yaml:12:37: .*answers/,
    ],
    [
      'an unknown variable',
      'responses.filter(r => r.body?.won === true).length <= 10',
      'vars.voucher >= 0',
      /no variable `voucher`.*\n.*vouchers/,
    ],
    [
      'an unknown field of a response',
      'r.body?.won === true).length <= 10',
      'r.state === 200).length <= 10',
      /no property `state`/,
    ],
    ['a duration without a unit', 'over: 2s', 'over: "2"', /`load.over` /],
    ['a duration that is none', 'over: 2s', 'over: 999999999999d', /`load.over` .*fewer digits/],
    [
      'a scenario that would never come to an end',
      'over: 2s',
      'over: 10000d',
      /^scenarios\/small.yaml:7:\d+: The scenario lasts so long that its 2 replicas look at their backbone 1,728,000,000 times.*\n.*contact/m,
    ],
    [
      'a path that no workflow answers',
      '/wheel/spin',
      '/wheel/spinn',
      /No workflow answers `POST \/wheel\/spinn`.*\n.*POST \/wheel\/spin/,
    ],
    ['a method that no workflow answers', 'method: POST', 'method: PUT', /No workflow answers `PUT \/wheel\/spin`/],
    [
      'a computed path that no workflow answers',
      'path: /wheel/spin',
      'path: "/wheels/${ user }"',
      /No workflow answers `POST \/wheels\/0`/,
    ],
    ['an unknown region', 'over: 2s', 'over: 2s\n  regions: hanoi', /no region `hanoi`.*\n.*r1, r2/],
    ['a region that is there twice', 'regions: 2', 'regions: [r1, r2, r1]', /two regions `r1`/],
    ['a path that does not begin as one', 'path: /wheel/spin', 'path: wheel/spin', /A path begins with `\/`/],
    [
      'a partition that comes and goes too often to be listed',
      'rtt: 20ms',
      'rtt: 20ms, partitions: [{ at: 0s, for: 300d, regions: r1, flapping: 1ms }]',
      /more than 10000 times/,
    ],
    ['a spread upside down', 'lag: 500ms', 'lag: { median: 5s, p99: 1s }', /`network.lag` has a median of 5000 ms/],
    ['a name that loads have not', 'u${ user }', 'u${ users }', /`users`/],
    ['an unknown field', 'regions: 2', 'regins: 2', /no field `regins`.*\n.*regions/],
  ])('%s', (_, from, to, message) => {
    expect(() => read(app, replaced(small, from, to))).toThrow(message);
  });

  test.each<[string, string, RegExp]>([
    ['a fault that is none', '{ explode: r1, at: 1s }', /A fault is a map with one of its names.*\n.*crash, stop, pause/],
    ['a fault without a time', '{ crash: r1 }', /The fault `crash` needs `at`/],
    ['a fault of an unknown region', '{ crash: r7, at: 1s }', /no region `r7`/],
    ['a fault of somebody who joins later in the list', '{ crash: r9, at: 1s }\n  - { join: r9, at: 0s }', /no region `r9`/],
    ['an unknown field of a fault', '{ pause: r1, at: 1s, for: 1s, forr: 1s }', /no field `forr`/],
  ])('%s', (_, fault, message) => {
    expect(() => read(app, withFaults(fault))).toThrow(message);
  });
});
