/** From the text of a scenario to the scenario that it stands for. */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import type { Scenario } from './scenario.ts';

export interface ScenarioFile {
  readonly path: string;
  readonly text: string;
}

/** Throws INVALID_DOCUMENT, INVALID_EXPRESSION or INVALID_APP with all that is wrong, each with its place. */
export function loadScenario(file: ScenarioFile, app: App): Scenario {
  throw new CffbrwError('INVARIANT', `not built yet: ${file.path} ${app.name}`);
}
