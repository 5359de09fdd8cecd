/** Many runs, ended early: what is told then. */
import { expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { drain } from '../../src/node/drain.ts';
import { loadScenario, runs, type SimulatedDocument, shrink, simulate } from '../../src/simulate/index.ts';
import { appFiles } from '../cli/simulated-app.ts';

const app = (folder: string) =>
  loadApp([
    { path: 'cffbrw.yaml', text: appFiles[`${folder}cffbrw.yaml` as 'cffbrw.yaml'] },
    { path: 'workflows/take.yaml', text: appFiles[`${folder}workflows/take.yaml` as 'workflows/take.yaml'] },
  ]);

const documents: readonly SimulatedDocument[] = [
  { name: 'shop', app: app(''), role: 'subject' },
  // The same: it never breaks, as a baseline should.
  { name: 'sound', app: app(''), role: 'baseline' },
];
const scenario = loadScenario({ path: 'scenarios/rush.yaml', text: appFiles['scenarios/rush.yaml'] }, app(''));

test('runs that are stopped tell what was found so far, of every document', async () => {
  let done = 0;
  const progress = () => {
    done += 1;
  };
  const set = await runs({ documents, scenario, seeds: [1, 2, 3, 4, 5], drain, progress, stop: () => done === 3 });
  expect(set.documents.map(({ name, runs: count }) => [name, count])).toEqual([
    ['shop', 2],
    ['sound', 1],
  ]);
  // Who was not run to the end is not blamed.
  expect([set.passed, set.problems]).toEqual([true, []]);
});

test('runs that are not stopped blame the baseline that held', async () => {
  const set = await runs({ documents, scenario, seeds: [1, 2], drain });
  expect([set.passed, set.problems.map(({ message }) => message)]).toEqual([
    false,
    [expect.stringContaining('the baseline sound breaks no invariant')],
  ]);
});

test('a search for a shorter schedule that is stopped gives the shortest so far, which still breaks', async () => {
  const run = { app: app('racing/'), scenario, drain };
  const result = await simulate({ ...run, seed: 1 });
  expect(result.passed).toBe(false);
  let told = 0;
  const progress = (tried: number) => {
    told = tried;
  };
  const shrunk = await shrink({ ...run, result, progress, stop: () => told === 2 });
  expect([shrunk.tried, shrunk.result.passed]).toEqual([2, false]);
});
