import type postgres from 'postgres';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { backboneCases } from '../../src/testing/index.ts';
import { openBench } from './backbone-bench.ts';
import { startPostgres, type TestServer } from './backbone-postgres.ts';

let server: TestServer;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startPostgres();
  sql = server.admin();
}, 60_000);
afterAll(() => server.close());

describe('the contract, on PostgreSQL', () => {
  for (const { title, run } of backboneCases) test(title, () => run(() => openBench(server, sql)));
});
