/** The wheel, its broken twins, and scenarios for them. */
import { join } from 'node:path';
import { type App, loadApp } from '../../src/app.ts';
import { readDocuments } from '../../src/node/directory.ts';
import { loadScenario, type Scenario } from '../../src/simulate/index.ts';

const wheel = join(import.meta.dirname, '../../examples/wheel');

export const openWheel = async (folder = '.'): Promise<App> => loadApp(await readDocuments(join(wheel, folder)));

export const brokenWheels = ['last-write-wins', 'sum-increments', 'max-value'] as const;

export const small = `
cffbrw: 1
scenario: small
regions: 2
network: { lag: 500ms, rtt: 20ms }
load:
  users: 6
  over: 2s
  request: { method: POST, path: /wheel/spin, body: { user: "u\${ user }" } }
invariants:
  always:
    - { name: at most 10 win, that: responses.filter(r => r.body?.won === true).length <= 10 }
watch: { name: winners, value: responses.filter(r => r.body?.won === true).length }
`;

export const read = (app: App, text = small): Scenario => loadScenario({ path: 'scenarios/small.yaml', text }, app);

/** The text with a part replaced; the part must be there. */
export function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`there is no ${from}`);
  return text.replace(from, to);
}
