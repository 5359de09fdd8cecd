/** Processes of `cffbrw start` on one PostgreSQL, each behind a proxy of its own. */
import { join } from 'node:path';
import { type RunningApp, runCli, startApp } from '../e2e/process.ts';
import type { TestServer } from '../node/backbone-postgres.ts';
import { startProxy, type TestProxy } from '../node/backbone-proxy.ts';

export const token = 'a-token-for-the-tests';

export interface Site {
  readonly name: string;
  readonly data: string;
  readonly proxy: TestProxy;
  readonly environment: Readonly<Record<string, string>>;
  readonly app: RunningApp | null;
  start(args?: readonly string[]): Promise<RunningApp>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** `cffbrw <args>` on this machine. */
  run(args: readonly string[]): Promise<{ code: number | null; output: string }>;
  post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  /** The admin API. */
  admin(path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }>;
  metrics(): Promise<string>;
  close(): Promise<void>;
}

export interface SiteOptions {
  readonly server: TestServer;
  readonly home: string;
  readonly directory: string;
  readonly schema: string;
  /** Where its data is; default: `<home>/<name>`. */
  readonly data?: string;
}

export async function openSite(name: string, { server, home, directory, schema, ...options }: SiteOptions): Promise<Site> {
  const proxy = await startProxy({ host: '127.0.0.1', port: server.port });
  const data = options.data ?? join(home, name);
  const backbone = server.url(`?schema=${schema}&timeout=1&connect_timeout=1`).replace(`:${server.port}/`, `:${proxy.port}/`);
  const environment = { CFFBRW_BACKBONE: backbone, CFFBRW_NAME: name, CFFBRW_TOKEN: token };
  let app: RunningApp | null = null;
  const url = () => app?.url ?? 'http://stopped';
  const answer = async (response: Response) => ({
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
  });
  const withToken = { authorization: `Bearer ${token}` };
  return {
    ...{ name, data, proxy, environment },
    get app() {
      return app;
    },
    async start(args = []) {
      app = await startApp(['start', directory, '--data', data, ...args], home, environment);
      return app;
    },
    async stop(signal) {
      const code = (await app?.stop(signal)) ?? null;
      app = null;
      return code;
    },
    run: (args) => runCli(args, home, environment),
    async post(path, body) {
      const headers = { 'content-type': 'application/json' };
      return answer(await fetch(url() + path, { method: 'POST', headers, body: JSON.stringify(body) }));
    },
    async admin(path, init = {}) {
      const headers = { ...withToken, 'content-type': 'application/json' };
      return answer(await fetch(`${url()}/_cffbrw${path}`, { ...init, headers }));
    },
    async metrics() {
      return (await fetch(`${url()}/_cffbrw/metrics`, { headers: withToken })).text();
    },
    async close() {
      await app?.stop('SIGKILL');
      await proxy.close();
    },
  };
}
