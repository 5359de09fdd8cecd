/**
 * What the backbone keeps in PostgreSQL: its tables and functions, as text. Everything that must be atomic is one function, so that it is one
 * round trip, needs no session, and works through a transaction pooler.
 *
 * Invariants:
 *   G1  The numbers in `rows.place` become visible in their order: a publisher holds the lock from before it draws them until they are
 *       visible. So whoever reads on from the highest that it saw skips nothing, whatever transactions are open anywhere.
 *   G2  The identity changes with everything that takes something away: another server, timeline, database or table; a truncated table or
 *       deleted rows (triggers); and a server that shows less than somebody saw (`enter`).
 *   G3  Nothing is compared, written or read as a register on a server that was started anew before somebody who knows what was there
 *       has looked: until then the identity is null.
 *   G4  What is forgotten (`forget`) is no loss: its numbers stay, the versions for `latest` and the places for `enter`.
 *
 * On G2: a server that was set back to an older copy of its files keeps its identifiers, but not its log. Each start of the server is noted with
 * where its log stood when it began; whoever saw the log of an earlier start beyond that, or a start that is not noted, saw what is lost. It
 * shows at any later time, too.
 *
 * Whoever starts makes what is missing here. It only ever adds to what older versions know, so that they go on beside.
 */

export const schemaFormat = 1;

/** The lock under which the schema is made: one for all schemas of a database. */
const setupLock = 5_247_023_441;

export const schemaSql = (schema: string): string => tablesSql(schema) + functionsSql(schema);

/** As one message it is one transaction. */
export const setupSql = (schema: string): string => `select pg_advisory_xact_lock(${setupLock});\n${schemaSql(schema)}`;

/** What a role needs that did not make the schema. */
export const grantSql = (schema: string, role: string): string => {
  const name = `"${role.replaceAll('"', '""')}"`;
  return `
grant usage on schema ${schema} to ${name};
grant select, insert, update, delete on all tables in schema ${schema} to ${name};
grant usage, select on all sequences in schema ${schema} to ${name};
grant execute on all functions in schema ${schema} to ${name};
`;
};

const tablesSql = (schema: string): string => `
create schema if not exists ${schema};

create table if not exists ${schema}.backbone (
  one boolean primary key default true check (one),
  format integer not null,
  generation text not null default replace(gen_random_uuid()::text, '-', '')
);
insert into ${schema}.backbone (format) values (${schemaFormat}) on conflict do nothing;

-- Each start of the server, and where its log stood then.
create table if not exists ${schema}.boots (
  number integer generated always as identity primary key,
  started timestamptz not null unique,
  boot text not null unique default replace(gen_random_uuid()::text, '-', ''),
  server text not null,
  log bigint not null
);

-- The latest row per address and replica.
create sequence if not exists ${schema}.places;
create table if not exists ${schema}.rows (
  replica text collate "C" not null,
  address text collate "C" not null,
  version bigint not null,
  bytes text collate "C" not null,
  place bigint not null,
  primary key (replica, address)
);
create unique index if not exists rows_by_place on ${schema}.rows (place);
create index if not exists rows_by_version on ${schema}.rows (replica, version);

-- The highest numbers among the rows of a replica that were forgotten.
create table if not exists ${schema}.forgotten (
  replica text collate "C" primary key,
  version bigint not null,
  place bigint not null
);

create table if not exists ${schema}.registers (
  name text collate "C" primary key,
  value text not null,
  token text not null
);
`;

const functionsSql = (schema: string): string =>
  [identitySql, enterSql, lostSql, publishSql, forgetSql, lookSql, swapSql].map((part) => part(schema)).join('\n');

