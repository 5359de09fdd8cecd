/** Carries out what was drawn for a round, on real processes, files and connections; and heals all of it. */
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type postgres from 'postgres';
import { witnessPath } from '../../src/node/witness.ts';
import type { TestServer } from '../node/backbone-postgres.ts';
import { openSite, type Site } from './cluster.ts';
import type { Book } from './rounds-book.ts';
import { pause } from './rounds-clock.ts';
import { type Place, placeAt } from './rounds-load.ts';
import type { Fault } from './rounds-plan.ts';

export interface StageOptions {
  readonly server: TestServer;
  readonly sql: postgres.Sql;
  readonly home: string;
  readonly directory: string;
  readonly schema: string;
  readonly sites: readonly Site[];
  readonly book: Book;
  readonly say: (line: string) => void;
}

export interface Stage extends StageOptions {
  /** Processes that ran on copies. */
  readonly copies: Site[];
  readonly frozen: Set<Site>;
  /** What is done to one process is done in its order. */
  readonly turns: Map<unknown, Promise<void>>;
  serverRuns: boolean;
}

export const openStage = (options: StageOptions): Stage => ({
  ...options,
  copies: [],
  frozen: new Set(),
  turns: new Map(),
  serverRuns: true,
});

/** Whom users can ask. */
export function placesOf({ sites, copies }: Stage): Place[] {
  const place = (name: string, { app }: Site): Place => placeAt(name, app?.url ?? null);
  return [...sites.map((site) => place(site.name, site)), ...copies.map((copy) => place(`${copy.name} copy`, copy))];
}

/** Resolves when it is over, or for one that lasts until all is healed when it has begun. */
export async function carryOut(stage: Stage, fault: Fault): Promise<void> {
  await pause(fault.atMs);
  const site = stage.sites[fault.site] as Site;
  switch (fault.kind) {
    case 'postgres':
      return inTurn(stage, stage.server, () => killServer(stage, fault.forMs));
    case 'backup':
      return inTurn(stage, site, () => setBack(stage, site, fault));
    case 'copy':
      return inTurn(stage, site, () => startCopy(stage, site, fault));
    case 'pause':
      return inTurn(stage, site, () => hold(stage, site, fault.forMs));
    case 'kill':
    case 'stop':
      return inTurn(stage, site, () => endAndRestart(stage, site, fault));
    default:
      return breakConnection(site, fault);
  }
}

/** Resolves when everything is reachable and every process answers. */
export async function heal(stage: Stage): Promise<void> {
  for (const { proxy } of [...stage.sites, ...stage.copies]) proxy.heal();
  await startServer(stage);
  await Promise.all(stage.sites.map((site) => makeReady(stage, site)));
}

function inTurn({ turns }: Stage, who: unknown, work: () => Promise<void>): Promise<void> {
  const next = (turns.get(who) ?? Promise.resolve()).then(work);
  turns.set(who, next);
  return next;
}

// ── Processes. ──

function freeze({ frozen }: Stage, site: Site): void {
  if (site.app === null) return;
  frozen.add(site);
  site.app.child.kill('SIGSTOP');
}

function thaw({ frozen }: Stage, site: Site): void {
  frozen.delete(site);
  site.app?.child.kill('SIGCONT');
}

async function hold(stage: Stage, site: Site, forMs: number | null): Promise<void> {
  freeze(stage, site);
  if (forMs === null) return;
  await pause(forMs);
  thaw(stage, site);
}

async function end(stage: Stage, site: Site, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const { app } = site;
  if (app !== null && app.child.exitCode !== null) throw new Error(`${site.name} ended by itself:\n${app.output()}`);
  if (signal === 'SIGTERM') thaw(stage, site);
  stage.frozen.delete(site);
  await site.stop(signal);
}

