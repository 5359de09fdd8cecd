import { describe, expect, it } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { createRouter } from '../../src/http/router.ts';
import { caseEndpoints, cases } from './cases.ts';
import { endpoint, fakeHost, harness } from './fakes.ts';

describe('a request from outside', () => {
  it.each(cases)('with $title gets $status', async ({ method, path, headers, body, status, code, answer }) => {
    const { send } = harness(caseEndpoints);
    const response = await send(method, path, { ...(headers && { headers }), ...(body !== undefined && { body }) });
    const text = await response.text();
    expect([response.status, text]).toEqual([status, expect.anything()]);
    if (code !== undefined) expect(JSON.parse(text)).toMatchObject({ code, status });
    if (answer !== undefined) expect(JSON.parse(text)).toMatchObject(answer as object);
    if (status >= 400) expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });
});

describe('routing', () => {
  it('finds a literal segment before a parameter, whatever order they were declared in', async () => {
    const named = (path: string) =>
      endpoint({ method: 'GET', workflow: path, path, reads: new Set(), run: () => ({ status: 200, body: path }) });
    const { send } = harness(
      ['/lots/{lot}', '/lots/new', '/{any}/new', '/lots/{lot}/bids', '/a/{x}/c/{y}', '/a/{x}/{z}/d'].map(named),
    );
    const at = async (path: string) => (await send('GET', path)).json();
    expect(await at('/lots/new')).toBe('/lots/new');
    expect(await at('/lots/7')).toBe('/lots/{lot}');
    expect(await at('/cars/new')).toBe('/{any}/new');
    expect(await at('/lots/new/bids')).toBe('/lots/{lot}/bids');
    expect(await at('/a/1/c/d')).toBe('/a/{x}/c/{y}');
    expect(await at('/a/1/b/d')).toBe('/a/{x}/{z}/d');
  });

  it('names the parameters as the document does, also where two workflows name one segment differently', async () => {
    const { send } = harness([
      endpoint({ method: 'GET', path: '/lots/{lot}/bids/{bid}', reads: new Set(['params']) }),
      endpoint({ method: 'POST', path: '/lots/{id}/bids/{number}', reads: new Set(['params']) }),
    ]);
    expect(await (await send('GET', '/lots/a/bids/b')).json()).toMatchObject({ params: { lot: 'a', bid: 'b' } });
    expect(await (await send('POST', '/lots/a/bids/b')).json()).toMatchObject({ params: { id: 'a', number: 'b' } });
  });

  it('says which methods a path has', async () => {
    const { send } = harness([
      endpoint({ method: 'GET', path: '/x' }),
      endpoint({ method: 'PUT', path: '/x' }),
      endpoint({ path: '/y' }),
    ]);
    const response = await send('POST', '/x');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, PUT']);
    expect((await send('OPTIONS', '/y')).headers.get('allow')).toBe('OPTIONS, POST');
    expect((await send('OPTIONS', '/z')).status).toBe(404);
  });

  it('refuses two workflows at one address, and a path that no router understands', () => {
    const at = (path: string, workflow: string) => endpoint({ path, workflow });
    expect(() => harness([at('/a/{x}', 'one'), at('/a/{y}', 'two')])).toThrow(/one and two both answer POST/);
    for (const path of ['/a/{x}.json', '/a/*', '/a/:x', '/a/{x'])
      expect(() => harness([at(path, 'one')])).toThrow(/literal segments/);
  });

  it('answers HEAD like GET, without a body', async () => {
    const { send, seen } = harness([
      endpoint({ method: 'GET', path: '/x', run: () => ({ status: 201, headers: { 'X-A': '1' }, body: { a: 1 } }) }),
    ]);
    const response = await send('HEAD', '/x');
    expect([response.status, response.headers.get('x-a'), response.headers.get('content-type'), await response.text()]).toEqual([
      201,
      '1',
      'application/json',
      '',
    ]);
    expect(seen).toHaveLength(1);
  });

  it('asks the fallbacks in order where no endpoint is', async () => {
    const fallbacks = [() => null, async (_: Request, path: string) => (path === '/b' ? new Response('two') : null)];
    const { send } = harness([endpoint({})], { fallbacks });
    expect(await (await send('GET', '/b')).text()).toBe('two');
    expect((await send('GET', '/c')).status).toBe(404);
    expect((await send('GET', '/echo')).status).toBe(405);
  });
});

