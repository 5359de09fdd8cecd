import fc from 'fast-check';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Backbone } from '../../src/backbone/index.ts';
import type { Host } from '../../src/host.ts';
import { openPostgresBackbone } from '../../src/node/backbone.ts';
import { grantSql, setupSql } from '../../src/node/backbone-schema.ts';
import { parseBackboneUrl } from '../../src/node/backbone-url.ts';
import { nodeHost } from '../../src/node/host.ts';
import type { StoredRow } from '../../src/store/index.ts';
import { backboneCases } from '../../src/testing/index.ts';
import { newSchema, openBench } from './backbone-bench.ts';
import { startPostgres, type TestServer } from './backbone-postgres.ts';
import { startProxy } from './backbone-proxy.ts';

let server: TestServer;
let sql: postgres.Sql;
let other: postgres.Sql;

beforeAll(async () => {
  server = await startPostgres();
  sql = server.admin();
  other = server.admin();
}, 60_000);
afterAll(() => server.close());

const targetIn = (schema: string, options = '') => parseBackboneUrl(server.url(`?schema=${schema}&timeout=2${options}`), {});

async function withBackbones(use: (schema: string, open: (host?: Host, options?: string) => Promise<Backbone>) => Promise<void>) {
  const schema = newSchema();
  const opened: Backbone[] = [];
  try {
    await use(schema, async (host = nodeHost, options = '') => {
      const backbone = await openPostgresBackbone({ target: targetIn(schema, options), host });
      opened.push(backbone);
      return backbone;
    });
  } finally {
    await Promise.all(opened.map((backbone) => backbone.close()));
  }
}

const row = (address: string, version = 1): StoredRow => ({ address, replica: 'a.1', version, bytes: '{}' });

function collect(backbone: Backbone) {
  const seen: string[] = [];
  backbone.subscribe(null, async ({ rows }) => {
    seen.push(...rows.map(({ address }) => address));
  });
  return seen;
}

describe('the contract, on PostgreSQL', () => {
  for (const { title, run } of backboneCases) test(title, () => run(() => openBench(server, sql)));
});

