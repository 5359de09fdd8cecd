/** Several sites of one app, started and closed together, and what many users are told there. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeHost } from '../../src/node/host.ts';
import { type Answer, type Call, createClient } from '../e2e/load.ts';
import { inTemporary } from '../e2e/process.ts';
import { newSchema } from '../node/backbone-bench.ts';
import type { TestServer } from '../node/backbone-postgres.ts';
import { openSite, type Site } from './cluster.ts';

const ledger = join(import.meta.dirname, '../e2e/apps/ledger');

/** How many times the default size (docs/testing.md). */
export const runs = Number(process.env.CFFBRW_RUNS ?? 1);

/** A copy of the app with so many units. */
async function copyWith(home: string, units: number, app = ledger): Promise<string> {
  const directory = join(home, 'app');
  await cp(app, directory, { recursive: true });
  const file = join(directory, 'cffbrw.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/initial: \d+/, `initial: ${units}`));
  return directory;
}

export interface Stage {
  readonly home: string;
  readonly directory: string;
  readonly sites: readonly Site[];
}

export interface StageOptions {
  readonly server: TestServer;
  readonly names: readonly string[];
  readonly units: number;
  /** Of `cffbrw start`. */
  readonly args?: readonly string[] | ((site: Site) => readonly string[]);
  /** Default: the ledger. */
  readonly app?: string;
}

/** The app at these sites, all of which have been started. */
export const withSites = (options: StageOptions, use: (stage: Stage) => Promise<void>): Promise<void> =>
  inTemporary(async (home) => {
    const { server, names, units, args = [] } = options;
    const schema = newSchema();
    const directory = await copyWith(home, units, options.app);
    const sites = await Promise.all(names.map((name) => openSite(name, { server, home, directory, schema })));
    try {
      await Promise.all(sites.map((site) => site.start(typeof args === 'function' ? args(site) : args)));
      await use({ home, directory, sites });
    } finally {
      await Promise.all(sites.map((site) => site.close()));
    }
  });

export interface TimedAnswer extends Answer {
  readonly beganMs: number;
  readonly endedMs: number;
}

/** A client that says when it asked, and when it was told. */
export function timedClient(url: string, connections: number) {
  const { post, close } = createClient(url, connections);
  return {
    close,
    async post(call: Call): Promise<TimedAnswer> {
      const beganMs = performance.now();
      const answer = await post(call);
      return { ...answer, beganMs, endedMs: performance.now() };
    },
  };
}

/** So many of a hundred are at most this. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}

export const pause = (delayMs: number): Promise<void> => new Promise((resolve) => void nodeHost.after(delayMs, resolve));
