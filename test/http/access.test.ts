import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RequestInbound } from '../../src/http/body.ts';
import { endpoint, harness } from './fakes.ts';

const secrets = new Map([
  ['TOKEN', 'correct-horse'],
  ['HOOK', 'hook-secret'],
]);

describe('a bearer token', () => {
  const guarded = () => harness([endpoint({ auth: { bearer: 'TOKEN' } })], { secrets });

  it.each([
    ['none', {}],
    ['an empty one', { authorization: 'Bearer ' }],
    ['another', { authorization: 'Bearer wrong' }],
    ['its beginning', { authorization: 'Bearer correct' }],
    ['it and more', { authorization: 'Bearer correct-horses' }],
    ['it twice', { authorization: 'Bearer correct-horse correct-horse' }],
    ['another scheme', { authorization: 'Basic correct-horse' }],
    ['it without a scheme', { authorization: 'correct-horse' }],
    ['undefined', { authorization: 'Bearer undefined' }],
  ])('is refused when it is %s, before the body is looked at', async (_, headers) => {
    const { post, seen } = guarded();
    const response = await post('/echo', 'no json', { ...headers });
    expect([response.status, response.headers.get('www-authenticate'), seen.length]).toEqual([401, 'Bearer', 0]);
    expect(await response.text()).not.toContain('correct');
  });

  it('lets in who has it', async () => {
    const { post } = guarded();
    expect((await post('/echo', '{}', { authorization: 'Bearer correct-horse' })).status).toBe(200);
    expect((await post('/echo', '{}', { authorization: 'bearer  correct-horse' })).status).toBe(200);
  });

  it('must have a value when the app starts', () => {
    for (const values of [new Map(), new Map([['TOKEN', '']])]) {
      expect(() => harness([endpoint({ auth: { bearer: 'TOKEN' } })], { secrets: values })).toThrow(/needs the secret TOKEN/);
    }
  });
});

describe('a signature', () => {
  const body = '{"paid": true}';
  const sign = (text: string, secret = 'hook-secret') => createHmac('sha256', secret).update(text);
  const hooked = () => harness([endpoint({ verify: { header: 'x-signature', secret: 'HOOK' } })], { secrets });

  it.each([
    ['hexadecimal', sign(body).digest('hex')],
    ['hexadecimal in capitals', sign(body).digest('hex').toUpperCase()],
    ['hexadecimal after a name', `sha256=${sign(body).digest('hex')}`],
    ['base64', sign(body).digest('base64')],
    ['base64 after a name', `v1=${sign(body).digest('base64')}`],
    ['base64 of URLs', sign(body).digest('base64url')],
  ])('is taken as %s', async (_, signature) => {
    const { post } = hooked();
    expect((await post('/echo', body, { 'x-signature': signature })).status).toBe(200);
  });

  it.each([
    ['missing', null],
    ['empty', ''],
    ['of another body', sign('{"paid":true}').digest('hex')],
    ['by another secret', sign(body, 'other').digest('hex')],
    ['cut short', sign(body).digest('hex').slice(0, 62)],
    ['too long', `${sign(body).digest('hex')}00`],
    ['no text of bytes', 'zz'.repeat(32)],
    ['only a name', 'sha256='],
  ])('is refused when it is %s', async (_, signature) => {
    const { post, seen } = hooked();
    const response = await post('/echo', body, signature === null ? {} : { 'x-signature': signature });
    expect([response.status, seen.length]).toEqual([401, 0]);
  });

  it('is over the bytes as they came, also where the workflow reads no body', async () => {
    const bytes = Uint8Array.from([0xff, 0, 0xfe]);
    const { send } = harness([endpoint({ reads: new Set(), verify: { header: 'x-signature', secret: 'HOOK' } })], { secrets });
    const signature = createHmac('sha256', 'hook-secret').update(bytes).digest('hex');
    expect((await send('POST', '/echo', { body: bytes, headers: { 'x-signature': signature } })).status).toBe(200);
    expect((await send('POST', '/echo', { body: bytes.slice(1), headers: { 'x-signature': signature } })).status).toBe(401);
  });
});

describe('another origin', () => {
  const shop = 'https://shop.example';
  const cors = { origins: [shop], credentials: true, maxAgeSeconds: 60 };
  const crossed = (rule: NonNullable<Parameters<typeof endpoint>[0]['cors']> = cors) =>
    harness([endpoint({ cors: rule }), endpoint({ method: 'PUT' })]);
  const preflight = (origin: string, method = 'POST') => ({ headers: { origin, 'access-control-request-method': method } });

  it('that is listed may send and read', async () => {
    const { send, post } = crossed();
    const asked = await send('OPTIONS', '/echo', preflight(shop));
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': shop,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, authorization, idempotency-key',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '60',
      vary: 'origin',
    });
    for (const body of ['{}', 'no json']) {
      const response = await post('/echo', body, { origin: shop });
      expect([response.headers.get('access-control-allow-origin'), response.headers.get('vary')]).toEqual([shop, 'origin']);
    }
  });

  it.each([
    'https://evil.example',
    'null',
    'https://shop.example.evil.example',
    'http://shop.example',
  ])('%s may not', async (origin) => {
    const { send, post } = crossed();
    expect((await send('OPTIONS', '/echo', preflight(origin))).headers.get('access-control-allow-origin')).toBeNull();
    expect((await post('/echo', '{}', { origin })).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('may not use a method whose workflow says nothing', async () => {
    const { send } = crossed();
    expect((await send('OPTIONS', '/echo', preflight(shop, 'PUT'))).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is any one where the workflow says so, then without credentials', async () => {
    const { post } = crossed({ origins: '*' });
    const response = await post('/echo', '{}', { origin: 'https://any.example' });
    expect([
      response.headers.get('access-control-allow-origin'),
      response.headers.get('access-control-allow-credentials'),
    ]).toEqual(['*', null]);
  });
});

describe('a body that says it is too large', () => {
  it('is not read', async () => {
    const request = new Request('http://localhost/', { method: 'POST', body: 'x', headers: { 'content-length': '11' } });
    await expect(new RequestInbound(request).bytes(10)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    expect(request.bodyUsed).toBe(false);
  });

  it('is measured all the same when it says less than it is', async () => {
    const request = new Request('http://localhost/', {
      method: 'POST',
      body: 'x'.repeat(11),
      headers: { 'content-length': '1' },
    });
    await expect(new RequestInbound(request).bytes(10)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
  });
});
