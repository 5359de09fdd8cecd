import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createRouter } from '../../src/http/router.ts';
import { type Served, type ServeOptions, serve } from '../../src/node/serve.ts';
import { createPathRouter } from '../../src/workflow/path-router.ts';
import { caseEndpoints, cases } from '../http/cases.ts';
import { endpoint, fakeHost } from '../http/fakes.ts';

const open: Served[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((served) => served.close()));
});

const router = (endpoints = caseEndpoints) => createRouter({ host: fakeHost(), createPathRouter, endpoints });

async function start(options: Partial<ServeOptions> = {}): Promise<Served> {
  const served = await serve({
    ...(options.fetch === undefined && { answer: router().answer }),
    fetch: router().fetch,
    port: 0,
    ...options,
    limits: { stopMs: 2_000, checkMs: 20, ...options.limits },
  });
  open.push(served);
  return served;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Node's client, because `fetch` refuses to send what a hostile client sends. */
function send(
  port: number,
  {
    method,
    path,
    headers,
    body,
  }: { method: string; path: string; headers?: Readonly<Record<string, string>>; body?: string | Uint8Array },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ port, host: '127.0.0.1', method, path, headers: { ...headers }, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends bytes as they are; resolves with everything that came back when the server has closed the connection. */
function raw(port: number, bytes: string | Uint8Array, keepOpen?: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes);
      keepOpen?.(socket);
    });
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

const good = { method: 'POST', path: '/echo', headers: { 'content-type': 'application/json' }, body: '{"user":"ann"}' };
const head = 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

