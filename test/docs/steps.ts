/** A page's list of steps as a workflow on a fresh replica, in virtual time; its answer as one line. */
import { loadApp } from '../../src/app.ts';
import { createSimulatedProcess } from '../../src/simulate/process.ts';
import { createSimulatedDisk } from '../../src/simulate/store.ts';
import type { Json } from '../../src/strategy/json.ts';
import { isProblem, type RunResult } from '../../src/workflow/index.ts';
import { createWorld } from '../simulate/world.ts';
import { createStage, type Stage } from '../workflow/stage.ts';

export interface StepsOptions {
  /** The text of cffbrw.yaml. */
  readonly app: string;
  readonly steps: string;
  readonly body: Json;
  /** Further workflows that the page shows. */
  readonly others: readonly { readonly path: string; readonly text: string }[];
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

export function appOf({ app, steps, others }: Omit<StepsOptions, 'body'>) {
  const text = `cffbrw: 1\nworkflow: page\non: { http: { method: POST, path: /page } }\nsteps:\n${indented(steps)}`;
  return loadApp([{ path: 'cffbrw.yaml', text: app }, { path: 'workflows/page.yaml', text }, ...others]);
}

/** What the servers of the page answer. */
const answers: Readonly<Record<string, Json>> = { 'https://rates.example/eur': { vnd: 30_000 } };

/** `200 {"left":9}`, `204`, or for a problem `409 sold-out`. */
export async function answerOf(options: StepsOptions): Promise<string> {
  const world = createWorld('page', { fetch: async ({ url }) => Response.json(answers[url] ?? {}) });
  const machine = { world, disk: createSimulatedDisk(world, 'here'), process: createSimulatedProcess(world.host('here')) };
  const stage = await createStage(appOf(options), 'page', {}, machine as unknown as Stage);
  return lineOf(await stage.ask('page', { body: options.body }));
}

export function lineOf(result: RunResult): string {
  if (isProblem(result)) return `${result.status} ${result.code ?? result.type}`;
  return result.body === undefined ? `${result.status}` : `${result.status} ${JSON.stringify(result.body)}`;
}

/** The line `# → …` at the end of a list of steps. */
export const promiseOf = (steps: string): string | null => /^# → (.*)$/m.exec(steps)?.[1] ?? null;
