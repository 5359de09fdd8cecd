/**
 * Where the time of a request goes: `tsx bench/profile.ts spin | once | sold-out | count`. Loads the real server under Node's profiler and
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
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
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

function print(file: string): void {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  samples.forEach((id, at) => {
    const name = names.get(id) ?? '?';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[at] ?? 0));
  });
  const idle = [...times].filter(([name]) => name.startsWith('(idle)')).reduce((sum, [, time]) => sum + time, 0);
  const busy = [...times.values()].reduce((sum, time) => sum + time, 0) - idle;
  console.log(`\n${(busy / 1e6).toFixed(1)} s busy, ${(idle / 1e6).toFixed(1)} s idle`);
  for (const [name, time] of [...times].sort(([, a], [, b]) => b - a).slice(0, shown))
    if (!name.startsWith('(idle)')) console.log(`${((time / busy) * 100).toFixed(1).padStart(5)} %  ${name}`);
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
    client.send({ port: server.port, path, durationMs: 12_000, connections: 100, won: workflow !== 'sold-out' });
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
