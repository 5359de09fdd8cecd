/** TLS to a real server, as `sslmode` says. The certificate is made by openssl. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgresBackbone } from '../../src/node/backbone.ts';
import { parseBackboneUrl } from '../../src/node/backbone-url.ts';
import { startPostgres, type TestServer } from './backbone-postgres.ts';
import { orSkipped, whereIs } from './installed.ts';

let home = '';
let withTls: TestServer;
let without: TestServer;

/** Whether the connection is encrypted; or why there is none. */
async function encrypted(server: TestServer, options: string, host = 'localhost'): Promise<boolean | string> {
  const target = parseBackboneUrl(server.url(`?timeout=3&${options}`).replace('127.0.0.1', host), {});
  const backbone = await openPostgresBackbone({ target });
  try {
    await backbone.identity();
    const [row] = await server.admin()`select ssl from pg_stat_ssl join pg_stat_activity using (pid)
      where application_name = 'cffbrw'`;
    return row?.ssl as boolean;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await backbone.close();
  }
}

const root = () => `sslrootcert=${encodeURIComponent(join(home, 'cert.pem'))}`;

describe.skipIf(whereIs('openssl') === null)(`TLS${orSkipped('openssl')}`, () => {
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'cffbrw-tls-'));
    await chmod(home, 0o755);
    const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
    const subject = ['-subj', '/CN=db.example', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
      {
        stdio: 'ignore',
      },
    );
    await chmod(key, 0o600);
    if (userInfo().uid === 0) execFileSync('chown', ['postgres', key]);
    withTls = await startPostgres(['-c', 'ssl=on', '-c', `ssl_cert_file=${cert}`, '-c', `ssl_key_file=${key}`]);
    without = await startPostgres();
  }, 60_000);
  afterAll(async () => {
    await withTls.close();
    await without.close();
    await rm(home, { recursive: true });
  });

  test.each([
    ['disable', false],
    ['prefer', true],
    ['require', true],
  ])('sslmode=%s to a server that speaks TLS: encrypted is %s', async (mode, expected) => {
    expect(await encrypted(withTls, `sslmode=${mode}`)).toBe(expected);
  });

  test('without TLS at the server prefer goes on in the clear, and require does not', async () => {
    expect(await encrypted(without, 'sslmode=prefer')).toBe(false);
    expect(await encrypted(without, 'sslmode=require')).toMatch(/does not speak TLS, and sslmode is require/);
  });

  test('verify-full wants a certificate that somebody vouches for, with the name that was asked for; verify-ca the first alone', async () => {
    expect(await encrypted(withTls, 'sslmode=verify-full')).toMatch(/self-signed|unable to verify/);
    expect(await encrypted(withTls, `sslmode=verify-full&${root()}`)).toBe(true);
    expect(await encrypted(withTls, `sslmode=verify-full&${root()}`, '127.0.0.1')).toMatch(/altnames|IP/);
    expect(await encrypted(withTls, `sslmode=verify-ca&${root()}`, '127.0.0.1')).toBe(true);
  });
});
