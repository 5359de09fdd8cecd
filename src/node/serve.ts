/**
 * A fetch handler behind Node's HTTP server, with limits on everything that a client can make long, large or many.
 *
 * Never: leaves a request unanswered because another one is slow or malformed; cuts off at a stop what can still be finished in time.
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { CffbrwError } from '../error.ts';
import type { Inbound } from '../http/http.ts';
import { type Log, type Problem, problemResponse } from '../http/problem.ts';
import { NodeInbound } from './inbound.ts';

export interface ServeOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** The same, and used instead, for a handler that takes headers and bodies straight from Node. */
  readonly answer?: (request: Request, inbound: Inbound) => Response | Promise<Response>;
  /** 0: one that is free. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly log?: Log;
  /** Called when a stop begins: ends what would never end by itself, such as event streams. */
  readonly stopping?: () => void;
  readonly limits?: Partial<ServeLimits>;
}

export interface ServeLimits {
  /** Until the headers are there. Default 10 s. */
  readonly headersMs: number;
  /** Until the whole request is there. Default 30 s. */
  readonly requestMs: number;
  /**
   * How long an idle connection is kept, while no more than half of `connections` are open. Default 72 s: longer than balancers keep theirs,
   * so that none sends into one that ends.
   */
  readonly keepAliveMs: number;
  /** Default 16 KiB. */
  readonly headerBytes: number;
  /** Default 10,000. */
  readonly connections: number;
  /** How often the time limits are looked at. Default 1 s. */
  readonly checkMs: number;
  /** How long a stop waits for what runs. Default 10 s. */
  readonly stopMs: number;
}

export const defaultLimits: ServeLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 72_000,
  headerBytes: 16_384,
  connections: 10_000,
  checkMs: 1_000,
  stopMs: 10_000,
};

export interface Served {
  readonly port: number;
  /** From now on each answer is the last of its connection, so that who asks again may ask elsewhere. Goes on accepting. */
  retreat(): void;
  /** Stops accepting, finishes what runs (at most `stopMs`), closes. May be called again. */
  close(): Promise<void>;
}

type FetchCallback = Parameters<typeof getRequestListener>[0];

/** Resolves when connections are accepted. Rejects with INVALID_APP when the port cannot be had. */
export async function serve(options: ServeOptions): Promise<Served> {
  const limits = { ...defaultLimits, ...options.limits };
  const { fetch, answer } = options;
  const handle: FetchCallback =
    answer === undefined
      ? (request) => fetch(request)
      : (request, { incoming }) => answer(request, new NodeInbound(incoming as IncomingMessage));
  const listener = getRequestListener(handle, { errorHandler: (error) => unreadable(error, options.log) });
  const state = { retreating: false, open: 0 };
  const isLast = () => state.retreating || state.open > limits.connections / 2;
  const server = createServer(
    {
      ServerResponse: answersOf(isLast),
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.headerBytes,
      connectionsCheckingInterval: limits.checkMs,
      requireHostHeader: true,
    },
    (incoming, outgoing) => {
      void listener(incoming, outgoing);
    },
  );
  server.maxConnections = limits.connections;
  server.on('connection', (socket) => {
    state.open += 1;
    socket.on('close', () => {
      state.open -= 1;
    });
  });
  server.on('clientError', refuseMalformed);
  await listen(server, options.port, options.host ?? '127.0.0.1');
  let closing: Promise<void> | undefined;
  const retreat = () => {
    state.retreating = true;
  };
  return {
    port: (server.address() as AddressInfo).port,
    retreat,
    close() {
      retreat();
      closing ??= stop(server, limits.stopMs, options.stopping);
      return closing;
    },
  };
}

/** Answers that end their connection where it is the last on it, also those that were asked for before that was decided. */
const answersOf = (isLast: () => boolean) =>
  class extends ServerResponse {
    override writeHead(status: number, ...rest: readonly unknown[]): this {
      if (isLast()) this.shouldKeepAlive = false;
      return super.writeHead(status, ...(rest as []));
    }
  };

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, port, host)));
    server.listen({ port, host, backlog: 1024 }, resolve);
  });
}

function cannotListen(error: NodeJS.ErrnoException, port: number, host: string): CffbrwError {
  const reasons: Record<string, [message: string, fix: string]> = {
    EADDRINUSE: [
      `port ${port} on ${host} is in use by another program`,
      `Stop that program, or choose another port: --port ${port + 1}`,
    ],
    EACCES: [`this user may not use port ${port}`, 'Choose a port from 1024 on: --port 8080'],
    EADDRNOTAVAIL: [`${host} is not an address of this machine`, 'Use --host 127.0.0.1, or 0.0.0.0 for all addresses.'],
    ENOTFOUND: [`${host} is not a name of this machine`, 'Use --host 127.0.0.1, or 0.0.0.0 for all addresses.'],
  };
  const [message, fix] = reasons[error.code ?? ''] ?? [
    `cannot listen on ${host}:${port}: ${error.message}`,
    'Choose another address or port.',
  ];
  return new CffbrwError('INVALID_APP', message, { fix, cause: error });
}

const plain = (status: number, title: string, detail: string): Problem => ({ type: 'about:blank', title, status, detail });

/** What no request could be made of (a bad host, a bad URL), or what the handler threw, which it never does. */
function unreadable(error: unknown, log?: Log): Response {
  if (error instanceof Error && error.name === 'RequestError') return problemResponse(plain(400, 'Bad request', error.message));
  log?.({ level: 'error', message: 'the handler threw', cause: error });
  return problemResponse(plain(500, 'Internal error', 'Something went wrong here.'));
}

const refusals: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: plain(431, 'Request header fields too large', 'The headers are larger than this server takes.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: plain(413, 'Content too large', 'The chunk extensions are larger than this server takes.'),
  ERR_HTTP_REQUEST_TIMEOUT: plain(408, 'Request timeout', 'The request did not arrive in time.'),
};
const malformed = plain(400, 'Bad request', 'This is not HTTP/1.1.');

function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = refusals[error.code ?? ''] ?? malformed;
  // An answer on this connection may be half sent: a second head inside it would be read as its body.
  if (socket.bytesWritten > 0) socket.destroy();
  else socket.end(rawResponse(problem), () => socket.destroy());
}

function rawResponse(problem: Problem): string {
  const body = JSON.stringify(problem);
  const head = [`HTTP/1.1 ${problem.status} ${problem.title}`, 'Connection: close', 'Content-Type: application/problem+json'];
  return [...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

async function stop(server: Server, stopMs: number, stopping?: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  stopping?.();
  // A connection that was busy becomes idle when its answer is out; `close` looked only once.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), stopMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
