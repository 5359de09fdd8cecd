/**
 * Hono with the state in PostgreSQL: every spin asks the database, one prepared statement each, over a pool of connections. What does not fit
 * (nothing left, a user twice) changes nothing, because each statement is a transaction. POSTGRES_URL names the server; its first process has
 * made the tables (`tablesSql`).
 */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import postgres from 'postgres';
import { ready, type Spin, stock } from './answer.ts';

const tablesSql = `
create table if not exists stock (name text primary key, left_over bigint not null);
create table if not exists users (name text primary key);
create table if not exists signs (name text primary key, sign text not null);
insert into stock values ('vouchers', ${stock}), ('tickets', ${stock}) on conflict do nothing;
`;

const uniqueViolation = '23505';

const sql = postgres(process.env.POSTGRES_URL ?? '', {
  max: Number(process.env.POSTGRES_POOL),
  fetch_types: false,
  onnotice: () => {},
});
await sql.begin((once) => [once`select pg_advisory_xact_lock(1)`, once.unsafe(tablesSql).simple()]);

type Left = { readonly left_over: string }[];

const take = (): Promise<Left> =>
  sql<Left>`update stock set left_over = left_over - 1 where name = 'vouchers' and left_over > 0 returning left_over`;

/** A user that is there already makes the statement fail, and so takes nothing. */
const takeOnce = (user: string): Promise<Left> => sql<Left>`
  with taken as (
    update stock set left_over = left_over - 1 where name = 'tickets' and left_over > 0 returning left_over
  ), claimed as (
    insert into users select ${user} from taken
  ) select left_over from taken`;

const answer = (user: string, [taken]: Left) => ({ won: taken !== undefined, user, left: Number(taken?.left_over ?? 0) });

const app = new Hono();
app.post('/spin', async (context) => {
  const { user } = await context.req.json<Spin>();
  return context.json(answer(user, await take()));
});
app.post('/spin-once', async (context) => {
  const { user } = await context.req.json<Spin>();
  try {
    return context.json(answer(user, await takeOnce(user)));
  } catch (error) {
    if ((error as { code?: string }).code !== uniqueViolation) throw error;
    return context.json({ won: true, user, left: 0 });
  }
});
app.post('/sign', async (context) => {
  const { user } = await context.req.json<Spin>();
  await sql`insert into signs values (${user}, ${user}) on conflict (name) do update set sign = excluded.sign`;
  return context.json({ won: true, user, left: 0 });
});
app.get('/signed/:user', async (context) => {
  const found = await sql`select sign from signs where name = ${context.req.param('user')}`;
  return context.json({ signed: found.length > 0 });
});
app.get('/left', async (context) => {
  const rows = await sql<{ name: string; left_over: string }[]>`select name, left_over from stock`;
  return context.json(Object.fromEntries(rows.map(({ name, left_over }) => [name, Number(left_over)])));
});

serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => ready(port));
