/** Which servers are a backbone, and what is told of those that are none. */
import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresBackbone } from '../../src/node/backbone.ts';
import { parseBackboneUrl } from '../../src/node/backbone-url.ts';
import { rowOf } from '../../src/testing/backbone-parts.ts';
import { newSchema } from './backbone-bench.ts';
import { startPostgres, type TestServer } from './backbone-postgres.ts';

let server: TestServer;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startPostgres();
  sql = server.admin();
}, 60_000);
afterAll(() => server.close());

const targetOf = (options: string, database?: string) => parseBackboneUrl(server.url(options, database), {});

test('who only looks makes nothing, and is told that no app has been there; what an app has made is found', async () => {
  const schema = newSchema();
  const look = () => openPostgresBackbone({ target: targetOf(`?schema=${schema}&timeout=2`), existing: true });
  await expect(look()).rejects.toMatchObject({
    code: 'INVALID_APP',
    message: expect.stringMatching(new RegExp(`no CFFBRW backbone in 127.0.0.1:${server.port}/postgres .schema ${schema}.`)),
    fix: expect.stringMatching(/database and the schema[\s\S]*cffbrw start/),
  });
  const [found] = await sql`select to_regnamespace(${schema}) as name`;
  expect(found?.name).toBe(null);
  await (await openPostgresBackbone({ target: targetOf(`?schema=${schema}&timeout=2`) })).close();
  const backbone = await look();
  expect(await backbone.identity()).toContain('.');
  await backbone.close();
});

test('a primary that is read-only, from the start or from now on, is out of reach, and what to do is told', async () => {
  const readOnly = {
    code: 'UNREACHABLE',
    message: expect.stringContaining('read-only'),
    fix: expect.stringContaining('alter database'),
  };
  await sql.unsafe('create database shelf');
  const set = (value: string) => sql.unsafe(`alter database shelf set default_transaction_read_only = ${value}`);
  await set('on');
  const backbone = await openPostgresBackbone({ target: targetOf('?timeout=2', 'shelf') });
  await expect(backbone.identity()).rejects.toMatchObject(readOnly);
  await set('off');
  expect(await backbone.identity()).toContain('.');
  await sql.unsafe('alter system set default_transaction_read_only = on');
  await sql.unsafe('alter database shelf reset default_transaction_read_only');
  await sql.unsafe('select pg_reload_conf()');
  // A session that is open hears of the server's settings, not of a database's.
  await expect.poll(() => backbone.publish([rowOf('x', 'a.1', 1)]).catch((error: unknown) => error)).toMatchObject(readOnly);
  await sql.unsafe('alter system reset default_transaction_read_only');
  await sql.unsafe('select pg_reload_conf()');
  await expect.poll(() => backbone.publish([rowOf('x', 'a.1', 1)]).catch((error: unknown) => error)).toBe(undefined);
  await backbone.close();
});

test('of several servers one that answers is taken', async () => {
  const schema = newSchema();
  const url = server
    .url(`?schema=${schema}&timeout=2`)
    .replace(`@127.0.0.1:${server.port}/`, `@127.0.0.1:1,127.0.0.1:${server.port}/`);
  const backbone = await openPostgresBackbone({ target: parseBackboneUrl(url, {}) });
  expect(await backbone.identity()).toContain('.');
  await backbone.close();
});

test('of several servers that can not be used each has its reason', async () => {
  await sql.unsafe('create database rack');
  await sql.unsafe('alter database rack set default_transaction_read_only = on');
  const url = server.url('?timeout=2', 'rack').replace(`@127.0.0.1:${server.port}/`, `@127.0.0.1:${server.port},127.0.0.1:1/`);
  const backbone = await openPostgresBackbone({ target: parseBackboneUrl(url, {}) });
  const message = expect.stringMatching(/is read-only; .*:1 is out of reach/);
  await expect(backbone.identity()).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message,
    fix: expect.stringContaining('primary'),
  });
  await backbone.close();
});
