import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CffbrwError } from '../../src/error.ts';
import { createAdmin } from '../../src/http/admin/router.ts';
import { createHandler } from '../../src/http/handler.ts';
import { nodeHost } from '../../src/node/host.ts';
import { openShop, type Shop, shop, token } from './admin-stage.ts';

let open: Shop;
beforeAll(async () => {
  open = await openShop({ metrics: async () => 'up 1\n', referenceScript: async () => 'void 0' });
});
afterAll(() => open.close());

const publicPaths = ['/_cffbrw/health'];
/** Every route that the router has, with something in the place of its parameters. */
const routes = () =>
  open.admin.routes.map(({ method, path }) => ({
    method,
    path: path.replace(':name', 'banner').replace(':operation', 'set').replace(':id', 'x'),
  }));
const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
  open.send(path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method === 'POST' && { body: '{}' }),
  });

describe('without the token', () => {
  it('every route of the router but health is refused', async () => {
    const guarded = routes().filter(({ path }) => !publicPaths.includes(path));
    expect(guarded.length).toBeGreaterThan(14);
    for (const { method, path } of guarded) {
      const response = await ask(method, path);
      expect([method, path, response.status]).toEqual([method, path, 401]);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it('with the token every one of them answers something else', async () => {
    for (const { method, path } of routes()) {
      const response = await ask(method, path, { authorization: `Bearer ${token}` });
      expect([path, response.status === 401]).toEqual([path, false]);
      await response.body?.cancel();
    }
  });

  it.each([
    ['an empty one', 'Bearer '],
    ['none behind the scheme', 'Bearer'],
    ['its beginning', `Bearer ${token.slice(0, -1)}`],
    ['a longer one', `Bearer ${token}x`],
    ['another one of its length', `Bearer ${'b'.repeat(token.length)}`],
    ['another scheme', `Basic ${token}`],
    ['two of them', `Bearer ${token} ${token}`],
    ['a list', `Bearer ${token}, Bearer ${token}`],
    ['no scheme', token],
    ['undefined', 'Bearer undefined'],
    ['other case', `Bearer ${token.toUpperCase()}`],
  ])('%s is refused everywhere', async (_what, authorization) => {
    for (const { method, path } of routes()) {
      if (publicPaths.includes(path)) continue;
      // All of these together are more than are told that they are wrong.
      expect([401, 429], path).toContain((await ask(method, path, { authorization })).status);
    }
  });

  it('more than sixty wrong tokens a minute are told to wait, and the right one is let in all the same', async () => {
    let nowMs = 0;
    const guessed = await openShop({ host: { ...nodeHost, elapsed: () => nowMs } });
    const guess = async (authorization: string) => {
      const response = await guessed.send('/_cffbrw/v1/runs', { headers: { authorization } });
      return [response.status, ((await response.json()) as { code?: string }).code];
    };
    for (let count = 0; count < 60; count += 1) expect(await guess(`Bearer wrong-${count}`)).toEqual([401, 'UNAUTHORIZED']);
    expect(await guess('Bearer wrong')).toEqual([429, 'TOO_MANY_FAILURES']);
    expect((await guessed.send('/_cffbrw/v1/runs')).status).toBe(401);
    expect((await guessed.get('/_cffbrw/v1/runs')).status).toBe(200);
    expect(await (await guessed.send('/_cffbrw/health', { headers: { authorization: 'Bearer wrong' } })).json()).toEqual({
      status: 'ok',
    });
    nowMs += 60_000;
    expect(await guess('Bearer wrong')).toEqual([401, 'UNAUTHORIZED']);
    await guessed.close();
  });

  it.each([
    '?x=/_cffbrw/health',
    '#/_cffbrw/health',
    '/',
    '//',
    '/.',
    ';/health',
    '%2f',
    '?/health',
    '%00',
  ])('no path that ends with %s gets around it', async (end) => {
    for (const { method, path } of routes()) {
      if (publicPaths.includes(path)) continue;
      const { status } = await ask(method, `${path}${end}`);
      expect([path + end, [400, 401, 404].includes(status)]).toEqual([path + end, true]);
    }
  });

  it.each([
    '/_cffbrw/',
    '/_cffbrw/v1',
    '/_cffbrw/health/../v1/runs',
    '/_cffbrw/health%2f..%2fv1/runs',
    '/_cffbrw/HEALTH',
    '/_cffbrw/%76%31/runs',
  ])('%s is refused, or it is nothing', async (path) => {
    expect([401, 404]).toContain((await ask('GET', path)).status);
  });

  it('no method gets around it', async () => {
    for (const method of ['HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'POST', 'GET']) {
      for (const { path } of routes()) {
        if (publicPaths.includes(path)) continue;
        expect([method, path, (await ask(method, path)).status]).toEqual([method, path, 401]);
      }
    }
  });

  it('health says whether it lives, and nothing else', async () => {
    expect(await (await ask('GET', '/_cffbrw/health')).json()).toEqual({ status: 'ok' });
    expect(await (await open.get('/_cffbrw/health')).json()).toEqual({
      ...{ status: 'ok', frozen: null, refused: null, withheld: {}, lagMs: null },
    });
  });

  it('health sends requests elsewhere once the process was told to stop', async () => {
    const state = { stopping: false };
    const leaving = await openShop({ isStopping: () => state.stopping });
    try {
      expect((await leaving.send('/_cffbrw/health')).status).toBe(200);
      state.stopping = true;
      const told = await leaving.send('/_cffbrw/health');
      expect([told.status, await told.json()]).toEqual([503, { status: 'stopping' }]);
    } finally {
      await leaving.close();
    }
  });

  it('random paths below the prefix answer nothing', async () => {
    const runs = 200 * Number(process.env.CFFBRW_RUNS ?? 1);
    const part = fc.constantFrom(
      'v1',
      'health',
      'runs',
      'variables',
      'banner',
      '..',
      '.',
      '',
      '%2e%2e',
      '%2f',
      ';',
      'metrics',
      '?',
      '&',
      ' ',
      '\\',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
        const path = `/_cffbrw/${parts.join('/')}`;
        const response = await open.send(encodeURI(path).replaceAll('%25', '%'));
        const body = await response.text();
        expect(response.status === 200 ? body : [400, 401, 404].includes(response.status)).toEqual(
          response.status === 200 ? (body.startsWith('"') ? body : '{"status":"ok"}') : true,
        );
      }),
      { numRuns: runs },
    );
  });
});

describe('a guard', () => {
  const statusOf = async (error: () => unknown) => {
    try {
      await error();
    } catch (thrown) {
      return (thrown as CffbrwError).code;
    }
    return 'none';
  };

  it('is needed, and a short token is none', async () => {
    const make =
      (token: string | null, loopback = false) =>
      () =>
        openShop({ guard: { token, loopback } }).then((one) => one.close());
    expect(await statusOf(make(null))).toBe('INVALID_APP');
    expect(await statusOf(make('short'))).toBe('INVALID_APP');
    expect(await statusOf(make(' '.repeat(20)))).toBe('INVALID_APP');
    expect(await statusOf(make(null, true))).toBe('none');
  });

  it('lets no workflow have a path below the prefix', () => {
    const app = shop();
    const plan = [...app.workflows.values()][0];
    const http = plan?.http;
    if (plan === undefined || http === null || http === undefined) throw new Error('the shop has no workflow');
    for (const path of ['/_cffbrw', '/_cffbrw/', '/_cffbrw/{x}']) {
      const workflows = new Map([['w', { ...plan, http: { ...http, path } }]]);
      const secrets = new Map([['SHOP_KEY', 'x']]);
      const make = () => createHandler({ app: { ...app, workflows }, replica: open.replica, host: nodeHost, secrets });
      expect(make).toThrow(/kept for the admin API/);
    }
  });
});

describe('on loopback, without a token', () => {
  const admin = () => createAdmin({ app: shop(), replica: open.replica, host: nodeHost, guard: { token: null, loopback: true } });
  const status = async (path: string, headers: Record<string, string>, method = 'GET') => {
    const response = await admin().answer(new Request(`http://127.0.0.1:3000${path}`, { method, headers }));
    await response.body?.cancel();
    return response.status;
  };
  const paths = ['/_cffbrw/v1/runs', '/_cffbrw/v1/events', '/_cffbrw/openapi.json', '/_cffbrw/v1/variables/banner'];

  it.each([
    ['localhost:3000', 200],
    ['LOCALHOST:3000', 200],
    ['localhost', 200],
    ['127.0.0.1:3000', 200],
    ['[::1]:3000', 200],
    ['evil.example', 403],
    ['evil.example:3000', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example', 403],
    ['localhost:3000@evil.example', 403],
    ['127.0.0.2:3000', 403],
    ['0.0.0.0:3000', 403],
    ['[::ffff:127.0.0.1]:3000', 403],
    ['2130706433', 403],
    ['', 403],
  ])('the name %j in Host: %i', async (host, expected) => {
    for (const path of paths) expect([path, await status(path, { host })]).toEqual([path, expected]);
  });

  it.each([
    [{}, 200],
    [{ origin: 'http://127.0.0.1:3000' }, 200],
    [{ origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ origin: 'null' }, 403],
    [{ origin: '' }, 403],
    [{ origin: 'https://127.0.0.1:3000' }, 403],
    [{ origin: 'http://127.0.0.1:4000' }, 403],
    [{ origin: 'http://127.0.0.1' }, 403],
    [{ origin: 'http://localhost:3000' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'cross-site' }, 403],
  ])('a request with %j: %i', async (headers, expected) => {
    const host = { host: '127.0.0.1:3000' };
    for (const path of paths) expect([path, await status(path, { ...host, ...headers })]).toEqual([path, expected]);
  });

  it('a token, where there is one, is asked for as well', async () => {
    const both = createAdmin({ app: shop(), replica: open.replica, host: nodeHost, guard: { token, loopback: true } });
    const ask = (headers: Record<string, string>) =>
      both.answer(new Request('http://127.0.0.1:3000/_cffbrw/v1/errors', { headers })).then(({ status }) => status);
    expect(await ask({ host: 'localhost' })).toBe(401);
    expect(await ask({ host: 'localhost', authorization: `Bearer ${token}` })).toBe(200);
    expect(await ask({ host: 'evil.example', authorization: `Bearer ${token}` })).toBe(403);
  });
});

describe('every answer', () => {
  it('may not be kept, framed, or read as another type', async () => {
    for (const path of ['/_cffbrw/health', '/_cffbrw/v1/runs', '/_cffbrw/v1/nothing', '/_cffbrw/reference', '/_cffbrw/metrics']) {
      const { headers } = await open.get(path);
      expect([path, headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual([path, 'nosniff', 'no-store']);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.has('access-control-allow-origin')).toBe(false);
    }
  });

  it('is not the app’s, though a workflow takes every path of two parts', async () => {
    expect(await (await open.get('/_other/health')).json()).toBe('mine');
    expect(await (await open.get('/_cffbrw/health')).json()).toMatchObject({ status: 'ok' });
  });
});
