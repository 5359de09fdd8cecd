/** Carries out what was drawn for a round, on real processes, files and connections; and heals all of it. */
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type postgres from 'postgres';
import { witnessPath } from '../../src/node/witness.ts';
import type { TestServer } from '../node/backbone-postgres.ts';
import { openSite, type Site } from './cluster.ts';
import type { Book } from './rounds-book.ts';
import { type Place, pause } from './rounds-load.ts';
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

export interface Stage {
  places(): readonly Place[];
  /** Resolves when it is over, or for one that lasts until all is healed when it has begun. */
  carryOut(fault: Fault): Promise<void>;
  /** Resolves when everything is reachable and every process answers. */
  heal(): Promise<void>;
  /** Processes that ran on copies. */
  readonly copies: readonly Site[];
}

export function openStage(options: StageOptions): Stage {
  const { server, home, directory, schema, sites, book, say } = options;
  /** What is done to one process is done in its order. */
  const turns = new Map<unknown, Promise<void>>();
  const paused = new Set<Site>();
  const copies: Site[] = [];
  const state = { running: true };

  function inTurn(who: unknown, work: () => Promise<void>): Promise<void> {
    const next = (turns.get(who) ?? Promise.resolve()).then(work);
    turns.set(who, next);
    return next;
  }

  const signal = (site: Site, name: NodeJS.Signals) => site.app?.child.kill(name);

  function freeze(site: Site): void {
    if (site.app === null) return;
    paused.add(site);
    signal(site, 'SIGSTOP');
  }

  function thaw(site: Site): void {
    paused.delete(site);
    signal(site, 'SIGCONT');
  }

  async function end(site: Site, name: NodeJS.Signals): Promise<void> {
    const { app } = site;
    if (app !== null && app.child.exitCode !== null) throw new Error(`${site.name} ended by itself:\n${app.output()}`);
    if (name !== 'SIGKILL') thaw(site);
    paused.delete(site);
    await site.stop(name);
  }

  async function restart(site: Site, forMs: number | null): Promise<void> {
    if (forMs === null) return;
    await pause(forMs);
    if (site.app === null) await site.start();
  }

  async function process(site: Site, { kind, forMs }: Fault): Promise<void> {
    if (kind === 'pause') {
      freeze(site);
      if (forMs === null) return;
      await pause(forMs);
      return thaw(site);
    }
    await end(site, kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
    await restart(site, forMs);
  }

  async function network({ proxy }: Site, fault: Fault): Promise<void> {
    if (fault.kind === 'torn') return proxy.cutAfter(fault.bytes);
    if (fault.kind === 'cut') proxy.cut();
    else if (fault.kind === 'slow') proxy.delay(150);
    else if (fault.kind === 'late') proxy.hold('to-server');
    else proxy.swallow(fault.kind === 'deaf' ? 'to-client' : 'to-server');
    if (fault.forMs === null) return;
    await pause(fault.forMs);
    proxy.heal();
  }

  async function killServer(forMs: number | null): Promise<void> {
    if (!state.running) return;
    state.running = false;
    await server.kill();
    if (forMs === null) return;
    await pause(forMs);
    await startServer();
  }

  async function startServer(): Promise<void> {
    if (state.running) return;
    await server.start();
    state.running = true;
  }

  /** As a snapshot of its disk: nothing is written meanwhile. */
  async function copyData(site: Site, to: string): Promise<void> {
    const wasPaused = paused.has(site);
    freeze(site);
    await cp(site.data, to, { recursive: true });
    if (!wasPaused) thaw(site);
  }

  const witnessOf = (data: string) => witnessPath(data, { XDG_STATE_HOME: join(home, 'state') });

  async function restore(site: Site, fault: Fault & { readonly kind: 'backup' }): Promise<void> {
    if (site.app === null) return;
    const fromMs = performance.now();
    const backup = join(home, `${site.name}-backup`);
    const [witness, kept] = [witnessOf(site.data), `${witnessOf(site.data)}.kept`];
    await copyData(site, backup);
    await cp(witness, kept);
    await pause(fault.forMs);
    // With its witness it is the snapshot of a whole machine: what has left that machine since must prove it.
    const known = fault.witness === 'restored' && !(await isBeyond(options, await readFile(kept, 'utf8')));
    await end(site, 'SIGKILL');
    book.lost.push({ site: site.name, fromMs, untilMs: performance.now() });
    await rm(site.data, { recursive: true });
    await cp(backup, site.data, { recursive: true });
    if (fault.witness === 'missing') await rm(witness);
    if (fault.witness === 'restored' && !known) await cp(kept, witness);
    say(`${site.name} set back; its witness ${known ? 'stays, because nothing had left it' : fault.witness}`);
    await site.start();
  }

  async function startCopy(site: Site, { witness }: Fault & { readonly kind: 'copy' }): Promise<void> {
    if (site.app === null) return;
    const data = join(home, `${site.name}-copy`);
    await copyData(site, data);
    const text = await readFile(witnessOf(site.data), 'utf8');
    if (witness === 'copied' && (await isBeyond(options, text))) {
      await cp(witnessOf(site.data), witnessOf(data));
      say(`${site.name} copied with its witness`);
    }
    const copy = await openSite(site.name, { server, home, directory, schema, data });
    copies.push(copy);
    await copy.start();
  }

  function places(): Place[] {
    const names = copies.map((copy) => ({ name: `${copy.name} copy`, url: copy.app?.url ?? null }));
    return [...sites.map(({ name, app }) => ({ name, url: app?.url ?? null })), ...names];
  }

  async function begin(fault: Fault): Promise<void> {
    await pause(fault.atMs);
    const site = sites[fault.site] as Site;
    if (fault.kind === 'postgres') return inTurn(server, () => killServer(fault.forMs));
    if (fault.kind === 'backup') return inTurn(site, () => restore(site, fault));
    if (fault.kind === 'copy') return inTurn(site, () => startCopy(site, fault));
    if (fault.kind === 'kill' || fault.kind === 'stop' || fault.kind === 'pause') return inTurn(site, () => process(site, fault));
    return network(site, fault);
  }

  async function ready(site: Site): Promise<void> {
    thaw(site);
    if (site.app === null) await site.start();
    const { status, body } = await site.admin('/health');
    if (status === 200) return;
    say(`${site.name} is started again: ${String(body.refused)}`);
    await end(site, 'SIGKILL');
    await site.start();
  }

  return {
    places,
    copies,
    carryOut: begin,
    async heal() {
      for (const { proxy } of [...sites, ...copies]) proxy.heal();
      await startServer();
      await Promise.all(sites.map(ready));
    },
  };
}

/** True once the backbone shows something of this incarnation that comes after what its witness says; false: not for two seconds. */
async function isBeyond({ sql, schema }: StageOptions, witness: string): Promise<boolean> {
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
