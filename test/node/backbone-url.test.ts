import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { checkServer, type ServerFacts } from '../../src/node/backbone-server.ts';
import { describeTarget, parseBackboneUrl } from '../../src/node/backbone-url.ts';

const nowhere = { PGPASSFILE: '/nowhere' };
const parse = (url: string, environment = {}) => parseBackboneUrl(url, { ...nowhere, ...environment });

describe('the URL of a backbone', () => {
  test('says everything, and the variables say what it leaves out', () => {
    expect(parse('postgres://ann:p%40ss@db.example:6000/shop?sslmode=verify-full&schema=other')).toMatchObject({
      ...{ servers: [{ host: 'db.example', port: 6000 }], user: 'ann', password: 'p@ss', database: 'shop', schema: 'other' },
      tls: { mode: 'verify-full' },
    });
    const environment = { PGHOST: 'h', PGPORT: '7', PGUSER: 'u', PGPASSWORD: 'w', PGDATABASE: 'd', PGSSLMODE: 'require' };
    expect(parse('postgres://', environment)).toMatchObject({
      ...{ servers: [{ host: 'h', port: 7 }], user: 'u', password: 'w', database: 'd', tls: { mode: 'require' } },
    });
    expect(parse('postgresql://v@k/e?sslmode=disable', environment)).toMatchObject({
      ...{ servers: [{ host: 'k', port: 7 }], user: 'v', password: 'w', database: 'e', tls: { mode: 'disable' } },
    });
  });

  test('without anything it is what psql takes', () => {
    expect(parse('postgres://')).toMatchObject({
      ...{ servers: [{ host: 'localhost', port: 5432 }], user: userInfo().username, database: userInfo().username },
      ...{ password: null, tls: { mode: 'prefer' }, schema: 'cffbrw', notify: 'auto', unsafe: false },
    });
  });

  test.each([
    ['postgres://one:1,two,[::1]:3/d', ['one:1', 'two:5432', '::1:3']],
    ['postgres:///d?host=/run/postgresql', ['/run/postgresql:5432']],
    ['postgres://a,b/d?port=6000', ['a:6000', 'b:6000']],
  ])('%s names several servers, or a socket', (url, servers) => {
    expect(parse(url).servers.map(({ host, port }) => `${host}:${port}`)).toEqual(servers);
  });

  test.each([
    'http://u:s3cret-word@h/d',
    'u:s3cret-word@h/d',
    'postgres://u:s3cret-word@h:port/d',
    'postgres://u:s3cret-word%zz@h/d',
    'postgres://u:s3cret-word@h:0/d',
    'postgres://u:s3cret-word@h/d?sslmode=maybe',
    'postgres://u:s3cret-word@h/d?sslmod=require',
    'postgres://u:s3cret-word@h/d?channel_binding=require',
    'postgres://u:s3cret-word@h/d?schema=x;drop',
    'postgres://u:s3cret-word@h/d?timeout=0',
    'postgres://u:s3cret-word@h/d?target_session_attrs=standby',
    'postgres://u:s3cret-word@h/d?notify=sometimes',
  ])('%s is refused, and nothing of its password is told', (url) => {
    const refused = (() => {
      try {
        return parse(url);
      } catch (error) {
        return error as { code: string };
      }
    })();
    expect(refused).toMatchObject({ code: 'INVALID_APP' });
    expect(inspect(refused, { showHidden: true, depth: 5 }).replace(/at .*/g, '')).not.toContain('s3cret');
  });

  test('a password stands in the password file, if nobody else may read that', async () => {
    const home = await mkdtemp(join(tmpdir(), 'cffbrw-pass-'));
    const file = join(home, 'pass');
    await writeFile(file, '# mine\nother:*:*:*:no\nh:*:d:u\\:v:a\\:b\\\\c\n*:*:*:*:rest\n', { mode: 0o600 });
    expect(parse('postgres://u%3Av@h/d', { PGPASSFILE: file }).password).toBe('a:b\\c');
    expect(parse('postgres://x@h/d', { PGPASSFILE: file }).password).toBe('rest');
    await writeFile(join(home, 'open'), '*:*:*:*:rest\n', { mode: 0o644 });
    expect(parse('postgres://x@h/d', { PGPASSFILE: join(home, 'open') }).password).toBeNull();
    await rm(home, { recursive: true });
  });

  test('what people are shown has no password', () => {
    expect(describeTarget(parse('postgres://ann:secret@h/d'))).toBe('h:5432/d (schema cffbrw)');
  });
});

describe('a server', () => {
  const good: ServerFacts = {
    ...{ process: 1, version: 180_000, encoding: 'UTF8', standby: false, there: true, made: true, pooled: false },
    ...{ read_only: 'off', fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
  };
  test('that keeps what it acknowledges is a backbone', () => {
    checkServer(good, { unsafe: false });
    checkServer({ ...good, synchronous_commit: 'local' }, { unsafe: false });
  });
  test.each([
    'fsync',
    'synchronous_commit',
    'full_page_writes',
  ] as const)('with %s off is none, unless that is accepted', (name) => {
    expect(() => checkServer({ ...good, [name]: 'off' }, { unsafe: false })).toThrow(
      new RegExp(`${name} is off: in a power cut`),
    );
    checkServer({ ...good, [name]: 'off' }, { unsafe: true });
  });
  test.each([
    [{ standby: true, read_only: 'on' }, /is a standby/],
    [{ read_only: 'on' }, /is read-only/],
    [{ version: 130_005 }, /version 13/],
    [{ encoding: 'LATIN1' }, /LATIN1/],
  ])('%j is none, whatever is accepted', (facts, why) => {
    expect(() => checkServer({ ...good, ...facts }, { unsafe: true })).toThrow(why);
  });
});
