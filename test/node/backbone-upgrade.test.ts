/** Tables that an older version has made, in backbone-schema-first.sql: the first start of this version adds what is missing. */
import { readFile } from 'node:fs/promises';
import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresBackbone } from '../../src/node/backbone.ts';
import { schemaSql } from '../../src/node/backbone-schema.ts';
import { parseBackboneUrl } from '../../src/node/backbone-url.ts';
import { rowOf } from '../../src/testing/backbone-parts.ts';
import { startPostgres, type TestServer } from './backbone-postgres.ts';

let server: TestServer;
let sql: postgres.Sql;
let first: string;

beforeAll(async () => {
  server = await startPostgres();
  sql = server.admin();
  first = await readFile(new URL('./backbone-schema-first.sql', import.meta.url), 'utf8');
}, 60_000);
afterAll(() => server.close());

/** What replicas of that version ask. */
function older(schema: string) {
  const one = async (text: string) => (await sql.unsafe(text))[0];
  return {
    enter: (seen: postgres.Row | null = null) => {
      const given = seen === null ? 'null, null, null, null' : `'${seen.identity}', '${seen.boot}', ${seen.log}, ${seen.place}`;
      return one(`select * from ${schema}.enter(${given})`);
    },
    publish: (address: string, version: number) =>
      one(`select ${schema}.publish('{${address}}', '{a.1}', '{${version}}', '{"{}"}')`),
    swap: (name: string, identity: string) =>
      one(`select * from ${schema}.swap('${name}', 'value', 'token', null, '${identity}')`),
    rows: async () => (await sql.unsafe(`select address from ${schema}.rows order by place`)).map(({ address }) => address),
  };
}

/** A database of that version, with two rows and a register. */
async function old(schema: string) {
  await sql.unsafe(first.replaceAll('old_app', schema)).simple();
  const before = older(schema);
  const identity = String((await before.enter())?.identity);
  await before.publish('x', 1);
  await before.publish('old', 2);
  await before.swap('r', identity);
  return { ...before, identity };
}

const open = (schema: string) => openPostgresBackbone({ target: parseBackboneUrl(server.url(`?schema=${schema}`), {}) });

test('a start finds all that was there under the same identity, and can forget', async () => {
  const before = await old('first_start');
  const backbone = await open('first_start');
  expect([await backbone.identity(), (await backbone.registers.get('r')).value]).toEqual([before.identity, 'value']);
  await backbone.forget(['old']);
  expect([await backbone.identity(), await backbone.latest('a.1'), await before.rows()]).toEqual([before.identity, 2, ['x']]);
  await backbone.close();
});

test('older versions go on beside it, and take what it forgot for no loss', async () => {
  const before = await old('beside');
  const seen = await before.enter();
  const backbone = await open('beside');
  await backbone.forget(['old']);
  expect(await before.enter(seen)).toMatchObject({ identity: before.identity, format: seen?.format, place: seen?.place });
  await before.publish('y', 3);
  expect(await before.swap('s', before.identity)).toMatchObject({ done: true });
  expect([await before.rows(), (await backbone.registers.get('s')).value]).toEqual([['x', 'y'], 'value']);
  const later = await before.enter(seen);
  await backbone.forget(['y']);
  expect(await before.enter(later)).toMatchObject({ identity: before.identity, place: later?.place });
  const after = await backbone.registers.compareAndSet('t', 'new', null);
  expect(await before.swap('t', before.identity)).toMatchObject({ done: false, value: 'new', identity: after.register.identity });
  await backbone.close();
});

test('what backbone sql prints does the same, and once more does nothing', async () => {
  const before = await old('by_hand');
  for (let time = 0; time < 2; time += 1) await sql.unsafe(schemaSql('by_hand')).simple();
  const backbone = await open('by_hand');
  await backbone.publish([rowOf('z', 'a.1', 5)]);
  await backbone.forget(['z', 'old']);
  await sql.unsafe(schemaSql('by_hand')).simple();
  expect([await backbone.identity(), await backbone.latest('a.1'), await before.rows()]).toEqual([before.identity, 5, ['x']]);
  await backbone.close();
});

test('rows, or the numbers of forgotten ones, that somebody deletes are a loss all the same', async () => {
  const before = await old('by_somebody');
  const backbone = await open('by_somebody');
  await backbone.forget(['old']);
  await backbone.close();
  let { identity } = before;
  for (const loss of ['delete from by_somebody.rows', 'delete from by_somebody.forgotten', 'truncate by_somebody.forgotten']) {
    await sql.unsafe(loss);
    const [next] = await sql`select by_somebody.identity()`;
    expect(next?.identity, loss).not.toBe(identity);
    identity = next?.identity;
  }
});
