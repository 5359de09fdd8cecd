/**
 * `npm run swarm:known-bugs`: switches on each mistake of a list, and the same swarm must find it within its budget of schedules.
 *
 *   npm run swarm:known-bugs                    all of them
 *   npm run swarm:known-bugs -- --only "sync"   those whose name holds this
 *
 * Ends with 0 when all were found, with 1 when one was not, with 2 when it could not run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type KnownBug, knownBugs } from './bugs.ts';
import { bundleSwarm } from './bundle.ts';
import { runJobs } from './jobs.ts';
import type { Found } from './worker.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
  },
});

interface Outcome {
  readonly found: Found | null;
  readonly schedules: number;
  readonly seconds: number;
}

async function hunt({ patches, budget, first = 1 }: KnownBug, program: string): Promise<Outcome> {
  await bundleSwarm(program, patches);
  const found: Found[] = [];
  const job = { prefix: '', first, last: first + budget - 1, most: 1, shrink: false };
  const { ended } = runJobs({ program, jobs: 1, job, found: (one) => void found.push(one) });
  const { done, cpuMs } = await ended;
  return { found: found[0] ?? null, schedules: done.schedules, seconds: cpuMs / 1_000 };
}

function row(name: string, { found, schedules, seconds }: Outcome, budget: number): string {
  const broke = found === null ? 'NOT FOUND' : found.claim;
  const why = found === null ? '' : (found.message.split('\n')[0] ?? '').slice(0, 90);
  const needed = `${schedules} of ${budget}`;
  return `${name.padEnd(52)} ${broke.padEnd(9)} ${needed.padStart(12)} ${seconds.toFixed(1).padStart(6)} s  ${why}\n`;
}

async function huntAll(bugs: readonly KnownBug[], folder: string): Promise<number> {
  const waiting = [...bugs.entries()];
  let missed = 0;
  const one = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, bug] = next;
      const outcome = await hunt(bug, join(folder, `bug-${index}.mjs`));
      if (outcome.found === null) missed += 1;
      process.stdout.write(row(bug.name, outcome, bug.budget));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, one));
  return missed;
}

const folder = mkdtempSync(join(tmpdir(), 'swarm-bugs-'));
try {
  const bugs = knownBugs.filter(({ name }) => name.includes(values.only));
  process.stdout.write(`${'bug'.padEnd(52)} ${'broke'.padEnd(9)} ${'schedules'.padStart(12)} ${'CPU'.padStart(8)}  as\n`);
  const missed = await huntAll(bugs, folder);
  process.stdout.write(missed === 0 ? `all ${bugs.length} were found\n` : `${missed} of ${bugs.length} were not found\n`);
  process.exitCode = missed === 0 ? 0 : 1;
} catch (error) {
  console.error(error);
  process.exitCode = 2;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
