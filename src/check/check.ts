/** `check`: finds lost updates and races in an app before it is deployed. */
import type { App, AppFile } from '../app.ts';
import { loadApp } from '../app.ts';
import { CffbrwError } from '../error.ts';
import { type Finding, sortFindings } from './finding.ts';
import { modelOf } from './model.ts';
import { asFinding } from './refused.ts';
import { allRules } from './rules/rules.ts';
import { applyWaivers } from './waiver.ts';

/** Everything that the rules find in an app, but for what its author has waived. Sorted by file, line and column. */
export function check(app: App): readonly Finding[] {
  const model = modelOf(app);
  const findings = allRules.flatMap((rule) => rule(model));
  return sortFindings(applyWaivers(app.documents, findings));
}

export interface Checked {
  readonly findings: readonly Finding[];
  /** What else is wrong with the documents, so that there is no app to check; empty when there is one. */
  readonly problems: readonly CffbrwError[];
  readonly app: App | null;
}

/** The same from documents that may not make an app: what the compiler refuses under a rule's name (R7, R9) is a finding, too. */
export function checkDocuments(files: readonly AppFile[]): Checked {
  try {
    const app = loadApp(files);
    return { findings: check(app), problems: [], app };
  } catch (error) {
    if (!(error instanceof CffbrwError) || error.code !== 'INVALID_APP') throw error;
    const problems = Array.isArray(error.cause) ? (error.cause as readonly CffbrwError[]) : [error];
    const findings = new Map(problems.flatMap((problem) => [[problem, asFinding(problem, files)] as const]));
    return {
      findings: sortFindings([...findings.values()].filter((one) => one !== undefined)),
      problems: problems.filter((problem) => findings.get(problem) === undefined),
      app: null,
    };
  }
}
