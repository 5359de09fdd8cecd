/** Requests to real servers on this machine: what they get, and what they can do to us. */
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { createNodeHost } from '../../src/node/host.ts';
import { createOutboundFetch } from '../../src/node/outbound.ts';
import { openReplica } from '../../src/replica/index.ts';
import { memoryStore } from '../../src/store/index.ts';
import { executeRun, isProblem, type LogEntry, type RunResult } from '../../src/workflow/index.ts';
import { type Listening, listenHttp, listenRaw } from './outbound-server.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const secret = 's3cr3t-value';
const logs: LogEntry[] = [];

/** Runs one `http` step against this port, and answers with what it yields. */
async function ask(port: number, fields = '', path = '', timeout = '20s'): Promise<RunResult> {
  const steps = `  - http: http://inside.test:${port}/${path}${`\ntimeout: ${timeout}${fields}`.replaceAll('\n', '\n    ')}\n    as: answer\n  - respond: { body: "\${ answer }" }\n`;
  const app = loadApp([
    { path: 'cffbrw.yaml', text: 'cffbrw: 1\napp: a\nsecrets: [TOKEN]\noutbound: { allow: [inside.test] }\n' },
    { path: 'w.yaml', text: `cffbrw: 1\nworkflow: w\non: { http: { method: POST, path: /w } }\nsteps:\n${steps}` },
  ]);
  const host = createNodeHost({ allow: app.settings.outbound.allow, resolve: async () => ['127.0.0.1'] });
  const replica = await openReplica({ name: 'here', variables: app.variables, host, store: memoryStore() });
  const plan = app.workflows.get('w');
  if (plan === undefined) throw new Error('no plan');
  const secrets = new Map([['TOKEN', secret]]);
  const result = await executeRun(plan, { body: null }, { replica, host, secrets, log: (entry) => logs.push(entry) });
  await replica.close();
  expect(JSON.stringify([result, logs])).not.toContain(secret);
  return result;
}

async function askHttp(answer: RequestListener, fields = '', path = ''): Promise<RunResult> {
  const server = await listenHttp(answer);
  open.push(server);
  return ask(server.port, fields, path);
}

async function askRaw(answer: (socket: Socket) => void, timeout?: string): Promise<RunResult> {
  const server = await listenRaw((socket) => void socket.once('data', () => answer(socket)));
  open.push(server);
  return ask(server.port, '', '', timeout);
}

const failure = (result: RunResult): unknown => (isProblem(result) ? [result.code, result.detail] : result);
const broke = (reason?: string) => ['HTTP_FAILED', `no whole answer could be read${reason === undefined ? '' : ` (${reason})`}`];
const tooLarge = ['HTTP_FAILED', 'the answer is larger than 10 MB'];

