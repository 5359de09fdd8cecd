import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { drain } from '../../node/drain.ts';
import {
  drawScenario,
  runs,
  type Scenario,
  type SimulatedDocument,
  shrink,
  simulate as simulateOne,
} from '../../simulate/index.ts';
import { type BrokenDocument, reportText, type ScenarioReport, traceOf, verdictOf } from '../../simulate/report.ts';
import { reportJson } from '../../simulate/report-json.ts';
import { command, UsageError, wholeNumber } from '../command.ts';
import { createPaint } from '../paint.ts';
import { createProgress, type Progress } from '../progress.ts';
import { readApp } from '../running.ts';
import { commandName, documentsOf, readScenarios } from '../scenarios.ts';

const defaultRuns = 100;

export const simulate = command({
  name: 'simulate',
  description:
    'Runs the scenarios of an app: its real workflows, many users, many locations, a bad network, all of it made of a seed. Says PASSED, or how it broke.',
  examples: [
    'cffbrw simulate',
    'cffbrw simulate examples/wheel launch-day --runs 500',
    'cffbrw simulate . --runs 1000 --swarm --html report.html',
    'cffbrw simulate . launch-day --seed 17            the one run of seed 17',
    'cffbrw simulate . launch-day --seed 17 --trace    and all that happened in it',
  ],
  args: {
    dir: { type: 'positional', default: '.', description: 'The directory with cffbrw.yaml' },
    scenario: { type: 'positional', required: false, description: 'Names of files in scenarios/; all of them when left out' },
    runs: {
      type: 'string',
      description: `Seeds, for each document. Default: ${defaultRuns}, or 1 with --seed`,
      valueHint: 'number',
    },
    seed: { type: 'string', description: 'The first seed. Default: 1', valueHint: 'number' },
    swarm: { type: 'boolean', description: 'Draw the network, the faults and the load from each seed, too' },
    only: {
      type: 'string',
      description: 'This document alone (the app, or a baseline), held to what must hold',
      valueHint: 'document',
    },
    trace: { type: 'boolean', description: 'Show all that happened in a run: needs --seed' },
    format: { type: 'string', default: 'text', description: 'text or json', valueHint: 'text|json' },
    html: { type: 'string', description: 'Write a report with pictures, too', valueHint: 'file' },
  },
  rest: true,
  async run(args) {
    const options = optionsOf(args);
    const stop = stopOnSignal();
    const progress = createProgress();
    const reports: ScenarioReport[] = [];
    const app = await readApp(options.directory);
    for (const scenario of await readScenarios(options.directory, options.scenarios, app)) {
      if (stop.asked() && reports.length > 0) break;
      const documents = chosen(await documentsOf(options.directory, app, scenario), options);
      const work: Work = { ...options, scenario, documents, stop: stop.asked, progress };
      const report = await reportOf(work);
      progress.clear();
      reports.push(report);
      if (options.format === 'text')
        console.log(`${reports.length > 1 ? '\n\n' : ''}${reportText(report, createPaint(process.stdout))}`);
      if (options.trace) await printTraces(work);
    }
    stop.release();
    if (options.format === 'json') console.log(JSON.stringify(reportJson(reports)));
    if (options.html !== null) await writePage(options.html, reports);
    return reports.every((report) => verdictOf(report) === 'PASSED') ? 0 : 1;
  },
});

interface Options {
  readonly directory: string;
  readonly scenarios: readonly string[];
  readonly seeds: readonly number[];
  readonly swarm: boolean;
  readonly only: string | null;
  readonly trace: boolean;
  readonly format: 'text' | 'json';
  readonly html: string | null;
}

interface Args {
  readonly _: readonly string[];
  readonly dir: string;
  readonly runs?: string | undefined;
  readonly seed?: string | undefined;
  readonly swarm?: boolean | undefined;
  readonly only?: string | undefined;
  readonly trace?: boolean | undefined;
  readonly format: string;
  readonly html?: string | undefined;
}

