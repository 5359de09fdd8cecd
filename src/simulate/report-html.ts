import type { ScenarioReport } from './report.ts';
export const reportPage = (reports: readonly ScenarioReport[]): string => String(reports.length);
