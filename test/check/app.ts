/** Small apps for the tests of `check`: the variables, and the steps of each workflow, as YAML. */
import { expect, test } from 'vitest';
import type { AppFile } from '../../src/app.ts';
import { applyEdits, type Checked, checkDocuments, type Finding, type RuleId } from '../../src/check/index.ts';

export interface Small {
  readonly variables: string;
  /** Name → steps; `name on: …` in a first line replaces the trigger, which is `POST /name`. */
  readonly workflows: Readonly<Record<string, string>>;
  /** More fields of `cffbrw.yaml`. */
  readonly settings?: string;
}

const indent = (text: string): string => text.trim().replace(/^/gm, '  ');

export function filesOf({ variables, workflows, settings = '' }: Small): readonly AppFile[] {
  const app = `cffbrw: 1\napp: small\nvariables:\n${indent(variables)}\n${settings}`;
  const files = Object.entries(workflows).map(([name, text]) => {
    const [, on = `on: { http: { method: POST, path: /${name} } }`, steps = ''] = /^\s*?(on: .*\n)?([\s\S]*)$/.exec(text) ?? [];
    return {
      path: `workflows/${name}.yaml`,
      text: `cffbrw: 1\nworkflow: ${name}\n${on.trim()}\nsteps:\n${indentSteps(steps)}\n`,
    };
  });
  return [{ path: 'cffbrw.yaml', text: app }, ...files];
}

/** The steps may be indented as the test is. */
function indentSteps(steps: string): string {
  const lines = steps
    .replace(/\s+$/, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const least = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => `  ${line.slice(least)}`).join('\n');
}

export function checked(small: Small): Checked {
  const result = checkDocuments(filesOf(small));
  expect(result.problems.map(({ message }) => message)).toEqual([]);
  return result;
}

/** `R1 spin steps[2]` */
export const shown = ({ rule, workflow, path }: Finding): string =>
  [rule, workflow, path].filter((part) => part !== null).join(' ');

export const applied = (files: readonly AppFile[], { fix }: Finding): readonly AppFile[] =>
  files.map(({ path, text }) => ({ path, text: applyEdits(path, text, fix.edits) }));

export interface Bad extends Small {
  readonly title: string;
  /** All findings of the rule. */
  readonly finds: readonly string[];
  /** What the story of the first one names. */
  readonly names: readonly string[];
  /** True when the fix can be pasted. */
  readonly pastes?: boolean;
}

export interface Good extends Small {
  readonly title: string;
  /** Findings of other rules that the app has all the same. */
  readonly but?: readonly string[];
}

export function testRule(rule: RuleId, { bad, good }: { readonly bad: readonly Bad[]; readonly good: readonly Good[] }): void {
  test.each(bad)('$title', (one) => {
    const own = checked(one).findings.filter((finding) => finding.rule === rule);
    expect(own.map(shown)).toEqual(one.finds);
    for (const name of one.names) expect(own[0]?.story).toContain(name);
    expect(own[0]?.story).toMatch(/user/);
    for (const finding of own) expectFix(rule, filesOf(one), finding, one.pastes ?? false);
  });

  test.each(good)('$title', (one) => {
    expect(checked(one).findings.map(shown)).toEqual(one.but ?? []);
  });
}

/** The fix, pasted, makes the finding go away and no other one of its rule come. */
function expectFix(rule: RuleId, files: readonly AppFile[], finding: Finding, pastes: boolean): void {
  expect(finding.fix.summary).not.toBe('');
  expect(finding.fix.edits.length > 0).toBe(pastes);
  if (!pastes) return;
  const before = checkDocuments(files).findings.filter((one) => one.rule === rule);
  const after = checkDocuments(applied(files, finding));
  expect(after.problems.map(({ message }) => message)).toEqual([]);
  expect(after.findings.filter((one) => one.rule === rule)).toHaveLength(before.length - 1);
}