async function endAndRestart(stage: Stage, site: Site, { kind, forMs }: Fault): Promise<void> {
  await end(stage, site, kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
  if (forMs === null) return;
  await pause(forMs);
  await site.start();
}

/** As a supervisor would: one that answers that it can write nothing any more is started again. */
async function makeReady(stage: Stage, site: Site): Promise<void> {
  thaw(stage, site);
  if (site.app === null) await site.start();
  const { status, body } = await site.admin('/health');
  if (status === 200) return;
  stage.say(`${site.name} is started again: ${String(body.refused)}`);
  await end(stage, site, 'SIGKILL');
  await site.start();
}

// ── The way to PostgreSQL, and PostgreSQL. ──

async function breakConnection({ proxy }: Site, fault: Fault): Promise<void> {
  if (fault.kind === 'torn') return proxy.cutAfter(fault.bytes);
  if (fault.kind === 'cut') proxy.cut();
  else if (fault.kind === 'slow') proxy.delay(150);
  else if (fault.kind === 'late') proxy.hold('to-server');
  else proxy.swallow(fault.kind === 'deaf' ? 'to-client' : 'to-server');
  if (fault.forMs === null) return;
  await pause(fault.forMs);
  proxy.heal();
}

async function killServer(stage: Stage, forMs: number | null): Promise<void> {
  if (!stage.serverRuns) return;
  stage.serverRuns = false;
  await stage.server.kill();
  if (forMs === null) return;
  await pause(forMs);
  await startServer(stage);
}

async function startServer(stage: Stage): Promise<void> {
  if (stage.serverRuns) return;
  await stage.server.start();
  stage.serverRuns = true;
}

// ── Disks. ──

const witnessOf = ({ home }: Stage, data: string) => witnessPath(data, { XDG_STATE_HOME: join(home, 'state') });

/** As a snapshot of its disk: nothing is written meanwhile. */
async function copyData(stage: Stage, site: Site, to: string): Promise<void> {
  const wasFrozen = stage.frozen.has(site);
  freeze(stage, site);
  await cp(site.data, to, { recursive: true });
  if (!wasFrozen) thaw(stage, site);
}

async function setBack(stage: Stage, site: Site, fault: Fault & { readonly kind: 'backup' }): Promise<void> {
  if (site.app === null) return;
  const fromMs = performance.now();
  const backup = join(stage.home, `${site.name}-backup`);
  const witness = witnessOf(stage, site.data);
  const kept = `${witness}.kept`;
  await copyData(stage, site, backup);
  await cp(witness, kept);
  await pause(fault.forMs);
  // With its witness it is the snapshot of a whole machine: what has left that machine since must prove it.
  const provable = fault.witness !== 'restored' || (await isBeyond(stage, await readFile(kept, 'utf8')));
  const becomes = provable ? fault.witness : 'stays';
  await end(stage, site, 'SIGKILL');
  stage.book.lost.push({ site: site.name, fromMs, untilMs: performance.now() });
  await rm(site.data, { recursive: true });
  await cp(backup, site.data, { recursive: true });
  if (becomes === 'missing') await rm(witness);
  if (becomes === 'restored') await cp(kept, witness);
  stage.say(`${site.name} set back; its witness: ${becomes}`);
  await site.start();
}

async function startCopy(stage: Stage, site: Site, { witness }: Fault & { readonly kind: 'copy' }): Promise<void> {
  if (site.app === null) return;
  const data = join(stage.home, `${site.name}-copy`);
  await copyData(stage, site, data);
  const text = await readFile(witnessOf(stage, site.data), 'utf8');
  const copied = witness === 'copied' && (await isBeyond(stage, text));
  if (copied) await cp(witnessOf(stage, site.data), witnessOf(stage, data));
  stage.say(`${site.name} copied; its witness: ${copied ? 'copied' : 'missing'}`);
  const copy = await openSite(site.name, { ...stage, data });
  stage.copies.push(copy);
  await copy.start();
}

/** True once the backbone shows something of this incarnation that comes after what its witness says; false: not for two seconds. */
async function isBeyond({ sql, schema }: Stage, witness: string): Promise<boolean> {
  const [, id = '', commit = ''] = /"(\S+) (\d+)/.exec(witness) ?? [];
  const latest = () =>
    sql.unsafe(`select max(version) as latest from ${schema}.rows where replica = $1`, [id]).then(
      ([row]) => Number(row?.latest ?? 0),
      () => 0, // out of reach
    );
  for (const untilMs = performance.now() + 2_000; performance.now() < untilMs; await pause(100)) {
    // The store may be one commit ahead of its witness. A server that is down is asked for longer than anybody waits here.
    if ((await Promise.race([latest(), pause(1_000).then(() => 0)])) > Number(commit) + 1) return true;
  }
  return false;
}