describe('a served app', () => {
  it('answers every case of the table over a real connection, one after the other, from one process', async () => {
    const { port } = await start();
    for (const each of cases) {
      const { status, text } = await send(port, each);
      // Node's parser knows no methods of anybody's own.
      const expected = ['BREW', 'constructor'].includes(each.method) ? 400 : each.status;
      expect([each.title, status]).toEqual([each.title, expected]);
      if (each.answer !== undefined) expect(JSON.parse(text)).toMatchObject(each.answer as object);
    }
    expect((await send(port, good)).status).toBe(200);
  });

  const malformed: readonly [title: string, bytes: string | Uint8Array][] = [
    ['random bytes', Uint8Array.from({ length: 4096 }, (_, index) => (index * 131 + 7) % 256)],
    ['a TLS hello', Uint8Array.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...new Array(300).fill(0x41)])],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['no host', 'GET /echo HTTP/1.1\r\n\r\n'],
    ['a host of junk', 'GET /lots/7 HTTP/1.1\r\nHost: a b/c?d\r\nConnection: close\r\n\r\n'],
    ['a version of the future', 'GET /echo HTTP/9.9\r\nHost: a\r\n\r\n'],
    ['a path without a slash', 'GET echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['a backslash in the path', 'GET /a\\..\\b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['a NUL in the path', 'GET /a\u0000b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['a NUL in a header', 'GET /echo HTTP/1.1\r\nHost: a\r\nX: a\u0000b\r\n\r\n'],
    ['a space before the colon', `${head}Content-Length : 5\r\n\r\n{"a":`],
    ['a folded header', 'GET /echo HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\nConnection: close\r\n\r\n'],
    ['a length of letters', `${head}Content-Length: ten\r\n\r\n`],
    ['a negative length', `${head}Content-Length: -1\r\n\r\n`],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    ['a length and chunks', `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks of no known kind', `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['a chunk size of letters', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`],
    ['a length of 2^64', `${head}Content-Length: 18446744073709551616\r\n\r\n`],
    ['a header of 100 kB', `GET /echo HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['100,000 headers', `GET /echo HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(100_000)}\r\n`],
    ['a path of 100 kB', `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n'],
    ['an absolute URL of another scheme', 'GET ftp://a/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['a body that is cut short', `${head}Content-Length: 100\r\n\r\n{"user":`],
  ];

  it('refuses or closes what is malformed, and goes on', async () => {
    const { port } = await start({ limits: { requestMs: 300, headersMs: 300 } });
    for (const [title, bytes] of malformed) {
      const text = await raw(port, bytes);
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 'closed';
      expect([title, status]).toEqual([title, expect.stringMatching(/^4\d\d$|^closed$/)]);
      expect(text).not.toMatch(/node:|\.ts:|\/src\//);
    }
    expect((await send(port, good)).status).toBe(200);
  });

  it('says 431 for headers that are too large, in a problem', async () => {
    const { port } = await start();
    const text = await raw(port, `GET /echo HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ status: 431 });
  });

  it('answers 413 to a body of unannounced length as soon as it is too long, and reads no further', async () => {
    const { port } = await start();
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const text = await raw(port, `${head}Transfer-Encoding: chunked\r\n\r\n`, (socket) => {
      const more = () => {
        while (socket.writable && socket.write(chunk));
      };
      socket.on('drain', more);
      more();
    });
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toMatch(/BODY_TOO_LARGE/);
    expect((await send(port, good)).status).toBe(200);
  });

  it('answers 413 to a length that is too large without waiting for the body', async () => {
    const { port } = await start();
    expect(await raw(port, `${head}Content-Length: 999999999\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('reads a body in chunks, however it is cut', async () => {
    const { port } = await start();
    const body = [...'{"user":"ann"}'].map((character) => `1\r\n${character}\r\n`).join('');
    const text = await raw(port, `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body}0\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/"user":"ann"/);
  });

  it('closes who sends headers or a body too slowly, and answers others in the meantime', async () => {
    const { port } = await start({ limits: { headersMs: 200, requestMs: 400 } });
    const slow = [
      ...Array.from({ length: 200 }, () => raw(port, 'GET /lots/7 HTTP/1.1\r\nHost: a\r\nX-')),
      ...Array.from({ length: 100 }, () => raw(port, `${head}Content-Length: 14\r\n\r\n{"us`)),
    ];
    const answered = await Promise.all(Array.from({ length: 20 }, () => send(port, good)));
    expect(answered.map((each) => each.status)).toEqual(new Array(20).fill(200));
    for (const text of await Promise.all(slow)) expect(text === '' ? '408' : text.slice(9, 12)).toMatch(/^4\d\d$/);
  });

  it('answers each of many pipelined requests in order', async () => {
    const { port } = await start();
    const text = await raw(
      port,
      `${'GET /lots/7 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50)}GET /lots/8 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(51);
    expect(text.lastIndexOf('"lot":8')).toBeGreaterThan(text.lastIndexOf('"lot":7'));
  });

  /** A connection on which these bytes were sent, once something has come back, or at once. */
  const opened = (port: number, bytes: string, answered: boolean): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes, () => !answered && resolve(socket)));
      socket.once('data', () => resolve(socket));
    });
  const whole = 'GET /lots/7 HTTP/1.1\r\nHost: a\r\n\r\n';

  it('takes no more connections than it may', async () => {
    const { port } = await start({ limits: { connections: 3 } });
    const busy = await Promise.all([1, 2, 3].map(() => opened(port, 'GET /lots/7 HTTP/1.1\r\nHost: a\r\n', false)));
    expect(await raw(port, whole)).toBe('');
    for (const socket of busy) socket.destroy();
  });

  it('keeps no more idle connections while half of those that it may have are open, so that nobody is kept out', async () => {
    const { port } = await start({ limits: { connections: 4 } });
    const idle = [await opened(port, whole, true), await opened(port, whole, true)];
    for (let count = 0; count < 5; count += 1)
      expect(await raw(port, whole)).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close/i);
    for (const socket of idle) socket.destroy();
  });

  it('ignores a wish to upgrade', async () => {
    const { port } = await start();
    const text = await raw(port, 'GET /lots/7 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('says who has the port, and what to do', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({
      code: 'INVALID_APP',
      message: `port ${port} on 127.0.0.1 is in use by another program`,
      fix: expect.stringContaining(`--port ${port + 1}`),
    });
  });

  it('tells nobody what the handler threw', async () => {
    const logged: unknown[] = [];
    const { port } = await start({
      fetch: () => {
        throw new Error('at /srv/secret.ts');
      },
      log: (entry) => logged.push(entry),
    });
    const { status, text } = await send(port, good);
    expect([status, logged.length]).toEqual([500, 1]);
    expect(text).not.toMatch(/secret/);
  });
});

describe('a stop', () => {
  /** An app whose run waits until a test lets it go on. */
  function waiting() {
    let arrived = () => {};
    let goOn = () => {};
    const running = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const until = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const run = async () => {
      arrived();
      await until;
      return { status: 200, body: 'done' };
    };
    return { running, goOn, fetch: router([endpoint({ method: 'GET', path: '/slow', reads: new Set(), run })]).fetch };
  }
  const slow = { method: 'GET', path: '/slow' };

  it('finishes what runs, takes nothing new, and closes idle connections', async () => {
    const { running, goOn, fetch } = waiting();
    const served = await start({ fetch });
    const idle = raw(served.port, 'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n');
    const reply = send(served.port, slow);
    await running;
    const closed = served.close();
    await expect(send(served.port, slow)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    // As long as balancers keep theirs, and longer.
    expect(await idle).toMatch(/404[\s\S]*Keep-Alive: timeout=72/i);
    goOn();
    expect(await reply).toMatchObject({ status: 200, text: '"done"' });
    await closed;
    await served.close();
  });

  it('goes on accepting while it retreats, and lets each answer end its connection, also one that was asked for before', async () => {
    const { running, goOn, fetch } = waiting();
    const served = await start({ fetch });
    const before = raw(served.port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await running;
    served.retreat();
    goOn();
    for (const text of [await before, await raw(served.port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')]) {
      expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close\r\n[\s\S]*"done"$/i);
    }
  });

  it('ends streams that would never end, and cuts off at its deadline what does not end', async () => {
    let ended = 0;
    const { running, fetch } = waiting();
    const served = await start({ fetch, stopping: () => ended++, limits: { stopMs: 50 } });
    const reply = send(served.port, slow);
    await running;
    await Promise.all([served.close(), expect(reply).rejects.toMatchObject({ code: 'ECONNRESET' })]);
    expect(ended).toBe(1);
  });
});