describe('what a run is given', () => {
  it('is only what its workflow reads', async () => {
    const { send, seen } = harness([endpoint({ method: 'GET', path: '/x/{p}', reads: new Set(), idempotencyHeader: null })]);
    await send('GET', '/x/1?q=%zz', { headers: { a: 'b' } });
    expect(seen[0]?.request).toEqual({ method: 'GET', path: '/x/1', params: {}, query: {}, headers: {}, body: null });
  });

  it('has headers in lower case', async () => {
    const { send, seen } = harness([endpoint({ method: 'GET', path: '/x', reads: new Set(['headers']) })]);
    await send('GET', '/x', { headers: { 'X-Shop': 'one' } });
    expect(seen[0]?.request.headers).toEqual({ 'x-shop': 'one' });
  });

  it('has a query of strings and lists where no schema says more, and refuses an unknown field only where the schema does', async () => {
    const strict = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false };
    const { send } = harness([
      endpoint({ method: 'GET', path: '/free', reads: new Set(['query']) }),
      endpoint({ method: 'GET', path: '/strict', query: strict }),
    ]);
    expect(await (await send('GET', '/free?a=1&b=x+y&b=&c')).json()).toMatchObject({ query: { a: '1', b: ['x y', ''], c: '' } });
    expect((await send('GET', '/strict?a=1')).status).toBe(200);
    const refused = await (await send('GET', '/strict?a=1&zz=2')).json();
    expect(refused).toMatchObject({ code: 'INVALID_INPUT', errors: [{ source: 'query', pointer: '/zz' }] });
  });

  it('names the place of what is wrong, and what was expected there', async () => {
    const { post } = harness(caseEndpoints);
    const problem = await (await post('/echo', '{"user":7}')).json();
    expect(problem).toMatchObject({
      type: 'about:blank',
      title: 'Invalid input',
      status: 400,
      retry: 'no',
      errors: [{ source: 'body', pointer: '/user', message: expect.stringContaining('string') }],
    });
  });
});

describe('an idempotency key', () => {
  const key = { 'idempotency-key': 'k1' };
  const keysOf = async (send: ReturnType<typeof harness>['post'], requests: [string, string, Record<string, string>][]) => {
    for (const request of requests) await send(...request);
  };

  it('goes to the run with its caller and a fingerprint of the request', async () => {
    const { post, seen } = harness([endpoint({})]);
    await keysOf(post, [
      ['/echo', '{"a":1}', key],
      ['/echo', '{"a":1}', key],
      ['/echo', '{"a":2}', key],
      ['/echo?x', '{"a":1}', key],
      ['/echo', '{"a":1}', { ...key, authorization: 'Bearer one' }],
      ['/echo', '{"a":1}', {}],
    ]);
    const [first, again, body, query, caller, none] = seen.map((each) => each.key);
    expect(first).toMatchObject({ key: 'k1', caller: '' });
    expect(again).toEqual(first);
    for (const other of [body, query]) expect(other?.fingerprint).not.toBe(first?.fingerprint);
    expect(caller).toMatchObject({ caller: expect.stringMatching(/^[0-9a-f]{64}$/), fingerprint: first?.fingerprint });
    expect(none).toBeNull();
  });

  it('is ignored where the workflow takes none, and read from the header that it names', async () => {
    const { post, seen } = harness([
      endpoint({ idempotencyHeader: null }),
      endpoint({ path: '/own', idempotencyHeader: 'x-order' }),
    ]);
    await keysOf(post, [
      ['/echo', '{}', key],
      ['/own', '{}', key],
      ['/own', '{}', { 'x-order': '7' }],
    ]);
    expect(seen.map((each) => each.key?.key ?? null)).toEqual([null, null, '7']);
  });
});

