/**
 * `npm run swarm`: the claims C1 to C5 over random apps, loads and faults (src/simulate/swarm/swarm.ts).
 *
 *   npm run swarm                                     20,000 schedules
 *   npm run swarm -- --schedules 1000000 --jobs 2     a night's
 *   npm run swarm -- --seed 4711                      this one, told line by line
 *   npm run swarm -- --first 20001                    other ones
 *   npm run swarm -- --size full                      5 replicas and 600 actions or more each
 *
 * Ends with 0 when every claim held, with 1 when one broke, with 2 when it could not run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { drain } from '../../src/node/drain.ts';
import { sizes } from '../../src/simulate/swarm/plan.ts';
import { drawPlan, playSwarm, type SwarmSize } from '../../src/simulate/swarm/swarm.ts';
import { bundleSwarm } from './bundle.ts';
import { runJobs, type Told } from './jobs.ts';
import type { Found } from './worker.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '20000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    size: { type: 'string' },
    most: { type: 'string', default: '5' },
  },
});

if (values.size !== undefined && !Object.hasOwn(sizes, values.size)) {
  process.stderr.write(`--size is one of ${Object.keys(sizes).join(', ')}, not ${values.size}\n`);
  process.exit(2);
}
const size = values.size as SwarmSize | undefined;
const count = (text: string): number => {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`${text} is no positive integer`);
};

const replay = (seed: string): string => `npm run swarm -- --seed ${seed}${size === undefined ? '' : ` --size ${size}`}`;

function tellFound({ seed, claim, message, notes, actions, shortest }: Found): void {
  process.stdout.write(`\n${claim} broke at seed ${seed}: ${message}\n`);
  process.stdout.write(`  the shortest schedule found has ${shortest} of ${actions} actions:\n`);
  for (const line of notes) process.stdout.write(`  ${line}\n`);
  process.stdout.write(`  replay: ${replay(seed)}\n`);
}

const thousands = (number: number): string => Math.round(number).toLocaleString('en');

function tellDone({ done, cpuMs }: Told, beganMs: number): void {
  const seconds = (performance.now() - beganMs) / 1_000;
  const { schedules, asked, acknowledged, refused, unknown, faults, events } = done;
  const mix = Object.entries(sizes).map(([name, { share }]) => `${share} % ${name}`);
  process.stdout.write(
    `\n${thousands(schedules)} schedules (${size === undefined ? mix.join(', ') : size}) in ${seconds.toFixed(0)} s, `,
  );
  process.stdout.write(`${(schedules / (cpuMs / 1_000)).toFixed(0)} per second of one core\n`);
  process.stdout.write(`${thousands(asked)} requests: ${thousands(acknowledged)} acknowledged, ${thousands(refused)} refused, `);
  process.stdout.write(`${thousands(unknown)} of unknown outcome; ${thousands(faults)} faults; ${thousands(events)} events\n`);
}

async function one(seed: string): Promise<number> {
  const { finding, notes } = await playSwarm({ plan: drawPlan(seed, size), drain, notes: true });
  for (const line of notes) process.stdout.write(`${line}\n`);
  process.stdout.write(finding === null ? 'every claim held\n' : `${finding.claim} broke: ${finding.message}\n`);
  return finding === null ? 0 : 1;
}

async function many(): Promise<number> {
  const [schedules, first, jobs] = [count(values.schedules), count(values.first), count(values.jobs)];
  const folder = mkdtempSync(join(tmpdir(), 'swarm-'));
  const program = join(folder, 'worker.mjs');
  const beganMs = performance.now();
  let broken = 0;
  try {
    await bundleSwarm(program);
    const running = runJobs({
      ...{ program, jobs },
      job: { prefix: '', first, last: first + schedules - 1, most: count(values.most), shrink: true, ...(size && { size }) },
      found(found) {
        broken += 1;
        tellFound(found);
      },
      progress: ({ done }) => {
        if (process.stdout.isTTY) process.stdout.write(`\r${thousands(done.schedules)} of ${thousands(schedules)} schedules`);
        last = done.schedules;
      },
    });
    let last = 0;
    process.once('SIGINT', () => {
      process.stdout.write(`\nstopped after about ${thousands(last)} of ${thousands(schedules)} schedules\n`);
      running.stop();
    });
    tellDone(await running.ended, beganMs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(broken === 0 ? 'every claim held\n' : `${broken} seeds broke a claim\n`);
  return broken === 0 ? 0 : 1;
}

try {
  process.exitCode = await (values.seed === undefined ? many() : one(values.seed));
} catch (error) {
  console.error(error);
  process.exitCode = 2;
}