function optionsOf(args: Args): Options {
  const { format, seed, trace = false, swarm = false, only = null, html = null, dir } = args;
  const first = wholeNumber(seed ?? '1', 'seed', { from: 0, to: Number.MAX_SAFE_INTEGER - 1_000_000 });
  const count = wholeNumber(args.runs ?? (seed === undefined ? String(defaultRuns) : '1'), 'runs', { from: 1, to: 1_000_000 });
  if (format !== 'text' && format !== 'json') throw new UsageError(`--format is text or json, not “${format}”.`);
  if (trace && (seed === undefined || count > 1))
    throw new UsageError('--trace shows one run: name its --seed, and leave out --runs.');
  if (trace && format === 'json')
    throw new UsageError('--trace is text. With --format json there is the trace of the shortest schedule.');
  if (!existsSync(dir) && args._.length === 1)
    throw new UsageError(`There is no directory ${dir}. For a scenario of this one: cffbrw simulate . ${dir}`);
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  return { directory: dir, scenarios: args._.slice(1), seeds, swarm, only, trace, format, html };
}

/** One seed that was asked for is a replay: of the app alone, where nothing else is named. */
function chosen(documents: readonly SimulatedDocument[], { only, seeds }: Options): readonly SimulatedDocument[] {
  if (only === null) return seeds.length > 1 ? documents : documents.slice(0, 1);
  const found = documents.find(({ name }) => name === only);
  if (found !== undefined) return [{ ...found, role: 'subject' }];
  throw new UsageError(`There is no document “${only}” here. There are: ${documents.map(({ name }) => name).join(', ')}.`);
}

interface Work extends Options {
  readonly scenario: Scenario;
  readonly documents: readonly SimulatedDocument[];
  readonly stop: () => boolean;
  readonly progress: Progress;
}

async function reportOf(work: Work): Promise<ScenarioReport> {
  const { scenario, documents, seeds, swarm, stop, progress } = work;
  const set = await runs({
    ...{ documents, scenario, seeds, swarm, drain, stop },
    progress: (done, all) => progress.show(done, all, scenario.name),
  });
  const broken: BrokenDocument[] = [];
  for (const { name, role, first } of set.documents) {
    if (first === null) continue;
    const document = documents.find((one) => one.name === name);
    const looking = document !== undefined && (role === 'subject' || work.html !== null) && !stop();
    const shortest = looking ? await shortestOf(work, document, first.seed) : null;
    broken.push({ name, role, ...first, replay: replayOf(work, name, first.seed), shortest });
  }
  const stopped = set.documents.some((document) => document.runs < seeds.length);
  return { set, file: scenario.file, description: scenario.description, stopped, broken };
}

const scenarioOf = ({ swarm, scenario }: Work, seed: string | number): Scenario =>
  swarm ? drawScenario(scenario, seed) : scenario;

async function shortestOf(work: Work, { app, name }: SimulatedDocument, seed: string) {
  const run = { app, scenario: scenarioOf(work, seed), seed, drain };
  const result = await simulateOne({ ...run, trace: false });
  const progress = (tried: number, most: number) =>
    work.progress.show(tried, most, `at most: shorter schedules that break ${name}`);
  return shrink({ ...run, result, progress, stop: work.stop });
}

function replayOf({ directory, scenario, swarm, documents, only }: Work, name: string, seed: string): string {
  const own = only === null && documents[0]?.name === name;
  const parts = ['cffbrw simulate', quoted(directory), quoted(commandName(scenario.file)), `--seed ${seed}`];
  return [...parts, ...(swarm ? ['--swarm'] : []), ...(own ? [] : [`--only ${quoted(name)}`])].join(' ');
}

const quoted = (text: string): string => (/^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

async function printTraces(work: Work): Promise<void> {
  for (const { app, name } of work.documents) {
    for (const seed of work.seeds) {
      const result = await simulateOne({ app, scenario: scenarioOf(work, seed), seed, drain });
      console.log(`\nAll that happened to ${name} under seed ${seed}:\n\n${traceOf(result, createPaint(process.stdout), true)}`);
    }
  }
}

async function writePage(file: string, reports: readonly ScenarioReport[]): Promise<void> {
  const { reportPage } = await import('../../simulate/report-html.ts');
  try {
    await writeFile(file, reportPage(reports));
  } catch (error) {
    throw new UsageError(`--html: the report was not written: ${error instanceof Error ? error.message : String(error)}`);
  }
  console.error(`Wrote ${file}`);
}

/** The first Ctrl-C ends the runs, and what was found is shown; the second ends the process. */
function stopOnSignal(): { asked(): boolean; release(): void } {
  let asked = false;
  const handle = () => {
    if (asked) process.exit(130);
    asked = true;
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  const release = () => void process.off('SIGINT', handle).off('SIGTERM', handle);
  return { asked: () => asked, release };
}
