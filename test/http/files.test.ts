import { describe, expect, it } from 'vitest';
import { createFiles, filePath } from '../../src/http/files.ts';
import type { ReadStatic } from '../../src/http/http.ts';
import { traversals } from './cases.ts';
import { fakeHost, harness } from './fakes.ts';

describe('a path of a static file', () => {
  it.each([
    ['/', 'index.html'],
    ['/a/b.css', 'a/b.css'],
    ['/a/', 'a/index.html'],
    ['/über uns.html', 'über uns.html'],
    ['/100%25.html', '100%.html'],
    ['/a..b/c...d', 'a..b/c...d'],
  ])('%s is the file %s', (path, file) => {
    expect(filePath(path)).toBe(file);
  });

  it.each(traversals.filter((path) => !path.includes('%252e')))('%j is no file', (path) => {
    expect(filePath(path)).toBeNull();
  });

  it('is decoded once, so that a double escape is a name and no way out', () => {
    expect(filePath('/%252e%252e/secret')).toBe('%2e%2e/secret');
  });
});

describe('static files', () => {
  const files: Record<string, string> = {
    'index.html': '<h1>',
    'a/index.html': 'in a',
    'a/app-3f9c2a1b.js': 'x',
    'style.css': 'body{}',
  };
  const asked: string[] = [];
  const readStatic: ReadStatic = async (path) => {
    asked.push(path);
    const text = files[path];
    if (path === 'broken') throw new Error('EIO: /srv/shop/static/broken');
    return text === undefined ? null : { body: new TextEncoder().encode(text), type: 'text/x', etag: `W/"${text.length}"` };
  };
  const answer = (path: string, init: RequestInit = {}) => {
    const { send } = harness([], { fallbacks: [createFiles({ host: fakeHost(), readStatic })] });
    return send(init.method ?? 'GET', path, init);
  };

  it('are served with their type, a tag, and the word to ask again', async () => {
    const response = await answer('/style.css');
    expect([response.status, await response.text()]).toEqual([200, 'body{}']);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/x',
      etag: 'W/"6"',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(await (await answer('/')).text()).toBe('<h1>');
    expect((await answer('/a/app-3f9c2a1b.js')).headers.get('cache-control')).toMatch(/immutable/);
  });

  it.each(['W/"6"', '"6"', '"1", W/"6"', '*'])('are not sent again to who has them (%s)', async (tag) => {
    const response = await answer('/style.css', { headers: { 'if-none-match': tag } });
    expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([304, '', 'W/"6"']);
  });

  it('are sent again to who has another version', async () => {
    expect((await answer('/style.css', { headers: { 'if-none-match': 'W/"7"' } })).status).toBe(200);
  });

  it('are described to HEAD, and are no business of other methods', async () => {
    const head = await answer('/style.css', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'text/x', '']);
    expect((await answer('/style.css', { method: 'POST' })).status).toBe(404);
  });

  it('send a folder without its slash to the one with it', async () => {
    const response = await answer('/a');
    expect([response.status, response.headers.get('location')]).toEqual([308, '/a/']);
    expect(await (await answer('/a/')).text()).toBe('in a');
    expect((await answer('//a')).status).toBe(404);
  });

  it('answer 404 where nothing is, and tell nobody where the folder lies when reading fails', async () => {
    expect((await answer('/none')).status).toBe(404);
    const broken = await answer('/broken');
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toMatch(/srv|EIO/);
  });

  it.each(traversals)('never ask the platform for anything outside: %j', async (path) => {
    asked.length = 0;
    const response = await createFiles({ host: fakeHost(), readStatic })(new Request('http://localhost/'), path);
    expect(response).toBeNull();
    for (const each of asked) expect(each).toMatch(/^%2e%2e\/%2e%2e\/secret/);
  });
});
