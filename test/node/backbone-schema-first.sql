select pg_advisory_xact_lock(5247023441);

create schema if not exists old_app;

create table if not exists old_app.backbone (
  one boolean primary key default true check (one),
  format integer not null,
  generation text not null default replace(gen_random_uuid()::text, '-', '')
);
insert into old_app.backbone (format) values (1) on conflict do nothing;

-- Each start of the server, and where its log stood then.
create table if not exists old_app.boots (
  number integer generated always as identity primary key,
  started timestamptz not null unique,
  boot text not null unique default replace(gen_random_uuid()::text, '-', ''),
  server text not null,
  log bigint not null
);

-- The latest row per address and replica.
create sequence if not exists old_app.places;
create table if not exists old_app.rows (
  replica text collate "C" not null,
  address text collate "C" not null,
  version bigint not null,
  bytes text collate "C" not null,
  place bigint not null,
  primary key (replica, address)
);
create unique index if not exists rows_by_place on old_app.rows (place);
create index if not exists rows_by_version on old_app.rows (replica, version);

create table if not exists old_app.registers (
  name text collate "C" primary key,
  value text not null,
  token text not null
);

-- null: nobody has entered since the server was started.
create or replace function old_app.identity() returns text language sql stable as $$
  select concat_ws('.', boots.server, (select oid from pg_database where datname = current_database()),
    'old_app.rows'::regclass::oid, 'old_app.registers'::regclass::oid, backbone.generation)
  from old_app.boots, old_app.backbone where boots.started = pg_postmaster_start_time()
$$;

-- Where the log is durable. null: this server does not say.
create or replace function old_app.log_end() returns bigint language plpgsql as $$
begin
  return pg_current_wal_flush_lsn() - '0/0'::pg_lsn;
exception when others then
  return null;
end $$;

-- Where the log stood when the server began: at its last checkpoint at the latest.
create or replace function old_app.log_begin() returns bigint language plpgsql as $$
begin
  return (select checkpoint_lsn from pg_control_checkpoint()) - '0/0'::pg_lsn;
exception when others then
  return coalesce(old_app.log_end(), 0);
end $$;

create or replace function old_app.server() returns text language plpgsql as $$
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


-- Compares what somebody saw with what is there, and changes the identity where that is less.
create or replace function old_app.enter(seen_identity text, seen_boot text, seen_log bigint, seen_place bigint)
returns table (identity text, boot text, log bigint, place bigint, format integer) language plpgsql as $$
#variable_conflict use_column
begin
  insert into old_app.backbone (format) values (1) on conflict do nothing;
  if old_app.identity() is null then
    insert into old_app.boots (started, server, log)
    values (pg_postmaster_start_time(), old_app.server(), old_app.log_begin()) on conflict do nothing;
  end if;
  if seen_identity = old_app.identity() and (
    coalesce(old_app.log_end() < seen_log, false)
    or coalesce((select max(rows.place) from old_app.rows), 0) < seen_place
    or (seen_boot is not null and not exists (select from old_app.boots where boots.boot = seen_boot))
    or exists (
      select from old_app.boots mine join old_app.boots later on later.number > mine.number
      where mine.boot = seen_boot and later.log < seen_log
    )
  ) then
    -- Whoever notices the same at the same time finds it changed.
    update old_app.backbone set generation = replace(gen_random_uuid()::text, '-', '')
    where generation = substring(seen_identity from '[^.]*$');
  end if;
  return query select old_app.identity(), boots.boot, old_app.log_end(),
    coalesce((select max(rows.place) from old_app.rows), 0), (select backbone.format from old_app.backbone)
  from old_app.boots where boots.started = pg_postmaster_start_time();
end $$;


create or replace function old_app.lost() returns trigger language plpgsql as $$
begin
  update old_app.backbone set generation = replace(gen_random_uuid()::text, '-', '');
  return null;
end $$;
create or replace trigger lost_rows after truncate on old_app.rows execute function old_app.lost();
create or replace trigger lost_registers after truncate on old_app.registers execute function old_app.lost();
create or replace trigger lost_some_rows after delete on old_app.rows execute function old_app.lost();


-- Text in the order in which JavaScript compares it: by UTF-16, where what needs two units comes before the end of the first plane.
create or replace function old_app.units(bytes text) returns text language sql immutable as $$
  select regexp_replace(bytes, '([\uE000-\uFFFF])', U&'\+10FFFF' || '\1', 'g')
$$;

-- At most one row per address and replica in one call.
create or replace function old_app.publish(addresses text[], replicas text[], versions bigint[], contents text[])
returns void language plpgsql set lock_timeout = '5s' as $$
begin
  perform pg_advisory_xact_lock('old_app.rows'::regclass::oid::integer, 5247023);
  insert into old_app.rows as kept (address, replica, version, bytes, place)
  select given.address, given.replica, given.version, given.bytes, nextval('old_app.places')
  from unnest(addresses, replicas, versions, contents) as given (address, replica, version, bytes)
  on conflict (replica, address) do update
  set version = excluded.version, bytes = excluded.bytes, place = excluded.place
  where excluded.version > kept.version or (excluded.version = kept.version and excluded.bytes <> kept.bytes
    and old_app.units(excluded.bytes) collate "C" > old_app.units(kept.bytes) collate "C");
  if found then
    perform pg_notify('old_app', '');
  end if;
end $$;


-- Compare-and-set. found_token null: the register does not exist; new_value null: it is deleted.
create or replace function old_app.swap(register text, new_value text, new_token text, found_token text, in_identity text)
returns table (done boolean, value text, token text, identity text) language plpgsql set lock_timeout = '5s' as $$
#variable_conflict use_column
declare
  now_identity text := old_app.identity();
  was record;
begin
  if now_identity is null then
    return;
  end if;
  loop
    select registers.value, registers.token into was from old_app.registers where name = register for update;
    if in_identity <> now_identity or was.token is distinct from found_token then
      return query select false, was.value, was.token, now_identity;
      return;
    elsif was.token is not null and new_value is null then
      delete from old_app.registers where name = register;
    elsif was.token is not null then
      update old_app.registers set value = new_value, token = new_token where name = register;
    elsif new_value is not null then
      insert into old_app.registers values (register, new_value, new_token) on conflict do nothing;
      -- Somebody created it in between: it is looked at again.
      continue when not found;
    end if;
    return query select true, new_value, case when new_value is null then null else new_token end, now_identity;
    return;
  end loop;
end $$;
