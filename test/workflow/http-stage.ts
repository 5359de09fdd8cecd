/** A stage whose requests to other servers are scripted: what was sent, and what is answered. */
import type { App } from '../../src/app.ts';
import { createSimulatedHost, type FetchScript } from '../../src/simulate/host.ts';
import { createSimulatedProcess } from '../../src/simulate/process.ts';
import { createSimulatedDisk } from '../../src/simulate/store.ts';
import type { RunContext } from '../../src/workflow/index.ts';
import { appOf, createStage, type Stage } from './stage.ts';

export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** Answers the request of this index. */
export type Script = (request: SentRequest, index: number) => Response | Promise<Response>;

export interface HttpStage extends Stage {
  readonly requests: readonly SentRequest[];
}

export const json = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });

const indent = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');

export const httpApp = (steps: string, ...others: readonly string[]): App =>
  appOf(
    'cffbrw: 1\napp: shop\nsecrets: [TOKEN]\nvariables:\n  hits: { strategy: sum-increments }\n  log: { strategy: last-write-wins }\n',
    ...[steps, ...others].map(
      (one, index) =>
        `cffbrw: 1\nworkflow: ${'wvu'[index]}\non: { http: { method: POST, path: /${index} } }\nsteps:\n${indent(one)}\n`,
    ),
  );

export async function createHttpStage(
  app: App,
  script: Script,
  options: { readonly seed?: string; readonly context?: Partial<RunContext> } = {},
): Promise<HttpStage> {
  const seed = options.seed ?? 'http';
  const requests: SentRequest[] = [];
  const fetch: FetchScript = async (request) => {
    const { method, url, signal } = request;
    const index = requests.length;
    const sent = { method, url, signal, headers: Object.fromEntries(request.headers), body: await request.text() };
    requests.push(sent);
    return script(sent, index);
  };
  const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const world = createSimulatedHost({ seed, drain, fetch });
  const empty = {
    world,
    disk: createSimulatedDisk(world, 'here'),
    process: createSimulatedProcess(world.host('here')),
  } as Stage;
  const context = { secrets: new Map([['TOKEN', secret]]), ...options.context };
  const stage = await createStage(app, seed, context, empty);
  return Object.assign(Object.create(stage) as Stage, { requests });
}

export const secret = 'x7Qp-hidden-9';
