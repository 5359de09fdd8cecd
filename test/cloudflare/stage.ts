/** An app in workerd, as on Cloudflare: its Worker, a region's object each, and the hub, over real storage on this machine. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { loadApp } from '../../src/app.ts';
import { buildApp } from '../../src/built/build.ts';
import type { Usage } from '../../src/cloudflare/driver.ts';
import { readDocuments } from '../../src/node/directory.ts';
import type { ReplicaStatus } from '../../src/replica/replica.ts';

Object.assign(process.env, {
  WRANGLER_SEND_METRICS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_HIDE_BANNER: 'true',
});

export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  // biome-ignore lint/suspicious/noExplicitAny: what an app answers is what the tests are about.
  readonly body: any;
}

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RegionUsage extends Usage {
  readonly status: ReplicaStatus | null;
}

export interface Edge {
  readonly regions: readonly string[];
  readonly miniflare: Miniflare;
  /** Asks from where that region is the nearest. */
  ask(request: Ask, region?: string): Promise<Answer>;
  usage(): Promise<{ readonly hub: Usage; readonly regions: Readonly<Record<string, RegionUsage>> }>;
  /** From now on that region gets answers from the hub so many times one after the other, and then none. */
  allowTrips(region: string, allowed: number): Promise<void>;
  /** Nothing gets from regions to the hub, or from it to them. */
  cut(isCut: boolean): Promise<void>;
  /** Ends workerd and starts it again over the same storage. */
  restart(): Promise<void>;
  /** The same, as a power cut would. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export interface EdgeOptions {
  /** A directory with documents, or the documents. */
  readonly app: string | Readonly<Record<string, string>>;
  readonly regions?: readonly string[];
  /** Regions that run another deploy, and its documents. */
  readonly deploys?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly port?: number;
}

/** Where each hint is the nearest. */
const whereabouts: Readonly<Record<string, object>> = {
  wnam: { continent: 'NA', latitude: '37.8', longitude: '-122.4' },
  enam: { continent: 'NA', latitude: '40.7', longitude: '-74.0' },
  sam: { continent: 'SA', latitude: '-23.5', longitude: '-46.6' },
  weur: { continent: 'EU', latitude: '51.5', longitude: '-0.1' },
  eeur: { continent: 'EU', latitude: '52.2', longitude: '21.0' },
  apac: { continent: 'AS', latitude: '10.8', longitude: '106.6' },
  oc: { continent: 'OC', latitude: '-33.9', longitude: '151.2' },
  afr: { continent: 'AF', latitude: '-1.3', longitude: '36.8' },
  me: { continent: 'AS', latitude: '25.2', longitude: '55.3' },
};

/** The entry of a user, and beside it what only a test asks for. */
const entry = (source: string, built: string, deploys: string): string => `
import { loadBuilt } from '${source}/built/whole.ts';
import { admin, hub, region, worker } from '${source}/cloudflare/index.ts';
import { objectHeader } from '${source}/cloudflare/wire.ts';
const app = loadBuilt(${built});
const deploys = Object.fromEntries(Object.entries(${deploys}).map(([name, one]) => [name, region(loadBuilt(one), { admin })]));
const entrance = worker(app);
let isCut = false;
const cuttable = (namespace) => ({
  idFromName: (name) => namespace.idFromName(name),
  get: (id, options) => {
    const stub = namespace.get(id, options);
    return { fetch: (request) => (isCut ? Promise.reject(new Error('cut')) : stub.fetch(request)) };
  },
});
let trips = { region: null, allowed: 0, depth: 0 };
const counted = (namespace) => ({
  idFromName: (name) => namespace.idFromName(name),
  get(id, options) {
    const stub = namespace.get(id, options);
    return {
      async fetch(request) {
        const mine = trips;
        const from = (await request.clone().json())?.from;
        if (from !== mine.region) return stub.fetch(request);
        const depth = mine.depth + 1;
        if (depth > mine.allowed) return new Promise(() => {});
        const answer = await stub.fetch(request);
        mine.depth = Math.max(mine.depth, depth);
        return answer;
      },
    };
  },
});
export const Region = class extends region(app, { admin }) {
  constructor(state, env) {
    const cut = { ...env, HUB: cuttable(counted(env.HUB)) };
    super(state, cut);
    const Other = deploys[state.id.name];
    if (Other !== undefined) return new Other(state, cut);
  }
};
export const Hub = class extends hub(app) {
  constructor(state, env) { super(state, { ...env, REGION: cuttable(env.REGION) }); }
};
const asked = (stub) => stub.fetch(new Request('http://object/', { headers: { [objectHeader]: 'usage' } })).then((answer) => answer.json());
export default {
  ...entrance,
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/test/cut') { isCut = searchParams.get('cut') === 'true'; return Response.json(null); }
    if (pathname === '/test/trips') {
      trips = { region: searchParams.get('region'), allowed: Number(searchParams.get('allowed')), depth: 0 };
      return Response.json(null);
    }
    if (pathname !== '/test/usage') return entrance.fetch(request, env, context);
    const names = app.settings.regions.length === 0 ? ['main'] : app.settings.regions;
    const regions = await Promise.all(names.map((name) => asked(env.REGION.get(env.REGION.idFromName(name)))));
    const hub = await asked(env.HUB.get(env.HUB.idFromName('hub')));
    return Response.json({ hub, regions: Object.fromEntries(names.map((name, index) => [name, regions[index]])) });
  },
};`;