const identitySql = (schema: string): string => `
-- null: nobody has entered since the server was started.
create or replace function ${schema}.identity() returns text language sql stable as $$
  select concat_ws('.', boots.server, (select oid from pg_database where datname = current_database()),
    '${schema}.rows'::regclass::oid, '${schema}.registers'::regclass::oid, backbone.generation)
  from ${schema}.boots, ${schema}.backbone where boots.started = pg_postmaster_start_time()
$$;

-- Where the log is durable. null: this server does not say.
create or replace function ${schema}.log_end() returns bigint language plpgsql as $$
begin
  return pg_current_wal_flush_lsn() - '0/0'::pg_lsn;
exception when others then
  return null;
end $$;

-- Where the log stood when the server began: at its last checkpoint at the latest.
create or replace function ${schema}.log_begin() returns bigint language plpgsql as $$
begin
  return (select checkpoint_lsn from pg_control_checkpoint()) - '0/0'::pg_lsn;
exception when others then
  return coalesce(${schema}.log_end(), 0);
end $$;

create or replace function ${schema}.server() returns text language plpgsql as $$
declare
  system text := '0';
  timeline text := '0';
begin
  begin
    select system_identifier into system from pg_control_system();
  exception when others then null;
  end;
  begin
    timeline := ltrim(substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), '0');
  exception when others then null;
  end;
  return concat_ws('.', system, timeline);
end $$;
`;

const enterSql = (schema: string): string => `
create or replace function ${schema}.last_place() returns bigint language sql stable as $$
  select greatest(0, (select max(rows.place) from ${schema}.rows), (select max(forgotten.place) from ${schema}.forgotten))
$$;

-- Compares what somebody saw with what is there, and changes the identity where that is less.
create or replace function ${schema}.enter(seen_identity text, seen_boot text, seen_log bigint, seen_place bigint)
returns table (identity text, boot text, log bigint, place bigint, format integer) language plpgsql as $$
#variable_conflict use_column
begin
  insert into ${schema}.backbone (format) values (${schemaFormat}) on conflict do nothing;
  if ${schema}.identity() is null then
    insert into ${schema}.boots (started, server, log)
    values (pg_postmaster_start_time(), ${schema}.server(), ${schema}.log_begin()) on conflict do nothing;
  end if;
  if seen_identity = ${schema}.identity() and (
    coalesce(${schema}.log_end() < seen_log, false)
    or ${schema}.last_place() < seen_place
    or (seen_boot is not null and not exists (select from ${schema}.boots where boots.boot = seen_boot))
    or exists (
      select from ${schema}.boots mine join ${schema}.boots later on later.number > mine.number
      where mine.boot = seen_boot and later.log < seen_log
    )
  ) then
    -- Whoever notices the same at the same time finds it changed.
    update ${schema}.backbone set generation = replace(gen_random_uuid()::text, '-', '')
    where generation = substring(seen_identity from '[^.]*$');
  end if;
  return query select ${schema}.identity(), boots.boot, ${schema}.log_end(),
    ${schema}.last_place(), (select backbone.format from ${schema}.backbone)
  from ${schema}.boots where boots.started = pg_postmaster_start_time();
end $$;
`;

const lostSql = (schema: string): string => `
create or replace function ${schema}.lost() returns trigger language plpgsql as $$
begin
  if coalesce(current_setting('cffbrw.forgets', true), '') <> 'on' then
    update ${schema}.backbone set generation = replace(gen_random_uuid()::text, '-', '');
  end if;
  return null;
end $$;
create or replace trigger lost_rows after truncate on ${schema}.rows execute function ${schema}.lost();
create or replace trigger lost_registers after truncate on ${schema}.registers execute function ${schema}.lost();
create or replace trigger lost_some_rows after delete on ${schema}.rows execute function ${schema}.lost();
create or replace trigger lost_numbers after truncate on ${schema}.forgotten execute function ${schema}.lost();
create or replace trigger lost_some_numbers after delete on ${schema}.forgotten execute function ${schema}.lost();
`;

const publishSql = (schema: string): string => `
-- Text in the order in which JavaScript compares it: by UTF-16, where what needs two units comes before the end of the first plane.
create or replace function ${schema}.units(bytes text) returns text language sql immutable as $$
  select regexp_replace(bytes, '([\\uE000-\\uFFFF])', U&'\\+10FFFF' || '\\1', 'g')
$$;

-- At most one row per address and replica in one call.
create or replace function ${schema}.publish(addresses text[], replicas text[], versions bigint[], contents text[])
returns void language plpgsql set lock_timeout = '5s' as $$
begin
  perform pg_advisory_xact_lock('${schema}.rows'::regclass::oid::integer, 5247023);
  insert into ${schema}.rows as kept (address, replica, version, bytes, place)
  select given.address, given.replica, given.version, given.bytes, nextval('${schema}.places')
  from unnest(addresses, replicas, versions, contents) as given (address, replica, version, bytes)
  on conflict (replica, address) do update
  set version = excluded.version, bytes = excluded.bytes, place = excluded.place
  where excluded.version > kept.version or (excluded.version = kept.version and excluded.bytes <> kept.bytes
    and ${schema}.units(excluded.bytes) collate "C" > ${schema}.units(kept.bytes) collate "C");
  if found then
    perform pg_notify('${schema}', '');
  end if;
end $$;
`;