describe('the feed', () => {
  const waitingForLock = async () => {
    const [row] = await other`select count(*)::integer as waiting from pg_locks where locktype = 'advisory' and not granted`;
    return row?.waiting > 0;
  };

  /** Publishes `early` in a transaction that stays open, `late` after it, and then commits. What a reader has seen in the end. */
  const overtaking = (change: (schema: string) => Promise<unknown>) => async () => {
    let result: readonly string[] = [];
    await withBackbones(async (schema, open) => {
      const [publisher, reader] = [await open(), await open()];
      await change(schema);
      const seen = collect(reader);
      await publisher.publish([row('first')]);
      await sql.unsafe('begin').simple();
      await sql.unsafe(`select ${schema}.publish('{early}', '{a.1}', '{1}', '{"{}"}')`).simple();
      const late = publisher.publish([row('late')]);
      // Without the lock the reader gets past the earlier row; with it the later publisher waits for its turn.
      await expect.poll(async () => seen.includes('late') || (await waitingForLock()), { timeout: 10_000 }).toBe(true);
      await sql.unsafe('commit').simple();
      await late;
      await publisher.publish([row('last')]);
      await seenBy(seen, 'last');
      result = [...seen];
    });
    return result;
  };

  test('skips nothing: who publishes later becomes visible later, however long the earlier one takes', async () => {
    const seen = await overtaking(async () => {})();
    expect(seen).toEqual(['first', 'early', 'late', 'last']);
  });

  test('and would skip without the lock: the test sees it', async () => {
    const unlocked = (schema: string) => {
      const start = setupSql(schema).indexOf(`create or replace function ${schema}.publish`);
      const text = setupSql(schema).slice(start, setupSql(schema).indexOf('end $$;', start) + 7);
      return sql.unsafe(text.replace(/perform pg_advisory_xact_lock[^;]*;/, '')).simple();
    };
    const seen = await overtaking(unlocked)();
    expect(seen).not.toContain('early');
  });

  test('waits for no transaction of others, in this database or in another one of the server', async () => {
    await sql.unsafe('create database elsewhere');
    const holders = [server.admin(), server.admin('elsewhere')];
    for (const holder of holders) {
      await holder.unsafe('begin').simple();
      await holder.unsafe('create temporary table kept (n integer); select txid_current()').simple();
    }
    await withBackbones(async (_, open) => {
      const [publisher, reader] = [await open(), await open()];
      const seen = collect(reader);
      for (const name of ['a', 'b', 'c']) await publisher.publish([row(name)]);
      await seenBy(seen, 'c');
      expect(seen).toEqual(['a', 'b', 'c']);
    });
    for (const holder of holders) await holder.unsafe('rollback').simple();
  });

  /** Time in which nothing is looked at again. */
  const patient: Host = { ...nodeHost, after: (delayMs, task) => nodeHost.after(delayMs >= 200 ? 3_600_000 : delayMs, task) };

  test('is woken by notifications', () =>
    withBackbones(async (_, open) => {
      const [publisher, reader] = [await open(), await open(patient)];
      const seen = collect(reader);
      await publisher.publish([row('a')]);
      await seenBy(seen, 'a');
      await publisher.publish([row('b')]);
      await seenBy(seen, 'b');
    }));

  test('asks not to be told while rows come all the time, and is woken again by the first one after that', async () => {
    const proxy = await startProxy({ host: '127.0.0.1', port: server.port });
    await withBackbones(async (schema, open) => {
      const publisher = await open();
      const target = parseBackboneUrl(server.url(`?schema=${schema}`).replace(`:${server.port}/`, `:${proxy.port}/`), {});
      const reader = await openPostgresBackbone({ target, host: patient });
      const seen = collect(reader);
      const asked = () => proxy.passed().match(/\b(un)?listen\b/g) ?? [];
      for (let version = 1; asked().length < 2; version += 1) await publisher.publish([row('steady', version)]);
      await vi.waitFor(() => expect(asked()).toEqual(['listen', 'unlisten', 'listen']), { timeout: 20_000, interval: 5 });
      await publisher.publish([row('after')]);
      await seenBy(seen, 'after');
      await reader.close();
    });
    await proxy.close();
  });

  test('looks by itself where notifications are off', () =>
    withBackbones(async (_, open) => {
      const [publisher, reader] = [await open(), await open(nodeHost, '&notify=off')];
      const seen = collect(reader);
      await publisher.publish([row('a')]);
      await seenBy(seen, 'a');
      await publisher.publish([row('b')]);
      await seenBy(seen, 'b');
    }));

  test('finds out that a pooler stands between, asks for no notifications there, and changes no setting of the connection', async () => {
    const proxy = await startProxy({ host: '127.0.0.1', port: server.port }, withOtherProcessId);
    await withBackbones(async (schema, open) => {
      const direct = await open();
      const target = parseBackboneUrl(server.url(`?schema=${schema}`).replace(`:${server.port}/`, `:${proxy.port}/`), {});
      const pooled = await openPostgresBackbone({ target });
      const seen = collect(pooled);
      await direct.publish([row('a')]);
      await seenBy(seen, 'a');
      await direct.publish([row('b')]);
      await seenBy(seen, 'b');
      expect((await pooled.registers.compareAndSet('r', 'one', null)).done).toBe(true);
      await pooled.close();
    });
    expect(proxy.passed()).not.toMatch(/listen|set_config/i);
    await proxy.close();
  });
});

test('an ordinary role with a database of its own makes the tables there, and all that is done with them', async () => {
  await sql.unsafe("create role shop login password 'of the shop'");
  await sql.unsafe('create database shop owner shop');
  const url = `postgres://shop:${encodeURIComponent('of the shop')}@127.0.0.1:${server.port}/shop`;
  const backbone = await openPostgresBackbone({ target: parseBackboneUrl(url, {}), host: nodeHost });
  try {
    const identity = await backbone.identity();
    await backbone.publish([row('x'), row('y')]);
    await backbone.registers.compareAndSet('register', 'value', null);
    await backbone.forget(['x']);
    expect([await backbone.latest('a.1'), (await backbone.since('a.1', 0)).map(({ address }) => address)]).toEqual([1, ['y']]);
    expect(await backbone.identity()).toBe(identity);
  } finally {
    await backbone.close();
  }
});

