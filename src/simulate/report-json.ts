/** The same as data, for programs: one JSON value for all scenarios. */
import type { CffbrwError } from '../error.ts';
import { type ScenarioReport, verdictOf } from './report.ts';
import { findRace } from './report-race.ts';

const problemJson = ({ code, message, fix, place }: CffbrwError) => ({ code, message, fix: fix ?? null, place: place ?? null });

export const reportJson = (reports: readonly ScenarioReport[]) => ({
  passed: reports.every((report) => verdictOf(report) === 'PASSED'),
  scenarios: reports.map((report) => ({
    verdict: verdictOf(report),
    ...{ file: report.file, description: report.description },
    ...report.set,
    problems: report.set.problems.map(problemJson),
    broken: report.broken.map(({ shortest, ...broken }) => ({
      ...broken,
      shortest: shortest && { ...shortest, race: findRace(shortest.result.trace) },
    })),
  })),
});