const forgetSql = (schema: string): string => `
-- Each replica's rows of these addresses, by the key of the table: there are few replicas, and an index by address would be one more write in
-- each publish.
create or replace function ${schema}.forget(addresses text[])
returns void language plpgsql set lock_timeout = '5s' as $$
begin
  -- Not as a part of the function: only a superuser may make one that sets what the server does not know.
  perform set_config('cffbrw.forgets', 'on', true);
  perform pg_advisory_xact_lock('${schema}.rows'::regclass::oid::integer, 5247023);
  with recursive replicas (replica) as (
    (select rows.replica from ${schema}.rows order by rows.replica limit 1)
    union all
    select (select rows.replica from ${schema}.rows where rows.replica > replicas.replica order by rows.replica limit 1)
    from replicas where replicas.replica is not null
  ), gone as (
    delete from ${schema}.rows using replicas, unnest(addresses) as given (address)
    where rows.replica = replicas.replica and rows.address = given.address
    returning rows.replica, rows.version, rows.place
  )
  insert into ${schema}.forgotten as known (replica, version, place)
  select gone.replica, max(gone.version), max(gone.place) from gone group by gone.replica
  on conflict (replica) do update
  set version = greatest(known.version, excluded.version), place = greatest(known.place, excluded.place);
  perform set_config('cffbrw.forgets', '', true);
end $$;
`;

const lookSql = (schema: string): string => `
-- The registers of these names, each with its place among them; nothing at all before somebody has entered.
create or replace function ${schema}.look(names text[])
returns table (place bigint, value text, token text, identity text) language sql stable as $$
  with known as materialized (select ${schema}.identity() as identity)
  select asked.place, registers.value, registers.token, known.identity
  from known cross join unnest(names) with ordinality as asked (name, place)
  left join ${schema}.registers on registers.name = asked.name collate "C"
  where known.identity is not null
$$;
`;

const swapSql = (schema: string): string => `
-- Compare-and-sets, one after another: in the order of their names, so that two calls never wait for each other, and of one name in their own
-- order. found_token null: the register does not exist; new_value null: it is deleted. in_identity null: whatever it is.
create or replace function ${schema}.swap(names text[], new_values text[], new_tokens text[], found_tokens text[], in_identities text[])
returns table (place bigint, done boolean, value text, token text, identity text) language plpgsql set lock_timeout = '5s' as $$
#variable_conflict use_column
declare
  asked record;
  was record;
begin
  identity := ${schema}.identity();
  if identity is null then
    return;
  end if;
  for asked in
    select * from unnest(names, new_values, new_tokens, found_tokens, in_identities)
    with ordinality as each (name, new_value, new_token, found_token, in_identity, place)
    order by each.name collate "C", each.place
  loop
    place := asked.place;
    loop
      select registers.value, registers.token into was from ${schema}.registers where name = asked.name for update;
      done := not (coalesce(asked.in_identity <> identity, false) or was.token is distinct from asked.found_token);
      exit when not done;
      if was.token is not null and asked.new_value is null then
        delete from ${schema}.registers where name = asked.name;
      elsif was.token is not null then
        update ${schema}.registers set value = asked.new_value, token = asked.new_token where name = asked.name;
      elsif asked.new_value is not null then
        insert into ${schema}.registers values (asked.name, asked.new_value, asked.new_token) on conflict do nothing;
        -- Somebody created it in between: it is looked at again.
        continue when not found;
      end if;
      exit;
    end loop;
    value := case when done then asked.new_value else was.value end;
    token := case when not done then was.token when asked.new_value is null then null else asked.new_token end;
    return next;
  end loop;
end $$;
`;
