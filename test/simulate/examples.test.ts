/** Every scenario of every example holds; with `CFFBRW_RUNS`, under more seeds, and in drawn worlds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { readDocuments } from '../../src/node/directory.ts';
import { drain } from '../../src/node/drain.ts';
import { drawScenario, loadScenario, simulate } from '../../src/simulate/index.ts';
import { runs } from './world.ts';

const examples = join(import.meta.dirname, '../../examples');
const scenarios = readdirSync(examples).flatMap((app) => {
  try {
    return readdirSync(join(examples, app, 'scenarios')).map((file) => [app, file] as const);
  } catch {
    return [];
  }
});

describe('the scenarios of the examples', () => {
  test.each(scenarios)('%s: %s', async (name, file) => {
    const app = loadApp(await readDocuments(join(examples, name)));
    const text = readFileSync(join(examples, name, 'scenarios', file), 'utf8');
    const scenario = loadScenario({ path: `scenarios/${file}`, text }, app);
    for (let seed = 0; seed < runs(1); seed += 1) {
      const { violations, watched, responses } = await simulate({ app, scenario, seed, drain, trace: false });
      expect(violations, `seed ${seed}`).toEqual([]);
      expect(watched ?? 1, 'something happens').toBeGreaterThan(0);
      expect(responses.filter(({ status }) => status >= 400 && status !== 409 && status !== 429 && status !== 503)).toEqual([]);
      if (seed === 0) continue;
      const drawn = await simulate({ app, scenario: drawScenario(scenario, seed), seed, drain, trace: false });
      expect(drawn.violations, `swarm ${seed}`).toEqual([]);
    }
  });
});
