/** Benches for the backbone's contract: each has a schema of its own on one server, and a proxy for each replica. */
import type postgres from 'postgres';
import type { Backbone } from '../../src/backbone/index.ts';
import { openPostgresBackbone } from '../../src/node/backbone.ts';
import { schemaSql } from '../../src/node/backbone-schema.ts';
import { parseBackboneUrl } from '../../src/node/backbone-url.ts';
import { nodeHost } from '../../src/node/host.ts';
import type { BackboneBench } from '../../src/testing/index.ts';
import type { TestServer } from './backbone-postgres.ts';
import { startProxy, type TestProxy } from './backbone-proxy.ts';

let schemas = 0;

export const newSchema = (): string => `bench_${++schemas}`;

export async function openBench(server: TestServer, sql: postgres.Sql, options = ''): Promise<BackboneBench> {
  const schema = newSchema();
  const proxies = new Map<string, Promise<TestProxy>>();
  const opened: Backbone[] = [];
  const through = (port: number) => {
    const url = server.url(`?schema=${schema}&timeout=0.5${options}`).replace(`:${server.port}/`, `:${port}/`);
    return parseBackboneUrl(url, {});
  };
  const proxyOf = (name: string): Promise<TestProxy> => {
    const proxy = proxies.get(name) ?? startProxy({ host: '127.0.0.1', port: server.port });
    proxies.set(name, proxy);
    return proxy;
  };
  const open = async (name: string): Promise<Backbone> => {
    const backbone = await openPostgresBackbone({ target: through((await proxyOf(name)).port) });
    opened.push(backbone);
    return backbone;
  };
  const connected = new Map<string, Backbone>();
  return {
    host: nodeHost,
    connect(name) {
      const backbone = connected.get(name) ?? deferred(open(name));
      connected.set(name, backbone);
      return backbone;
    },
    cut: (name) => void proxyOf(name).then((proxy) => proxy.cut()),
    heal() {
      for (const proxy of proxies.values()) void proxy.then(({ heal }) => heal());
    },
    restart: () => endSessions(sql, schema),
    backup: () => copyTables(sql, schema),
    async empty() {
      await undisturbed(() => sql.unsafe(`drop schema ${schema} cascade`));
    },
    async close() {
      await Promise.all(opened.map((backbone) => backbone.close()));
      await Promise.all([...proxies.values()].map(async (proxy) => (await proxy).close()));
    },
  };
}

/** Ends all sessions but the one that asks. */
export async function endSessions(sql: postgres.Sql, schema: string): Promise<void> {
  await sql.unsafe(`select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where pid <> pg_backend_pid() and application_name = 'cffbrw' and query like '%${schema}%'`);
}

/** As a dump would be taken and put back: the same content in other tables. */
async function copyTables(sql: postgres.Sql, schema: string): Promise<() => Promise<void>> {
  const tables = ['backbone', 'boots', 'rows', 'forgotten', 'registers'];
  for (const table of tables) await sql.unsafe(`create table ${schema}_${table} as table ${schema}.${table}`);
  const put = tables.map((table) => `insert into ${schema}.${table} overriding system value table ${schema}_${table}`);
  const places = `select setval('${schema}.places', coalesce((select max(place) from ${schema}.rows), 1))`;
  const anew = [`drop schema ${schema} cascade`, schemaSql(schema), `delete from ${schema}.backbone`, ...put, places].join(';\n');
  // One message is one transaction: who comes in between would find tables without content, and begin anew in them.
  return () => undisturbed(() => sql.unsafe(anew).simple());
}

/** Sessions in use hold locks on what is dropped, in their own order: the server ends one of the two, and it may be this. */
async function undisturbed(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const code = await work().then(
      () => null,
      (error: { code?: string }) => error.code,
    );
    if (code === null) return;
    if (code !== '40P01') throw new Error(`dropping a schema: ${code}`);
  }
}

/** `connect` of a bench is synchronous; what it gives opens itself first. */
function deferred(opening: Promise<Backbone>): Backbone {
  opening.catch(() => {});
  return {
    registers: {
      get: async (name) => (await opening).registers.get(name),
      compareAndSet: async (name, value, revision) => (await opening).registers.compareAndSet(name, value, revision),
    },
    identity: async () => (await opening).identity(),
    now: async () => (await opening).now(),
    latest: async (replica) => (await opening).latest(replica),
    publish: async (rows) => (await opening).publish(rows),
    forget: async (addresses) => (await opening).forget(addresses),
    subscribe(cursor, receive) {
      let closed = false;
      let close = () => {};
      const subscribed = opening.then((backbone) => {
        if (closed) return null;
        const subscription = backbone.subscribe(cursor, receive);
        close = () => subscription.close();
        return subscription;
      });
      subscribed.catch(() => {});
      return {
        caughtUp: async () => (await subscribed)?.caughtUp(),
        close() {
          closed = true;
          close();
        },
      };
    },
    close: async () => (await opening).close(),
  };
}

/** Random numbers from a seed. */
export function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
