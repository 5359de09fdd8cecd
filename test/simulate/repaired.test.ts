/** What `check` says to paste holds: a broken wheel with its fixes in it passes the scenario that it broke before. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AppFile, loadApp } from '../../src/app.ts';
import { applyEdits, checkDocuments } from '../../src/check/index.ts';
import { drain } from '../../src/node/drain.ts';
import { loadScenario, simulate } from '../../src/simulate/index.ts';
import { brokenWheels } from './wheel.ts';

const wheel = join(import.meta.dirname, '../../examples/wheel');
const scenarioText = readFileSync(join(wheel, 'scenarios/minute-of-lag.yaml'), 'utf8');
/** What the broken wheels have: they count no spins, and their stock has another name. */
const onlyWinners = scenarioText.replace(/ {2}finally:\n[\s\S]*?(?=watch:)/, '').replace(/baseline:.*\n/, '');

const documentsOf = (broken: string): readonly AppFile[] =>
  ['cffbrw.yaml', 'workflows/spin.yaml'].map((path) => ({
    path,
    text: readFileSync(join(wheel, 'broken', broken, path), 'utf8'),
  }));

/** The documents after every fix that can be pasted, the findings that block first, one at a time. */
function repaired(documents: readonly AppFile[]): readonly AppFile[] {
  let now = documents;
  for (;;) {
    const fixes = checkDocuments(now).findings.filter(({ fix }) => fix.edits.length > 0);
    const next = fixes.find(({ blocks }) => blocks) ?? fixes[0];
    if (next === undefined) return now;
    now = now.map(({ path, text }) => ({ path, text: applyEdits(path, text, next.fix.edits) }));
  }
}

async function winnersOf(documents: readonly AppFile[], seed: number) {
  const app = loadApp(documents);
  const scenario = loadScenario({ path: 'scenarios/minute-of-lag.yaml', text: onlyWinners }, app);
  const { violations, watched } = await simulate({ app, scenario, seed, drain, trace: false });
  return { broken: violations.map(({ invariant }) => invariant), watched };
}

describe.each(brokenWheels)('the wheel with %s', (broken) => {
  const documents = documentsOf(broken);

  test('breaks the scenario as it is', async () => {
    expect((await winnersOf(documents, 1)).broken).toEqual(['never more than 10 winners']);
  });

  test('gives out exactly its ten with the fixes pasted, and check finds nothing', async () => {
    const fixed = repaired(documents);
    expect(checkDocuments(fixed)).toMatchObject({ findings: [], problems: [] });
    for (const seed of [1, 2, 3]) expect(await winnersOf(fixed, seed)).toEqual({ broken: [], watched: 10 });
  });
});
