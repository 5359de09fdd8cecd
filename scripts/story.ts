/**
 * `npm run story`: the wheel's day under four strategies, over many seeds. Writes docs/story.md and docs/story.svg.
 *
 *   npm run story                 500 seeds: about a minute
 *   npm run story -- --seeds 20   fewer: prints, and writes nothing
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadApp } from '../src/app.ts';
import { readDocuments } from '../src/node/directory.ts';
import { drain } from '../src/node/drain.ts';
import { loadScenario, type RunSet, runs, type SimulatedDocument } from '../src/simulate/index.ts';
import { histogramPicture } from '../src/simulate/picture.ts';

const root = join(import.meta.dirname, '..');
const wheel = join(root, 'examples/wheel');
const scenarios = ['launch-day', 'minute-of-lag'] as const;
const storySeeds = 500;

/** What the wheel is compared with, in the order of the story. */
const broken = ['last-write-wins', 'sum-increments', 'max-value'] as const;

async function simulateStory(name: string, seeds: number): Promise<RunSet> {
  const app = loadApp(await readDocuments(wheel));
  const path = `scenarios/${name}.yaml`;
  const scenario = loadScenario({ path, text: readFileSync(join(wheel, path), 'utf8') }, app);
  const documents: SimulatedDocument[] = [];
  for (const strategy of broken) {
    const twin = loadApp(await readDocuments(join(wheel, 'broken', strategy)));
    documents.push({ name: strategy, app: twin, role: 'baseline' });
  }
  documents.push({ name: 'bounded-counter', app, role: 'subject' });
  return runs({ documents, scenario, seeds: Array.from({ length: seeds }, (_, seed) => seed), drain });
}

/** A process for each scenario: this machine may have more than one core. */
async function inProcess(name: string, seeds: number): Promise<RunSet> {
  const child = fork(import.meta.filename, ['--seeds', String(seeds), '--only', name]);
  const [set] = (await once(child, 'message')) as [RunSet];
  return set;
}

function tableOf({ documents }: RunSet): string {
  const rows = documents.map(({ name, runs: count, violated, watched }) => {
    const { min = 0, median = 0, p95 = 0, max = 0 } = watched ?? {};
    return `| \`${name}\` | ${count} | ${violated} | ${min} | **${median}** | ${p95} | ${max} |`;
  });
  return [
    '| strategy | runs | with more than ten winners | fewest | median | 95 % | most |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n');
}

const medianOf = ({ documents }: RunSet, name: string): number =>
  documents.find((one) => one.name === name)?.watched?.median ?? 0;

function pageOf([usual, behind]: readonly [RunSet, RunSet]): string {
  const spins = [usual, behind].flatMap(({ documents }) => documents).reduce((sum, { requests }) => sum + requests, 0);
  return `# The story, simulated

A shop's wheel of fortune has ten vouchers a day. Within five minutes 94 people spin it, at five locations, and every second spin wins
while there are vouchers. The workflow read the stock, saw "available", and answered "you won". Each location read its own copy.

Here is that day again: the real handler, workflows, replicas and strategies of [examples/wheel](../examples/wheel) and its
[broken twins](../examples/wheel/broken), in virtual time, over ${usual.seeds.length} seeds each: ${spins.toLocaleString('en-US')} spins
in all. This page is written by \`npm run story\`, and the same seeds give the same figures on every machine.

![How many win, under each strategy](story.svg)

## What one location knows takes 400 ms to the others, and a minute for every hundredth message

${tableOf(usual)}

## Everything takes a minute

${tableOf(behind)}

## What it shows

- **\`last-write-wins\`** (${medianOf(behind, 'last-write-wins')} winners a minute behind): two locations read 10, and both write 9. Two
  winners cost one voucher, and late news put vouchers back that were gone.
- **\`max-value\`** (${medianOf(behind, 'max-value')}): two locations raise 3 to 4, so two winners count as one.
- **\`sum-increments\`** (${medianOf(behind, 'sum-increments')}) counts every winner, and still gives out too many: a location checks a
  count that is on its way. Faster news makes it rarer, and nobody can say when it happens. The bug is to check first and act later.
- **\`bounded-counter\`** (${medianOf(behind, 'bounded-counter')}): a location gives out only units that it holds the rights to. Lag makes
  it slower to sell the last ones, and never makes an eleventh.

Spins arrive at random moments at random locations. Rows travel each for itself, with log-normal delays where a median and a 99th
percentile are given, cut off at twice the 99th percentile. A request to the backbone and back takes 60 ms. The scenarios are
[launch-day.yaml](../examples/wheel/scenarios/launch-day.yaml) and
[minute-of-lag.yaml](../examples/wheel/scenarios/minute-of-lag.yaml).
`;
}

function checkStory(sets: readonly RunSet[]): void {
  for (const { scenario, documents } of sets) {
    for (const { name, role, violated, first } of documents) {
      if ((role === 'baseline') === violated > 0) continue;
      throw new Error(`${scenario}: ${name} broke ${violated} runs, first ${JSON.stringify(first)}`);
    }
  }
}

const { values } = parseArgs({ options: { seeds: { type: 'string' }, only: { type: 'string' } } });
const seeds = Number(values.seeds ?? storySeeds);
if (values.only !== undefined) {
  const set = await simulateStory(values.only, seeds);
  process.send?.(set, () => process.disconnect());
} else {
  const start = performance.now();
  const sets = await Promise.all(scenarios.map((name) => inProcess(name, seeds)));
  const took = ((performance.now() - start) / 1_000).toFixed(1);
  const [usual, behind] = sets;
  if (usual === undefined || behind === undefined) throw new Error('a scenario gave nothing');
  for (const set of sets) console.log(`${set.scenario}\n\n${tableOf(set)}\n`);
  checkStory(sets);
  console.log(
    `${sets.flatMap(({ documents }) => documents).reduce((sum, { requests }) => sum + requests, 0)} spins in ${took} s`,
  );
  if (seeds === storySeeds) {
    writeFileSync(join(root, 'docs/story.md'), pageOf([usual, behind]));
    writeFileSync(join(root, 'docs/story.svg'), histogramPicture([usual, behind]));
  }
}
