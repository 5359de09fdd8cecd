/** SARIF 2.1.0: its types say that every property is one of the standard; the rules that types can't say are asserted. */
import type { Log, Region } from 'sarif';
import { describe, expect, test } from 'vitest';
import { sarifLog } from '../../src/check/format-sarif.ts';
import { applyEdits, formatSarif, rules } from '../../src/check/index.ts';
import { CffbrwError } from '../../src/error.ts';
import { version } from '../../src/version.ts';
import { both, files, race, texts, warning } from './format-findings.ts';

/** The type again, with `never` for each property that the standard does not have. */
type Known<Actual, Standard> = Actual extends readonly (infer One)[]
  ? Standard extends readonly (infer Other)[]
    ? readonly Known<One, Other>[]
    : never
  : Actual extends object
    ? { readonly [Name in keyof Actual]: Name extends keyof Standard ? Known<Actual[Name], NonNullable<Standard[Name]>> : never }
    : Actual;

const built = sarifLog(both);
const log: Log = built satisfies Known<typeof built, Log>;
const [run] = log.runs;
const results = run?.results ?? [];

describe('findings as SARIF', () => {
  test('say who made them: one run of one tool, with each rule', () => {
    expect([log.version, log.runs.length]).toEqual(['2.1.0', 1]);
    expect(run?.tool.driver).toMatchObject({ name: 'cffbrw', version });
    expect(run?.tool.driver.rules?.map(({ id }) => id)).toEqual(Object.keys(rules));
    for (const { shortDescription, fullDescription } of run?.tool.driver.rules ?? []) {
      for (const text of [shortDescription?.text, fullDescription?.text]) expect(text).toMatch(/^[^<>]{10,1000}\.$/);
    }
  });

  test('are results of a rule, at a place, with a message', () => {
    expect(results).toHaveLength(2);
    expect(results[1]).toMatchObject({
      ...{ ruleId: 'R2', ruleIndex: Object.keys(rules).indexOf('R2'), level: 'error' },
      message: { text: `${race.story} ${race.fix.summary}` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'workflows/spin.yaml' },
            region: { startLine: 7, startColumn: 5 },
          },
          logicalLocations: [{ fullyQualifiedName: 'spin steps[1]' }],
        },
      ],
      relatedLocations: [{ id: 0, message: { text: 'decides here, on what is known at this location' } }],
    });
    expect(results[0]).toMatchObject({ ruleId: 'R10', level: 'warning' });
    expect(results[0]).not.toHaveProperty('fixes');
    expect(results[0]).not.toHaveProperty('relatedLocations');
  });

  test('have fixes that make the documents which the edits make', () => {
    const [fix] = results[1]?.fixes ?? [];
    expect(fix?.artifactChanges.map(({ artifactLocation }) => artifactLocation.uri)).toEqual([
      'cffbrw.yaml',
      'workflows/spin.yaml',
    ]);
    for (const { artifactLocation, replacements } of fix?.artifactChanges ?? []) {
      const file = artifactLocation.uri ?? '';
      const edits = replacements.map(({ deletedRegion, insertedContent }) => ({
        ...placesOf(file, deletedRegion),
        paste: insertedContent?.text ?? '',
      }));
      expect(applyEdits(file, texts.get(file) ?? '', edits)).toBe(applyEdits(file, texts.get(file) ?? '', race.fix.edits));
    }
    expect(files.length).toBe(fix?.artifactChanges.length);
  });

  test('name a file by an address, also one with a space, and a program by its file', () => {
    const uriOf = (file: string) => {
      const place = { file, line: 1, column: 1 };
      return sarifLog({ app: null, findings: [{ ...warning, place }], problems: [] }).runs[0]?.results[0]?.locations[0]
        ?.physicalLocation.artifactLocation.uri;
    };
    expect(uriOf('my app/cffbrw.yaml')).toBe('my%20app/cffbrw.yaml');
    expect(uriOf('my app/cffbrw.config.ts workflow spin steps[1]')).toBe('my%20app/cffbrw.config.ts');
  });

  test('say that not everything could be checked when the documents have problems', () => {
    const problem = new CffbrwError('INVALID_DOCUMENT', 'There is no variable `x`.', { place: race.place, fix: 'Name one.' });
    expect(run?.invocations).toEqual([{ executionSuccessful: true, toolExecutionNotifications: [] }]);
    expect(JSON.parse(formatSarif({ app: null, findings: [], problems: [problem] }))).toMatchObject({
      runs: [
        {
          results: [],
          invocations: [
            {
              executionSuccessful: false,
              toolExecutionNotifications: [{ level: 'error', message: { text: 'There is no variable `x`. Name one.' } }],
            },
          ],
        },
      ],
    });
  });
});

function placesOf(file: string, { startLine = 0, startColumn = 0, endLine = 0, endColumn = 0 }: Region) {
  return { place: { file, line: startLine, column: startColumn }, end: { file, line: endLine, column: endColumn } };
}
