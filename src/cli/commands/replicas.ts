/** `cffbrw replicas`: who shares an app, and who never comes back. It asks the backbone, so that it works when every replica is down. */
import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { type CommandDef, defineCommand } from 'citty';
import type { Retirement } from '../../http/admin/sites.ts';
import type { ListedSite } from '../../node/backbone-sites.ts';
import { describeTarget } from '../../node/backbone-url.ts';
import { command, UsageError } from '../command.ts';
import { siteArguments, targetOf, withBackbone } from '../site.ts';

const list = command({
  name: 'replicas list',
  description: 'Every incarnation that ever joined: when it was last seen, what it holds, and what it declares otherwise.',
  examples: ['cffbrw replicas list --backbone postgres://wheel@db.example/wheel', 'cffbrw replicas list --json'],
  args: { ...siteArguments, json: { type: 'boolean', description: 'Print JSON' } },
  async run(args) {
    const { sites, nowMs } = await withBackbone(args, async ({ operations, backbone }) => ({
      sites: (await operations.list()) as readonly ListedSite[],
      nowMs: await backbone.now(),
    }));
    if (args.json) console.log(JSON.stringify({ replicas: sites }));
    else if (sites.length === 0) console.log(`No replica has joined ${describeTarget(await targetOf(args))} yet.`);
    else printSites(sites, nowMs);
    return 0;
  },
});

const columns = ['name', 'incarnation', 'state', 'last seen', 'lag', 'unpublished', 'leased', 'declarations'];

function printSites(sites: readonly ListedSite[], nowMs: number): void {
  const lines = sites.map((site) => [
    ...[site.name, site.id.slice(site.name.length + 1), site.state],
    site.seenMs === null ? 'never' : `${ago(nowMs - site.seenMs)} ago`,
    site.lagMs === null ? '–' : ago(site.lagMs),
    String(site.unpublished),
    String(site.leases.reduce((sum, { units }) => sum + units, 0)),
    site.differs.length === 0 ? 'the same' : `otherwise: ${site.differs.join(', ')}`,
  ]);
  const widths = columns.map((title, index) => Math.max(title.length, ...lines.map((line) => line[index]?.length ?? 0)));
  for (const line of [columns, ...lines])
    console.log(
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  for (const { id, retired } of sites) {
    if (retired !== undefined)
      console.log(`${id} was retired by ${retired.by} on ${new Date(retired.at).toISOString()}: ${retired.why}`);
  }
  printAwaited(sites);
}

/** After a loss: who is missing for the rest to go on. */
function printAwaited(sites: readonly ListedSite[]): void {
  const ids = sites.filter(({ awaited }) => awaited).map(({ id }) => id);
  if (ids.length === 0) return;
  console.log(`This backbone lost something, and these have not written again what they know of it: ${ids.join(', ')}.`);
  console.log(
    'Until then bounded counters lease nothing. Have each adopt this backbone and run, or retire it if it never comes back.',
  );
}

function ago(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

const retire = command({
  name: 'replicas retire',
  description: [
    'Gives up a replica that never comes back: its rows keep counting, what it holds can never be sold any more, and nobody waits for it.',
    'It says what that is at worst and asks first. Should the replica come back, it goes on as a new one.',
  ].join(' '),
  examples: ['cffbrw replicas retire fra --why "the machine burned"', 'cffbrw replicas retire fra --why "moved to ams" --yes'],
  args: {
    name: { type: 'positional', required: true, description: 'A replica’s name, for all its incarnations, or name.incarnation' },
    why: { type: 'string', description: 'What is written down with it', valueHint: 'text' },
    yes: { type: 'boolean', description: 'Do not ask' },
    ...siteArguments,
  },
  async run({ name, why, yes, ...args }) {
    if (why === undefined || why === '') throw new UsageError('Say why: --why "the machine burned".');
    const request = { who: name, why, by: `${userInfo().username}@${hostname()}` };
    return withBackbone(args, async ({ operations, backbone }) => {
      const plan = await operations.retire({ ...request, carryOut: false });
      printPlan(plan);
      printSeen(plan, (await operations.list()) as readonly ListedSite[], await backbone.now());
      if (yes !== true && !(await confirmed(name))) {
        console.log('Nothing was changed.');
        return 1;
      }
      const { retired } = await operations.retire({ ...request, carryOut: true });
      console.log(`Retired: ${retired.join(', ')}.`);
      return 0;
    });
  },
});

function printPlan({ retired, stakes, worstCase, unheard }: Retirement): void {
  console.log(`This gives up ${retired.join(', ')}.`);
  for (const { id, address, units } of stakes) console.log(`  ${address}  ${units} unit(s) held by ${id}`);
  console.log(`At worst ${worstCase} unit(s) can never be sold any more. If one of them still runs, it stops writing.`);
  if (unheard.length === 0) return;
  console.log(`Since the backbone lost something, ${unheard.join(', ')} did not write again what only its own store knows.`);
  console.log(
    'What it gave out, and nobody else has heard of, can be given out a second time. Start it once more if its disk is still there.',
  );
}

/** A wrong name is easily typed. */
const latelyMs = 60_000;

function printSeen({ retired }: Retirement, sites: readonly ListedSite[], nowMs: number): void {
  for (const { id, state, seenMs } of sites) {
    if (state !== 'active' || seenMs === null || nowMs - seenMs > latelyMs || !retired.includes(id)) continue;
    console.log(`Is it the right one? ${id} was seen ${ago(nowMs - seenMs)} ago.`);
  }
}

async function confirmed(name: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('There is nobody to ask here: add --yes.');
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await asking.question(`Type ${name} to go on: `)).trim() === name;
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    console.log(); // Ctrl-C and Ctrl-D are a no
    return false;
  } finally {
    asking.close();
  }
}

export const replicas: CommandDef = defineCommand({
  meta: { name: 'replicas', description: 'The replicas that share an app: list, retire.' },
  subCommands: { list, retire },
});