describe('answers', () => {
  const answered = async (answer: Parameters<typeof endpoint>[0]['run']) => {
    const { send, logged } = harness([endpoint({ method: 'GET', path: '/x', reads: new Set(), ...(answer && { run: answer }) })]);
    const response = await send('GET', '/x');
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text(), response, logged };
  };

  it('are JSON, unless they are a string with a content-type of its own', async () => {
    expect(await answered(() => ({ status: 200, body: 'a' }))).toMatchObject({ type: 'application/json', text: '"a"' });
    const html = { 'Content-Type': 'text/html' };
    expect(await answered(() => ({ status: 200, headers: html, body: '<p>' }))).toMatchObject({ type: 'text/html', text: '<p>' });
    expect(await answered(() => ({ status: 200, headers: html, body: [1] }))).toMatchObject({ type: 'text/html', text: '[1]' });
    expect(await answered(() => ({ status: 200, headers: { 'x-a': 'b' }, body: null }))).toMatchObject({
      type: 'application/json',
      text: 'null',
    });
    expect(await answered(() => ({ status: 204 }))).toMatchObject({ status: 204, type: null, text: '' });
    expect(await answered(() => ({ status: 204, body: { a: 1 } }))).toMatchObject({ status: 204, text: '' });
  });

  it.each([
    ['x-a', 'one\r\nset-cookie: a=b'],
    ['x-a', 'null\u0000'],
    ['x-a', 'emoji 😀'],
    ['x a', 'b'],
    ['x:a', 'b'],
    ['', 'b'],
    ['Content-Length', '1'],
    ['transfer-encoding', 'chunked'],
    ['connection', 'upgrade'],
  ])('never have the header %j: %j', async (name, value) => {
    const { status, response, text } = await answered(() => ({ status: 200, headers: { [name]: value }, body: 1 }));
    expect([status, JSON.parse(text).code, response.headers.get('set-cookie')]).toEqual([500, 'RUN_FAILED', null]);
  });

  it('carry the problem of a fail step as it is', async () => {
    const { status, type, text } = await answered(() => ({ status: 409, type: 'banner-closed', title: 'The banner is paused' }));
    expect([status, type, JSON.parse(text)]).toEqual([
      409,
      'application/problem+json',
      { status: 409, type: 'banner-closed', title: 'The banner is paused' },
    ]);
  });

  it('say of a CFFBRW error what and where, and when to retry', async () => {
    const { response, text } = await answered(() => {
      throw new CffbrwError('OVERLOADED', 'too many takes wait', {
        fix: 'Try again.',
        place: { file: '/srv/shop/workflows/spin.yaml', line: 3, column: 5 },
      });
    });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(JSON.parse(text)).toEqual({
      type: 'about:blank',
      title: 'Overloaded',
      status: 503,
      detail: 'too many takes wait',
      code: 'OVERLOADED',
      retry: 'later',
      fix: 'Try again.',
      place: { file: 'spin.yaml', line: 3, column: 5 },
    });
  });

  it('keep to themselves what only the operator may know, and log it under the id that they give', async () => {
    const secrets: (() => never)[] = [
      () => {
        throw new TypeError('cannot read /srv/shop/state.db');
      },
      () => {
        throw new CffbrwError('STORE_FAILED', 'cannot write /srv/shop/state.db', {
          fix: 'Look into /srv.',
          cause: new Error('/srv'),
        });
      },
      () => {
        throw 'a string /srv';
      },
    ];
    for (const run of secrets) {
      const { text, logged, status } = await answered(run);
      const problem = JSON.parse(text);
      expect(text).not.toMatch(/srv|state\.db|\.ts|at /);
      expect(status).toBeGreaterThanOrEqual(500);
      expect(problem.instance).toBe(`urn:cffbrw:${logged[0]?.id}`);
      expect(logged).toHaveLength(1);
    }
  });
});

describe('one line per request', () => {
  it('tells the method, the path, the status, the time and the workflow, also of refusals', async () => {
    const lines: unknown[] = [];
    const host = fakeHost();
    const slow = endpoint({
      run: async () => {
        host.advance(7);
        return { status: 201, body: 1 };
      },
    });
    const router = createRouter({ host, endpoints: [slow], onRequest: (line) => lines.push(line) });
    await router.fetch(new Request('http://localhost/echo?a=1', { method: 'POST' }));
    await router.fetch(new Request('http://localhost/nowhere'));
    expect(lines).toEqual([
      { method: 'POST', path: '/echo?a=1', status: 201, tookMs: 7, workflow: 'echo' },
      { method: 'GET', path: '/nowhere', status: 404, tookMs: 0, workflow: null },
    ]);
  });
});
