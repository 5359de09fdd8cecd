/** From the start of the process to the first answer, and memory at rest: `cffbrw start` on the wheel, with an empty and with a full store. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadApp } from '../src/app.ts';
import { readDocuments } from '../src/node/directory.ts';
import { openReplica } from '../src/node/replica.ts';
import { witnessPath } from '../src/node/witness.ts';
import { bundleOf, inTemporary, root } from './built.ts';
import { atMost, median, type PartResult, type Row, type Table } from './figures.ts';
import { fill } from './fill.ts';
import { writeLargeApp } from './large-app.ts';
import { residentMB, type ServerProcess, startCffbrw, startServer } from './processes.ts';
import { type Contender, inRounds, type Measured, of } from './rounds.ts';

export interface StartUpParameters {
  readonly rounds: number;
  readonly keys: number;
  readonly restRounds: number;
  /** How long a server is left alone before its memory is looked at. */
  readonly restMs: number;
}

export const parameters: Record<'small' | 'large', StartUpParameters> = {
  small: { rounds: 2, keys: 50_000, restRounds: 1, restMs: 2_000 },
  large: { rounds: 11, keys: 1_000_000, restRounds: 3, restMs: 8_000 },
};

interface Subject {
  readonly name: string;
  start(): Promise<ServerProcess>;
  /** Where the first request goes. */
  readonly path: string;
}

const names = { hono: 'bare Hono', empty: 'cffbrw, empty store' } as const;
const fullName = (keys: number): string => `cffbrw, ${keys.toLocaleString('en')} keys stored`;
const largeName = 'cffbrw, 200 workflows of 20 steps';
const nodeName = 'node, an empty program';

export const run = (options: StartUpParameters): Promise<PartResult> =>
  inTemporary(async (directory) => {
    const app = join(directory, 'wheel');
    await cp(join(root, 'examples/wheel'), app, { recursive: true, filter: (from) => !/[/\\](data|broken)$/.test(from) });
    const state = join(directory, 'state');
    const full = join(directory, 'full');
    await fillWheel(app, { data: full, state, keys: options.keys });

    const large = join(directory, 'large');
    await writeLargeApp(large, 200);

    const wrong: string[] = [];
    const subjects: Subject[] = [
      { name: names.hono, path: '/spin', start: () => startServer(bundleOf('hono')) },
      { name: names.empty, path: '/wheel/spin', start: () => startCffbrw({ app, state, data: join(directory, 'empty') }) },
      { name: fullName(options.keys), path: '/wheel/spin', start: () => startCffbrw({ app, state, data: full }) },
    ];
    const starting: Subject[] = [
      ...subjects,
      { name: largeName, path: '/wheels/0/spin', start: () => startCffbrw({ app: large, state, data: join(directory, 'l') }) },
    ];
    const starts = await measureStarts(starting, options, wrong);
    const resident = await measureMemory(subjects, options, wrong);
    const { size } = await stat(join(full, 'cffbrw.db'));
    return {
      part: 'start-up',
      tables: [startTable(starts, options), memoryTable(resident, options)],
      notes: [
        `From spawning the process to the first right answer of a spin; ${options.rounds} rounds in turns, files cached by the system.`,
        `Memory is what the system counts as resident (code of Node itself included) after one request and ${options.restMs / 1000} s of rest.`,
        `The full store has one profile per key: ${Math.round(size / 1e6)} MB on disk.`,
      ],
      wrong,
    };
  });

interface FillOptions {
  readonly data: string;
  readonly state: string;
  readonly keys: number;
}

async function fillWheel(app: string, { data, state, keys }: FillOptions): Promise<void> {
  const { variables } = loadApp(await readDocuments(app));
  await mkdir(data, { recursive: true });
  const replica = await openReplica({ variables, directory: data, witness: witnessPath(data, { XDG_STATE_HOME: state }) });
  await fill(replica, {
    ...{ variable: 'profile', keys },
    operation: (number) => ({ operation: 'merge', value: { lastWin: 1_760_000_000_000 + number } }),
  });
  await replica.close();
}

async function firstAnswer(server: ServerProcess, { path, name }: Subject, wrong: string[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'ann' }),
  });
  const body = (await response.json()) as { won?: unknown };
  if (response.status !== 200 || typeof body.won !== 'boolean') wrong.push(`${name}: ${response.status} ${JSON.stringify(body)}`);
}

function measureStarts(
  subjects: readonly Subject[],
  { rounds }: StartUpParameters,
  wrong: string[],
): Promise<Map<string, Measured>> {
  const node: Contender = {
    name: nodeName,
    async measure() {
      const start = performance.now();
      await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
      return performance.now() - start;
    },
  };
  const servers = subjects.map(
    (subject): Contender => ({
      name: subject.name,
      async measure() {
        const start = performance.now();
        const server = await subject.start();
        await firstAnswer(server, subject, wrong);
        const tookMs = performance.now() - start;
        await server.stop();
        return tookMs;
      },
    }),
  );
  return inRounds([node, ...servers], 'ms', rounds);
}

async function measureMemory(
  subjects: readonly Subject[],
  { restRounds, restMs }: StartUpParameters,
  wrong: string[],
): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < restRounds; round += 1) {
    const running: { readonly name: string; readonly server: ServerProcess }[] = [];
    for (const subject of subjects) {
      const server = await subject.start();
      running.push({ name: subject.name, server });
      await firstAnswer(server, subject, wrong);
    }
    await new Promise((resolve) => setTimeout(resolve, restMs));
    for (const { name, server } of running) {
      const resident = memoryOf(server.process);
      if (resident !== null) figures.get(name)?.push(resident);
      await server.stop();
    }
  }
  return figures;
}

const memoryOf = (child: ChildProcess): number | null => residentMB(child.pid);

function startTable(all: ReadonlyMap<string, Measured>, { keys }: StartUpParameters): Table {
  const hono = of(all, names.hono);
  const rows = [nodeName, names.hono, names.empty, fullName(keys), largeName].map((name): Row => {
    const mine = of(all, name);
    const ours = name === names.empty || name === fullName(keys) || name === largeName;
    return {
      ...{ name, unit: 'ms', figure: mine.figure },
      ratios: ours ? [mine.times(hono)] : [],
      targets: ours ? [atMost(mine.figure, 'ms', name === largeName ? 600 : 400)] : [],
    };
  });
  return { title: 'Start to first answer', rows };
}

function memoryTable(figures: ReadonlyMap<string, readonly number[]>, { keys }: StartUpParameters): Table {
  const rows = [...figures].flatMap(([name, series]): Row[] => {
    if (series.length === 0) return [];
    const figure = median(series);
    const ours = name === names.empty || name === fullName(keys);
    return [{ name, unit: 'MB', figure, ratios: [], targets: ours ? [atMost(figure, 'MB', 90)] : [] }];
  });
  return { title: 'Resident memory at rest', rows };
}
