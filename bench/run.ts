/**
 * `npm run bench`: every part side by side, in one run. Prints a table per part, writes bench/results/latest.json.
 *
 *   npm run bench                       all of it: some minutes, on a machine that does nothing else
 *   npm run bench -- --small            the same, short: whether it works, not how fast
 *   npm run bench -- --only http,hot-keys
 *   npm run bench:cluster               several replicas on one PostgreSQL; takes --small and --only, too
 *
 * Only a complete large run on a machine with nothing else to do writes latest.json, or cluster.json; any other writes a file in
 * bench/results that is not kept.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildProject, bundled, root } from './built.ts';
import type { PartResult, Results } from './figures.ts';
import { busyPercent, machine } from './machine.ts';
import { type PartName, type Size, sets } from './parts.ts';
import { printMachine, printPart } from './print.ts';

const { values } = parseArgs({
  options: { small: { type: 'boolean', default: false }, only: { type: 'string' }, set: { type: 'string', default: 'latest' } },
});
const set = values.set as keyof typeof sets;
const all: readonly PartName[] = sets[set];
const size: Size = values.small ? 'small' : 'large';
const wanted = (values.only?.split(',') ?? all) as readonly PartName[];
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(', ')}; there are ${all.join(', ')}`);

async function runPart(directory: string, name: PartName): Promise<PartResult> {
  const child = fork(join(directory, 'part.js'), [name, size], { cwd: root, execArgv: ['--expose-gc', '--enable-source-maps'] });
  const exited = once(child, 'exit');
  const result = await Promise.race([once(child, 'message').then(([said]) => said as PartResult), exited.then(() => null)]);
  await exited;
  if (result === null) throw new Error(`the part ${name} ended with code ${child.exitCode}`);
  return result;
}

/** More than this, and threads that should run side by side wait for each other: ours suffer most, having two. */
const busyLimitPercent = 10;
let busiest = 0;

async function lookForOthers(): Promise<void> {
  const percent = await busyPercent();
  busiest = Math.max(busiest, percent);
  if (percent > busyLimitPercent)
    console.log(`This machine is ${percent} % busy with something else: these figures mean little.\n`);
}

const facts = machine();
console.log(`${printMachine(facts)}\n`);
const results = await bundled(async (directory): Promise<Results> => {
  await buildProject();
  const done: PartResult[] = [];
  for (const name of wanted) {
    await lookForOthers();
    const result = await runPart(directory, name);
    console.log(printPart(result));
    done.push(result);
  }
  return { size, machine: facts, parts: done };
});

const folder = join(root, 'bench', 'results');
const complete = size === 'large' && values.only === undefined && busiest <= busyLimitPercent;
const file = join(folder, complete ? `${set}.json` : 'partial.tmp');
mkdirSync(folder, { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
if (busiest > busyLimitPercent) console.log(`The machine was up to ${busiest} % busy with something else: nothing to quote.`);
console.log(`Written to ${file}`);
if (results.parts.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