test('a role of any name is granted what a location needs', async () => {
  const [schema, role] = [newSchema(), 'Till 7 "left"'];
  await sql.unsafe(`create role "Till 7 ""left""" login password 'of the till'`);
  await sql.unsafe(setupSql(schema) + grantSql(schema, role));
  const url = `postgres://${encodeURIComponent(role)}:of%20the%20till@127.0.0.1:${server.port}/postgres?schema=${schema}`;
  const backbone = await openPostgresBackbone({ target: parseBackboneUrl(url, {}), host: nodeHost });
  await backbone.publish([row('x')]);
  expect(await backbone.latest('a.1')).toBe(1);
  await backbone.close();
});

test('a schema whose name is a word of SQL is refused at the start', async () => {
  const fix = expect.stringContaining('schema');
  const asked = openPostgresBackbone({ target: targetIn('user'), host: nodeHost });
  await expect(asked.then((backbone) => backbone.identity())).rejects.toMatchObject({ code: 'INVALID_APP', fix });
});

describe('compare-and-sets of several registers in one request', () => {
  /** Two that hold what the other one wants, when each takes them in its own order. What they were told. */
  const crossing = (change: (text: string) => string) => async () => {
    let told: readonly PromiseSettledResult<unknown>[] = [];
    await withBackbones(async (schema, open) => {
      await open();
      const from = setupSql(schema).indexOf(`create or replace function ${schema}.swap`);
      const text = setupSql(schema).slice(from, setupSql(schema).indexOf('end $$;', from) + 7);
      // Each waits for a while with its first register in its hands.
      const slow = text.replace(/\n( *)return next;/, '\n$1perform pg_sleep(0.2);\n$1return next;');
      await sql.unsafe(change(slow)).simple();
      const swap = (by: postgres.Sql, names: string) =>
        by.unsafe(`select * from ${schema}.swap('{${names}}', '{1,1}', '{${names}}', '{NULL,NULL}', '{NULL,NULL}')`).simple();
      told = await Promise.allSettled([swap(sql, 'a,b'), swap(other, 'b,a')]);
    });
    return told.map(({ status }) => status);
  };

  test('never wait for each other, whatever order they were asked in', async () => {
    expect(await crossing((text) => text)()).toEqual(['fulfilled', 'fulfilled']);
  });

  test('and would without their order: the test sees it', async () => {
    expect(await crossing((text) => text.replace(/order by each.name collate "C", each.place/, ''))()).toContain('rejected');
  });
});

describe('rows', () => {
  test('of one version are ordered as JavaScript orders text', async () => {
    const schema = newSchema();
    await sql.unsafe(setupSql(schema)).simple();
    const unit = fc.oneof(fc.constantFrom('a', '~', '\u007f', 'é', '\ud7ff', '\ue000', '\uffff', '𐀀', '🎡', '\u{10fffe}'));
    const text = fc.array(unit, { maxLength: 4 }).map((units) => units.join(''));
    const pairs = fc.sample(fc.tuple(text, text), { numRuns: 300, seed: 7 });
    const compared = await sql`select a, b, (${sql(schema)}.units(a) collate "C" > ${sql(schema)}.units(b) collate "C") as larger
      from json_to_recordset(${JSON.stringify(pairs.map(([a, b]) => ({ a, b })))}::text::json) as pair (a text, b text)`;
    for (const { a, b, larger } of compared) expect([a, b, larger]).toEqual([a, b, a > b]);
    expect(compared).toHaveLength(pairs.length);
  });
});

const seenBy = (seen: readonly string[], address: string) =>
  expect.poll(() => seen, { timeout: 10_000, interval: 5 }).toContain(address);

/** What a pooler does: the key that it gives out is its own. */
function withOtherProcessId(chunk: Buffer): Buffer {
  const at = chunk.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
  if (at >= 0) chunk.writeUInt32BE(chunk.readUInt32BE(at + 5) + 1, at + 5);
  return chunk;
}
