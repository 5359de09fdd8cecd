/** Claims and numbers of the pages that are not commands or programs. */
import { describe, expect, it } from 'vitest';
import { quarantineAheadMs, suspectAheadMs } from '../../src/clock.ts';
import { errorCodes } from '../../src/error.ts';
import { defaultLimits as serveLimits } from '../../src/node/serve.ts';
import { defaultTimeoutMs } from '../../src/replica/bank/take.ts';
import { maxLeafBytes, maxLeaves } from '../../src/strategy/merge-path.ts';
import { defaultKeep } from '../../src/strategy/window.ts';
import { defaultKeepMs } from '../../src/workflow/plan.ts';
import { defaultLimits } from '../../src/workflow/run.ts';
import { maxDocumentBytes, maxNesting } from '../../src/workflow/scan.ts';
import { maxIterations } from '../../src/workflow/steps/each.ts';
import { maxWaitMs } from '../../src/workflow/steps/wait.ts';
import { createCluster } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';
import { pages, proseOf, readPage, tableIn } from './page.ts';
import { story, vouchersGivenOut } from './story.ts';

const project = JSON.parse(readPage('package.json')) as {
  version: string;
  engines: { node: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const thousands = (value: number): string => value.toLocaleString('en-US');
const oneLine = (text: string): string => proseOf(text).replace(/\s+/g, ' ');

describe('the story of the README', () => {
  const readme = readPage('README.md');
  const rows = tableIn(readme, 'story').map(
    ([version = '', given = '']) => [/\]\(examples\/wheel\/?(.*)\)/.exec(version)?.[1] ?? '?', Number(given)] as const,
  );

  it('is the one that is simulated', () => {
    const { lagMs, users, everyMs } = story;
    expect(story.locations).toBe(5);
    expect(oneLine(readme)).toContain(
      `Five locations, rows take ${lagMs / 1_000} s from one to the others, ${users} people spin one after the other, one every ${everyMs} ms`,
    );
    expect(rows.map(([folder]) => folder)).toEqual(['broken/last-write-wins', 'broken/max-value', 'broken/sum-increments', '']);
  });

  it.each(rows)('has the right figure for examples/wheel/%s', async (folder, given) => {
    expect(await vouchersGivenOut(folder)).toBe(given);
  });
});

describe('durability', () => {
  const write = async (durability: 'durable' | 'relaxed') => {
    const world = createWorld('relaxed');
    const cluster = createCluster({ world, variables: { views: { strategy: 'sum-increments', durability } }, loopback: null });
    const first = await world.runUntil(cluster.start('hanoi'));
    await world.runUntil(first.variable('views').add(1));
    cluster.kill('hanoi');
    const second = await world.runUntil(cluster.start('hanoi'));
    return world.runUntil(second.variable('views').get());
  };

  it('relaxed loses what was acknowledged right before a crash', async () => {
    expect(await write('relaxed')).toBe(0);
  });

  it('durable loses nothing', async () => {
    expect(await write('durable')).toBe(1);
  });
});

describe('the numbers of the pages', () => {
  const claims: readonly (readonly [page: string, claim: string])[] = [
    ['README.md', `Node.js (${project.engines.node.replace('>=', '').replace(/\.0$/, '')} or later;`],
    ['CHANGELOG.md', `## ${project.version}`],
    ['docs/workflows.md', `at most ${maxDocumentBytes / 1_024} KB, nested at most ${maxNesting} deep`],
    [
      'docs/workflows.md',
      `at most ${thousands(defaultLimits.steps)} steps, and workflows call each other at most ${defaultLimits.depth} deep`,
    ],
    ['docs/workflows.md', `at most ${thousands(maxIterations)} elements`],
    ['docs/workflows.md', `A \`wait\` is at most ${maxWaitMs / 1_000} s`],
    ['docs/workflows.md', `for so long (${defaultKeepMs / 3_600_000}h)`],
    ['docs/workflows.md', `\`timeout?\` (${defaultTimeoutMs / 1_000}s)`],
    ['docs/strategies.md', `at most ${thousands(maxLeaves)} leaves and 32 levels, a leaf at most ${maxLeafBytes / 1_024} KiB`],
    ['docs/strategies.md', `kept for \`keep\` (${defaultKeep}) windows`],
    ['docs/operations.md', `more than ${quarantineAheadMs / 1_000} s ahead is set aside`],
    ['docs/operations.md', `more than ${suspectAheadMs / 60_000} min behind`],
    ['docs/operations.md', `kept with its answer for ${defaultKeepMs / 3_600_000} h`],
    ['docs/operations.md', `for at most ${serveLimits.stopMs / 1_000} s`],
  ];

  it.each(claims)('%s: %s', (page, claim) => {
    expect(oneLine(readPage(page))).toContain(claim);
  });

  it('are those of the long tests', () => {
    const kills = /const rounds = (\d+)/.exec(readPage('test/e2e/kill.long.ts'))?.[1];
    const spins = Number(/inParallel\(([\d_]+)/.exec(readPage('test/e2e/wheel.long.ts'))?.[1]?.replaceAll('_', ''));
    expect(oneLine(readPage('docs/testing.md'))).toContain(`kills it ${kills} times`);
    expect(oneLine(readPage('docs/testing.md'))).toContain(`spins the wheel ${thousands(spins)} times`);
    expect(oneLine(readPage('docs/operations.md'))).toContain(`does that ${kills} times`);
    expect(oneLine(readPage('README.md'))).toContain(`real processes and ${thousands(spins)} spins`);
  });

  it('have every refusal, its status and whether to retry', () => {
    const rows = tableIn(readPage('docs/operations.md'), 'codes').map(([code = '', status, retry]) => [
      code.replaceAll('`', ''),
      Number(status),
      retry,
    ]);
    expect(rows).toEqual(Object.entries(errorCodes).map(([code, { status, retry }]) => [code, status, retry]));
  });
});

describe('the dependencies of ARCHITECTURE.md', () => {
  it.each(['dependencies', 'devDependencies'] as const)('are those of package.json: %s', (kind) => {
    const rows = tableIn(readPage('ARCHITECTURE.md'), kind);
    expect(rows.map(([name = '']) => name.replaceAll('`', '')).sort()).toEqual(Object.keys(project[kind]).sort());
    for (const [name, why = ''] of rows) expect(why.length, `why is ${name} there?`).toBeGreaterThan(10);
  });
});

describe('the words of the pages', () => {
  it.each(pages)('%s names no path of a machine and no template that was left', (page) => {
    expect(readPage(page)).not.toMatch(/\/home\/|\/work\/|\/tmp\/|TODO|FIXME|lorem/i);
  });
});