describe('what a server gets', () => {
  test('is the request, with the name that was asked for', async () => {
    const seen: { method: unknown; url: unknown; headers: IncomingHttpHeaders; body: string }[] = [];
    const result = await askHttp(
      (request, response) => {
        let body = '';
        request.on('data', (chunk) => {
          body += chunk;
        });
        request.on('end', () => {
          seen.push({ method: request.method, url: request.url, headers: request.headers, body });
          response.setHeader('content-type', 'application/json').end('{"ok":true}');
        });
      },
      '\nmethod: POST\nheaders: { x-key: "${ secrets.TOKEN }" }\nbody: { text: "é" }',
      'a%20b/ü?q=1&q=2#part',
    );
    expect(result).toMatchObject({ body: { status: 200, body: { ok: true } } });
    const port = open[0]?.port;
    expect(seen).toEqual([
      {
        ...{ method: 'POST', url: '/a%20b/%C3%BC?q=1&q=2', body: '{"text":"é"}' },
        headers: {
          ...{
            host: `inside.test:${port}`,
            connection: 'keep-alive',
            'content-length': '13',
            'content-type': 'application/json',
          },
          ...{ 'x-key': secret, 'user-agent': 'cffbrw', 'accept-encoding': 'gzip, br' },
        },
      },
    ]);
  });

  test('over TLS, is that name too, although the socket was given an address', async () => {
    let hello = Buffer.alloc(0);
    const server = await listenRaw((socket) => {
      socket.once('data', (data) => {
        hello = data;
        socket.destroy();
      });
    });
    open.push(server);
    const fetch = createOutboundFetch({ allow: ['inside.test'], resolve: async () => ['127.0.0.1'] });
    await expect(fetch(new Request(`https://inside.test:${server.port}/`))).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(hello.includes('inside.test')).toBe(true);
  });

  test.each([
    'host',
    'content-length',
    'transfer-encoding',
    'connection',
    'upgrade',
    'expect',
  ])('never has a header %s of the asker', async (name) => {
    const fetch = createOutboundFetch({ allow: ['127.0.0.1'] });
    const request = new Request('http://127.0.0.1:1/', { headers: { [name]: '1' } });
    await expect(fetch(request)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });
});

describe('what a server answers', () => {
  test.each([200, 201, 204, 205, 226, 299])('%i is taken', async (status) => {
    expect(await askHttp((_, response) => void response.writeHead(status).end())).toMatchObject({ body: { status } });
  });

  test.each([300, 301, 302, 303, 304, 307, 308, 400, 401, 404, 418, 429, 500, 503, 599])('%i fails the step', async (status) => {
    const answer: RequestListener = (_, response) => void response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    expect(failure(await askHttp(answer))).toEqual([
      'HTTP_FAILED',
      `the other server answered ${status}, which this step does not accept`,
    ]);
    expect(await askHttp(answer, `\naccept: ${Math.floor(status / 100)}xx`)).toMatchObject({ body: { status } });
  });

  test.each([
    ['with a length', (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')],
    [
      'in chunks',
      (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n'),
    ],
    ['without a length', (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nhi')],
    ['as HTTP/1.0', (socket: Socket) => void socket.end('HTTP/1.0 200 OK\r\n\r\nhi')],
    [
      'after early hints',
      (socket: Socket) => void socket.end('HTTP/1.1 103 Early\r\nx: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    ],
  ])('A body %s is read', async (_, answer) => {
    expect(await askRaw(answer)).toMatchObject({ body: { status: 200, body: 'hi' } });
  });

  test.each([
    ['gzip', gzipSync('{"a":1}')],
    ['GZIP', gzipSync('{"a":1}')],
    ['x-gzip', gzipSync('{"a":1}')],
    ['br', brotliCompressSync('{"a":1}')],
    ['deflate', deflateSync('{"a":1}')],
    ['identity', Buffer.from('{"a":1}')],
  ])('A body in %s is decoded', async (coding, bytes) => {
    const result = await askHttp((_, response) => {
      response.writeHead(200, { 'content-encoding': coding, 'content-type': 'application/json' }).end(bytes);
    });
    expect(result).toMatchObject({ body: { body: { a: 1 } } });
  });

  test('To HEAD there is no body, whatever its headers say', async () => {
    const headers = { 'content-length': '1000', 'content-encoding': 'gzip', 'content-type': 'text/plain' };
    const result = await askHttp((_, response) => void response.writeHead(200, headers).end(), '\nmethod: HEAD');
    expect(result).toMatchObject({ body: { status: 200, body: '', headers: { 'content-length': '1000' } } });
  });

  test('A header that no header can be is left out', async () => {
    const head = Buffer.from(
      'HTTP/1.1 200 OK\r\nx-latin: caf\u00e9\r\n__proto__: x\r\nConstructor: y\r\nContent-Length: 0\r\n\r\n',
      'latin1',
    );
    const result = await askRaw((socket) => void socket.end(head));
    expect(result).toMatchObject({ body: { headers: { 'x-latin': 'café' } } });
    expect(JSON.stringify(result)).not.toMatch(/__proto__|constructor/);
  });
});

describe('what a server can do to us', () => {
  test('A bomb in gzip is put out: 20 MB from 20 kB', async () => {
    const bomb = gzipSync(Buffer.alloc(20_971_520));
    expect(bomb.length).toBeLessThan(21_000);
    const result = await askHttp((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    expect(failure(result)).toEqual(tooLarge);
  });

  test('A bomb in brotli too: 128 MB from less than 10 kB, of which no more is unpacked than is taken', async () => {
    const bomb = brotliCompressSync(Buffer.alloc(134_217_728), { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } });
    expect(bomb.length).toBeLessThan(10_000);
    const before = process.memoryUsage().arrayBuffers;
    const result = await askHttp((_, response) => void response.writeHead(200, { 'content-encoding': 'br' }).end(bomb));
    expect(failure(result)).toEqual(tooLarge);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000);
  });

  test('A body without an end is read no further than 10 MB', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(65_536, 97);
    const result = await askHttp((_, response) => {
      const more = (): void => {
        while (!response.destroyed && sent < 1e9) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      response.on('error', () => {});
      more();
    });
    expect(String(failure(result))).toMatch(/larger than 10 MB|UND_ERR_RES_EXCEEDED_MAX_SIZE/);
    expect(sent).toBeLessThan(100_000_000);
  });

  test('Endless gzip that unpacks to nothing is cut off by what comes over the wire', async () => {
    const empty = Buffer.alloc(65_535, Buffer.from([0, 0, 0, 0xff, 0xff]));
    const head = gzipSync('').subarray(0, 10);
    const result = await askRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n');
      socket.write(head);
      const more = (): void => {
        while (!socket.destroyed) if (!socket.write(empty)) return void socket.once('drain', more);
      };
      more();
    });
    expect(failure(result)).toEqual(broke('UND_ERR_RES_EXCEEDED_MAX_SIZE'));
  });

  test.each([
    ['two codings', 'gzip, gzip'],
    ['one that was not asked for', 'zstd'],
    ['one that is a property of every object', 'constructor'],
  ])('A body in %s is refused', async (_, coding) => {
    const bytes = gzipSync(gzipSync('x'));
    const result = await askHttp((_request, response) => void response.writeHead(200, { 'content-encoding': coding }).end(bytes));
    expect(failure(result)).toEqual(broke());
  });

  test('A server that accepts and says nothing costs the time of the step', async () => {
    expect(await askRaw(() => {}, '60ms')).toMatchObject({ code: 'TIMEOUT' });
  });

  test('So does one that sends its body, or its headers, byte by byte', async () => {
    const drip = (socket: Socket, start: string): void => {
      socket.write(start);
      const timer = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(timer));
    };
    for (const start of ['HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n', 'HTTP/1.1 200 OK\r\nx-long: ']) {
      expect(await askRaw((socket) => drip(socket, start), '60ms')).toMatchObject({ code: 'TIMEOUT' });
    }
  });

  test('After the time is over the connection is closed', async () => {
    let asked: Promise<RunResult> | undefined;
    await new Promise<void>((resolve) => {
      asked = askRaw((socket) => {
        socket.on('close', resolve);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx');
      }, '50ms');
    });
    expect(await asked).toMatchObject({ code: 'TIMEOUT' });
  });

  test.each<[string, (socket: Socket) => void, string | undefined]>([
    ['resets before an answer', (socket) => void socket.resetAndDestroy(), 'ECONNRESET'],
    ['closes before an answer', (socket) => void socket.end(), 'UND_ERR_SOCKET'],
    ['closes within the body', (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx'), 'UND_ERR_SOCKET'],
    [
      'closes within a chunk',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'),
      'UND_ERR_SOCKET',
    ],
    [
      'sends chunks that are none',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
      undefined,
    ],
    ['sends no HTTP', (socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'), undefined],
    [
      'sends headers of 64 kB',
      (socket) => void socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(65_536)}\r\n\r\n`),
      'UND_ERR_HEADERS_OVERFLOW',
    ],
    [
      'sends headers without end',
      (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`),
      'UND_ERR_HEADERS_OVERFLOW',
    ],
    [
      'sends gzip that breaks off',
      (socket) =>
        void socket.end(
          Buffer.concat([
            Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n'),
            gzipSync('x'.repeat(999)).subarray(0, 15),
          ]),
        ),
      'Z_BUF_ERROR',
    ],
    [
      'sends gzip that is none',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhello hello'),
      'Z_DATA_ERROR',
    ],
  ])('A server that %s fails the step', async (_, answer, reason) => {
    expect(failure(await askRaw(answer))).toEqual(broke(reason));
  });

  test('A status that is none fails the step', async () => {
    const result = await askRaw((socket) => void socket.end('HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n'));
    expect(failure(result)).toEqual(broke());
  });

  test('Two answers for one request are one', async () => {
    const one = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
    expect(await askRaw((socket) => void socket.end(`${one}hi${one}no`))).toMatchObject({ body: { body: 'hi' } });
  });

  test('Where nobody listens, nothing was sent', async () => {
    const server = await listenHttp(() => {});
    await server.close();
    expect(failure(await ask(server.port))).toEqual(['UNREACHABLE', 'the other server cannot be reached (ECONNREFUSED)']);
  });

  test('A name that is not known cannot be reached', async () => {
    const fetch = createOutboundFetch({
      resolve: () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND name.test'), { code: 'ENOTFOUND' })),
    });
    await expect(fetch(new Request('http://name.test/'))).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: 'no connection could be made',
    });
  });

  test('A look-up without an answer ends with the time to connect', async () => {
    const fetch = createOutboundFetch({ connectMs: 50, resolve: () => new Promise(() => {}) });
    await expect(fetch(new Request('http://name.test/'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});
