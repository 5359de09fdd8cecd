import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../src/http/files.ts';
import { createRouter } from '../../src/http/router.ts';
import { createStaticReader } from '../../src/node/files.ts';
import { type Served, serve } from '../../src/node/serve.ts';
import { traversals } from '../http/cases.ts';
import { fakeHost } from '../http/fakes.ts';

const secret = 'the secret of the machine';
let folder = '';
let served: Served;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cffbrw-files-'));
  const root = join(folder, 'static');
  await mkdir(join(root, 'a'), { recursive: true });
  await writeFile(join(folder, 'secret'), secret);
  await writeFile(join(root, '.env'), secret);
  await writeFile(join(root, 'index.html'), '<h1>hello</h1>');
  await writeFile(join(root, 'a', 'index.html'), 'in a');
  await writeFile(join(root, 'large.bin'), Buffer.alloc(3_000_000, 7));
  await symlink(join(folder, 'secret'), join(root, 'link'));
  await symlink(folder, join(root, 'up'));
  await symlink(join(root, 'a'), join(root, 'inside'));
  await symlink(join(root, 'loop'), join(root, 'loop'));
  await mkdir(join(folder, 'static-evil'));
  await writeFile(join(folder, 'static-evil', 'x'), secret);
  await symlink(join(folder, 'static-evil', 'x'), join(root, 'sibling'));
  const host = fakeHost();
  const { fetch } = createRouter({
    host,
    endpoints: [],
    fallbacks: [createFiles({ host, readStatic: await createStaticReader(root) })],
  });
  served = await serve({ fetch, port: 0 });
});

afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});

/** The path goes out as it is: a client library would clean it up. */
function get(path: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(served.port, '127.0.0.1', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 'latin1'),
    );
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

describe('the static folder', () => {
  it('is served, with folders and links that stay inside', async () => {
    expect(await get('/')).toMatch(/^HTTP\/1\.1 200 [\s\S]*text\/html[\s\S]*<h1>hello/);
    expect(await get('/a/')).toMatch(/in a$/);
    expect(await get('/inside/')).toMatch(/in a$/);
  });

  it('streams a large file whole', async () => {
    const response = await fetch(`http://127.0.0.1:${served.port}/large.bin`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect([bytes.length, bytes.every((each) => each === 7), response.headers.get('content-type')]).toEqual([
      3_000_000,
      true,
      'application/octet-stream',
    ]);
    const head = await fetch(`http://127.0.0.1:${served.port}/large.bin`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it.each([
    // `/..` is `/` once a URL is made of it.
    ...traversals.filter((path) => path !== '' && path !== '/..'),
    '/link',
    '/up/secret',
    '/up/static/.env',
    '/loop',
    '/sibling',
    '/../static-evil/x',
    '/a/../../secret',
    '/a/%2e%2e/%2e%2e/secret',
    '/.%2e/secret',
    'http://a/../secret',
    '/index.html/',
    '/a',
  ])('gives nothing away at %j', async (path) => {
    const text = await get(path);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(folder);
    expect(text).toMatch(/^HTTP\/1\.1 [34]\d\d |^$/);
  });

  it('is refused at the start when it is not there', async () => {
    await expect(createStaticReader(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
