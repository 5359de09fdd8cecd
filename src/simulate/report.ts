/** What the runs of a scenario gave, for a terminal: a table, a histogram, the verdict, and how to see it again. */
import type { CffbrwError } from '../error.ts';
import { histogramText } from './report-histogram.ts';
import { findRace, type Race } from './report-race.ts';
import { traceLines, traceText } from './report-trace.ts';
import { facetsOf, figure, plural, seconds } from './report-words.ts';
import type { DocumentRuns, RunSet, Violation } from './result.ts';
import type { ShrinkSize, Shrunk } from './shrink.ts';

/** A document that broke, and how to see it again. */
export interface BrokenDocument {
  readonly name: string;
  readonly role: DocumentRuns['role'];
  readonly seed: string;
  readonly violations: readonly Violation[];
  /** The command that shows this run again. */
  readonly replay: string;
  /** null: nobody looked for it. */
  readonly shortest: Shrunk | null;
}

export interface ScenarioReport {
  readonly set: RunSet;
  readonly file: string;
  readonly description: string | null;
  /** Whether it was ended before all runs were done. */
  readonly stopped: boolean;
  readonly broken: readonly BrokenDocument[];
}

export type Verdict = 'PASSED' | 'FAILED' | 'STOPPED';
export type Paint = (verdict: Verdict | 'quiet' | 'head', text: string) => string;

const plain: Paint = (_verdict, text) => text;

export const verdictOf = ({ set, stopped }: ScenarioReport): Verdict => (!set.passed ? 'FAILED' : stopped ? 'STOPPED' : 'PASSED');

/** Without a line break at the end. */
export function reportText(report: ScenarioReport, paint: Paint = plain): string {
  const verdict = verdictOf(report);
  return [
    paint('head', titleOf(report)),
    tableText(report.set),
    ...histogramOf(report.set),
    `${paint(verdict, verdict)}  ${summaryOf(report)}`,
    ...report.set.problems.map(problemText),
    ...report.broken.filter(({ role }) => role === 'subject').map((one) => brokenText(one, paint)),
    ...baselinesText(report.broken.filter(({ role }) => role === 'baseline')),
  ].join('\n\n');
}

const titleOf = ({ set, file }: ScenarioReport): string => {
  const { seeds } = set;
  const range = seeds.length === 1 ? `seed ${seeds[0]}` : `${plural(seeds.length, 'seed')}, ${seeds[0]} to ${seeds.at(-1)}`;
  return `${set.scenario}  ${file}  ${range}`;
};

const figures = ['min', 'median', 'p95', 'max'] as const;

export const headOf = ({ watch }: RunSet): readonly string[] => [
  'document',
  'runs',
  'broken',
  ...(watch === null ? [] : figures.map((name, index) => (index === 0 ? `${watch}: ${name}` : name))),
];

export const cellsOf = ({ name, runs, violated, watched }: DocumentRuns, { watch }: RunSet): readonly string[] => [
  name,
  figure(runs),
  figure(violated),
  ...(watch === null ? [] : figures.map((key) => (watched === null ? '' : figure(watched[key])))),
];

function tableText(set: RunSet): string {
  const rows = [headOf(set), ...set.documents.map((document) => cellsOf(document, set))];
  const widths = headOf(set).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const align = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(align).join('  ')}`.trimEnd()).join('\n');
}

const histogramOf = (set: RunSet): readonly string[] => {
  const facets = facetsOf([set]);
  return facets.some(({ watched }) => watched.count > 1) ? [histogramText(facets)] : [];
};

export function summaryOf(report: ScenarioReport): string {
  const { documents, problems } = report.set;
  const failed = documents.filter(({ role, violated }) => role === 'subject' && violated > 0);
  if (failed.length > 0) return failed.map(howOften).join('; ');
  if (problems.length > 0) return 'the scenario shows nothing: what must break did not';
  if (report.stopped)
    return `after ${plural(
      documents.reduce((sum, { runs }) => sum + runs, 0),
      'run',
    )}; nothing wrong until then`;
  const baselines = documents.filter(({ role }) => role === 'baseline');
  const others =
    baselines.length === 0
      ? ''
      : `; ${baselines.map(({ name }) => name).join(', ')} broke, as ${baselines.length === 1 ? 'it' : 'they'} should`;
  return `${documents
    .filter(({ role }) => role === 'subject')
    .map(({ name, runs }) => `${name} held in ${plural(runs, 'run')}`)
    .join(', ')}${others}`;
}

const howOften = ({ name, runs, byInvariant }: DocumentRuns): string =>
  Object.entries(byInvariant)
    .map(([invariant, count]) => `${name} broke “${invariant}” in ${figure(count)} of ${plural(runs, 'run')}`)
    .join('; ');

const problemText = ({ message, fix, place }: CffbrwError): string =>
  `${place === undefined ? '' : `${place.file}:${place.line}:${place.column}: `}${message}${fix === undefined ? '' : `\n  → ${fix}`}`;

const baselinesText = (broken: readonly BrokenDocument[]): readonly string[] =>
  broken.length === 0
    ? []
    : [[`See how ${broken.length === 1 ? 'it breaks' : 'they break'}:`, ...broken.map(({ replay }) => `  ${replay}`)].join('\n')];

function brokenText({ seed, violations, replay, shortest }: BrokenDocument, paint: Paint): string {
  const parts = [violations.map(violationText).join('\n'), `Seed ${seed}. Replay it:\n  ${replay}`];
  if (shortest !== null) parts.push(`${shortestText(shortest)}\n${traceOf(shortest.result, paint)}`);
  return parts.join('\n\n');
}

export const violationText = ({ invariant, message, place, atMs }: Violation): string =>
  `${place === null ? '' : `${place.file}:${place.line}:${place.column}: `}${invariant}\n  ${message}, at ${seconds(atMs)}`;

export const shortestText = ({ from, to, tried }: Shrunk): string =>
  `The shortest schedule found has ${sizeText(to)}; this seed's own has ${sizeText(from)}; ${figure(tried)} tried.`;

const sizeText = ({ requests, regions, faults }: ShrinkSize): string =>
  `${plural(requests, 'request')}, ${plural(regions, 'region')}, ${plural(faults, 'fault')}`;

/** A run, event by event, and which two steps of it raced. `whole`: nothing is left out. */
export function traceOf(
  { trace, passed }: { readonly trace: Shrunk['result']['trace']; readonly passed: boolean },
  paint: Paint = plain,
  whole = false,
): string {
  const race = passed ? null : findRace(trace);
  const [head = '', ...lines] = traceText(traceLines(trace, { whole, race })).split('\n');
  const text = [paint('quiet', head), ...lines.map((line) => (line.includes('✗') ? paint('FAILED', line) : line))].join('\n');
  return race === null ? text : `${text}\n\n${raceText(race)}`;
}

export function raceText({ earlier, later, name, read, heardMs }: Race): string {
  const looked = read === null ? 'had not looked' : `had seen ${name} = ${read.value}`;
  const heard =
    heardMs === null
      ? `${later.replica} never heard of that write in this run`
      : `${later.replica} heard of that write only at ${seconds(heardMs)}`;
  return [
    `The race (×): at ${seconds(earlier.atMs)} ${earlier.workflow} ${earlier.run} wrote ${name} at ${earlier.replica} (${earlier.file}:${earlier.line}).`,
    `At ${seconds(later.atMs)} ${later.workflow} ${later.run} wrote it at ${later.replica} (${later.file}:${later.line}), and ${looked}: ${heard}.`,
  ].join('\n');
}
