/**
 * Where the time of a request goes: `npx tsx bench/profile.ts spin`, `once` or `sold-out`. Loads the real server under Node's profiler and
 * prints the functions with the most time of their own, of each thread. For whoever makes it faster; no figure of the benchmark comes from here.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildProject, bundled, inTemporary, root } from './built.ts';
import type { LoadResult } from './client.ts';
import { cpuSeconds, end, startCffbrw } from './processes.ts';

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

const shown = 45;
const [workflow = 'spin'] = process.argv.slice(2);

const nameOf = ({ functionName, url, lineNumber }: CallFrame): string =>
  `${functionName || '(anonymous)'} ${url.replace(/^.*\/(node_modules|dist|src)\//, '$1/')}:${lineNumber + 1}`;

type Times = Map<string, number>;

const addTo = (times: Times, name: string, time: number): void => {
  times.set(name, (times.get(name) ?? 0) + time);
};

/** Time of its own, and with everything that it called (counted once where it calls itself). */
function timesOf({ nodes, samples, timeDeltas }: Profile): { readonly own: Times; readonly whole: Times } {
  const own: Times = new Map();
  const whole: Times = new Map();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  samples.forEach((sample, at) => {
    const time = timeDeltas[at] ?? 0;
    const seen = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      const node = byId.get(id);
      const name = node === undefined ? '?' : nameOf(node.callFrame);
      if (id === sample) addTo(own, name, time);
      if (!seen.has(name)) addTo(whole, name, time);
      seen.add(name);
    }
  });
  return { own, whole };
}

function print(file: string): void {
  const { own, whole } = timesOf(JSON.parse(readFileSync(file, 'utf8')) as Profile);
  const idle = own.get('(idle) :0') ?? 0;
  const busy = [...own.values()].reduce((sum, time) => sum + time, 0) - idle;
  console.log(`\n${(busy / 1e6).toFixed(1)} s busy, ${(idle / 1e6).toFixed(1)} s idle`);
  for (const [title, times] of [
    ['time of its own', own],
    ['with what it called', whole],
  ] as const) {
    console.log(`\n${title}`);
    const sorted = [...times].filter(([name]) => !/^\((idle|root)\)/.test(name)).sort(([, a], [, b]) => b - a);
    for (const [name, time] of sorted.slice(0, shown)) console.log(`${((time / busy) * 100).toFixed(1).padStart(5)} %  ${name}`);
  }
}

await bundled(async (bundles) => {
  await buildProject();
  await inTemporary(async (directory) => {
    const app = join(root, 'bench/apps', workflow === 'once' ? 'once' : 'spin');
    const nodeOptions = ['--cpu-prof', '--cpu-prof-dir', directory, '--enable-source-maps'];
    const server = await startCffbrw({ app, data: join(directory, 'data'), state: join(directory, 'state'), nodeOptions });
    const client = fork(join(bundles, 'client.js'));
    const before = cpuSeconds(server.process.pid) ?? 0;
    const path = workflow === 'once' ? '/spin' : `/${workflow}`;
    client.send({ ports: [server.port], path, durationMs: 12_000, connections: 100, won: workflow !== 'sold-out' });
    const [result] = (await once(client, 'message')) as [LoadResult];
    const cost = (((cpuSeconds(server.process.pid) ?? 0) - before) / result.answered) * 1_000_000;
    console.log(
      `${result.requestsPerSecond} requests/s, ${cost.toFixed(1)} µs of processor each, ${result.wrong ?? 'all answers right'}`,
    );
    await end(client);
    await server.stop();
    for (const name of readdirSync(directory).filter((one) => one.endsWith('.cpuprofile'))) print(join(directory, name));
  });
});