async function bundle({ app, regions = [], deploys = {} }: EdgeOptions): Promise<string> {
  const files = typeof app === 'string' ? await readDocuments(app) : Object.entries(app).map(([path, text]) => ({ path, text }));
  const builtWith = (documents: typeof files) =>
    buildApp(
      loadApp(
        documents.map((file) =>
          file.path === 'cffbrw.yaml' && regions.length > 0
            ? { ...file, text: `${file.text}\nregions: [${regions.join(', ')}]\n` }
            : file,
        ),
      ),
    );
  const others = Object.entries(deploys).map(([region, documents]) => {
    const texts = Object.entries(documents).map(([path, text]) => ({ path, text }));
    return [region, builtWith(texts)] as const;
  });
  const source = join(import.meta.dirname, '../../src');
  const { outputFiles } = await build({
    stdin: {
      contents: entry(source, JSON.stringify(builtWith(files)), JSON.stringify(Object.fromEntries(others))),
      resolveDir: import.meta.dirname,
      loader: 'ts',
    },
    ...{ bundle: true, write: false, format: 'esm', target: 'es2023', platform: 'neutral', mainFields: ['module', 'main'] },
    conditions: ['workerd', 'worker'],
  });
  return outputFiles[0]?.text ?? '';
}

export async function openEdge(options: EdgeOptions): Promise<Edge> {
  const { regions = [] } = options;
  const script = await bundle(options);
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'cffbrw-edge-')));
  const start = () =>
    new Miniflare({
      ...{ modules: true, script, compatibilityDate: '2026-04-01', cf: false, host: '127.0.0.1', port: options.port ?? 0 },
      durableObjects: {
        REGION: { className: 'Region', useSQLite: true },
        HUB: { className: 'Hub', useSQLite: true },
      },
      durableObjectsPersist: join(directory, 'objects'),
      bindings: { ...options.secrets },
    });
  let miniflare = start();
  await miniflare.ready;
  const fetchAt = (path: string, init: object = {}) => miniflare.dispatchFetch(`http://localhost${path}`, init as never);
  return {
    regions,
    get miniflare() {
      return miniflare;
    },
    async ask({ method = 'GET', path, body, text, headers = {} }, region = regions[0]) {
      const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
      const response = await fetchAt(path, {
        method,
        headers: { ...(sent !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(sent !== undefined && { body: sent }),
        ...(region !== undefined && { cf: whereabouts[region] }),
      });
      const got = await response.text();
      return { status: response.status, headers: response.headers, body: parsed(got) };
    },
    usage: async () => (await (await fetchAt('/test/usage')).json()) as never,
    async allowTrips(region, allowed) {
      await fetchAt(`/test/trips?region=${region}&allowed=${allowed}`);
    },
    async cut(isCut) {
      await fetchAt(`/test/cut?cut=${isCut}`);
    },
    async restart() {
      await miniflare.dispose();
      miniflare = start();
      await miniflare.ready;
    },
    async kill() {
      for (const pid of await childrenNamed('workerd')) process.kill(pid, 'SIGKILL');
      await miniflare.dispose().catch(() => {});
      miniflare = start();
      await miniflare.ready;
    },
    async close() {
      await miniflare.dispose();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Processes that this one started. */
async function childrenNamed(name: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    const stat = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '') : '';
    const [, pid, command, parent] = /^(\d+) \((.*)\) \S (\d+)/.exec(stat) ?? [];
    if (command === name && Number(parent) === process.pid) found.push(Number(pid));
  }
  return found;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
